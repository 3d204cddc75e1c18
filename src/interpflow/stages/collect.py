"""From the findings on each experiment to one dataset of the analysis."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from interpflow import gaps, store
from interpflow.errors import InterpflowError
from interpflow.progress import Log
from interpflow.record import divergence
from interpflow.spec.study import coordinate_names
from interpflow.workflow.job import Job

_DIM = "experiment"


def run(job: Job, log: Log) -> None:
    """Join the findings of one analysis, or take them from the file that a spec names."""
    if "given" in job.slice:
        # By name: an edit of it concerns nobody else.
        read = importlib.import_module("interpflow.record.given").read
        found, says = read(job.slice["given"], job.slice["experiments"])
        store.write(found, job.outputs["findings"], job.attrs() | says)
        log.line(f"{found.sizes[_DIM]} experiments, from {job.slice['given']['file']}")
        return
    parts = {experiment: store.read(path) for experiment, path in job.inputs.items()}
    # Joined, the seeds that one experiment never had look like those that are missing.
    seeds = {name: part["seed"].values.tolist() for name, part in parts.items() if "seed" in part}
    diverged = divergence.attrs(divergence.joined(parts.values()))
    says = job.attrs() | {"seeds": json.dumps(seeds)} | diverged
    collected = collect(parts, job.slice["coords"])
    del parts  # writing takes memory of its own
    store.write(collected, job.outputs["findings"], says)
    log.line(f"{len(job.inputs)} experiments: {', '.join(map(str, collected.data_vars))}")


def collect(parts: Mapping[str, xr.Dataset], coords: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """Findings of several experiments along a new first dim `experiment`.

    Where experiments differ along another dim (more seeds, more layers), what one lacks is missing: NaN, or
    "" where the values are text.  True and false and whole numbers are floating-point numbers where some are
    missing, and their attribute `values` says what they are.
    `coords` says which swept options each experiment has with which value, {option: value}; they become
    coordinates along `experiment`, missing where an experiment has none, under the names of
    `coordinate_names`: nothing is written over.
    Raises InterpflowError where experiments differ in what a name stands for, or in the values of a coordinate.
    """
    names = list(parts)
    _check_alike(parts)
    try:
        joined = xr.concat(
            [part.drop_attrs(deep=False) for part in parts.values()],
            dim=xr.Variable(_DIM, names),
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
    except ValueError as error:
        raise InterpflowError(f"experiments cannot be joined: {error}") from error
    joined = _in_order(joined, parts.values())
    for name in joined.variables:
        array = joined[name].variable
        kept = gaps.kept(
            str(name),
            array,
            [gaps.held_as(part[name].variable) for part in parts.values() if name in part],
        )
        if kept is not array:
            joined[name] = kept
    swept = dict.fromkeys(option for name in names for option in coords[name])
    called = coordinate_names(swept, {*map(str, joined.variables), *map(str, joined.dims)})
    return joined.assign_coords(
        {called[option]: _swept(option, [coords[name].get(option) for name in names])
         for option in swept}
    )  # fmt: skip


def _check_alike(parts: Mapping[str, xr.Dataset]) -> None:
    """Raise InterpflowError where a name stands for one thing here and for another there."""
    stands_for: dict[str, tuple[str, str]] = {}
    sizes: dict[str, tuple[int, str]] = {}
    for experiment, part in parts.items():
        if _DIM in {*part.variables, *part.dims}:
            raise InterpflowError(
                f"the findings on '{experiment}' have a variable or dim '{_DIM}', which is the name of the dim "
                "along which findings are joined; the analysis should call it otherwise"
            )
        for name, array in part.variables.items():
            held = gaps.held_as(array).kind
            kind = "numbers" if held in "iu" else gaps.KINDS[held]
            place = "a coordinate" if name in part.coords else "a variable"
            what = f"{place} ({', '.join(map(str, array.dims))}) of {kind}"
            before, first = stands_for.setdefault(str(name), (what, experiment))
            if before != what:
                raise InterpflowError(
                    f"'{name}' is {before} in '{first}' and {what} in '{experiment}': not to be joined; "
                    "let the analysis give it alike, or make two analyses of it"
                )
        for dim, size in part.sizes.items():
            if dim not in part.coords:
                there, first = sizes.setdefault(str(dim), (size, experiment))
                if there != size:
                    raise InterpflowError(
                        f"dim '{dim}' has {there} places in '{first}' and {size} in '{experiment}', and no "
                        "coordinate that says which are the same; the analysis should give it one"
                    )


def _swept(option: str, values: list[Any]) -> xr.Variable:
    """The values of a swept option along `experiment`, None where an experiment has none."""
    there = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in there):
        return xr.Variable(_DIM, ["" if v is None else str(v) for v in values], {"option": option})
    array = xr.Variable(_DIM, [np.nan if v is None else v for v in values], {"option": option})
    return gaps.kept(option, array, [np.asarray(there).dtype] if there else [])


def _in_order(joined: xr.Dataset, parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """`joined` with labels in the order in which the parts have them; joining sorts 10 before 2."""
    appeared: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, labels in part.coords.items():
            if labels.dims == (name,) and labels.dtype.kind in "OU":
                appeared.setdefault(str(name), {}).update(dict.fromkeys(labels.values.tolist()))
    other = {
        name: list(labels)
        for name, labels in appeared.items()
        if joined[name].values.tolist() != list(labels)
    }
    return joined.sel(other) if other else joined  # selecting copies everything
