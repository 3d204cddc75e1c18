"""`keep`: store what a later `diff` needs of a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpflow.spec.load import DEFAULT_SCALE


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "keep", help="keep scorecards, findings and figures of a run in kept/, for a later diff"
    )
    parser.add_argument("name", metavar="NAME", help="what diff calls it")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all with a manifest")
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Keep the runs of the studies under a name."""
    from interpflow.diff.kept import keep
    from interpflow.errors import InterpflowError
    from interpflow.workflow.specs_folder import plan_all

    plans = [
        plan
        for plan in plan_all(arguments.scale, arguments.studies).values()
        if arguments.studies or Path(plan.find("manifest").outputs["manifest"]).is_file()
    ]
    if not plans:
        raise InterpflowError(
            f"no study has run at scale {arguments.scale}, so there is nothing to keep"
        )
    print(f"{keep(arguments.name, plans)}: {', '.join(plan.study.name for plan in plans)}")
