"""Figures for tests: how they are drawn of made-up findings, and what can be read on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from interpflow import style
from interpflow.collecting.frame import collect
from interpflow.spec import plugins
from interpflow.spec.study import Claim
from interpflow.style import save
from interpflow.style.sizes import Sizes, Venue
from interpflow.variables import describe


def random(*address: Any) -> np.random.Generator:
    return np.random.default_rng([*repr(address).encode()])


def join(
    method: str, parts: Mapping[str, xr.Dataset], coords: Mapping[str, dict[str, Any]] | None = None
) -> xr.Dataset:
    """Findings as figures get them: by experiment, with what swept options say of each."""
    table = plugins.load(plugins.ANALYSIS, method).VARIABLES
    described = {name: describe(part, table, method) for name, part in parts.items()}
    return collect(described, {name: (coords or {}).get(name, {}) for name in parts})


def draw(
    module: Any,
    *data: xr.Dataset,
    names: Sequence[str] = ("first", "second", "third"),
    claims: Sequence[Claim] = (),
    venue: Venue | None = None,
    **options: Any,
) -> Figure:
    """The figure of datasets, laid out as it is saved."""
    with save.style(venue):
        made = module.plot(
            dict(zip(names, data, strict=False)), module.Options(**options), list(claims)
        )
        made.draw_without_rendering()
    assert isinstance(made, Figure)
    return made


def claim(variable: str, select: dict[str, Any], **bound: float) -> Claim:
    """A claim on the first of the data."""
    bounds = {"expected": None, "at_least": None, "at_most": None, "tolerance": None, **bound}
    return Claim("claim", "first", variable, select, source="paper", because=None, **bounds)


def texts(figure: Figure) -> list[Text]:
    """All text that is drawn; of tick labels those within the axis."""
    hidden = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        or not axes.axison
    }
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist not in hidden)
    return [
        text
        for text in found
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]


def words(figure: Figure) -> str:
    """All that is written."""
    return "\n".join(text.get_text() for text in texts(figure))


def legible(figure: Figure, sizes: Sizes | None = None) -> None:
    """No text leaves the page or lies on another, none is small, and no panel is empty."""
    sizes = sizes or style.sizes()
    seen = {text: text.get_window_extent() for text in texts(figure)}
    page = figure.bbox.padded(1)  # a pixel: hinting
    for text, box in seen.items():
        assert page.containsx(box.x0) and page.containsx(box.x1), text
        assert page.containsy(box.y0) and page.containsy(box.y1), text
        assert text.get_fontsize() == sizes.text
    for one, other in overlapping([*seen.values()]):
        raise AssertionError([list(seen)[one], list(seen)[other]])
    assert figure.get_figwidth() in (sizes.single, sizes.double)
    assert figure.get_figheight() < 9
    for axes in figure.axes:
        lines = [np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines]
        assert any(lines) or axes.images or axes.collections, axes


def overlapping(boxes: Sequence[Bbox]) -> list[tuple[int, int]]:
    """Which two of `boxes` have more than a pixel in common."""
    ends = np.array([box.extents for box in boxes]).reshape(-1, 4)
    low = np.maximum(ends[:, None, :2], ends[:, :2])
    high = np.minimum(ends[:, None, 2:], ends[:, 2:])
    one, other = np.nonzero(np.triu((high - low).min(-1) >= 1, 1))
    return [*zip(one.tolist(), other.tolist(), strict=True)]


def labels(axes: Axes, axis: str) -> list[str]:
    """The tick labels along "x" or "y"."""
    return [text.get_text() for text in getattr(axes, f"get_{axis}ticklabels")()]


def cells(axes: Axes) -> list[list[str]]:
    """What is written in the cells of a heat map, row by row from its first label."""
    (image,) = axes.images
    rows, columns = image.get_array().shape  # type: ignore[union-attr]
    found = [[""] * columns for _ in range(rows)]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        found[row][column] = text.get_text()
    return found
