"""From the findings on each experiment to one dataset of the analysis."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from interpflow import store
from interpflow.collecting import growing
from interpflow.collecting.frame import DIM, Frame, outline
from interpflow.progress import Log
from interpflow.record import divergence
from interpflow.workflow.job import Job

# What is joined in memory at a time, in bytes: findings of fewer are written at once.
_AT_ONCE = 1 << 25


def run(job: Job, log: Log) -> None:
    """Join the findings of one analysis, in memory for a part of them, or take them from a file."""
    if "given" in job.slice:
        # By name: an edit of it concerns nobody else.
        read = importlib.import_module("interpflow.record.given").read
        found, says = read(job.slice["given"], job.slice["experiments"])
        store.write(found, job.outputs["findings"], job.attrs() | says)
        log.line(f"{found.sizes[DIM]} experiments, from {job.slice['given']['file']}")
        return
    outlines = {name: outline(store.read(path)) for name, path in job.inputs.items()}
    # Joined, the seeds that one experiment never had look like those that are missing.
    seeds = {
        name: part["seed"].values.tolist() for name, part in outlines.items() if "seed" in part
    }
    diverged = divergence.attrs(divergence.joined(outlines.values()))
    says = job.attrs() | {"seeds": json.dumps(seeds)} | diverged
    frame = Frame(outlines, job.slice["coords"])
    datasets = frame.joined(map(store.read, job.inputs.values()), _AT_ONCE)
    growing.write(datasets, DIM, len(outlines), Path(job.outputs["findings"]), says)
    log.line(f"{len(outlines)} experiments: {', '.join(frame.names)}")
