"""A map of one variable along two of its coordinates: shades, and numbers where they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots._cells import Scale, by_head, cell_maps
from interpflow.plots._panels import Panel, Panels, find, panels, within
from interpflow.section import Names
from interpflow.selection import Coordinate, FoundVariable
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Panels):
    """The variable in the cells, and the coordinates along the axes."""

    variable: FoundVariable
    x: Coordinate  # a coordinate of the variable; `layer` stands for layer and head if there are several heads
    y: Coordinate  # another; layers go up, all else down
    signed: bool = False  # values about 0; shares if not
    minus: Panel | None = None  # what is taken from the values of each panel, at the same labels
    # A value of x, of y or of the coordinate of the panels: words for it.
    labels: dict[Annotated[str, Names("label")], str] = {}
    # The same for the values of one coordinate, where another has values that look the same.
    labels_of: dict[Coordinate, dict[Annotated[str, Names("label")], str]] = {}
    x_label: str | None = None  # the name of the coordinate if not given
    y_label: str | None = None  # the name of the coordinate if not given
    value_label: str | None = None  # the name of the variable if not given


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds; without `panels`, a panel for each value of the variable's further dim."""
    found = panels(data, options, options.variable)
    if options.minus is not None:
        other = find(data, within(options.minus, options), options.variable, "minus")
        found = {} if other is None else _less(found, other, options.variable)
    if not found:
        return style.nothing("Nothing of what these maps select is in the data.")
    maps: dict[str, xr.DataArray] = {}
    for title, here in found.items():
        maps |= _maps("" if len(found) == 1 and not options.panels else title, here, options)
    first = next(iter(maps.values()))
    label = options.value_label or style.axis_label(
        first if options.signed else first.assign_attrs(units="1")
    )
    scale = Scale.of(maps.values(), options.signed)
    figure, _ = cell_maps(maps, scale, label)
    style.axis_labels(
        figure,
        options.x_label or style.readable(options.x),
        options.y_label or style.readable(options.y),
    )
    return figure


def _less(
    found: Mapping[str, xr.Dataset], other: xr.Dataset, variable: str
) -> dict[str, xr.Dataset]:
    """`found`, where `variable` has that of `other` taken from it; NaN where `other` lacks a label."""
    return {
        title: here.assign({variable: (here[variable] - other[variable]).assign_attrs(here[variable].attrs)})
        for title, here in found.items()
    }  # fmt: skip


def _maps(title: str, here: xr.Dataset, options: Options) -> dict[str, xr.DataArray]:
    """The maps (seed, y, x) of one panel, by title, with words for labels."""
    values, axes = here[options.variable], (options.y, options.x)
    for option, axis in zip("yx", axes, strict=True):
        if axis not in values.dims:
            there = way_out(axis, map(str, values.dims))
            raise InterpflowError(
                f"{option}: {options.variable} does not run along {axis!r}, but along: {there}"
            )
        if axis.endswith("layer") and axis.replace("layer", "head") in values.dims:
            values = by_head(values, axis)
        words = [_words(axis, label, options) for label in values[axis].values.tolist()]
        values = values.assign_coords({axis: words})
    values = values.transpose(..., *axes)
    others = [str(dim) for dim in values.dims if dim not in ("seed", *axes)]
    several = [dim for dim in others if values.sizes[dim] > 1]
    values = values.squeeze([dim for dim in others if dim not in several])
    if not several:
        return {title: values}
    dim = several[-1]
    if options.panels or several[:-1]:
        there = way_out("", map(str, values[dim].values))
        where = f"panels.{title}.select" if options.panels else "select"
        raise InterpflowError(
            f"{where}: {options.variable} has several values of {dim}; name one of: {there}"
        )
    return {
        ", ".join(filter(None, (title, _words(dim, label, options)))): values.sel({dim: label})
        for label in values[dim].values.tolist()
    }


def _words(coordinate: str, label: object, options: Options) -> str:
    words = options.labels | options.labels_of.get(coordinate, {})
    return words.get(str(label), style.readable(str(label)))
