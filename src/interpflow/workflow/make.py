"""Making the files of one job in this process, and whether they are made already."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TextIO

from interpflow.progress import Log
from interpflow.workflow.job import Job

# A scorecard has no place for a recipe, and a manifest is of the files as they lie there now.
_ALWAYS_MADE = ("claims", "manifest")


def is_made(job: Job) -> bool:
    """Whether the files of `job` are there and say that its recipe made them.

    No for a scorecard and a manifest, which take a moment.  Raises InterpflowError for a file that is damaged
    or cannot be read.
    """
    from interpflow.record.provenance import origin

    paths = job.outputs.values()
    return (
        job.stage not in _ALWAYS_MADE
        and all(map(os.path.lexists, paths))
        and all(origin(path).sha == job.sha for path in paths)
    )


def make(job: Job, stream: TextIO | None = None) -> None:
    """Make the files of `job`; what it says goes to its log and to `stream`, by default standard error."""
    try:
        with Log(Path(job.log), job.label, stream) as log:
            importlib.import_module(f"interpflow.stages.{job.stage}").run(job, log)
    finally:
        if torch := sys.modules.get("torch"):
            # `training.devices` sets it, for NumPy as well.  The next job finds what a new process would.
            torch.set_flush_denormal(False)
