"""Calibration: how often predictions of some confidence are right, intact and with each head ablated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow import style
from interpflow.plots._experiments import experiments
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Options(Section):
    """Which models are shown, and which ablation."""

    panels: dict[str, str] = {}  # title: experiment; if none, every experiment
    ablation: Literal["zero", "mean", "resample"] = "zero"
    few: PositiveInt = 10  # predictions: a bin with fewer of each seed is drawn open


INTACT = style.Look("nothing ablated", style.BLACK, "o", size=4)
PERFECT = style.Look("perfectly calibrated", style.GREY, line="--")


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`share_right` against `mean_confidence`, and below how many predictions a bin has."""
    (found,) = data.values()
    titles = {name: title for title, name in options.panels.items()}
    ablated = choose(found, ablation=options.ablation)
    names = [
        name
        for name in experiments(found, list(options.panels.values()))
        if found["intact_share_right"].sel(experiment=name).notnull().any()
    ]
    if not names:
        return style.nothing("No experiment of these panels is in the data.")
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    width = style.SINGLE if columns == 1 else style.DOUBLE
    figure, axes = style.grid([1.45, 0.5] * rows, columns, width)
    used: dict[str, style.Look] = {INTACT.label: INTACT}
    few = False
    for at in range(rows * columns):
        row, column = divmod(at, columns)
        panel, strip = axes[2 * row][column], axes[2 * row + 1][column]
        if at >= len(names):
            panel.remove()
            strip.remove()
            continue
        name = names[at]
        panel.plot([0, 1], [0, 1], **PERFECT.drawn, linewidth=0.8)
        for look, lines in _curves(found, ablated, name):
            used.setdefault(look.label, look)
            few |= _curve(panel, strip, lines, look, options.few)
        style.shares(panel)
        style.shares(panel, "x")
        style.shares(strip, "x")
        panel.tick_params(labelbottom=False, labelleft=column == 0)
        strip.set_yscale("log")
        strip.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        strip.yaxis.set_minor_formatter("")
        strip.tick_params(which="minor", left=False)
        strip.tick_params(labelleft=column == 0)
        strip.grid(axis="y")
        if column:
            strip.sharey(axes[2 * row + 1][0])
        panel.set_title(titles.get(name, style.readable(name)))
        if column == 0:
            panel.set_ylabel("Share right")
            strip.set_ylabel("Number of\npredictions")
    figure.supxlabel("Confidence: probability of what is predicted")
    open_ = style.Look(f"fewer than {options.few} predictions", style.GREY, "o", "", "white")
    style.key(figure, *used.values(), PERFECT, *([open_] if few else []))
    return figure


def _curves(
    found: xr.Dataset, ablated: xr.Dataset, experiment: str
) -> list[tuple[style.Look, dict[str, xr.DataArray]]]:
    """What is drawn of one experiment: the intact model, then each head that was ablated."""
    table = ("count", "mean_confidence", "share_right")
    here = found.sel(experiment=experiment)
    bins = here["intact_count"].notnull().any("seed").values  # another may have more
    here, ablated = here.isel(bin=bins), ablated.isel(bin=bins)
    curves = [(INTACT, {name: here[f"intact_{name}"] for name in table})]
    there = ablated.sel(experiment=experiment)
    heads = [
        (layer, head)
        for layer in range(there.sizes["layer"])
        for head in range(there.sizes["head"])
        if there["accuracy"].isel(layer=layer, head=head).notnull().any()
    ]
    layers = len({layer for layer, _ in heads})
    labels = [f"head {layer}.{head}" if layers > 1 else f"head {head}" for layer, head in heads]
    looks = style.looks(f"{label} ablated" for label in labels)
    for (layer, head), look in zip(heads, looks.values(), strict=True):
        place = {"layer": layer, "head": head}
        curves.append((look, {name: there[name].isel(place) for name in table}))
    return curves


def _curve(
    panel: Axes, strip: Axes, lines: dict[str, xr.DataArray], look: style.Look, few: int
) -> bool:
    """Draw one model in its panel and the strip below; say whether it has bins of few predictions."""
    confidence, _ = style.mean_and_sd(lines["mean_confidence"])
    right, sd = style.mean_and_sd(lines["share_right"])
    number, _ = style.mean_and_sd(lines["count"])
    there = np.isfinite(right) & np.isfinite(confidence)
    scarce = there & (number < few)
    panel.plot(confidence[there], right[there], color=look.color, linewidth=1)
    for which, drawn in ((there & ~scarce, look), (scarce, replace(look, fill="white"))):
        if which.any():
            points = replace(drawn, line="")
            bars = None if sd is None else sd[which]
            style.errorbar(panel, confidence[which], right[which], points, yerr=bars)
    edges = np.linspace(0, 1, len(number) + 1)
    heights = np.append(number, number[-1:])
    heights = np.where(heights > 0, heights, np.nan)
    strip.plot(edges, heights, color=look.color, linewidth=1, drawstyle="steps-post")
    return bool(scarce.any())
