"""One command per stage of the workflow: it makes the files of one job.

The job is planned anew from the spec, so the command can be copied from a log and run by hand.
"""

from __future__ import annotations

import argparse
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.workflow.layout import STAGES
from interpflow.workflow.make import make
from interpflow.workflow.plan import plan_study
from interpflow.workflow.run_lock import end_with_run


def register(subparsers: Any) -> None:
    for stage, shape in STAGES.items():
        parser = subparsers.add_parser(stage, help=f"run one {stage} job of the workflow")
        for name in ("study", *shape.names):
            parser.add_argument(name)
        parser.add_argument("--scale", default="laptop")
        parser.add_argument(
            "--expect", metavar="SHA256", help="refuse if the job's recipe is not this one"
        )
        parser.set_defaults(command=run, stage=stage, names=shape.names)


def run(arguments: argparse.Namespace) -> None:
    """Make the files of one job, as long as the run that started it lives."""
    end_with_run()
    names = [getattr(arguments, name) for name in arguments.names]
    job = plan_study(arguments.study, arguments.scale).find(arguments.stage, *names)
    if arguments.expect and not job.sha.startswith(arguments.expect):
        raise InterpflowError(
            f"specs/{job.study}.yaml or the code behind {job.stage} {job.label} changed since this run was "
            "planned; start it again"
        )
    make(job, alone=True)
