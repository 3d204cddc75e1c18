"""Attention of one position, layer by layer: a row for each layer and head, the first at the bottom.

The figure's data are rows of attention (`attention_rows`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._cells import Scale, by_head, draw
from interpflow.plots._panels import Shown, find, first
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


DRAWS = ("attention", "shown_example", "query", "key")


class Options(Shown):
    """Which model is shown; `select` names examples (`shown_example`) and the attending position (`query`).

    If not given, the first of each.
    """


MOST = style.Look("more than half of the attention", style.VERMILLION, "o", size=3.5)
ROW = 0.24  # of a layer, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Attention as shades, and a line through the tokens with more than half of it."""
    from matplotlib.lines import Line2D

    found = find(data, options, "attention", along=["shown_example"])
    if found is None:
        return style.nothing("No attention of this experiment is in the data.")
    found = first(found, "seed", "query")
    names = found["shown_example"].values.tolist()
    chosen = names if "shown_example" in options.select else names[:1]
    shown = [_rows(found.sel(shown_example=name)) for name in chosen]
    figure, axes = style.grid([ROW * rows.sizes["layer"] + 0.3 for rows in shown])
    for (panel,), rows in zip(axes, shown, strict=True):
        image = _draw(panel, rows)
    style.colour_key(figure, image, style.axis_label(found["attention"]))
    line = Line2D([], [], label=MOST.label, **MOST.drawn)
    figure.legend(handles=[line], loc="upper right")  # beside the key of the shades
    style.axis_labels(figure, "Token; the last one attends", "Layer")
    return figure


def _rows(example: xr.Dataset) -> xr.DataArray:
    """Attention of one query (layer, key) up to its own position; a head is a layer, keys have words."""
    example = example.sel(key=slice(0, int(example["query"])))
    attention = by_head(example["attention"]).transpose("layer", "key")
    return attention.assign_coords(key=example["word"].values)


def _draw(panel: Axes, attention: xr.DataArray) -> AxesImage:
    """Draw one example, and the line through the tokens with more than half of the attention."""
    words = attention["key"].values.tolist()
    room = (style.sizes().double - 0.9) / len(words)
    image = draw(panel, attention, Scale(1), (room, ROW), numbers=False)
    row, column = np.nonzero(attention.values > 0.5)  # one of a row at most
    panel.plot(column, row, **{**MOST.drawn, "linewidth": 0.8})
    upright = max(map(style.text_width, words)) + 0.02 > room
    panel.set_xticks(range(len(words)), words, rotation=90 if upright else 0)
    return image
