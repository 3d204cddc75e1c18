"""Roles of heads against one fact about the data: overlap, copying regions and suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._panels import Shown, dataset, experiments, find
from interpflow.plots.base import choose
from interpflow.section import Names, Section
from interpflow.selection import Analysis, Experiment, Split
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Fact(Section):
    """A fact about the data of an experiment: `mean` of an analysis by the method `data_statistics`."""

    data: Analysis
    quantity: Annotated[str, Names("quantity")]
    split: Split = "train"


class Options(Section):
    """What runs along x, and which experiments make a line; the first of the figure's data has the modes."""

    x: Fact
    x_label: str | None = None  # the name of the quantity if not given
    # line: experiments, whose names may end in *; one line of all if none
    groups: dict[str, list[Experiment]] = {}


# Each variable that is shown, and the title of its panel.
MEASURES = {
    "overlap": "Share copied by several heads",
    "copying_regions": "Regions per copying head",
    "most_suppressed": "Share suppressed by one head",
}
DRAWS = tuple(MEASURES)
APART = 0.012  # of the range of x, between points of two lines: they often lie on each other


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A panel for each measure: a point for each experiment, means over seeds with one standard deviation."""
    found = next(iter(data.values()))
    x = _across(data, options.x)
    groups = {
        title: [each for each in experiments(found, names, f"groups.{title}") if each in x]
        for title, names in (options.groups or {"": []}).items()
    }
    groups = {title: sorted(names, key=x.__getitem__) for title, names in groups.items() if names}
    if not groups:
        return style.nothing("No experiment of these lines is in the data.")
    figure, axes = style.panels(len(MEASURES), height=1.5, width=style.sizes().double, share="x")
    lines = style.looks(groups)
    shown = [x[each] for names in groups.values() for each in names]
    apart = APART * (max(shown) - min(shown))
    for lane, (title, names) in enumerate(groups.items()):
        last = xr.concat([_last(found, name) for name in names], "experiment", join="outer")
        places = np.array([x[each] for each in names]) + apart * (lane - (len(groups) - 1) / 2)
        for panel, measure in zip(axes, MEASURES, strict=True):
            style.series(panel, places, last[measure].transpose("experiment", "seed"), lines[title])
    for panel, measure in zip(axes, MEASURES, strict=True):
        if measure == "copying_regions":
            panel.set_ylim(bottom=0)
            panel.grid(axis="y")
        else:
            style.shares(panel)
    style.titles(axes, [(words,) for words in MEASURES.values()])
    figure.supxlabel(options.x_label or f"Mean {style.readable(options.x.quantity).lower()}")
    if options.groups:
        style.key(figure, *lines.values())
    return figure


def _across(data: Mapping[str, xr.Dataset], fact: Fact) -> dict[str, float]:
    """The fact of each experiment that has it: its place along x."""
    facts = dataset(data, fact.data, "x.data")
    mean = choose(facts, "x.", split=fact.split, quantity=fact.quantity)["mean"]
    return {
        str(name): float(mean.sel(experiment=name)) for (name,) in style.present(mean, "experiment")
    }


def _last(found: xr.Dataset, experiment: str) -> xr.Dataset:
    """The measures of one experiment, each (seed,), at its last step."""
    last = find({"": found}, Shown(experiment=experiment), "overlap")
    assert last is not None
    return last[[*MEASURES]].reset_coords(drop=True)
