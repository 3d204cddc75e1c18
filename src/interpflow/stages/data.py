"""From a task's options to labelled token sequences."""

from __future__ import annotations

import importlib

from interpflow import store
from interpflow.progress import Log
from interpflow.tasks.base import make_dataset
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Generate the examples of one experiment."""
    name, options = job.slice["task"]["name"], dict(job.slice["task"])
    del options["name"]
    task = importlib.import_module(f"interpflow.tasks.{name}")
    dataset = make_dataset(task, task.Options(**options))
    store.write(dataset, job.outputs["data"], job.attrs())
    log.line(f"{dataset.sizes['example']} examples of {name}")
