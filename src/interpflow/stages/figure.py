"""From findings to one figure, and beside it the account of what it shows."""

from __future__ import annotations

import importlib
from pathlib import Path

from interpflow import store
from interpflow.progress import Log
from interpflow.record import account
from interpflow.spec.study import Claim
from interpflow.style import save
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Draw one figure."""
    spec = job.slice
    plot = importlib.import_module(f"interpflow.plots.{spec['plot']}")
    data = {name: store.read(path) for name, path in job.inputs.items()}
    marks = [Claim(**claim) for claim in spec["claims"]]
    images = {kind: Path(path) for kind, path in job.outputs.items() if kind != "json"}
    with save.style():
        save.save(plot.plot(data, plot.Options(**spec["options"]), marks), images)
    said = {"figure": spec["figure"], "caption": spec["caption"], "panel": spec["panel"]}
    account.write(job, job.outputs["json"], **said)
    log.line(f"{spec['plot']} of {', '.join(data)}")
