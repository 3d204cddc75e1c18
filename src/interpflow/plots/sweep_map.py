"""A map of one variable over two things that experiments differ in, with a contour at a level.

Each experiment is a cell.  Along an axis stands an option that experiments sweep, or a variable with one value
an experiment, such as a number of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots._cells import Scale, cell_maps, mean
from interpflow.plots._curves import curve
from interpflow.plots._panels import Line, Panel, Panels, within
from interpflow.selection import FoundVariable
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Panels):
    """The variable in the cells, what runs along the axes, and the level."""

    variable: FoundVariable
    x: FoundVariable  # an option that experiments sweep, or a variable with one value an experiment
    y: FoundVariable  # another; it grows upwards
    level: float | None = None  # of the contour, in units of the variable; none if not given
    signed: bool = False  # values about 0; shares if not
    x_label: str | None = None  # the name of the option or the variable if not given
    y_label: str | None = None  # the name of the option or the variable if not given
    value_label: str | None = None  # the name of the variable if not given


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds; a place that no experiment has is a dash.

    The contour bridges gaps between two cells of a column, and keeps away from others.
    """
    maps: dict[str, xr.DataArray] = {}
    for title, panel in (options.panels or {"": Panel()}).items():
        if (found := _map(data, within(panel, options), options, title)) is not None:
            maps[title] = found
    if not maps:
        return style.nothing("Nothing of what these maps select is in the data.")
    first = next(iter(maps.values()))
    named = first if options.signed else first.assign_attrs(units="1")
    label = options.value_label or style.axis_label(named)
    filled = {title: _filled(mean(values)) for title, values in maps.items()}
    level = np.nan if options.level is None else options.level
    passed = [title for title, values in filled.items() if _passes(values, level)]
    if passed:
        shown = style.number(level if options.signed else 100 * level)
        label += f"; line at {shown}" + "%" * (not options.signed)
    figure, rows = cell_maps(maps, Scale.of(maps.values(), options.signed), label)
    for axes, title in zip((axes for row in rows for axes in row), maps, strict=True):
        if title in passed:
            levels, colors = [level], [style.VERMILLION]
            axes.contour(np.ma.masked_invalid(filled[title]), levels, colors=colors, linewidths=1.6)
    style.axis_labels(
        figure, options.x_label or _name(first, "x"), options.y_label or _name(first, "y")
    )
    return figure


def _map(
    data: Mapping[str, xr.Dataset], panel: Panel, options: Options, title: str
) -> xr.DataArray | None:
    """The map (seed, y, x) of one panel, the largest y in the first row; None if a scale has nothing of it."""
    option = f"panels.{title}" if title else "variable"
    found = curve(data, Line(variable=options.variable), panel, "experiment", option)
    if found is None:
        return None
    values = found.values
    axes = {axis: _along(found.dataset, values, getattr(options, axis), axis) for axis in "yx"}
    there = np.isfinite(axes["x"].values) & np.isfinite(axes["y"].values)
    if not there.any():
        return None
    at = {axis: each.values[there] for axis, each in axes.items()}
    places = {axis: np.unique(each) for axis, each in at.items()}
    places["y"] = places["y"][::-1]
    table = np.full((values.sizes["seed"], len(places["y"]), len(places["x"])), np.nan)
    taken: dict[tuple[int, int], str] = {}
    for name in values["experiment"].values[there].tolist():
        row, column = (
            int(np.flatnonzero(places[axis] == float(axes[axis].sel(experiment=name)))[0])
            for axis in "yx"
        )
        if (other := taken.setdefault((row, column), name)) != name:
            raise InterpflowError(
                f"{option}: {other} and {name} have the same {options.x} and {options.y}; "
                "`experiment` can tell them apart"
            )
        table[:, row, column] = values.sel(experiment=name)
    return xr.DataArray(
        table,
        {
            "seed": values["seed"].values,
            **{axis: [*map(style.number, each.tolist())] for axis, each in places.items()},
        },
        ("seed", "y", "x"),
        name=options.variable,
        attrs={
            **found.dataset[options.variable].attrs,
            **{f"{axis}_name": style.axis_label(each) for axis, each in axes.items()},
        },
    )


def _along(found: xr.Dataset, values: xr.DataArray, name: str, option: str) -> xr.DataArray:
    """What stands along an axis (experiment,)."""
    fit = [
        str(each)
        for each in found.variables
        if found[each].dims == ("experiment",) and found[each].dtype.kind in "iuf"
    ]
    if name not in fit:
        raise InterpflowError(
            f"{option}: {name!r} has not one value for each experiment; these have: {way_out(name, fit)}"
        )
    return found[name].sel(experiment=values["experiment"]).astype(float)


def _name(values: xr.DataArray, axis: str) -> str:
    return str(values.attrs[f"{axis}_name"])


def _filled(table: xr.DataArray) -> np.ndarray:
    """The values of `table` (y, x), the gaps of its columns bridged."""
    return np.stack([_bridged(column) for column in table.values.T], axis=1)


def _passes(values: np.ndarray, level: float) -> bool:
    """Whether a contour at `level` passes between the cells of `values`."""
    finite = values[np.isfinite(values)]
    return min(values.shape) > 1 and bool(finite.min() < level < finite.max())


def _bridged(column: np.ndarray) -> np.ndarray:
    """`column` with its gaps filled evenly, from cell to cell; those at its ends stay."""
    there = np.flatnonzero(np.isfinite(column))
    if not len(there):
        return column
    at = np.arange(len(column))
    return np.interp(at, there, column[there], left=np.nan, right=np.nan)
