"""The share of an experiment's seeds that end in each mode: one bar for each experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._modes import count, last_modes, looks
from interpflow.plots._panels import experiments
from interpflow.section import Section
from interpflow.selection import Experiment
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("mode",)


class Options(Section):
    """Which experiments have a bar, and the words for them."""

    # heading, or "" for none: experiments under it, whose names may end in *; all if none
    groups: dict[str, list[Experiment]] = {}
    labels: dict[Experiment, str] = {}  # experiment: words for it


HEIGHT = 0.24  # from bar to bar, inches
ROOM = 1.16  # the end of the x axis: behind each bar stands its number of seeds


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Stacked shares of `mode`, with the number of seeds in each part and behind each bar."""
    found = next(iter(data.values()))
    groups = {
        title: _bars(found, experiments(found, names, f"groups.{title}"), options)
        for title, names in (options.groups or {"": []}).items()
    }
    groups = {title: bars for title, bars in groups.items() if bars}
    if not groups:
        return style.nothing("No experiment of these bars is in the data.")
    lines = sum(len(bars) + bool(title) for title, bars in groups.items())
    figure, (panel,) = style.panels(1, height=HEIGHT * lines + 0.1, width=style.sizes().single)
    parts = looks(bar for bars in groups.values() for bar in bars.values())
    y, ticks = 0, {}
    for title, bars in groups.items():
        if title:
            ticks[y], y = title, y + 1
        for label, counts in bars.items():
            total, left = sum(counts.values()), 0.0
            for mode, number in counts.items():
                share, color = number / total, parts[mode].color
                panel.broken_barh([(left, share)], (y - 0.38, 0.76), color=color, linewidth=0)
                if left:
                    panel.plot([left, left], [y - 0.38, y + 0.38], color="white", linewidth=1)
                middle = left + share / 2
                panel.text(
                    middle, y + 0.02, str(number), color=style.ink(color), ha="center", va="center"
                )
                left += share
            panel.text(1.02, y + 0.02, f"n = {total}", va="center")
            ticks[y], y = label, y + 1
    panel.set_yticks(list(ticks), list(ticks.values()))
    panel.tick_params(axis="y", length=0)
    for tick, words in zip(panel.get_yticklabels(), ticks.values(), strict=True):
        tick.set_fontweight("bold" if words in groups else "normal")
    panel.spines["left"].set_visible(False)
    panel.set_ylim(y - 0.5, -0.5)
    panel.set_xlim(0, ROOM)
    panel.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    panel.spines["bottom"].set_bounds(0, 1)
    panel.set_xlabel("Share of seeds", x=0.5 / ROOM)
    style.key(figure, *parts.values())
    return figure


def _bars(found: xr.Dataset, names: list[str], options: Options) -> dict[str, dict[str, int]]:
    """The number of seeds in each mode, by the words for the bar."""
    counted = {
        options.labels.get(name, style.readable(name)): count(last_modes(found, name))
        for name in names
    }
    return {words: counts for words, counts in counted.items() if counts}
