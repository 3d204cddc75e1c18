"""One line of a figure: the values of a variable along one coordinate, by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots._panels import (
    Line,
    Panel,
    dataset,
    experiments,
    measured,
    variable,
    within,
)
from interpflow.plots.base import Select, choose
from interpflow.style import present


@dataclass(frozen=True)
class Curve:
    """A line with its `values` (seed, x), or (seed,) if its variable has no dim x.

    analysis, dataset   the analysis that has the variable, by name, and its dataset
    place               the label of each further dim that has one label for all points
    """

    line: Line
    analysis: str
    dataset: xr.Dataset
    values: xr.DataArray
    place: dict[str, Any]


def curve(
    data: Mapping[str, xr.Dataset], line: Line, panel: Panel, x: str, option: str
) -> Curve | None:
    """The curve of `line` along `x` in `panel`; None if it has no value.

    If `x` is a swept option, all experiments that match make one line, with `experiment` as a coordinate
    beside `x`; if not, the first does.  The panel selects along the dims that the variable has.
    Raises InterpflowError, with `option` and the nearest, for a name or a value that the data lacks, and if
    several values of a further dim are left.
    """
    whole = within(line, panel)
    analysis = whole.data or next(iter(data))
    found = dataset(data, analysis, f"{option}.data")
    array = variable(found, line.variable, f"{option}.variable")
    for name in line.select:
        variable(found, name, f"{option}.select")
    asked = [whole.experiment] if whole.experiment else []
    names = experiments(found, asked, f"{option}.experiment")
    swept = x in found.variables and found[x].dims == ("experiment",)
    there = measured(found[x] if swept else array)
    names = [name for name in names if there.sel(experiment=name).any()]
    names = names if swept else _at_a_point(found, names, whole.select)[:1]
    values = array.sel(experiment=names).astype(float)
    values = values if "seed" in values.dims else values.expand_dims("seed")
    if whole.seed is not None:
        values = values.sel(seed=[seed for seed in values["seed"].values if seed == whole.seed])
    for name, value in whole.select.items():
        if name in values.dims:
            kept = value if isinstance(value, list) else [value]
            chosen = choose(values.to_dataset(name="y"), f"{option}.select.", **{name: kept})
            values = chosen["y"].rename(line.variable)
        elif name in found.variables and {*found[name].dims} <= {*values.dims}:
            values = values.where(found[name] == value)
    if not values.notnull().any():
        return None
    if swept:
        values = values.assign_coords({x: found[x].sel(experiment=names)})
        values = values.swap_dims({"experiment": x}).sortby(x)
    values, place = _alone(values, x, option)
    return Curve(line, analysis, found, values.transpose("seed", ...), place)


def _at_a_point(found: xr.Dataset, names: Sequence[str], select: Select) -> list[str]:
    """Those of the experiments `names` whose swept options have the values that `select` names."""
    swept = {option: found[option] for option in select if option in found.variables}
    swept = {option: each for option, each in swept.items() if each.dims == ("experiment",)}
    return [
        name
        for name in names
        if all(each.sel(experiment=name) == select[option] for option, each in swept.items())
    ]


def _alone(values: xr.DataArray, x: str, option: str) -> tuple[xr.DataArray, dict[str, Any]]:
    """`values` (seed, x), and the label of each further dim."""
    place: dict[str, Any] = {}
    for dim in map(str, values.dims):
        if dim in ("seed", x):  # where x is swept, several experiments can have one label
            there = values.notnull()
            values = values.isel(
                {dim: there.any([each for each in there.dims if each != dim]).values}
            )
            continue
        kept = [label for (label,) in present(values, dim)]
        if (values.notnull().sum(dim) > 1).any():
            several = way_out("", map(str, kept))
            raise InterpflowError(
                f"{option}: {values.name} has several values of {dim}; select one of: {several}"
            )
        # Points of a sweep can differ in the label, as in their last step.
        place |= {dim: kept[0]} if len(kept) == 1 else {}
        values = values.max(dim)
    return values, place
