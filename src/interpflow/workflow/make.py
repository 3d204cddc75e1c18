"""Makes the files of one job in this process, and says whether they are made already."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TextIO

from interpflow.errors import InterpflowError
from interpflow.files import require_readable
from interpflow.progress import Log
from interpflow.workflow import beside, cache, code_parts, measured
from interpflow.workflow.cost import job_seconds
from interpflow.workflow.job import Job
from interpflow.workflow.stale import OTHER_RECIPE, require_planned_inputs, staleness


def is_made(job: Job) -> bool:
    """Whether the files of `job` are there and say that its recipe made them.

    Raises InterpflowError for a file that is damaged or that the system does not give out.
    """
    for path in job.outputs.values():
        if not os.path.lexists(path):
            return False
        require_readable(path)
    why = staleness(job)
    if why not in ("", OTHER_RECIPE):
        raise InterpflowError(why)
    return not why


def make(job: Job, stream: TextIO | None = None, alone: bool = False) -> None:
    """Make the files of `job`; messages go to its log and to `stream`, by default standard error.

    What it takes is kept beside the log, from the start of the process if the job is `alone` in it.
    Raises InterpflowError for an input of another recipe than planned.
    """
    code_parts.keep(job.code, *job.modules)
    if any(map(os.path.isdir, beside.FOLDERS)):
        importlib.import_module("interpflow.spec.plugins").look_beside_specs()
    try:
        with (
            measured.measuring(job.log, job.short_sha, job_seconds(job), alone),
            Log(Path(job.log), job.label, stream) as log,
        ):
            require_planned_inputs(job)
            importlib.import_module(f"interpflow.stages.{job.stage}").run(job, log)
            try:
                cache.keep(job)
            except (InterpflowError, OSError) as error:  # the files themselves are made
                log.line(f"not kept in the cache: {error}")
    finally:
        if torch := sys.modules.get("torch"):
            # `training.devices` sets it, for NumPy as well.  The next job finds what a new process would.
            torch.set_flush_denormal(False)
