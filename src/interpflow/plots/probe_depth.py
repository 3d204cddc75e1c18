"""Accuracy of probes by their number of hidden layers, beside the controls.

One panel for each experiment and target, one line for each control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._controls import CONTROLS, MAJORITY, by_target
from interpflow.plots._panels import Panels, first, panels
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("accuracy", "majority_accuracy", "hidden_layers", "control")


class Options(Panels):
    """Which probes are shown, of the first read if several are left."""


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines of `accuracy`, a dashed level of `majority_accuracy`, and claims on both as marks."""
    found = panels(data, options, "accuracy")
    cells = by_target({title: first(here, "read") for title, here in found.items()})
    if not cells:
        return style.nothing("No probe of this figure is in the data.")
    figure, axes = style.panels(len(cells))
    marked, used = [], dict.fromkeys(CONTROLS, False)
    for panel, here in zip(axes, cells.values(), strict=True):
        accuracy, depths = here["accuracy"], here["hidden_layers"]
        style.level(panel, here["majority_accuracy"], MAJORITY)
        for control in here["control"].values.tolist():
            style.series(panel, depths, accuracy.sel(control=control), CONTROLS[control])
            used[control] = True
        for mark in marks(claims, here.attrs["analysis"], here, "accuracy"):
            mark.draw(panel, mark.place["hidden_layers"])
            marked.append(mark)
        style.shares(panel)
        panel.set_xticks(depths.values)
    style.titles(axes, [*cells])
    style.axis_labels(figure, "Hidden layers of the probe", style.axis_label(accuracy))
    controls = [CONTROLS[name] for name, there in used.items() if there]
    style.key(figure, *controls, MAJORITY, *looks(marked))
    return figure
