"""How the roles of heads go with one fact about the data: overlap, regions and suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._experiments import Fact, at_last_step, experiments, variable
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """What runs along x, and which experiments make a line; the first of the data has the modes."""

    x: str | None = None  # a swept coordinate; or
    x_from: Fact | None = None  # a fact about the data
    label: str | None = None  # of the x axis; the name of what runs along it if not given
    groups: dict[str, list[str]] = {}  # line: experiments, whose names may end in *; all if none


REGIONS = "Regions per copying head"
APART = (
    0.012  # of the range of x, between points of one experiment each: they often lie on each other
)


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A panel for each measure: a point for each experiment, means over seeds with their deviation."""
    found = next(iter(data.values()))
    x, name = _across(data, found, options)
    groups = {
        title: [each for each in experiments(found, names) if each in x]
        for title, names in (options.groups or {"": []}).items()
    }
    groups = {title: sorted(names, key=x.__getitem__) for title, names in groups.items() if names}
    if not groups:
        return style.nothing("No experiment of these lines is in the data.")
    measures = {each: _measures(found, each) for names in groups.values() for each in names}
    panels = list(next(iter(measures.values())))
    figure, axes = style.panels(len(panels), height=1.5, width=style.DOUBLE, share="x")
    lines = style.looks(groups)
    shown = [x[each] for names in groups.values() for each in names]
    apart = APART * (max(shown) - min(shown))
    for panel, measure in zip(axes, panels, strict=True):
        for lane, (title, names) in enumerate(groups.items()):
            values = np.array([measures[each][measure].values for each in names])
            places = np.array([x[each] for each in names]) + apart * (lane - (len(groups) - 1) / 2)
            array = xr.DataArray(values, dims=("experiment", "seed"))
            style.series(panel, places, array, lines[title])
        if measure == REGIONS:
            panel.set_ylim(bottom=0)
            panel.grid(axis="y")
        else:
            style.shares(panel)
    style.titles(axes, [(measure,) for measure in panels])
    figure.supxlabel(options.label or style.readable(name))
    if options.groups:
        style.key(figure, *lines.values())
    return figure


def _across(
    data: Mapping[str, xr.Dataset], found: xr.Dataset, options: Options
) -> tuple[dict[str, float], str]:
    """Where each experiment stands along x, those that have a place, and what x is."""
    if options.x_from is not None:
        array, name = options.x_from.find(data, "x_from"), f"mean {options.x_from.quantity}"
    else:
        name = options.x or ""
        array = variable(found, name, "x")
    places = {
        str(each): float(array.sel(experiment=each))
        for (each,) in style.present(array, "experiment")
    }
    return places, name


def _measures(found: xr.Dataset, experiment: str) -> dict[str, xr.DataArray]:
    """What is shown of one experiment, (seed,) each."""
    last = at_last_step(found.sel(experiment=experiment), "overlap")
    copies = last["head_mode"].isin(["whole", "part", "mixed"])
    return {
        "Share copied by several heads": last["overlap"],
        REGIONS: last["regions"].where(copies).mean("head"),
        "Share suppressed by one head": last["suppressed_share"].max("head"),
    }
