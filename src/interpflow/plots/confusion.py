"""Confusion matrices of probes: a row of a panel is one true class and sums to 100%."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._cells import Scale, square_maps
from interpflow.plots._controls import by_target
from interpflow.plots._panels import Panels, first, panels
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("confusion", "classes")


class Options(Panels):
    """Which probes are shown."""

    classes: str = "class"  # the word for a class: "depth"


ACROSS = 4  # maps beside each other


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A panel for each experiment and target, all seeds together; a class without examples is pale."""
    found = panels(data, options, "confusion")
    cells = by_target({title: first(here, "read") for title, here in found.items()})
    if not cells:
        return style.nothing("No probe of this figure is in the data.")
    maps = [(", ".join(name), _shares(here)) for name, here in cells.items()]
    rows = [maps[at : at + ACROSS] for at in range(0, len(maps), ACROSS)]
    figure, axes = square_maps(rows, Scale(1), f"Share of the true {options.classes}")
    for panel in (panel for row in axes for panel in row):
        panel.invert_yaxis()
    style.axis_labels(figure, f"Predicted {options.classes}", f"True {options.classes}")
    return figure


def _shares(here: xr.Dataset) -> xr.DataArray:
    """Shares (true class, predicted class) of each true class, all seeds together."""
    those = slice(int(here["classes"]))
    counts = first(here, "hidden_layers")["confusion"].isel(true_class=those, predicted_class=those)
    counts = counts.sum("seed")
    return (counts / counts.sum("predicted_class")).transpose("true_class", "predicted_class")
