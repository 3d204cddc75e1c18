"""What a job took stands beside its log, and whether it is at work, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpflow.workflow.make import make
from interpflow.workflow.measured import measuring, path_beside, read
from interpflow.workflow.specs_folder import plan_study

LOG = Path("logs/job.log")

WORK = """
import pathlib, sys, time
from interpflow.workflow.measured import measuring
with measuring("logs/job.log", "abc", 2.0, alone=True):
    pathlib.Path("logs/job.log").write_text("at work\\n")
    print("working", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def killed_in_work() -> float:
    """How long a process worked on the job before it was killed, as its log says."""
    source = str(Path(sys.modules["interpflow"].__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", WORK],
        env=os.environ | {"PYTHONPATH": source},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "working\n"
        assert read(LOG).outcome == "running"
        began = read(LOG).began
        os.utime(LOG, (began + 40.0, began + 40.0))
        process.send_signal(signal.SIGKILL)
    return 40.0


def test_a_job_that_is_done_says_what_it_took():
    with measuring(LOG, "abc", 2.0, alone=True):
        ballast = bytearray(40_000_000)
        time.sleep(0.05)
    record = read(LOG)
    assert (record.outcome, record.recipe, record.cost) == ("done", "abc", 2.0)
    assert record.seconds > 0.05
    assert 0 < record.cores < 2
    assert record.memory > len(ballast) / 1e6


def test_a_job_among_others_in_a_process_counts_its_own_time_and_sets_no_pace():
    with measuring(LOG, "abc", 2.0, alone=False):
        pass
    assert read(LOG).seconds < 1.0
    assert read(LOG).cost == 0.0


def test_a_job_that_fails_says_so():
    with pytest.raises(OSError), measuring(LOG, "abc", 2.0, alone=True):  # noqa: PT011
        os.stat("nowhere")
    assert read(LOG).outcome == "failed"


def test_a_killed_job_is_told_from_one_at_work_and_its_time_counts_for_the_next_attempt():
    lived = killed_in_work()
    assert read(LOG).outcome == "killed"
    assert read(LOG).seconds == pytest.approx(lived)
    with measuring(LOG, "abc", 2.0, alone=False):
        pass
    assert lived <= read(LOG).seconds < lived + 1.0


def test_the_time_of_a_killed_job_of_another_recipe_does_not_count():
    killed_in_work()
    with measuring(LOG, "other", 2.0, alone=False):
        pass
    assert read(LOG).seconds < 1.0


RECORD = '{"recipe": "abc", "outcome": "done", "began": %s, "seconds": %s, "cores": 1, "memory": 1, "cost": 1}'
OF_TEXT, OF_NAN = RECORD % (1, '"long"'), RECORD % ("NaN", 1)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"outcome": "done"}', OF_TEXT, OF_NAN])
def test_a_record_that_is_not_there_or_damaged_is_none(text):
    if text is not None:
        path_beside(LOG).parent.mkdir()
        path_beside(LOG).write_text(text)
    assert read(LOG) is None


def test_every_job_of_a_study_has_its_record(built):
    job = plan_study("small", "laptop").find("figure", "bins")
    for each in plan_study("small", "laptop"):
        assert read(each.log).outcome == "done"
        assert read(each.log).recipe == each.short_sha
    before = Path(job.outputs["svg"]).read_bytes()
    make(job, open(os.devnull, "w"))  # noqa: SIM115
    assert Path(job.outputs["svg"]).read_bytes() == before
