"""One run holds the lock, and nothing but its life keeps it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpflow.errors import InterpflowError
from interpflow.workflow import run_lock

RUN = """
import sys, time
from pathlib import Path
from interpflow.workflow import run_lock
run_lock.take(Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(60)
"""
# A job that shows that it has started, and from then on only waits.
RUN_WITH_JOB = """
import subprocess, sys, time
from pathlib import Path
from interpflow.workflow import run_lock
run_lock.take(Path(sys.argv[1]))
job = "from interpflow.workflow import run_lock; run_lock.end_with_run(); import time; print(1, flush=True)"
job += "; time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", job], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def lock(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(run_lock, "_SECONDS_FOR_A_RUN_TO_DIE", 0.5)
    monkeypatch.delenv(run_lock._VARIABLE, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(run_lock.__file__).parents[1]))
    return tmp_path / "made/for/it.lock"


@pytest.fixture
def start(lock):
    started = []

    def start_program(program: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(lock)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start_program
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_run_is_refused_while_the_first_lives_and_only_then(lock, start):
    first, _ = start(RUN)
    with pytest.raises(InterpflowError, match=f"another run \\(process {first.pid}\\) is at work"):
        run_lock.take(lock)
    first.kill()
    first.wait()
    run_lock.take(lock)
    assert lock.read_text().startswith(f"{os.getpid()} ")


def test_a_job_ends_when_its_run_is_killed(lock, start):
    run, job = start(RUN_WITH_JOB)
    assert Path(f"/proc/{job}").exists()
    run.send_signal(signal.SIGKILL)
    run.wait()
    end = time.monotonic() + 300
    while _is_alive(int(job)):
        assert time.monotonic() < end, "the job lives on"
        time.sleep(0.02)


def test_a_job_that_starts_after_its_run_was_killed_ends_even_beside_the_next_run(
    lock, start, monkeypatch
):
    start(RUN)
    late = f"4711 {run_lock.platform.node()} 0000000000000000 {lock}"
    monkeypatch.setenv(run_lock._VARIABLE, late)
    job = "from interpflow.workflow import run_lock; run_lock.end_with_run(); import time; time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", job], timeout=300, capture_output=True, text=True)
    assert done.returncode == run_lock._EXIT_CODE_OF_ORPHANS


def test_a_process_that_no_run_started_goes_on(lock):
    run_lock.end_with_run()


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
