"""One run at a time in a folder, and a living run may be looked at."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from workflow.project_copy import RESULTS, Copy, make_copy


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy in which a run is at work, and never done: its task takes its time."""
    copy = make_copy(tmp_path_factory.mktemp("living") / "copy")
    with (copy.folder / "src/interpflow/stages/data.py").open("a") as stage:
        stage.write("\nimport time\ntime.sleep(1000)\n")
    run = copy.start("--cores", "1")
    end = time.monotonic() + 300
    while not (copy.folder / "logs/laptop").exists():
        assert run.poll() is None, (copy.folder / "run.txt").read_text()
        assert time.monotonic() < end, "no job has started"
        time.sleep(0.1)
    yield copy
    assert run.poll() is None, (copy.folder / "run.txt").read_text()
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def test_a_second_run_is_refused_with_the_process_of_the_first(living: Copy):
    refused = living.snakemake("--cores", "1", check=False)
    pid = (living.folder / ".snakemake/interpflow.lock").read_text().split()[0]
    assert refused.returncode != 0
    assert f"another run (process {pid}) is at work in {living.folder}" in refused.stdout
    assert "Traceback" not in refused.stdout
    assert "Select jobs" not in refused.stdout


def test_a_living_run_may_be_looked_at(living: Copy):
    for look in ("--dry-run", "--summary", "--lint"):
        living.snakemake(look)


def test_a_run_looks_at_its_jobs_when_one_ends_and_not_once_more_a_second_for_each_that_ended(
    empty: Copy,
):
    with (empty.folder / "Snakefile").open("a") as snakefile:
        snakefile.write(
            "import threading\n"
            "started, start = [], threading.Timer.start\n"
            "threading.Timer.start = lambda timer: started.append(timer) or start(timer)\n"
            "onsuccess:\n"
            "    print(f'{len(started)} timers')\n"
        )
    said = empty.snakemake("--cores", "1", f"{RESULTS}/data/narrow.nc").stdout
    assert "\n0 timers" in said
