"""Queries and keys of one head in one plane, each with its token, and lines to what a query attends to.

The figure's data are activations (`activations`), which say how the plane is chosen.  Examples shown together
share their plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._panels import Shown, find, first
from interpflow.section import Names
from interpflow.selection import FoundVariable
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("query_place", "key_place", "attention", "word")


class Options(Shown):
    """Which model is shown; `select` names the examples (`shown_example`), the step, the layer and the head.

    If not given, the first of each.
    """

    position: int | None = None  # the query whose lines are drawn; none if not given
    # The example of that query; the first if not given.
    example: Annotated[str, Names("shown_example")] | None = None
    # What colours the points: a variable of positions, `position` or `shown_example`.
    colours: FoundVariable | None = None


QUERY = style.Look("query", style.VERMILLION, "^", line="")
KEY = style.Look("key", style.BLUE, "o", line="")
FAINT = 0.02  # attention of which no line is drawn
# Of groups, one after the other; of more numbers than these the colours are along a scale.
COLOURS = (
    style.BLUE, style.ORANGE, style.GREEN, style.VERMILLION, style.PURPLE, style.SKY, style.GREY, style.BLACK,
)  # fmt: skip
NUMBERS = "cividis"
MOST = 16  # groups that the key names


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """One panel; products of a query and a key in the plane are near to their score."""
    here = find(data, options, "query_place", along=["shown_example"])
    if here is None:
        return style.nothing("No queries of this experiment are in the data.")
    here = first(here, "seed", "layer", "head")
    if "shown_example" not in options.select:
        here = here.isel(shown_example=[0])
    words = here["word"].transpose("shown_example", "position").values.astype(str)
    places = {
        look: here[name].transpose("shown_example", "position", "axis").values
        for look, name in ((QUERY, "query_place"), (KEY, "key_place"))
    }
    figure, (panel,) = style.panels(1, height=3.2)
    examples = here["shown_example"].values.tolist()
    asked = examples.index(options.example) if options.example in examples else 0
    if options.position is not None and words[asked, options.position : options.position + 1].any():
        weights = here["attention"].isel(shown_example=asked).sel(query=options.position).values
        query, keys = places[QUERY][asked, options.position], places[KEY][asked]
        for key, weight in zip(keys, weights, strict=False):
            if weight > FAINT:
                line = np.stack([query, key])
                panel.plot(*line.T, color=style.GREY, linewidth=3 * weight, zorder=1)
    _points(figure, panel, places, words != "", here, options.colours)
    if len(examples) == 1:
        for at in places.values():
            for word, place in zip(words[0][words[0] != ""], at[0], strict=False):
                panel.annotate(word, place, xytext=(3, 2), textcoords="offset points")
    most = 1.15 * max(float(np.nanmax(np.abs(at))) for at in places.values()) or 1.0
    panel.set(xlim=(-most, most), ylim=(-most, most), aspect="equal")
    panel.axhline(0, color=style.PALE, zorder=0)
    panel.axvline(0, color=style.PALE, zorder=0)
    style.axis_labels(figure, "Plane of the head, across", "Plane of the head, up")
    return figure


def _points(
    figure: Figure,
    panel: Axes,
    places: Mapping[style.Look, np.ndarray],
    there: np.ndarray,
    here: xr.Dataset,
    by: str | None,
) -> None:
    """Queries and keys where `there`, (example, position), in the colours of `by`, and what colours mean."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex, to_rgba

    if by is None:
        for look, at in places.items():
            panel.plot(*at[there].T, **look.drawn)
        style.key(figure, *places)
        return
    over = here["word"].transpose("shown_example", "position")
    groups = here[by].broadcast_like(over).transpose(*over.dims).values[there]
    named = style.in_order(np.unique(groups).tolist())
    if groups.dtype.kind in "iuf" and len(named) > len(COLOURS):
        share = (groups - groups.min()) / np.ptp(groups)
        colours = colormaps[NUMBERS](share)
        ends = [(f"{by} {named[at]}", to_hex(colormaps[NUMBERS](float(-at)))) for at in (0, -1)]
    else:
        colour = {group: COLOURS[at % len(COLOURS)] for at, group in enumerate(named)}
        colours = np.array([to_rgba(colour[group]) for group in groups.tolist()])
        ends = [(str(group), colour[group]) for group in named[:MOST]]
    marks = [replace(look, color=style.GREY) for look in places]
    for look, at in zip(marks, places.values(), strict=True):
        size = look.size**2
        x, y = at[there].T
        panel.scatter(x, y, size, colours, marker=str(look.marker), linewidths=0, zorder=2)
    means = [style.Look(style.readable(name), shade, "s", line="") for name, shade in ends]
    style.key(figure, *marks, *means)
