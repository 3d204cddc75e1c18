"""Before a study ever ran here, its jobs are expected to take what they took where its reference was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from interpflow.workflow import usual
from interpflow.workflow.cost import job_seconds
from interpflow.workflow.expected import foreseen
from interpflow.workflow.job import Job
from interpflow.workflow.measured import Measured, path_beside


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual._kept.cache_clear()
    yield
    usual._kept.cache_clear()


def job(name: str, scale: str = "laptop", study: str = "small", stage: str = "analyse") -> Job:
    slice = {"method": "probe"} if stage == "analyse" else {}
    log = f"logs/{scale}/{study}/{stage}/{name}.log"
    return Job(stage, study, scale, (name,), slice, (), {}, {}, log)


def record(of: Job, seconds: float, cores: float, cost: float = 5.0) -> Measured:
    found = Measured("abc", "done", 0.0, seconds, cores, cost=cost)
    path = path_beside(of.log)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found)))
    return found


def test_a_job_is_expected_to_take_the_processor_time_of_the_reference():
    long, short = job("long"), job("short")
    record(long, seconds=90, cores=0.5)
    record(short, seconds=2, cores=1)
    assert usual.keep("small", [long, short]) == [Path("reference/seconds/small.csv")]
    assert usual.usual_seconds(long) == 45
    assert foreseen([])(short) == 2
    for other in (job("long", scale="paper"), job("long", study="other"), job("new")):
        assert usual.usual_seconds(other) == job_seconds(other)


def test_a_slower_machine_shows_by_the_jobs_that_it_did():
    done, ahead = job("done"), job("ahead")
    record(done, 10, 1)
    record(ahead, 30, 1)
    usual.keep("small", [done, ahead])
    assert foreseen([(done, record(done, 20, 1))])(ahead) == 60


def test_jobs_without_a_record_of_their_own_keep_the_time_they_had():
    first, gone, shared = job("first"), job("gone"), job("shared")
    for each in (first, gone, shared):
        record(each, 10, 1)
    usual.keep("small", [first, gone, shared])
    record(first, 12, 1)
    path_beside(gone.log).unlink()
    record(shared, 1, 1, cost=0.0)  # in a process with others
    usual.keep("small", [first, gone, shared])
    assert [usual.usual_seconds(each) for each in (first, gone, shared)] == [12, 10, 10]


def test_a_damaged_file_counts_as_none():
    path = Path("reference/seconds/small.csv")
    path.parent.mkdir(parents=True)
    path.write_text("job,seconds\nanalyse long,many\n")
    assert usual.usual_seconds(job("long")) == job_seconds(job("long"))
