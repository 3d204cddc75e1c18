"""The contract of a plot.

A plot is a file in this folder with

    class Options(Section)                         its options in a spec, with their reasons
    def plot(data, options, claims) -> Figure      the figure

and, where it draws variables that no option names,

    DRAWS: tuple[str, ...]                         these, all of which one of the figure's analyses has

`data` are the collected datasets of the figure's analyses, in the order of the spec.  `claims` are the
claims on them, drawn as reference marks (`interpflow.style.marks`).  Each dataset has a first dim
`experiment`, then the dims of its analysis.  A value that an experiment lacks is NaN.  Coordinates may
be sorted.  A scale may leave one seed and one experiment: a plot draws what is there.

Labels and units come from attributes, looks and sizes from `interpflow.style`.  A plot computes means
and standard deviations over seeds, and nothing else that a reader could want as data.  Specs are read
without matplotlib, so a plot makes its figure with `style.panels`, or imports matplotlib within `plot`.

A file whose name begins with an underscore is no plot: it holds what several plots share.
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
    """`data` at one value of each coordinate in `select`, or at the values of a list, in its order.

    Raises InterpflowError with the nearest value if the data lacks one; the message begins with `option` and
    the name of the coordinate.
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
