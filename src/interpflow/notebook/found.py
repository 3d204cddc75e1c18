"""A file of a job, for somebody about to read it: missing is an error, stale a warning, each one line."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.files import rebuild_command
from interpflow.workflow.job import Job
from interpflow.workflow.stale import of_other_recipe
from interpflow.workflow.states import state


def found(job: Job, output: str, folder: Path) -> Path:
    """The path of an output of `job`, below the project's `folder`.

    Warns where the file is of another recipe than the spec and the code ask for now.  Raises InterpflowError
    where it is not made.
    """
    path = folder / job.outputs[output]
    if not path.exists():
        command = rebuild_command(path).replace(" --force", "")
        raise InterpflowError(f"{path}: not made yet; make it with: {command}")
    with contextlib.chdir(folder):
        here = state(job)
    if here == "stale":
        warnings.warn(of_other_recipe(path), stacklevel=3)
    return path
