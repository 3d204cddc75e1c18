"""One line of a figure: what it selects of an analysis, along which coordinate, by seed.

The leading underscore keeps this file from being a plot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots._experiments import dataset, experiments, measured, of_seed, variable
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.style import present

Select = dict[str, str | int | float | bool]


class Line(Section):
    """A variable against x."""

    data: str | None = None  # an analysis of the figure; its first if not given
    variable: str
    select: Select = {}  # {coordinate, or variable such as `checkpoint`: value} for further dims
    # Names may end in *.  Against a swept option all of them make one line; otherwise the first there is does.
    experiments: list[str] = []


@dataclass(frozen=True)
class Curve:
    """A line with its `values` (seed, x), or (seed,) where its variable has no x.

    analysis, dataset   where the variable is from
    place               the label of each further dim, where all points have the same
    """

    line: Line
    analysis: str
    dataset: xr.Dataset
    values: xr.DataArray
    place: dict[str, Any]


def curve(
    data: Mapping[str, xr.Dataset], line: Line, panel: Select, x: str, option: str
) -> Curve | None:
    """The line in a panel that selects `panel` where it can; None where nothing of that was measured.

    A swept option as `x` has `experiment` as a coordinate beside it.  Raises InterpflowError for names and
    values that are not there, and where several values of a further dim are left.
    """
    analysis = line.data or next(iter(data))
    found = dataset(data, analysis, f"{option}.data")
    array = variable(found, line.variable, f"{option}.variable")
    for name in line.select:
        variable(found, name, f"{option}.select")
    select = {**panel, **line.select}
    asked = [str(select.pop("experiment"))] if "experiment" in select else line.experiments
    names = experiments(found, asked)
    if x in found.variables and found[x].dims == ("experiment",):
        names = [name for name in names if measured(found[x].sel(experiment=name))]
        swept = True
    else:
        names, swept = names[:1], False
    values = array.sel(experiment=names).astype(float)
    values = values if "seed" in values.dims else values.expand_dims("seed")
    alone = of_seed(values, select.pop("seed", None))  # type: ignore[arg-type]
    if alone is None:
        return None
    values = alone
    for name, value in select.items():
        if name in values.dims:
            values = choose(values.to_dataset(name="y"), **{name: value})["y"].expand_dims(name)  # type: ignore[arg-type]
        elif name in found.variables and {*found[name].dims} <= {*values.dims}:
            values = values.where(found[name] == value)
    if not values.notnull().any():
        return None
    if swept:
        values = values.assign_coords({x: found[x].sel(experiment=names)})
        values = values.swap_dims({"experiment": x}).sortby(x)
    place: dict[str, Any] = {}
    for dim in map(str, values.dims):
        kept = [label for (label,) in present(values, dim)]
        if dim in ("seed", x):
            values = values.sel({dim: kept})
            continue
        if (values.notnull().sum(dim) > 1).any():
            several = way_out("", map(str, kept))
            raise InterpflowError(
                f"{option}: {line.variable} has several values of {dim}; select one of: {several}"
            )
        # Points of a sweep can differ in such a label, as in their last step.
        place |= {dim: kept[0]} if len(kept) == 1 else {}
        values = values.max(dim)
    return Curve(line, analysis, found, values.transpose("seed", ...), place)
