"""From sequences to checkpoints: the seeds of one chunk, trained together or taken from a file."""

from __future__ import annotations

import importlib
from pathlib import Path

from interpflow import store
from interpflow.progress import Log, Progress
from interpflow.record import divergence
from interpflow.variables import HISTORY, WEIGHTS, describe
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Train one chunk of seeds, from where a killed attempt at the same recipe came to."""
    state, data = _state_path(job), store.read(job.inputs["data"])
    # By name, as the planner counts them: an edit of the training loop is none of the weights in a file.
    if (job.slice["training"]["start"] or {}).get("file"):
        weights, history = importlib.import_module("interpflow.training.weights_file").read(
            data, job.recipe
        )
    else:
        other = store.read(job.inputs["start"]) if "start" in job.inputs else None
        weights, history = importlib.import_module("interpflow.training.loop").train(
            data, job.recipe, state, Progress(log).update, other
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


def _state_path(job: Job) -> Path:
    """Where half-done training is kept.  The workflow does not know the path, or it would delete it."""
    folder = Path(job.outputs["weights"]).parents[2] / ".state"
    return folder / f"{'.'.join(job.names)}.{job.short_sha}.npz"
