"""On a cluster a study gives the bytes of a local run, whatever ends its jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import yaml
from cluster.away import Away, wait_until
from workflow.project_copy import RESULTS, SPEC, Copy, make_copy

from benchmarks import generated

pytestmark = pytest.mark.cluster

STATE = f"{RESULTS}/.state"
EXPERIMENTS = 100  # of three jobs each
# How long a step takes with it, in the slow study alone.
PAUSE = "INTERPFLOW_TEST_PAUSE"


def slow(copy: Copy) -> Copy:
    """The copy with one experiment and one analysis; training pauses, and writes down its state each second."""
    path = copy.folder / SPEC
    spec = yaml.safe_load(path.read_text())
    spec |= {"seeds": 1, "experiments": {"narrow": {"training": {"epochs": 1000}}}}
    spec["analyses"] = {"norms": {**spec["analyses"]["norms"], "experiments": ["narrow"]}}
    del spec["figures"], spec["claims"]
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    loop = "src/interpflow/training/loop.py"
    copy.edit(loop, "SAVES = 15.0", "SAVES = 1.0")
    pause = f'time.sleep(float(__import__("os").environ.get("{PAUSE}", 0)))'
    copy.edit(
        loop,
        "        losses = loop.advance()\n",
        f"        losses = loop.advance()\n        {pause}\n",
    )
    return copy


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bytes of the tiny study after a local run."""
    return _made_here(make_copy(tmp_path_factory.mktemp("local") / "copy"))


@pytest.fixture(scope="session")
def slow_local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bytes of the slow one."""
    return _made_here(slow(make_copy(tmp_path_factory.mktemp("slow") / "copy")))


def test_a_study_goes_away_as_one_job_and_comes_back_with_the_bytes_of_a_local_run(
    away: Away, local
):
    said = away.run()
    kept = away.cluster.ask("scontrol", "show", "config").count("accounting_storage/slurmdbd")
    accounts = "accounts" if kept else "no accounts"
    assert said.count(f"keeps {accounts}: squeue tells") == 1
    assert away.copy.digests() == local
    # All jobs of this study take seconds.
    assert said.count("has been submitted with SLURM jobid") == 1
    assert away.run().count("Nothing to be done") == 1


def ended_by_its_time_limit(away: Away) -> None:
    """The first attempt has two minutes."""
    wait_until(lambda: away.jobs("TIMEOUT"), "a job exceeds its time")


def ended_by_scancel(away: Away) -> None:
    wait_until(lambda: steps(away), "training has a state")
    away.cluster.ask("scancel", *away.jobs("RUNNING"))


def ended_with_its_node(away: Away) -> None:
    wait_until(lambda: steps(away), "training has a state")
    for node in {away.about(job, "NodeList") for job in away.jobs("RUNNING")}:
        away.cluster.stop_node(node)


@pytest.mark.parametrize("end", [ended_by_its_time_limit, ended_by_scancel, ended_with_its_node])
def test_a_job_that_is_ended_goes_on_from_its_state_with_the_same_bytes(
    away: Away, slow_local, end: Callable[[Away], None], monkeypatch
):
    slow(away.copy).snakemake("--cores", "2", f"{RESULTS}/data/narrow.nc")
    # Training and the analysis after it are one job, which has a minute for each: 3,000 steps take longer.
    first, pause = (1, "0.06") if end is ended_by_its_time_limit else (60, "0.03")
    monkeypatch.setenv(PAUSE, pause)
    run = away.start("--set-resources", f"train:runtime={first} if attempt == 1 else 60")
    try:
        end(away)
        reached = steps(away)
        assert reached
        wait_until(
            lambda: run.poll() is not None or len(away.jobs("RUNNING")) > 0, "another begins"
        )
        went_on = [reached]
        while run.poll() is None:
            if (now := steps(away)) and now != went_on[-1]:
                went_on.append(now)
            time.sleep(0.2)
    finally:
        for node in ("node1", "node2"):
            if node not in away.cluster.nodes:
                away.cluster.start_node(node)
        _kill(run.pid)
        run.wait()
    assert run.returncode == 0, away.log.read_text()
    assert went_on == sorted(went_on)
    assert away.copy.digests() == slow_local


def test_a_run_whose_login_process_is_killed_is_finished_by_the_next(
    away: Away, slow_local, monkeypatch
):
    slow(away.copy)
    monkeypatch.setenv(PAUSE, "0.01")
    run = away.start()
    wait_until(lambda: steps(away), "training has a state")
    _kill(run.pid)
    run.wait()
    reached = steps(away)
    away.run()
    assert reached and away.copy.digests() == slow_local


def test_jobs_that_a_killed_run_left_in_the_queue_are_taken_out_by_the_next(away: Away, slow_local):
    slow(away.copy)
    with drained(away):
        run = away.start()
        wait_until(lambda: away.jobs("PENDING"), "a job waits")
        _kill(run.pid)
        run.wait()
    assert "1 job of a killed run taken out of the queue" in away.run()
    assert away.copy.digests() == slow_local


def test_training_on_a_gpu_asks_for_one_in_both_ways_that_clusters_know(away: Away):
    slow(away.copy).snakemake("--cores", "2", f"{RESULTS}/data/narrow.nc")
    away.copy.edit(SPEC, "compute:\n", "compute:\n  device: cuda\n")
    with drained(away):
        run = away.start()
        wait_until(lambda: away.jobs("PENDING"), "a job waits")
        asked = [
            away.about(job, "tres-per-job") + away.about(job, "tres-per-node")
            for job in away.jobs("PENDING")
        ]
        _kill(run.pid)
        away.cluster.ask("scancel", *away.jobs("PENDING"))
    assert asked == ["gres:gpu:1gres:gpu:1"]


@contextlib.contextmanager
def drained(away: Away) -> Iterator[None]:
    """Within the block the nodes begin no job."""
    nodes = ("update", "nodename=node[1-2]")
    away.cluster.ask("scontrol", *nodes, "state=drain", "reason=test")
    try:
        yield
    finally:
        away.cluster.ask("scontrol", *nodes, "state=resume")


def test_hundreds_of_jobs_go_away_in_a_few_and_come_back_with_the_bytes_of_a_local_run(away: Away):
    generated.write(away.copy.folder / "specs", EXPERIMENTS)
    here = make_copy(away.copy.folder.with_name("here"))
    generated.write(here.folder / "specs", EXPERIMENTS)
    here.interpflow("run", "--one-process")
    said = away.run()
    assert f"of {3 * EXPERIMENTS + 4} jobs done" in said
    assert away.copy.digests() == here.digests()
    minutes = [float(away.about(job, "TimeUsed").partition(":")[0]) for job in away.jobs()]
    assert len(minutes) <= EXPERIMENTS / 5
    assert sum(minute < 1 for minute in minutes) <= max(1, len(minutes) / 10)


def steps(away: Away) -> int:
    """The training step in the state of the slow experiment; 0 where there is none."""
    for path in sorted((away.copy.folder / STATE).glob("narrow.0.*.npz")):
        try:
            with np.load(path) as state:
                return int(state["step"])
        except OSError:  # training is done
            return 0
    return 0


def _made_here(copy: Copy) -> dict[str, str]:
    copy.snakemake("--cores", "2")
    return copy.digests()


def _kill(run: int) -> None:
    """Kill a run and what it started itself; its jobs are the cluster's."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run, signal.SIGKILL)
