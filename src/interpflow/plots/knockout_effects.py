"""Attention knockout: the effect of each position, registers and their chains, accuracy without registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._cells import HEIGHT, Scale, draw, mean
from interpflow.plots._panels import Panel, Shown, find, within
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec


DRAWS = ("kl", "is_register", "place", "intact_accuracy")


class Options(Shown):
    """Which model is shown, and its chains."""

    x_label: str = "Group"  # the name of the groups: "Path length (edges)"
    chains: Panel | None = None  # an analysis of the registers by the method `attention_chains`


REGISTER = style.Look("register", style.BLUE, "s", line="", size=7)
OTHER = style.Look("other position", "#b0b0b0", "s", line="", size=7)
SEED = style.Look("one seed", style.BLACK, "o", line="", fill="white", size=3)
OWN = style.Look("one seed, register there", style.BLACK, "o", line="", size=3)
INTACT = style.Look("nothing cut", style.BLACK, "D")
CUT = style.Look("registers cut", style.BLUE, "o")
RANDOM = style.Look("as many other positions cut", style.ORANGE, "v", line="--")
BAR = 0.14  # height of one position, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Bars of the effect, means over seeds; beside them accuracy by group, and below it the steps of chains."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    found = find(data, options, "kl")
    if found is None:
        return style.nothing("The experiment of this figure is not in the data.")
    high = BAR * found.sizes["position"]
    figure = Figure(
        figsize=(style.sizes().double, high + 0.8),
        layout=ConstrainedLayoutEngine(w_pad=style.PAD, h_pad=style.PAD, wspace=0.04),
    )
    ratios = [1.8, max(high - 1.8, 0.01)]
    places = figure.add_gridspec(2, 2, height_ratios=ratios, width_ratios=[1.2, 1])
    _effects(figure.add_subplot(places[:, 0]), found)
    _accuracy(figure.add_subplot(places[0, 1]), found, options.x_label)
    if options.chains:
        model = Shown(experiment=found["experiment"].item(), seed=options.seed)
        chains = find(data, within(options.chains, model), "moves", "chains")
        _chains(figure, places[1, 1], ratios[1], chains)
    seeds = (SEED, OWN) if found.sizes["seed"] > 1 else ()
    style.key(figure, REGISTER, OTHER, *seeds, INTACT, CUT, RANDOM)
    return figure


def _effects(panel: Axes, found: xr.Dataset) -> None:
    """Draw a bar for each position from the top down, blue where at least half of the seeds have a register."""
    effect = found["kl"]
    registers = found["is_register"].mean("seed").values >= 0.5
    y = np.arange(effect.sizes["position"])
    colors = [REGISTER.color if register else OTHER.color for register in registers]
    panel.barh(y, effect.mean("seed").values, height=0.8, color=colors, linewidth=0)
    panel.axvline(0, color=style.BLACK, linewidth=0.8)
    if effect.sizes["seed"] > 1:
        for seed in effect["seed"].values:
            own = found["is_register"].sel(seed=seed).values == 1
            for look, there in ((SEED, ~own), (OWN, own)):
                values = effect.sel(seed=seed).values[there]
                panel.plot(values, y[there], **look.drawn, markeredgewidth=0.6)
    places = (style.readable(place).lower() for place in found["place"].values)
    words = [f"{place} {at}" for place, at in zip(places, found["position"].values, strict=True)]
    panel.set_yticks(y, words)
    for tick, register in zip(panel.get_yticklabels(), registers, strict=True):
        tick.set_color(REGISTER.color if register else style.BLACK)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    panel.set_ylim(y[-1] + 0.6, -0.6)
    panel.set_xlim(left=0)
    panel.grid(axis="x")
    panel.locator_params(axis="x", nbins=4)
    panel.set_xlabel(f"Change of the prediction, KL divergence ({effect.attrs['units']})")
    panel.set_title("Attention to one position cut", fontweight="normal")


def _accuracy(panel: Axes, found: xr.Dataset, x_label: str) -> None:
    """Draw the accuracy of each group, with nothing, with the registers and with other positions cut."""
    there = found["intact_accuracy"].notnull().any("seed").values
    found = found.isel(group=there)
    x = np.arange(found.sizes["group"])
    for name, look in (("intact", INTACT), ("random", RANDOM), ("joint", CUT)):
        style.series(panel, x, found[f"{name}_accuracy"].transpose("group", "seed"), look)
    ticks = style.few(list(x), 8)
    panel.set_xticks(ticks, [str(found["group"].values[tick]) for tick in ticks])
    panel.set_xlim(-0.4, len(x) - 0.6)
    style.shares(panel)
    panel.set_xlabel(x_label)
    panel.set_ylabel("Share of queries right")
    panel.set_title("All registers cut together", fontweight="normal")


def _chains(figure: Figure, place: SubplotSpec, room: float, found: xr.Dataset | None) -> None:
    """Draw the share of steps that climb (position, layer), the mean over the seeds with a register there.

    Rows are as high as in other maps, and lower if all of them need more than `room` inches.
    """
    high = min((found.sizes["position"] if found else 1) * HEIGHT, room)
    cut = place.subgridspec(2, 1, height_ratios=[high, max(room - high, 0.01)])
    panel = figure.add_subplot(cut[0])
    if found is None:
        panel.set_axis_off()
        panel.text(0.5, 0.5, "no registers", ha="center", va="center")
        return
    moves = mean(found["moves"]).transpose("position", "layer")
    draw(panel, moves, Scale(1), (2.2 / moves.sizes["layer"], high / moves.sizes["position"]))
    panel.set_ylabel("Register")
    panel.set_xlabel("Layer")
    panel.set_title("Steps of registers that climb an edge (%)", fontweight="normal")
