"""Loss recovered when one layer is scrubbed: layers by groups of examples, a panel for each hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._experiments import experiments, of_seed
from interpflow.plots._heat_maps import heat_maps
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Panel(Section):
    """One map."""

    hypothesis: str
    seed: NonNegativeInt | None = None  # the mean over seeds if not given


class Options(Section):
    """Which model and which hypotheses, and what they are called."""

    experiment: str | None = None  # the first if not given
    panels: dict[str, Panel] = {}  # by title; one for each hypothesis if none
    groups: str = "Group"  # what the groups are: "Path length (edges)"


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`recovered`, mean over seeds; cells below 0% have another colour."""
    (found,) = data.values()
    kept = experiments(found, [options.experiment] if options.experiment else [])
    if not kept:
        return style.nothing(f"Experiment {options.experiment} is not in the data.")
    recovered = found["recovered"].sel(experiment=kept[0])
    recovered = recovered.dropna("layer", how="all").dropna("group", how="all")
    there = [name for (name,) in style.present(recovered, "hypothesis")]
    panels = options.panels or {style.readable(name): Panel(hypothesis=name) for name in there}
    maps = {
        title: values
        for title, panel in panels.items()
        if panel.hypothesis in there
        and (values := of_seed(recovered.sel(hypothesis=panel.hypothesis), panel.seed)) is not None
    }
    if not maps:
        return style.nothing("No hypothesis of these panels is in the data.")
    figure, _ = heat_maps(maps, [str(group) for group in recovered["group"].values], 100, 0)
    figure.supxlabel(options.groups)
    return figure
