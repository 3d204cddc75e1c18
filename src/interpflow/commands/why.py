"""`why`: what changed since these files were made?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
    from interpflow.workflow.specs_folder import job_of, plan_all
    from interpflow.workflow.states import with_all_behind

    files = [target for target in targets if target in _TOPS or "/" in target]
    studies = [target for target in targets if target not in files]
    for path in files:
        yield path, with_all_behind([job_of(path)])
    if studies or not targets:
        for name, plan in plan_all(scale, studies).items():
            yield name, list(plan)
