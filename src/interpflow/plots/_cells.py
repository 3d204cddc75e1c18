"""Heat maps with a number in each cell.

The leading underscore keeps this file from being a plot.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._modes import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

HEIGHT = 0.24  # of a cell, inches
# Of the key: room above the maps, and of its bar the place from the top and the left, and the length, inches.
KEY, DOWN, LEFT, LONG = 0.46, 0.19, 0.32, 0.8


def cells(panel: Axes, values: xr.DataArray, limit: float | None = None) -> AxesImage:
    """`values` (row, column), the first row at the top, labelled by their coordinates.

    They are shares, written as percentages, or signed where they have a `limit`: with two decimals, or
    more where that tells apart less than a tenth of the limit and they fit.  What is missing has no number
    and the colour of no data.
    """
    from matplotlib.colors import to_hex

    digits = 2 if limit is None else max(2, math.ceil(1 - math.log10(limit)))
    room = panel.get_position().width * panel.get_figure(root=True).get_figwidth() / values.shape[1]  # type: ignore[union-attr]
    while digits > 2 and style.text_width(f"+{0:.{digits}f}") > room - 0.06:
        digits -= 1
    image = panel.imshow(
        values.values.astype(float),
        cmap=style.SHADES if limit is None else style.DIVERGING,
        vmin=0 if limit is None else -limit,
        vmax=1 if limit is None else limit,
        interpolation="nearest",
        aspect="auto",
    )
    panel.set_facecolor(style.PALE)
    panel.spines[:].set_visible(True)
    for (row, column), value in np.ndenumerate(values.values):
        if np.isfinite(value):
            color = ink(to_hex(tuple(image.to_rgba(value))))
            words = (
                f"{100 * value:.0f}"
                if limit is None
                else f"{round(value, digits) + 0.0:+.{digits}f}"
            )
            words = words.replace("-", "\u2212")
            panel.text(column, row + 0.04, words, color=color, ha="center", va="center")
    rows, columns = (values[dim].values.tolist() for dim in values.dims)
    panel.set_yticks(range(len(rows)), [str(label) for label in rows])
    panel.set_xticks(range(len(columns)), [str(label) for label in columns])
    panel.tick_params(length=0)
    return image


def side_by_side(
    maps: Mapping[str, xr.DataArray],
    height: float,
    width: float,
    draw: Callable[[Axes, xr.DataArray], AxesImage],
) -> tuple[Figure, AxesImage]:
    """A panel `height` inches high for each of `maps` (row, column), by its title, and the last image.

    Maps that follow each other with the same rows name them once.
    """
    figure, axes = style.panels(len(maps), height, width, share="none")
    grid = axes[0].get_gridspec()
    assert grid is not None
    before: list[str] = []
    for at, (panel, (title, values)) in enumerate(zip(axes, maps.items(), strict=True)):
        image = draw(panel, values)
        panel.set_title(title)
        named = values[values.dims[0]].values.tolist()
        panel.tick_params(labelleft=at % grid.ncols == 0 or named != before)
        before = named
    return figure, image


def by_head(values: xr.DataArray, layer: str = "layer", head: str = "head") -> xr.DataArray:
    """`values` with `layer` and `head` as one dim `layer`, named by the layer where each has one head.

    Layers and heads without a value are left out.
    """
    there = style.present(values, layer, head)
    heads = len({number for _, number in there})
    places = {dim: xr.DataArray([place[at] for place in there], dims="place")
              for at, dim in enumerate((layer, head))}  # fmt: skip
    names = [f"{at}.{number}" if heads > 1 else str(at) for at, number in there]
    chosen = values.sel(places).drop_vars([layer, head]).rename(place=layer)
    return chosen.assign_coords({layer: names})


def key(figure: Figure, image: AxesImage, label: str) -> None:
    """What the shades of all maps mean, as a bar in a strip of its own above them."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width, height = figure.get_size_inches()
    total = height + KEY
    figure.set_size_inches(width, total)
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)
    layout.set(rect=(0, 0, 1, height / total))
    bar = figure.add_axes((LEFT / width, 1 - DOWN / total, LONG / width, 0.09 / total))
    room = width - LEFT - LONG - 0.3
    lines = max(1, math.ceil(style.text_width(label) / room))
    label = textwrap.fill(label, math.ceil(len(label) / lines) + 4 * (lines > 1))
    if image.get_clim()[0] == 0:
        figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 0.5, 1])
        bar.set_xticklabels(["0", "50", "100%"])
        bar.annotate(label, (1, 0.5), (14, 0), "axes fraction", "offset points", va="center")
    else:
        style.signed_key(bar, image, label)
