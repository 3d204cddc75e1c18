"""`run`: all jobs of a study, one after the other in this process, where a debugger sees them."""

from __future__ import annotations

import argparse
from typing import Any

from interpflow.spec.load import DEFAULT_SCALE


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run", help="make what is not up to date, in one process and without Snakemake"
    )
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all of specs/")
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Make the files of every job whose recipe is not the one that its files name."""
    from interpflow.workflow import run_lock
    from interpflow.workflow.make import is_made, make
    from interpflow.workflow.plan import plan_all, require_names

    plans = plan_all(arguments.scale, arguments.studies)
    with run_lock.held(run_lock.PATH):
        for name, plan in plans.items():
            run = 0
            for job in plan:
                if is_made(job):
                    continue
                if not run:
                    require_names([name])
                make(job)
                run += 1
            jobs = len(list(plan))
            print(f"{name}: {run} of {jobs} jobs run, the others were up to date")
