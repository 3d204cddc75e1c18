"""Probe accuracy by the number of the probe's hidden layers, beside its controls.

One panel for each experiment and target, one line for each control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._controls import CONTROLS, MAJORITY, at_read
from interpflow.section import Section
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Which probes are shown."""

    read: str | None = None  # the first of the analysis if not given


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines of `accuracy`, `majority_accuracy` dashed, and claims on either as marks."""
    ((analysis, every),) = data.items()
    found = at_read(every, options.read)
    accuracy, depths = found["accuracy"], found["hidden_layers"]
    cells = style.present(accuracy, "experiment", "target")
    figure, axes = style.panels(len(cells))
    controls = {name: look for name, look in CONTROLS.items() if name in found["control"]}
    marked = []
    for panel, (experiment, target) in zip(axes, cells, strict=True):
        here = {"experiment": experiment, "target": target}
        style.level(panel, found["majority_accuracy"].sel(here), MAJORITY)
        for control, look in controls.items():
            style.series(panel, depths, accuracy.sel(here).sel(control=control), look)
        for mark in marks(claims, analysis, found, "accuracy", **here):
            mark.draw(panel, mark.place["hidden_layers"])
            marked.append(mark)
        style.shares(panel)
        panel.set_xticks(depths.values)
    style.titles(axes, cells)
    style.axis_labels(figure, "Hidden layers of the probe", style.axis_label(accuracy))
    style.key(figure, *controls.values(), MAJORITY, *looks(marked))
    return figure
