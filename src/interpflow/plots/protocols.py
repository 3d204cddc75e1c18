"""Protocols of probing compared: accuracy of probes above the accuracy of the most frequent class.

One row for each experiment and target, and in it one line for each dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._controls import MAJORITY
from interpflow.plots._panels import first
from interpflow.plots.base import Select, choose
from interpflow.section import Section
from interpflow.selection import Analysis
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("accuracy", "majority_accuracy", "hidden_layers")


class Options(Section):
    """Which probe is compared, and the words for the protocols."""

    select: Select = {}  # {coordinate: value}; the first read and depth if not given
    labels: dict[Analysis, str] = {}  # analysis: words for its protocol


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines from `majority_accuracy` (open) to `accuracy` (full), for targets that all datasets have."""
    data = {name: _one_probe(found, options.select) for name, found in data.items()}
    accuracy = {name: found["accuracy"] for name, found in data.items()}
    measured = [style.present(array, "experiment", "target") for array in accuracy.values()]
    rows = [row for row in measured[0] if all(row in other for other in measured)]
    if not rows:
        return style.nothing("No experiment and target of this figure is in all of its data.")
    figure, (panel,) = style.panels(1, width=style.sizes().double, height=0.34 * len(rows))
    names = {name: options.labels.get(name, style.readable(name)) for name in data}
    lines = {name: replace(look, marker="") for name, look in style.looks(names.values()).items()}
    marked = []
    for lane, (name, found) in zip(np.linspace(-0.17, 0.17, len(data)), data.items(), strict=True):
        line = lines[names[name]]
        dot = replace(line, marker="o", line="")
        for y, (experiment, target) in zip(lane + np.arange(len(rows)), rows, strict=True):
            here = {"experiment": experiment, "target": target}
            majority = found["majority_accuracy"].sel(here).item()
            mean, sd = style.mean_and_sd(accuracy[name].sel(here))
            panel.plot([majority, *mean], [y, y], color=line.color, linewidth=2, alpha=0.4)
            style.errorbar(panel, mean, [y], dot, xerr=sd)
            panel.plot(majority, y, **replace(dot, fill="white").drawn)
            for mark in (
                *marks(claims, name, found, "majority_accuracy", **here),
                *marks(claims, name, found, "accuracy", **here),
            ):
                mark.draw(panel, y, along="x")
                marked.append(mark)
    panel.set_yticks(range(len(rows)), [style.title(*row) for row in rows])
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    style.shares(panel, "x")
    panel.set_xlabel(style.axis_label(accuracy[name]))
    depth = int(found["hidden_layers"])
    layers = f"{depth} hidden layer{'s' * (depth != 1)}"
    full = style.Look(f"probe with {layers}", style.GREY, "o", line="")
    hollow = replace(full, label=MAJORITY.label, fill="white")
    style.key(figure, *lines.values(), hollow, full, *looks(marked))
    return figure


def _one_probe(found: xr.Dataset, select: Select) -> xr.Dataset:
    """The probes of the trained model at one read and one depth."""
    here = choose(found, "select.", **{"control": "none", **select})
    return first(here, "read", "hidden_layers")
