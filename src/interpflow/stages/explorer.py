"""From findings, data and weights to the page to look through a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interpflow import store
from interpflow.analyses.activations import Options
from interpflow.explorer.held import Dataset, Source
from interpflow.explorer.inside import datasets, drawings, modest
from interpflow.explorer.page import page
from interpflow.progress import Log
from interpflow.record import account
from interpflow.runs import load_runs
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Write the page of one study."""
    spec = job.slice
    findings = [
        Dataset(name, "findings", "", method, store.read(job.inputs[f"findings/{name}"]), {"": Source(name)})
        for name, method in spec["analyses"].items()
    ]  # fmt: skip
    held = [*findings]
    drawn: dict[str, Any] = {}
    for name, experiment in spec["experiments"].items():
        inputs = {
            key.removeprefix(f"{name}/"): path
            for key, path in job.inputs.items()
            if key.startswith(f"{name}/")
        }
        runs = load_runs(inputs, {**experiment, "compute": spec["compute"]})
        options = Options(**experiment["activations"])
        if not experiment["asked"]:
            options = modest(runs, options)
        held += datasets(name, runs, options, experiment["asked"], findings)
        if experiment["drawing"]:
            drawn[name] = drawings(experiment["drawing"], runs.data, options)
        log.line(f"{name}: {options.count} examples of {options.split}")
    about = {
        "study": job.study,
        "title": spec["title"],
        "scale": spec["scale"],
        "recipe_sha256": job.sha,
        "experiments": [*spec["experiments"]],
        "drawings": drawn,
    }
    text = page(about, held)
    with store.replacing(Path(job.outputs["page"])) as temporary:
        temporary.write_text(text, encoding="utf-8")
    account.write(job, job.outputs["account"])
    log.line(f"{len(held)} datasets, {len(text) / 1e6:.1f} MB")
