"""Attention as arcs over the tokens of an example: each leads from a token to one that it attends to.

The figure's data are activations (`activations`), or the mean attention of a split (`attention_map`).
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("attention", "query", "key")


class Options(Shown):
    """Which model is shown; `select` names the example (`shown_example`), the step, the layer and the head.

    If not given, the first of each, and of all heads the one that attends most.
    """

    position: int | None = None  # the token whose arcs alone are drawn; those of all if not given


FAINT = 0.15  # attention of which no arc is drawn, unless all is less than twice as strong
HEIGHT = 0.16  # of an arc to the next token but one, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """One line of tokens; arcs are the thicker the stronger the attention."""
    here = find(data, options, "attention")
    if here is None:
        return style.nothing("No attention of this experiment is in the data.")
    here = first(here, "seed", "shown_example", "layer")
    attention = (
        here["attention"].max("head") if "head" in here["attention"].dims else here["attention"]
    )
    attention = attention.transpose("query", "key")
    keys = attention["key"].values.tolist()
    said = here["word"].values.astype(str) if "word" in here else np.array([])
    words = [said[key] if key < len(said) else str(key) for key in keys]
    least = min(FAINT, float(attention.max()) / 2)
    arcs = [
        (query, key, float(attention.sel(query=query, key=key)))
        for query in attention["query"].values.tolist()
        for key in keys
        if options.position in (None, query, key)
    ]
    arcs = sorted((arc for arc in arcs if arc[2] >= least), key=lambda arc: arc[2])
    widest = max((abs(query - key) for query, key, _ in arcs), default=1)
    figure, (panel,) = style.panels(1, min(0.4 + HEIGHT * widest, 2.2), style.sizes().double)
    for query, key, weight in arcs:
        _arc(panel, query, key, weight)
    panel.set(xlim=(min(keys) - 0.7, max(keys) + 0.7), ylim=(0, 0.8 * widest + 0.6), yticks=[])
    room = style.sizes().double / (len(keys) + 1)
    fits = max(map(style.text_width, words)) < room
    every = style.few(words, int(style.sizes().double / 0.13))
    panel.set_xticks(
        [keys[at] for at in every], [words[at] for at in every], rotation=0 if fits else 90
    )
    panel.tick_params(axis="x", length=0)
    panel.spines[["left", "bottom"]].set_visible(False)
    return figure


def _arc(panel: Axes, query: int, key: int, weight: float) -> None:
    """An arc from a query to a key; of a token to itself, a small loop."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    far = abs(query - key)
    wide, high = (0.0, far + 0.4) if far else (0.4, 0.8)
    points = [(query, 0), (query - wide, high), (key + wide, high), (key, 0)]
    curve = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    look = {"linewidth": 0.4 + 2.4 * weight, "alpha": min(1.0, 0.2 + 0.7 * weight)}
    panel.add_patch(PathPatch(curve, facecolor="none", edgecolor=style.BLUE, **look))
