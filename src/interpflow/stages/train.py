"""From sequences to checkpoints: the seeds of one chunk, trained together or taken from a file."""

from __future__ import annotations

import importlib
from pathlib import Path

import xarray as xr

from interpflow import store
from interpflow.progress import Log, Progress
from interpflow.record import divergence
from interpflow.tasks.base import options_that
from interpflow.variables import HISTORY, WEIGHTS, describe
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Train one chunk of seeds, from where a killed attempt at the same recipe came to."""
    state, data = _state_path(job), _data(job)
    # By name, as the planner counts them: an edit of the training loop is none of the weights in a file.
    if (job.slice["training"]["start"] or {}).get("file"):
        weights, history = importlib.import_module("interpflow.training.weights_file").read(
            data, job.recipe
        )
    else:
        other = store.read(job.inputs["start"]) if "start" in job.inputs else None
        weights, history = importlib.import_module("interpflow.training.loop").train(
            data, {**job.recipe, **job.beside, **_read(job)}, state, Progress(log).update, other
        )
    steps = weights.attrs.pop(divergence.ATTRIBUTE, {})
    if steps:
        log.line(
            f"diverged: {divergence.of_seeds(steps)}; there the loss or a weight is not finite"
        )
    attrs = job.attrs() | divergence.attrs({job.slice["experiment"]: steps})
    for output, dataset, table in (("weights", weights, WEIGHTS), ("history", history, HISTORY)):
        store.write(describe(dataset, table, "variables.py"), job.outputs[output], attrs)
    # Only now: whoever is killed before this line finds the state again.  Those of other recipes go too.
    for left in state.parent.glob(f"{'.'.join(job.names)}.*"):
        left.unlink()


def _read(job: Job) -> dict[str, list[str]]:
    """The task's options that count, of training on fresh examples."""
    return {"options_read": list(job.slice["task"])} if "task" in job.slice else {}


def _data(job: Job) -> xr.Dataset:
    """The task's data; of training that rests on no more the validation split alone."""
    if "data" in job.inputs:
        return store.read(job.inputs["data"])
    task = importlib.import_module(f"interpflow.tasks.{job.slice['task']['name']}")
    options = options_that(task, job.beside["task"], job.slice["task"])
    data: xr.Dataset = task.validation(options)
    return data.assign(split=("example", ["validation"] * data.sizes["example"]))


def _state_path(job: Job) -> Path:
    """Where half-done training is kept.  The workflow does not know the path, or it would delete it."""
    folder = Path(job.outputs["weights"]).parents[2] / ".state"
    return folder / f"{'.'.join(job.names)}.{job.short_sha}.npz"
