"""The stages of training as bands behind curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUNDARY = style.Look("a stage of one seed begins", style.BLACK, "|", line="", size=5)
PARTLY = style.Look("(2/3) in so many of the seeds", style.GREY, line="")
BANDS = ("#ffffff", "#ececec")
ACROSS = 6.2  # about the width of a panel, inches


def boundaries(data: Mapping[str, xr.Dataset], experiment: str) -> xr.DataArray | None:
    """The first step of each stage (seed, stage), None if the experiment has no stages in the figure's data."""
    for found in data.values():
        if "boundary" in found and experiment in found["experiment"]:
            boundary = found["boundary"].sel(experiment=experiment)
            boundary = boundary.dropna("seed", how="all").dropna("stage", how="all")
            return boundary if boundary.size else None
    return None


def draw(
    strip: Axes, banded: Sequence[Axes], panels: Sequence[Axes], boundary: xr.DataArray
) -> list[style.Look]:
    """Draw bands between the medians of `boundary` (seed, stage), in `strip` with names and behind `banded`.

    All `panels` get a tick where a stage of one seed begins.  Returns the looks that the key explains.
    """
    seeds = boundary.sizes["seed"]
    having = boundary.notnull().sum("seed")
    usual = boundary.isel(stage=(2 * having >= seeds).values)
    starts = np.maximum.accumulate(usual.median("seed").values)
    left, right = strip.get_xlim()
    edges = [left, *starts[1:].clip(left, right), right]
    used = [BOUNDARY]
    for place, stage in enumerate(usual["stage"].values):
        for panel in (strip, *banded):
            panel.axvspan(*edges[place : place + 2], color=BANDS[place % 2], linewidth=0, zorder=0)
        number = int(having.sel(stage=stage))
        if _write(strip, str(stage), number, seeds, edges[place : place + 2]):
            used.append(PARTLY)
    ticks = boundary.isel(stage=slice(1, None)).values.ravel()
    ticks = ticks[(ticks >= left) & (ticks <= right)]
    for panel in panels:
        across = panel.get_xaxis_transform()
        panel.plot(ticks, [0.95] * len(ticks), **BOUNDARY.drawn, alpha=0.6, transform=across)
    strip.plot([left, right], [0, 0], color=style.GREY, linewidth=0.6)
    strip.set_ylim(0, 1)
    strip.set_yticks([])
    strip.spines[:].set_visible(False)
    strip.tick_params(which="both", bottom=False)
    strip.set_ylabel("Stage", rotation=0, ha="right", va="center")
    return used


def _write(strip: Axes, words: str, number: int, seeds: int, edges: Sequence[float]) -> bool:
    """Write the name of a band if there is room; return whether the name has the number of seeds."""
    scale = strip.xaxis.get_transform()
    ends = scale.transform(np.array([*strip.get_xlim(), *edges], dtype=float))
    inches = (ends[3] - ends[2]) / (ends[1] - ends[0]) * ACROSS
    longer = f"{words} ({number}/{seeds})"
    partly = number < seeds and style.text_width(longer) + 0.04 < inches
    words = longer if partly else words
    if style.text_width(words) < inches:
        middle = scale.inverted().transform(np.array([ends[2:].mean()]))
        strip.text(float(middle[0]), 0.5, words, ha="center", va="center")
    return partly
