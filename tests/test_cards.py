"""On a machine with several GPUs each job has one to itself, for as long as it lives."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interpflow.errors import InterpflowError
from interpflow.workflow import cards

JOB = """
import os, sys
from interpflow.workflow import cards
held = cards.take()
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch):
    """A function: starts a job, and returns its process and the card that it sees."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(cards.__file__).parents[2]))
    started = []

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", JOB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_jobs_side_by_side_see_one_card_each_and_a_killed_job_gives_its_own_back(job, monkeypatch):
    monkeypatch.setenv(cards.NUMBER, "2")
    first, card = job()
    assert {card, job()[1]} == {"0", "1"}
    first.kill()
    first.wait()
    assert job()[1] == card


def test_cards_that_somebody_chose_are_shared_out_and_no_others(job, monkeypatch):
    monkeypatch.setenv(cards.NUMBER, "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert {job()[1], job()[1]} == {"3", "5"}


def test_a_run_that_counts_no_cards_leaves_them_as_they_are(job, monkeypatch):
    monkeypatch.delenv(cards.NUMBER, raising=False)
    assert job()[1] == job()[1] == "None"


def test_a_job_too_many_and_a_file_system_without_locks_are_said(job, monkeypatch):
    monkeypatch.setenv(cards.NUMBER, "1")
    monkeypatch.setattr(cards, "_SECONDS_TO_WAIT", 0.3)
    running, _ = job()
    with pytest.raises(InterpflowError, match=r"none of the 1 GPUs .* is free"):
        cards.take()
    running.kill()
    running.wait()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(cards.fcntl, "flock", refuse)
    with pytest.raises(InterpflowError, match=r"knows no locks .*--resources gpu=1"):
        cards.take()
