"""What a patch recovers: layers by the names of patched positions, a panel for each site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr

from interpflow import style
from interpflow.plots._experiments import dataset, experiments
from interpflow.plots._heat_maps import heat_maps
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Which model, what of it, and what the positions are called."""

    experiment: str | None = None  # the first if not given
    measure: Literal["recovered", "flipped"] = "recovered"
    places: dict[str, str] = {}  # name of positions: words for it, in this order; all if not given
    panels: dict[str, str] = {}  # title: analysis; if none, each under its name


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """One measure, mean over seeds, a panel for each analysis of the figure."""
    panels = options.panels or {style.readable(name): name for name in data}
    maps: dict[str, xr.DataArray] = {}
    for title, name in panels.items():
        found = dataset(data, name, "panels")
        kept = experiments(found, [options.experiment] if options.experiment else [])
        if kept:
            maps[title] = found[options.measure].sel(experiment=kept[0]).dropna("layer", how="all")
    there = {place for values in maps.values() for (place,) in style.present(values, "place")}
    words = options.places or {place: style.readable(place) for place in found["place"].values}
    places = {place: label for place, label in words.items() if place in there}
    if not places:
        return style.nothing("No positions of this map are in the data.")
    maps = {title: values.reindex(place=list(places)) for title, values in maps.items()}
    figure, _ = heat_maps(maps, list(places.values()), 1, 2)
    figure.supxlabel("Patched positions")
    return figure
