"""How many of an experiment's seeds end in each mode: one bar for each experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._experiments import experiments, variable
from interpflow.plots._modes import count, ink, last_modes, looks
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Which bars there are, and what they are called."""

    groups: dict[str, list[str]] = {}  # heading: experiments under it; names may end in *
    experiments: list[str] = []  # without headings; all if there are neither
    x: str | None = None  # a swept coordinate: one bar for each value, its experiments together
    labels: dict[str, str] = {}  # experiment, or value of x: words for it


HEIGHT = 0.24  # of one bar with the space to the next, inches
ROOM = 1.16  # of the x axis: behind each bar stands its number of seeds


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Stacked shares of `mode`, with the number of seeds in each part and behind each bar."""
    (found,) = data.values()
    groups = {title: _bars(found, names, options) for title, names in _groups(options).items()}
    groups = {title: bars for title, bars in groups.items() if bars}
    if not groups:
        return style.nothing("No experiment of these bars is in the data.")
    lines = sum(len(bars) + bool(title) for title, bars in groups.items())
    figure, (panel,) = style.panels(1, height=HEIGHT * lines + 0.1, width=style.SINGLE)
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
                    middle, y + 0.02, str(number), color=ink(color), ha="center", va="center"
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


def _groups(options: Options) -> dict[str, list[str]]:
    """The experiments under each heading, "" for those without."""
    if options.groups and not options.experiments:
        return options.groups
    return {"": options.experiments, **options.groups}


def _bars(found: xr.Dataset, names: list[str], options: Options) -> dict[str, dict[str, int]]:
    """How many seeds are in each mode, by the words for the bar."""
    kept = experiments(found, names)
    if options.x is None:
        modes = {options.labels.get(name, style.readable(name)): [name] for name in kept}
    else:
        swept = variable(found, options.x, "x").sel(experiment=kept)
        modes = {}
        for value, (name,) in sorted(
            (swept.sel(experiment=name).item(), (name,))
            for (name,) in style.present(swept, "experiment")
        ):
            words = style.number(value) if isinstance(value, float) else str(value)
            words = options.labels.get(words, f"{style.readable(options.x)} {words}")
            modes.setdefault(words, []).append(name)
    counted = {
        words: count(mode for name in those for mode in last_modes(found, name))
        for words, those in modes.items()
    }
    return {words: counts for words, counts in counted.items() if counts}
