"""Where one position attends, layer by layer: a row for each layer and head, the first at the bottom.

The figure's data are rows of attention (`attention_rows`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._examples import of_experiment
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Options(Section):
    """Which position is shown, of which model and on which examples."""

    experiment: str | None = None  # the first if not given
    seed: NonNegativeInt | None = None  # the first if not given
    examples: list[str] = []  # "chains 0"; the first if none
    query: NonNegativeInt | None = None  # a position; the first that was looked at, if not given


MOST = style.Look("more than half of the attention", style.VERMILLION, "o", size=3.5)
ROW = 0.24  # of a layer, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Attention as shades, and a line through the tokens that have most of it."""
    from matplotlib.lines import Line2D

    (rows,) = data.values()
    found = of_experiment(rows, options.experiment, "attention", options.seed)
    if found is None:
        return style.nothing("No attention of this experiment is in the data.")
    panels = [
        _rows(choose(found, shown_example=name), options.query)
        for name in options.examples or found["shown_example"].values[:1].tolist()
    ]
    figure, axes = style.grid([ROW * each.sizes["row"] + 0.3 for each in panels])
    image: Any = None
    for (panel,), each in zip(axes, panels, strict=True):
        image = _draw(panel, each)
    every = [panel for (panel,) in axes]
    style.shade_key(figure, every, image, style.axis_label(rows["attention"]))
    line = Line2D([], [], label=MOST.label, **MOST.drawn)
    figure.legend(handles=[line], loc="upper right")  # beside the bar that says what shades mean
    every[-1].set_xlabel("Token; the last one attends")
    return figure


def _rows(example: xr.Dataset, query: int | None) -> xr.Dataset:
    """Attention of one query (row, key) up to its own position, rows of layers and heads that there are."""
    there = example.dropna("query", how="all", subset=["attention"])["query"].values
    at = int(there[0]) if query is None else query
    here = choose(example, query=at).sel(key=slice(0, at))
    stacked = here.stack(row=("layer", "head")).transpose("row", ...)
    return stacked.dropna("row", how="all", subset=["attention"])


def _draw(panel: Axes, example: xr.Dataset) -> Any:
    """One example: a map of attention, whose keys are called by their words."""
    attention = example["attention"].values.astype(float)
    image = panel.imshow(
        attention,
        cmap=style.SHADES,
        vmin=0,
        vmax=1,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    row, column = np.nonzero(attention > 0.5)  # one of a row at most
    panel.plot(column, row, **{**MOST.drawn, "linewidth": 0.8})
    layers, heads = (example[name].values.tolist() for name in ("layer", "head"))
    several = len(set(heads)) > 1
    names = [
        f"Layer {layer}" + f", head {head}" * several
        for layer, head in zip(layers, heads, strict=True)
    ]
    panel.set_yticks(range(len(names)), names)
    words = example["word"].values.tolist()
    room = (style.DOUBLE - 0.9) / len(words)
    upright = max(map(style.text_width, words)) + 0.02 > room
    panel.set_xticks(range(len(words)), words, rotation=90 if upright else 0)
    panel.tick_params(length=0)
    return image
