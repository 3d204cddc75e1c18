"""Two experiments compared: accuracy of probes by their number of hidden layers.

One panel for each pair of experiments and each target that both have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._controls import MAJORITY
from interpflow.plots._panels import first
from interpflow.plots.base import Select, choose
from interpflow.section import Section
from interpflow.selection import Experiment
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("accuracy", "majority_accuracy", "hidden_layers", "control")


class Options(Section):
    """Which experiments are compared, and the words for the two sides."""

    pairs: dict[Experiment, Experiment]  # one experiment: the other
    labels: tuple[str, str]  # of the one side and of the other
    select: Select = {}  # {coordinate: value}; the first read if not given


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines of `accuracy`, and dashed levels of `majority_accuracy`, for both experiments of a pair."""
    (every,) = data.values()
    found = first(choose(every, "select.", **options.select), "read")
    accuracy = found["accuracy"].sel(control="none")
    depths = found["hidden_layers"]
    measured = style.present(accuracy, "experiment", "target")
    cells = [
        (experiment, target)
        for experiment, target in measured
        if (options.pairs.get(experiment), target) in measured
    ]
    if not cells:
        return style.nothing("No pair of this figure is whole in the data.")
    figure, axes = style.panels(len(cells))
    looks = style.looks(options.labels)
    for panel, (experiment, target) in zip(axes, cells, strict=True):
        for side, look in zip((experiment, options.pairs[experiment]), looks.values(), strict=True):
            here = {"experiment": side, "target": target}
            majority = replace(MAJORITY, color=look.color)
            style.level(panel, found["majority_accuracy"].sel(here), majority)
            style.series(panel, depths, accuracy.sel(here), look)
        style.shares(panel)
        panel.set_xticks(depths.values)
    style.titles(axes, cells)
    style.axis_labels(figure, "Hidden layers of the probe", style.axis_label(accuracy))
    style.key(figure, *looks.values(), MAJORITY)
    return figure
