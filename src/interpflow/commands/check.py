"""`check`: are the specs in order, and what would run?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.study import DEFAULT_SCALE
from interpflow.workflow.cost import cost_class, training_seconds
from interpflow.workflow.duration import duration
from interpflow.workflow.specs_folder import misnamed, plan_checked, spec_files, spec_of


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("check", help="validate specs and list what they would run")
    parser.add_argument(
        "specs", nargs="*", metavar="STUDY", help="or the file of a spec; default: all of specs/"
    )
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print, for each study, the jobs of each stage and roughly what training costs."""
    problems = [] if arguments.specs else misnamed()
    paths = [_file(named) for named in arguments.specs] or spec_files()
    plans = plan_checked(arguments.scale, paths)
    files = {path.stem: str(path) for path in paths}
    for name, planned in plans.items():
        study = planned.study
        stages = {stage: len(jobs) for stage, jobs in planned.jobs.items() if jobs}
        print(
            f"{files.get(name, name)}: in order; at scale {study.scale}, {len(study.seeds)} seeds:"
        )
        print(f"  jobs  {', '.join(f'{stage} {number}' for stage, number in stages.items())}")
        print(
            f"  cost  {cost_class(study)}: about {duration(training_seconds(study))} of training on one core"
        )
    if problems:
        raise InterpflowError("\n".join(problems))


def _file(named: str) -> Path:
    path = Path(named)
    return path if path.exists() or len(path.parts) > 1 else spec_of(named.removesuffix(".yaml"))
