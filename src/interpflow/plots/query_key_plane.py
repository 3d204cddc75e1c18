"""Queries and keys of one head in one plane, each with its token, and lines to what a query attends to.

The figure's data are activations (`activations`), which say how the plane is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._panels import Shown, find, first
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("query_place", "key_place", "attention", "word")


class Options(Shown):
    """Which model is shown; `select` names the example (`shown_example`), the step, the layer and the head."""

    position: int | None = None  # the query whose lines are drawn; none if not given


QUERY = style.Look("query", style.VERMILLION, "^", line="")
KEY = style.Look("key", style.BLUE, "o", line="")
FAINT = 0.02  # attention of which no line is drawn


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """One panel; products of a query and a key in the plane are near to their score."""
    here = find(data, options, "query_place")
    if here is None:
        return style.nothing("No queries of this experiment are in the data.")
    here = first(here, "seed", "shown_example", "layer", "head")
    words = here["word"].values.astype(str)
    length = int(np.flatnonzero(words != "").max()) + 1
    places = {
        look: here[name].transpose("position", "axis").values[:length]
        for look, name in ((QUERY, "query_place"), (KEY, "key_place"))
    }
    figure, (panel,) = style.panels(1, height=3.2)
    if options.position is not None and options.position < length:
        at = places[QUERY][options.position]
        for key, weight in enumerate(here["attention"].values[options.position, :length]):
            if weight > FAINT:
                line = np.stack([at, places[KEY][key]])
                panel.plot(*line.T, color=style.GREY, linewidth=3 * weight, zorder=1)
    for look, at in places.items():
        panel.plot(*at.T, **look.drawn)
        for word, place in zip(words, at, strict=False):
            panel.annotate(word, place, xytext=(3, 2), textcoords="offset points")
    most = 1.15 * max(float(np.abs(at).max()) for at in places.values()) or 1.0
    panel.set(xlim=(-most, most), ylim=(-most, most), aspect="equal")
    panel.axhline(0, color=style.PALE, zorder=0)
    panel.axvline(0, color=style.PALE, zorder=0)
    style.axis_labels(figure, "Plane of the head, across", "Plane of the head, up")
    style.key(figure, QUERY, KEY)
    return figure
