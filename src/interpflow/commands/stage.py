"""One command per stage of the workflow: it makes the files of one job.

With `--expect` the job is that of the plan that its run kept, so an edit of the spec changes nothing of a run
that lives.  Without it, or where no plan is kept, the job is planned anew from the spec.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.workflow import cache, cards, kept_plans
from interpflow.workflow.job import Job
from interpflow.workflow.layout import STAGES
from interpflow.workflow.make import make
from interpflow.workflow.run_lock import end_with_run
from interpflow.workflow.specs_folder import plan_study


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
    """Make the files of one job, as long as the run that started it lives.

    In a second attempt at a group, the jobs that were done in the first are in the cache.
    """
    end_with_run()
    names = [getattr(arguments, name) for name in arguments.names]
    job = _promised(arguments, names) or _planned(arguments, names)
    if job.gpus:
        cards.take()
    if not (os.environ.get(cache.AGAIN) and cache.take(job)):
        make(job, alone=True)


def _promised(arguments: argparse.Namespace, names: Sequence[str]) -> Job | None:
    if not arguments.expect:
        return None
    wanted = (arguments.study, arguments.scale, arguments.stage, tuple(names), arguments.expect)
    return kept_plans.promised(*wanted)


def _planned(arguments: argparse.Namespace, names: Sequence[str]) -> Job:
    job = plan_study(arguments.study, arguments.scale).find(arguments.stage, *names)
    if arguments.expect and not job.sha.startswith(arguments.expect):
        raise InterpflowError(
            f"specs/{job.study}.yaml or the code behind {job.stage} {job.label} changed since this run was "
            "planned; start it again"
        )
    return job
