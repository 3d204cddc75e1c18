"""What marks and shades mean, above the panels."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.style.grids import label_y
from interpflow.style.look import PAD, RC, Look
from interpflow.style.sizes import sizes
from interpflow.style.words import number, text_width

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure


# Of a colour key, inches: the strip above the panels; its bar's place from the top and the left, and length.
STRIP, DOWN, LEFT, LONG = 0.46, 0.19, 0.32, 0.8


def key(figure: Figure, *entries: Look) -> None:
    """What the marks mean, in one row above the panels, or in as few as it takes."""
    handle = (RC["legend.handlelength"] + 0.8 + RC["legend.columnspacing"]) * sizes().text / 72
    widths = [text_width(entry.label) + handle for entry in entries]
    rows, room = 1, figure.get_figwidth() - 2 * PAD
    # Entries run down each column, and a column is as wide as its widest.
    while rows < len(widths) and room < sum(
        max(widths[top : top + rows]) for top in range(0, len(widths), rows)
    ):
        rows += 1
    figure.legend(
        handles=[_handle(entry) for entry in entries],
        loc="outside upper left",
        ncols=math.ceil(len(entries) / rows),
    )
    if words := figure.get_supylabel().replace("\n", " "):
        label_y(figure, words, (rows - 1) * 1.5 * sizes().text / 72)


def _handle(entry: Look) -> Artist:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if entry.hatch:
        return Patch(
            facecolor="white",
            edgecolor=entry.color,
            hatch=entry.hatch,
            linewidth=0.6,
            label=entry.label,
        )
    return Line2D([], [], label=entry.label, **entry.drawn)


def colour_key(figure: Figure, image: ScalarMappable, label: str, clipped: bool = False) -> None:
    """What the shades of all panels mean, in a strip of its own above them."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width, height = figure.get_size_inches()
    total = height + STRIP
    figure.set_size_inches(width, total)
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)
    layout.set(rect=(0, 0, 1, height / total))
    bar = figure.add_axes((LEFT / width, 1 - DOWN / total, LONG / width, 0.09 / total))
    room = width - LEFT - LONG - 0.3
    lines = max(1, math.ceil(text_width(label) / room))
    label = textwrap.fill(label, math.ceil(len(label) / lines) + 4 * (lines > 1))
    colour_bar(bar, image, label, clipped)


def colour_bar(axes: Axes, image: ScalarMappable, label: str, clipped: bool = False) -> None:
    """What shades mean, as a bar in `axes`, with pointed ends where larger values are cut.

    Shares are in percent.
    """
    figure = axes.get_figure(root=True)
    low, high = image.get_clim()
    assert figure is not None and low is not None and high is not None
    bar = figure.colorbar(
        image,
        cax=axes,
        orientation="horizontal",
        extend="both" if clipped else "neither",
        ticks=[low, (low + high) / 2, high],
    )
    end = number(float(f"{high:.2g}"))  # three digits at both ends would run into the zero
    bar.set_ticklabels(["0", "50", "100%"] if low == 0 else [f"\u2212{end}", "0", end])
    axes.annotate(label, (1, 0.5), (14, 0), "axes fraction", "offset points", va="center")


def signed_limit(arrays: Iterable[xr.DataArray], cut: float = 0.0) -> float:
    """The end of a signed scale for all of `arrays`, but for a share `cut` of their values."""
    each = [np.abs(array.values[array.notnull().values]) for array in arrays]
    sizes = np.concatenate([np.empty(0), *each])
    limit = float(np.quantile(sizes, 1 - cut)) if sizes.size else 0.0
    return limit or 1.0
