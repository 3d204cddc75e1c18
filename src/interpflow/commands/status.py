"""`status`: what is done, running, stale or failed, and how long does it still take?"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from interpflow.workflow import expected, measured, run_lock, time_left
from interpflow.workflow.duration import duration

if TYPE_CHECKING:
    from interpflow.workflow.expected import Expected
    from interpflow.workflow.job import Job


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "status", help="say what is done, running, stale or failed, and how long it still takes"
    )
    parser.add_argument(
        "studies", nargs="*", metavar="STUDY", help="default: the run at work, or all of specs/"
    )
    parser.add_argument("--scale", help="default: laptop")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the state of the run at work, of which nothing is planned anew; or of the files, where none is."""
    pid = run_lock.holder(run_lock.PATH)
    at_work = expected.read() if pid else None
    if at_work is None or arguments.studies or arguments.scale:
        _print_files(arguments.studies, arguments.scale)
        return
    now = time_left.progress(at_work)
    began = duration(time.time() - at_work.began)
    print(f"run {pid}, begun {began} ago: {time_left.line(at_work, now)}")
    _print_each("running", now.running)
    _print_each("failed", now.failed)


def _print_files(studies: list[str], scale: str | None) -> None:
    """Print the state of the files of `studies`, and what a run would have before it."""
    from interpflow.spec.load import DEFAULT_SCALE
    from interpflow.workflow.cache import held
    from interpflow.workflow.specs_folder import plan_all
    from interpflow.workflow.states import to_run

    plans = plan_all(scale or DEFAULT_SCALE, studies)
    every = [job for plan in plans.values() for job in plan]
    for name, plan in plans.items():
        jobs = list(plan)
        left = to_run(jobs)
        counts: dict[str, int] = {"done": len(jobs) - len(left), **Counter(left.values())}
        told = ", ".join(f"{number} {state}" for state, number in counts.items())
        kept = [job for job in left if held(job)]
        told += f" ({len(kept)} of them in the cache)" if kept else ""
        print(f"{name} at scale {plan.study.scale}: {told}, of {len(jobs)} jobs")
        if left := {job: here for job, here in left.items() if job not in kept}:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
            seconds_of = expected.foreseen(expected.records_of(every))
            ahead = expected.Run(time.time(), cores, expected.expected([*left], seconds_of))
            seconds = time_left.time_left(
                ahead, {i: job.seconds for i, job in enumerate(ahead.jobs)}
            )
            print(f"  to run: about {duration(seconds)} on {cores} core{'' if cores == 1 else 's'}")
            _print_each("failed", _failed(left, ahead.jobs))


def _failed(jobs: Iterable[Job], ahead: Iterable[Expected]) -> list[Expected]:
    """Those whose last attempt, by the planned recipe, ended before it was done."""
    found = []
    for job, each in zip(jobs, ahead, strict=True):
        record = measured.read(job.log)
        if record and record.recipe == job.short_sha and record.outcome in ("failed", "killed"):
            found.append(each)
    return found


def _print_each(word: str, jobs: Iterable[Expected]) -> None:
    """Print each of `jobs` with the last line of its log."""
    for job in jobs:
        said = time_left.last_line(job.log) or "nothing in its log yet"
        print(f"  {word}  {job.stage} {job.label}: {said} ({job.log})")
