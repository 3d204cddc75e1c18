"""The same spec gives the same bytes, whatever is run beside what and however often it is killed."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from workflow.project_copy import Copy


def test_two_cores_and_one_process_without_snakemake_give_the_same_bytes(
    empty: Copy, finished: Copy
):
    empty.interpflow("run", "--one-process", "tiny")
    assert empty.digests() == finished.digests()
    kinds = {Path(name).suffix for name in empty.digests()}
    assert kinds == {".nc", ".csv", ".svg", ".png", ".json", ".html"}


@pytest.mark.parametrize("forgets", [False, True], ids=["", "without .snakemake"])
@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.nightly)])
def test_killed_runs_are_finished_by_one_plain_command_with_the_same_bytes(
    empty: Copy, finished: Copy, kills: int, forgets: bool
):
    """Half the kills hit Snakemake alone, so that its jobs are orphans, and the next run starts at once."""
    moments = random.Random(2502_01432)
    for kill in range(kills):
        run = empty.start("--cores", "all")
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moments.uniform(1.5, 8.0))
        if run.returncode is not None:
            assert run.returncode == 0, (empty.folder / "run.txt").read_text()
            for folder in ("results", "figures", "cache"):  # all done: from the start again
                shutil.rmtree(empty.folder / folder)
            continue
        if kill % 2:
            os.kill(run.pid, signal.SIGKILL)
        else:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        if forgets:  # with the lock that orphans hold
            shutil.rmtree(empty.folder / ".snakemake", ignore_errors=True)

    empty.snakemake("--cores", "all")
    assert empty.digests() == finished.digests()
    assert empty.would_run() == set()


def test_orphaned_jobs_end_with_the_run_that_started_them(empty: Copy):
    run = empty.start("--cores", "2")
    _wait_until(lambda: _jobs(empty), "a job starts")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    _wait_until(lambda: not _jobs(empty), "its jobs end")


def test_a_half_written_record_of_snakemake_reruns_nothing(finished: Copy):
    """A kill in the midst of a job's last record leaves the record cut, and the job marked as unfinished."""
    name = "results/laptop/tiny/analyses/norms.nc"
    before = finished.digests()
    records = finished.folder / ".snakemake/metadata"
    (record,) = (path for path in records.rglob("*") if path.is_file() and _is_about(path, name))
    record.write_bytes(record.read_bytes()[:50])
    marker = finished.folder / ".snakemake/incomplete" / record.relative_to(records)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text("{}")

    assert finished.would_run() == set()
    finished.snakemake("--cores", "all")
    assert finished.digests() == before


def _is_about(record: Path, output: str) -> bool:
    return record.name == base64.urlsafe_b64encode(output.encode()).decode()


def _jobs(copy: Copy) -> list[int]:
    """The processes of our program that work in the copy."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"interpflow" in words and (process / "cwd").readlink() == copy.folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _wait_until(condition, what: str, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:.0f} s until {what}")
        time.sleep(0.05)
