"""The contract of a plot.

A plot is a file in this folder with

    class Options(Section)                         its options in a spec, with their reasons
    def plot(data, options, claims) -> Figure      the figure

It gets the collected datasets of the figure's analyses, in the order of the spec, and the claims on
them, which it draws as reference marks (`interpflow.style.marks`).  Each dataset has the dims of its
analysis and `experiment` before them.  What an experiment lacks is NaN, coordinates may be sorted,
and a scale may leave one seed and one experiment: a plot draws what is there.

Labels and units come from attributes, looks and sizes from `interpflow.style`.  A plot computes
nothing that a reader could want as data; means and standard deviations over seeds are all.  Specs
are read without matplotlib, so it makes its figure with `style.panels`, or imports within `plot`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import xarray as xr

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Value = selection.Label
Select = selection.Labels  # {coordinate: value, or values in their order}


class Plot(Protocol):
    """What a module in this folder offers."""

    __name__: str

    @property
    def Options(self) -> type[Section]:
        """What a spec may say about the plot."""

    def plot(
        self, data: Mapping[str, xr.Dataset], options: Any, claims: Sequence[Claim], /
    ) -> Figure:
        """The figure of the datasets `data`, by analysis."""


def choose(data: xr.Dataset, option: str = "", /, **select: Value | list[Value]) -> xr.Dataset:
    """`data` at one value of each coordinate named, or at the values of a list, in its order.

    Raises InterpflowError, with what there is, where the data has no such value; `option` comes before the
    name of the coordinate.
    """
    for name, asked in select.items():
        there = data[name].values.tolist()
        for value in asked if isinstance(asked, list) else [asked]:
            if value not in there:
                known = way_out(str(value), map(str, there))
                raise InterpflowError(
                    f"{option}{name}: no {value!r} in the data; there are: {known}"
                )
    return data.sel(select)
