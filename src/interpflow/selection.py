"""Which examples, positions, states and checkpoints an analysis looks at, by the names that a spec uses.

A task names its positions with the variable `role` (example, position) and the words of the coordinate
`role_name`.  Beside these, its variables (example, position) of true and false are names, `scored` in every
task, and so is `real` (not padding).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import Section

# Before training; with the highest validation accuracy; at the end.
Checkpoint = Literal["first", "best", "last"]

# The last; all; or so many of them, evenly among those kept, the first and the last included.
Steps = Literal["last", "all"] | Annotated[int, Field(ge=2)]

Value = str | int | bool
Where = dict[str, Value | list[Value]]


class State(Section):
    """A labelled state of the task's data, at every position or of the whole example."""

    variable: str
    select: dict[str, Value] = {}  # the value of each further dim: {distance: 2}


class Held(Section):
    """A position whose `state` is one of the values that the variable `among` has in its example."""

    state: State
    among: str


def select(data: xr.Dataset, split: str, where: Where | None = None) -> xr.Dataset:
    """The examples of `split` whose variables have the values of `where`, one of them or one of several.

    Raises InterpflowError where the data has no such split or variable, and where no example is left.
    """
    found = data.isel(example=data["split"].values == split)
    if not found.sizes["example"]:
        known = np.unique(data["split"].values).tolist()
        raise InterpflowError(f"no split '{split}' in the data; it has {way_out(split, known)}")
    for name, wanted in (where or {}).items():
        found = found.isel(example=np.isin(of_example(found, name, "where"), wanted))
    if not found.sizes["example"]:
        raise InterpflowError(f"no example of split '{split}' has {where}")
    return found


def of_example(data: xr.Dataset, name: str, option: str) -> NDArray[Any]:
    """The values (example,) of a variable that has one for each example.

    Raises InterpflowError, naming the `option` that asks for it, for any other.
    """
    fit = [str(known) for known in data.data_vars if data[known].dims == ("example",)]
    if name not in fit:
        raise InterpflowError(
            f"{option}: no variable '{name}' of examples; there are {way_out(name, fit)}"
        )
    return data[name].values


def mask(
    data: xr.Dataset,
    places: Sequence[str],
    seeds: Sequence[int] = (0,),
    findings: Mapping[str, xr.Dataset] | None = None,
) -> NDArray[np.bool_]:
    """Whether a position has one of the names `places`, (seed, example, position).

    A name `analysis.variable` stands for positions that an analysis found: a variable (seed, position) of
    true and false in `findings`.  Raises InterpflowError for a name that there is not.
    """
    shape = (len(seeds), *data["tokens"].shape)
    found = np.zeros(shape, dtype=bool)
    for place in places:
        analysis, dot, variable = place.partition(".")
        if dot:
            found |= _found(findings or {}, analysis, variable, seeds)[:, None, : shape[2]]
        else:
            found |= _named(data, place)
    return found


def state(data: xr.Dataset, wanted: State) -> NDArray[np.int64]:
    """The state of every position (example, position), -1 where it has none.

    A state of the whole example is that of all its positions.  Raises InterpflowError for a variable or a
    value that the data does not have.
    """
    values = _variable(data, wanted.variable)
    for dim, value in wanted.select.items():
        known = values[dim].values.tolist() if dim in values.coords else []
        if value not in known:
            there = way_out(str(value), [*map(str, known)]) if known else "no such dim"
            raise InterpflowError(f"{wanted.variable}: no {dim} {value}; there is: {there}")
        values = values.sel({dim: value})
    if not {*values.dims} <= {"example", "position"}:
        raise InterpflowError(
            f"{wanted.variable} has dims {values.dims}; select says one value of each further one"
        )
    return (
        values.broadcast_like(data["tokens"])
        .transpose("example", "position")
        .values.astype(np.int64)
    )


def held(data: xr.Dataset, wanted: Held) -> NDArray[np.bool_]:
    """Where a position is as `wanted` (example, position).

    Raises InterpflowError for a variable that the data does not have, or has with one value an example.
    """
    values = _variable(data, wanted.among)
    if values.dims[0] != "example" or values.ndim != 2:
        raise InterpflowError(
            f"'{wanted.among}' has dims {values.dims}; it takes example and one more"
        )
    there = state(data, wanted.state)[:, :, None]
    return ((there >= 0) & (there == values.values[:, None])).any(-1)


def names(data: xr.Dataset) -> NDArray[np.str_]:
    """What each position is called in most examples (position,), "" in a task without names."""
    if "role_name" not in data.coords:
        return np.full(data.sizes["position"], "")
    words = data["role_name"].values.astype(str)
    counts = [(data["role"].values == role).sum(0) for role in range(len(words))]
    return words[np.argmax(counts, 0)]


def _variable(data: xr.Dataset, name: str) -> xr.DataArray:
    if name not in data:
        raise InterpflowError(
            f"no variable '{name}' in the data; it has {way_out(name, list(map(str, data)))}"
        )
    return data[name]


def _named(data: xr.Dataset, place: str) -> NDArray[np.bool_]:
    """The positions of one name (example, position)."""
    if place == "real":
        return np.arange(data.sizes["position"]) < data["length"].values[:, None]
    true = [str(name) for name, values in data.items()
            if values.dims == ("example", "position") and values.dtype == bool]  # fmt: skip
    if place in true:
        return data[place].values
    words = data["role_name"].values.tolist() if "role_name" in data.coords else []
    if place not in words:
        known = way_out(place, [*words, *true, "real"])
        raise InterpflowError(f"no position is called '{place}'; there are {known}")
    return data["role"].values == words.index(place)


def _found(
    findings: Mapping[str, xr.Dataset], analysis: str, variable: str, seeds: Sequence[int]
) -> NDArray[np.bool_]:
    """Positions that an analysis found (seed, position)."""
    if analysis not in findings:
        raise InterpflowError(
            f"no findings of '{analysis}'; there are {way_out(analysis, findings)}"
        )
    found = findings[analysis]
    if variable not in found or {*found[variable].dims} != {"seed", "position"}:
        fit = [str(name) for name in found if {*found[name].dims} == {"seed", "position"}]
        raise InterpflowError(
            f"{analysis} has no positions '{variable}'; it has {way_out(variable, fit)}"
        )
    return found[variable].sel(seed=list(seeds)).transpose("seed", "position").values.astype(bool)
