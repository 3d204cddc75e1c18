"""What marks and shades mean, above the panels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.style.look import PAD, RC, TEXT, Look
from interpflow.style.words import number, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure


def key(figure: Figure, *entries: Look) -> None:
    """What the marks mean, in one row above the panels, or in as few as it takes."""
    from matplotlib.lines import Line2D

    handle = (RC["legend.handlelength"] + 0.8 + RC["legend.columnspacing"]) * TEXT / 72
    widths = [text_width(entry.label) + handle for entry in entries]
    rows, room = 1, figure.get_figwidth() - 2 * PAD
    # Entries run down each column, and a column is as wide as its widest.
    while rows < len(widths) and room < sum(
        max(widths[top : top + rows]) for top in range(0, len(widths), rows)
    ):
        rows += 1
    figure.legend(
        handles=[Line2D([], [], label=entry.label, **entry.drawn) for entry in entries],
        loc="outside upper left",
        ncols=math.ceil(len(entries) / rows),
    )


def shade_key(figure: Figure, axes: Sequence[Axes], image: ScalarMappable, label: str) -> None:
    """What the shades mean, as a bar above the panels, with the ends and the middle of the scale."""
    low, high = image.get_clim()
    assert low is not None and high is not None
    ticks = [low, (low + high) / 2, high]
    bar = figure.colorbar(
        image,
        ax=axes,
        location="top",
        anchor=(0, 0.5),
        pad=0.25 / figure.get_figheight(),
        shrink=0.25,
        aspect=20,
        ticks=ticks,
    )
    bar.set_ticklabels([number(tick) for tick in ticks])
    bar.ax.annotate(label, (1, 0.5), (8, 0), "axes fraction", "offset points", va="center")


def signed_key(axes: Axes, image: ScalarMappable, label: str, clipped: bool = False) -> None:
    """What signed shades mean, as a bar in `axes`; with pointed ends where larger values are cut."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    _, limit = image.get_clim()
    assert limit is not None
    bar = figure.colorbar(
        image,
        cax=axes,
        orientation="horizontal",
        extend="both" if clipped else "neither",
        ticks=[-limit, 0, limit],
    )
    end = number(float(f"{limit:.2g}"))  # three digits at both ends would run into the zero
    bar.set_ticklabels([f"\u2212{end}", "0", end])
    axes.annotate(label, (1, 0.5), (14, 0), "axes fraction", "offset points", va="center")


def signed_limit(arrays: Iterable[xr.DataArray], cut: float = 0.0) -> float:
    """The end of a signed scale for all of `arrays`, but for a share `cut` of their values."""
    each = [np.abs(array.values[array.notnull().values]) for array in arrays]
    sizes = np.concatenate([np.empty(0), *each])
    limit = float(np.quantile(sizes, 1 - cut)) if sizes.size else 0.0
    return limit or 1.0
