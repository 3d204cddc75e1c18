"""Attention to equal states, layer by layer: pairs down, layers across, the mean over seeds in each cell.

A state that moves on by one step in each layer stands on a diagonal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._cells import HEIGHT, by_head, cells, key, side_by_side
from interpflow.plots._experiments import at_last_step, dataset, experiments, of_seed
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Panel(Section):
    """One map."""

    data: str | None = None  # an analysis by `attention_to_state`; the figure's first if not given
    experiment: str | None = None  # the first of that analysis if not given
    step: NonNegativeInt | None = None  # the last if not given
    group: int | None = None  # of the queries; all of them if not given
    seed: NonNegativeInt | None = None  # the mean over seeds if not given


class Options(Section):
    """Which maps there are, and what is in their cells."""

    panels: dict[str, Panel] = {}  # by title; the first experiment alone if none
    variable: Literal["attention", "top"] = "attention"
    pairs: dict[str, str] = {}  # words: pair, for rows; all that a map has if none
    y_label: str = "Attention to"


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds, or one."""
    maps = {
        title: values
        for title, panel in (options.panels or {"": Panel()}).items()
        if (values := _values(data, title, panel, options)) is not None
    }
    if not maps:
        return style.nothing("No experiment of these maps is in the data.")
    rows = max(values.sizes["pair"] for values in maps.values())
    wide = len(maps) > 1 or next(iter(maps.values())).sizes["layer"] > 6
    width = style.DOUBLE if wide else style.SINGLE
    figure, image = side_by_side(maps, HEIGHT * rows, width, cells)
    style.axis_labels(figure, "Layer", options.y_label)
    found = next(iter(data.values()))
    key(figure, image, style.axis_label(found[options.variable]))
    return figure


def _values(
    data: Mapping[str, xr.Dataset], title: str, panel: Panel, options: Options
) -> xr.DataArray | None:
    """Means over seeds (pair, layer); None where there are none."""
    found = dataset(data, panel.data or next(iter(data)), f"panels.{title}.data")
    names = experiments(found, [panel.experiment] if panel.experiment else [])
    if not names:
        return None
    here, name = found.sel(experiment=names[0]), str(options.variable)
    here = at_last_step(here, name) if panel.step is None else choose(here, step=panel.step)
    for pair in options.pairs.values():
        choose(found, pair=pair)
    # The rows of a group are those of all queries, that maps of several groups be alike.
    kept = options.pairs or {pair: pair for (pair,) in style.present(here[name], "pair")}
    if panel.group is not None:
        here, name = choose(here, group=panel.group), f"group_{name}"
    seeds = of_seed(here[name], panel.seed)
    if seeds is None or not seeds.notnull().any():
        return None
    values = seeds.mean("seed")
    values = by_head(values.sel(pair=list(kept.values()))).assign_coords(pair=list(kept))
    return values.transpose("pair", "layer")
