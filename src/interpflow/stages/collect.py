"""From the findings on each experiment to one dataset of the analysis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.progress import Log
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Join the findings of one analysis."""
    parts = {experiment: store.read(path) for experiment, path in job.inputs.items()}
    collected = collect(parts, job.slice["coords"])
    store.write(collected, job.outputs["findings"], job.attrs())
    log.line(f"{len(parts)} experiments: {', '.join(map(str, collected.data_vars))}")


def collect(parts: Mapping[str, xr.Dataset], coords: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """Findings of several experiments along a new first dim `experiment`.

    Where experiments differ along another dim (more seeds, more layers), what one lacks is missing: NaN, or
    "" where the values are text.  `coords` says which swept values belong to each experiment; they become
    coordinates along `experiment`, missing where an experiment has none.
    Raises InterpflowError where a coordinate has other values in one experiment than in another.
    """
    names = list(parts)
    try:
        joined = xr.concat(
            [part.drop_attrs(deep=False) for part in parts.values()],
            dim=xr.Variable("experiment", names),
            data_vars="all",
            coords="minimal",
            compat="no_conflicts",
            join="outer",
            combine_attrs="override",
        )
    except xr.MergeError as error:
        raise InterpflowError(
            f"experiments differ in a coordinate, which should then be a variable: {error}"
        ) from error
    joined = _in_order(joined, parts.values())
    for name, array in joined.variables.items():
        if array.dtype == object:  # text and NaN
            joined[name] = joined[name].fillna("").astype(str)
    for swept in dict.fromkeys(swept for name in names for swept in coords[name]):
        values = [coords[name].get(swept) for name in names]
        missing = "" if any(isinstance(value, str) for value in values) else float("nan")
        filled = [missing if value is None else value for value in values]
        joined = joined.assign_coords({swept: ("experiment", filled)})
    return joined


def _in_order(joined: xr.Dataset, parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """`joined` with labels in the order in which the parts have them; joining sorts 10 before 2."""
    appeared: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, labels in part.coords.items():
            if labels.dims == (name,) and labels.dtype.kind in "OU":
                appeared.setdefault(str(name), {}).update(dict.fromkeys(labels.values.tolist()))
    return joined.sel({name: list(labels) for name, labels in appeared.items()})
