"""From checkpoints, data or other findings to the findings of one analysis on one experiment.

An analysis is handed sound seeds alone.  Missing in its findings are those that left the finite numbers in
training, and those with a matrix that cannot be decomposed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from interpflow import gaps, store
from interpflow.progress import Log, Progress
from interpflow.record import divergence
from interpflow.variables import describe
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Analyse all sound seeds of one experiment."""
    name = job.slice["method"]
    method = importlib.import_module(f"interpflow.analyses.{name}")
    options = method.Options(**job.slice["options"])
    source, seeds, diverged = _source(method, job, log)
    lost = {seed: step for steps in diverged.values() for seed, step in steps.items()}
    if lost:
        log.line(f"left out, since diverged: {divergence.of_seeds(lost)}")
    sound = [seed for seed in seeds if seed not in lost]
    if lost and sound:
        source = _only(source, sound)
    if sound or not lost:
        findings = _analyse(method, source, options, sound, log)
    else:
        findings = xr.Dataset(coords={"seed": seeds})
    if "seed" in findings.dims and findings.sizes["seed"] < len(seeds):
        findings = gaps.with_seeds(findings, seeds)
    store.write(findings, job.outputs["findings"], job.attrs() | divergence.attrs(diverged))
    log.line(f"{name}: {', '.join(map(str, findings.data_vars)) or 'nothing'}")


def _source(method: ModuleType, job: Job, log: Log) -> tuple[Any, list[int], divergence.Diverged]:
    """What the analysis looks at, its seeds (none of data), and which of them have diverged."""
    if method.NEEDS == "data":
        return store.read(job.inputs["data"]), [], {}
    if method.NEEDS == "findings":
        findings = {name: store.read(path) for name, path in job.inputs.items()}
        seeds = {
            s for one in findings.values() if "seed" in one for s in one["seed"].values.tolist()
        }
        return findings, sorted(seeds), divergence.joined(findings.values())
    # By name, as the planner counts it: an edit of the model reruns no analysis of the data alone.
    runs = importlib.import_module("interpflow.runs").load_runs(
        job.inputs, job.slice, Progress(log, "part").update
    )
    return runs, runs.seeds, divergence.read(runs.labelled.attrs)


def _only(source: Any, seeds: Sequence[int]) -> Any:
    """`source` with no other than `seeds`."""
    if isinstance(source, Mapping):
        return {name: gaps.of_seeds(found, seeds) for name, found in source.items()}
    return source.only(seeds)


def _analyse(
    method: ModuleType, source: Any, options: Any, seeds: Sequence[int], log: Log
) -> xr.Dataset:
    """The findings on all of `seeds` for which they can be computed."""
    try:
        return _described(method, source, options)
    except _no_decomposition():
        if len(seeds) < 2:
            raise
    parts = []
    for seed in seeds:  # which of them it is the error does not say
        try:
            parts.append(_described(method, _only(source, [seed]), options))
        except _no_decomposition() as error:
            log.line(f"seed {seed} is left out: {error}")
            last = error
    if not parts:
        raise last
    return xr.concat(parts, "seed", data_vars="minimal", coords="minimal", combine_attrs="override")


def _no_decomposition() -> tuple[type[Exception], ...]:
    """What NumPy raises of a matrix that cannot be decomposed, and torch where an analysis runs it."""
    torch = sys.modules.get("torch")
    return (np.linalg.LinAlgError, *([torch.linalg.LinAlgError] if torch else []))


def _described(method: ModuleType, source: Any, options: Any) -> xr.Dataset:
    table = method.VARIABLES
    if hasattr(method, "variables"):
        table = table | method.variables(source, options)
    findings = method.analyse(source, options)
    return describe(findings, table, f"analyses/{method.__name__.rpartition('.')[2]}.py")
