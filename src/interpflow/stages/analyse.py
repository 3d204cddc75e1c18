"""From checkpoints, data or other findings to the findings of one analysis on one experiment."""

from __future__ import annotations

import importlib
from typing import Any

from interpflow import store
from interpflow.progress import Log, Progress
from interpflow.variables import describe
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Analyse all seeds of one experiment."""
    name = job.slice["method"]
    source: Any
    method = importlib.import_module(f"interpflow.analyses.{name}")
    if method.NEEDS == "data":
        source = store.read(job.inputs["data"])
    elif method.NEEDS == "findings":
        source = {name: store.read(path) for name, path in job.inputs.items()}
    else:
        # By name, as the planner counts it: an edit of the model reruns no analysis of the data alone.
        source = importlib.import_module("interpflow.runs").load_runs(
            job.inputs, job.slice, Progress(log, "part").update
        )
    options = method.Options(**job.slice["options"])
    table = method.VARIABLES
    if hasattr(method, "variables"):
        table = table | method.variables(source, options)
    findings = method.analyse(source, options)
    described = describe(findings, table, f"analyses/{name}.py")
    store.write(described, job.outputs["findings"], job.attrs())
    log.line(f"{name}: {', '.join(map(str, findings.data_vars))}")
