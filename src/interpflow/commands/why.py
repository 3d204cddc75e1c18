"""`why`: what changed since these files were made?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpflow.errors import InterpflowError
from interpflow.nearest import did_you_mean
from interpflow.spec.load import DEFAULT_SCALE

if TYPE_CHECKING:
    from interpflow.workflow.job import Job

_TOPS = ("results", "figures")


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "why", help="say which key, which function or which input makes files stale"
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="a file or a study; default: every study"
    )
    parser.add_argument("--scale", default=DEFAULT_SCALE, help="of studies; a file has its own")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print, for each target, what is not as it was when its files were made, and nothing else."""
    from interpflow.workflow.why import explained, why

    asked = [*_targets(arguments.targets, arguments.scale)]
    for name, jobs in asked:
        lines = [*explained(why(jobs))] or ["nothing is stale"]
        if len(asked) > 1:
            lines = [f"{name}:", *(f"  {line}" for line in lines)]
        print("\n".join(lines))


def _targets(targets: list[str], scale: str) -> Iterator[tuple[str, list[Job]]]:
    """Each target with the jobs that it is about, each behind what it reads."""
    from interpflow.workflow.specs_folder import plan_all
    from interpflow.workflow.states import with_all_behind

    files = [target for target in targets if Path(target).parts[0] in _TOPS or "/" in target]
    studies = [target for target in targets if target not in files]
    for path in files:
        yield path, with_all_behind([_job_of(path)])
    if studies or not targets:
        for name, plan in plan_all(scale, studies).items():
            yield name, list(plan)


def _job_of(path: str) -> Job:
    """The job that makes the file at `path`; InterpflowError, with the nearest, where there is none."""
    from interpflow.workflow.specs_folder import plan_good

    shown = Path(os.path.relpath(path))
    if len(shown.parts) < 3 or shown.parts[0] not in _TOPS:
        raise InterpflowError(f"{path}: no file of a study: they are in results/ and figures/")
    plans, _ = plan_good(shown.parts[1])
    made = {file: job for plan in plans.values() for job in plan for file in job.outputs.values()}
    if job := made.get(shown.as_posix()):
        return job
    raise InterpflowError(f"{path}: no job makes it{did_you_mean(shown.as_posix(), made)}")
