"""The time left of a run follows from what its jobs wait for, from the cores and from what like jobs took."""

from __future__ import annotations

import io
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from interpflow.workflow import expected, time_left
from interpflow.workflow.duration import duration
from interpflow.workflow.expected import Expected, Run
from interpflow.workflow.measured import Measured, measuring, path_beside
from interpflow.workflow.specs_folder import plan_study

BEGAN = 1_000_000_000.0


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def job(seconds: float, *after: int, stage: str = "train", name: str = "a", **more) -> Expected:
    given = {"threads": 1, "priority": 0, "kind": stage, **more}
    return Expected(
        stage=stage, label=name, log=f"logs/{name}.log", recipe="abc", after=after,
        seconds=seconds, **given,
    )  # fmt: skip


def run_of(*jobs: Expected, cores: int = 2) -> Run:
    return Run(BEGAN, cores, jobs)


def whole(*jobs: Expected, cores: int = 2) -> float:
    return time_left.time_left(
        run_of(*jobs, cores=cores), {place: each.seconds for place, each in enumerate(jobs)}
    )


def took(name: str, outcome: str, seconds: float = 0.0, began: float = BEGAN + 1) -> None:
    """Leave a record as a job does."""
    path = path_beside(f"logs/{name}.log")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(Measured("abc", outcome, began, seconds))))


def progress(run: Run, after: float = 1.0) -> time_left.Progress:
    """The state of the run so many seconds after it began."""
    return time_left.progress(run, run.began + after)


def test_jobs_side_by_side_take_as_long_as_the_cores_let_them():
    assert whole(job(10), job(10)) == 10
    assert whole(job(10), job(10), cores=1) == 20
    assert whole(job(10), job(4), job(5)) == 10


def test_a_job_waits_for_those_that_it_reads():
    assert whole(job(10), job(5, 0), job(5, 0)) == 15
    assert whole(job(10), job(5, 0), job(5, 1)) == 20


def test_a_job_of_several_threads_waits_for_so_many_cores_and_is_content_with_all_there_are():
    assert whole(job(10), job(10, threads=2)) == 20
    assert whole(job(10, threads=8), job(10)) == 20


def test_the_more_urgent_starts_first():
    assert whole(job(6), job(6), job(12, priority=2)) == 12


def test_finished_jobs_are_behind_and_say_how_far_off_the_expectation_is():
    run = run_of(
        job(10, name="a"),
        job(10, name="b"),
        job(4, name="c", stage="analyse", kind="analyse probe"),
        job(4, name="d", stage="analyse", kind="analyse llc"),
        cores=1,
    )
    assert progress(run).seconds == 28
    took("a", "done", seconds=20)
    now = progress(run)
    assert (now.done, now.waiting, now.seconds) == (1, 3, 28)  # training says nothing of analyses
    took("c", "done", seconds=2)
    assert progress(run).seconds == pytest.approx(20 + 2)


def test_records_of_before_the_run_are_none_of_it():
    run = run_of(job(10))
    took("a", "done", began=BEGAN - 100)
    assert progress(run).waiting == 1


def test_what_failed_is_named_and_what_waits_for_it_takes_no_time():
    run = run_of(job(10, name="a"), job(5, 0, name="b"), job(3, name="c"))
    took("a", "failed")
    now = progress(run)
    assert [each.label for each in now.failed] == ["a"]
    assert (now.waiting, now.seconds) == (2, 3)


def test_a_running_job_takes_as_long_as_its_log_says():
    run = Run(time.time(), 2, (job(1000),))
    with measuring("logs/a.log", "abc", 0.0, alone=False):
        Path("logs/a.log").write_text("step 3/9, loss 0.1, 5 steps/s, 1:02:03 left\n")
        os.utime("logs/a.log", (run.began, run.began))
        at = progress(run, after=23)
        assert [each.label for each in at.running] == ["a"]
        assert at.seconds == pytest.approx(3700, rel=0.02)
        Path("logs/a.log").write_text("loading\n")
        assert progress(run, after=23).seconds == pytest.approx(977, rel=0.02)
        assert progress(run, after=2000).seconds == pytest.approx(200, rel=0.02)
    assert progress(run).done == 1


def test_time_that_is_no_job_s_is_expected_of_the_jobs_that_are_left_too():
    run = run_of(job(10, name="a"), job(20, 0, name="b"))
    took("a", "done", seconds=10)
    assert progress(run, after=10).seconds == 20
    assert progress(run, after=16).seconds == 30  # from when the first began


def test_a_run_says_how_far_it_is_until_all_is_done(monkeypatch):
    run = Run(time.time(), 2, (job(600, name="a"), job(60, name="b")))
    ends, stream = iter(["a", "b"]), io.StringIO()

    def sleep(seconds: float) -> None:
        assert seconds == 60
        took(next(ends), "done", 300, run.began)

    monkeypatch.setattr(time_left.time, "sleep", sleep)
    time_left._tell(run, stream)
    assert stream.getvalue().splitlines() == [
        "interpflow: 0 of 2 jobs done, 0 running; about 10 minutes left on 2 cores",
        "interpflow: 1 of 2 jobs done, 0 running; about 30 seconds left on 2 cores",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (1.4, "1 second"), (1.6, "2 seconds"), (119, "119 seconds"), (120, "2 minutes"),
     (3 * 3600, "3 hours"), (2 * 86400, "2 days")],
)  # fmt: skip
def test_a_duration_is_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_run_that_is_written_down_is_read_as_it_was():
    run = run_of(job(10), job(5, 0))
    run.write()
    assert expected.read() == run
    expected.PATH.write_text("{")
    assert expected.read() is None


def test_a_job_is_expected_to_take_as_long_as_the_last_time_and_else_as_its_like(built):
    jobs = list(plan_study("small", "laptop"))
    first = next(each for each in jobs if each.stage == "train")
    for each in jobs:
        path_beside(each.log).unlink(missing_ok=True)
    by_model = expected.expected(jobs, expected.foreseen(expected.records_of(jobs)))
    at = jobs.index(first)
    cost = by_model[at].seconds
    record = Measured(first.short_sha, "done", BEGAN, seconds=10 * cost, cost=cost)
    path_beside(first.log).write_text(json.dumps(asdict(record)))
    by_record = expected.expected(jobs, expected.foreseen(expected.records_of(jobs)))
    for each, before, after in zip(jobs, by_model, by_record, strict=True):
        factor = 10 if each.stage == "train" else 1
        assert after.seconds == pytest.approx(factor * before.seconds, abs=0.1)
    assert all(place < at for at, each in enumerate(by_record) for place in each.after)


def test_a_run_that_sends_jobs_away_has_no_cores_and_counts_jobs():
    assert expected.at_once(cores=2, jobs_away=None, jobs=9) == 2
    assert expected.at_once(cores=None, jobs_away=100, jobs=9) == 9
    assert expected.at_once(cores=None, jobs_away=4, jobs=9) == 4
