"""Calibration: the share of predictions right by confidence, intact and with each head ablated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._panels import Panels, first, panels
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("intact_count", "mean_confidence", "share_right", "count")


class Options(Panels):
    """Which models are shown; `select` says which ablation, the first if not given."""


FEW = 10  # predictions a seed: a bin with fewer is drawn open
INTACT = style.Look("nothing ablated", style.BLACK, "o", size=4)
PERFECT = style.Look("perfectly calibrated", style.GREY, line="--")


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`share_right` against `mean_confidence`, and below it the number of predictions in each bin."""
    found = panels(data, options, "accuracy")
    models = {title: first(here, "ablation") for title, here in found.items()}
    if not models:
        return style.nothing("No experiment of these panels is in the data.")
    columns = min(4, len(models))
    rows = -(-len(models) // columns)
    width = style.sizes().single if columns == 1 else style.sizes().double
    figure, axes = style.grid([1.45, 0.5] * rows, columns, width)
    used: dict[str, style.Look] = {INTACT.label: INTACT}
    few = False
    for at in range(rows * columns):
        row, column = divmod(at, columns)
        panel, strip = axes[2 * row][column], axes[2 * row + 1][column]
        if at >= len(models):
            panel.remove()
            strip.remove()
            continue
        title, here = [*models.items()][at]
        panel.plot([0, 1], [0, 1], **PERFECT.drawn, linewidth=0.8)
        for look, lines in _curves(here):
            used.setdefault(look.label, look)
            few |= _curve(panel, strip, lines, look)
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
        panel.set_title(title)
        if column == 0:
            panel.set_ylabel("Share right")
            strip.set_ylabel("Number of\npredictions")
    figure.supxlabel("Confidence: probability of what is predicted")
    open_ = style.Look(f"fewer than {FEW} predictions", style.GREY, "o", "", "white")
    style.key(figure, *used.values(), PERFECT, *([open_] if few else []))
    return figure


def _curves(here: xr.Dataset) -> list[tuple[style.Look, dict[str, xr.DataArray]]]:
    """The curves of one model: intact, and with each head that was ablated."""
    table = ("count", "mean_confidence", "share_right")
    here = here.isel(bin=here["intact_count"].notnull().any("seed").values)  # another may have more
    curves = [(INTACT, {name: here[f"intact_{name}"] for name in table})]
    heads = style.present(here["accuracy"], "layer", "head")
    layers = len({layer for layer, _ in heads})
    labels = [f"head {layer}.{head}" if layers > 1 else f"head {head}" for layer, head in heads]
    looks = style.looks(f"{label} ablated" for label in labels)
    for (layer, head), look in zip(heads, looks.values(), strict=True):
        place = {"layer": layer, "head": head}
        curves.append((look, {name: here[name].sel(place) for name in table}))
    return curves


def _curve(panel: Axes, strip: Axes, lines: dict[str, xr.DataArray], look: style.Look) -> bool:
    """Draw a curve in its panel and in the strip below; return whether a bin has few predictions."""
    confidence, _ = style.mean_and_sd(lines["mean_confidence"])
    right, sd = style.mean_and_sd(lines["share_right"])
    number, _ = style.mean_and_sd(lines["count"])
    there = np.isfinite(right) & np.isfinite(confidence)
    scarce = there & (number < FEW)
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
