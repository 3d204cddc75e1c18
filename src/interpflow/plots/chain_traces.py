"""Traces of the chains of LLC estimates: the loss of every draw of every chain, at a few checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow import style
from interpflow.plots._panels import Shown, find, first
from interpflow.section import Names
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("sound_chains", "diverged", "loss", "start_loss", "draw")


class Options(Shown):
    """Which estimates are shown: a row for each group of weights, a column for each checkpoint."""

    # Number of checkpoints, evenly among the ones that `select` leaves.  Four fit beside each other.
    steps: Annotated[int, Field(ge=1, le=4)] = 3
    labels: dict[Annotated[str, Names("group")], str] = {}  # group of weights: words for it


START = style.Look("loss at the checkpoint", style.BLACK, line="--")
CHAIN = style.Look("one chain", style.BLUE)
DIVERGED = style.Look("a chain that diverged", style.VERMILLION, "X")
ROW, TALLEST = 0.85, 8.8  # of a panel and of the figure, inches
FAULTS = {"diverged": "diverged", "drifting": "drifting", "below_start": "below start"}


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`loss` by draw, a line for each chain; over each panel the estimate and its diagnostics."""
    here = find(data, options, "sound_chains", along=("step", "group"))
    if here is None:
        return style.nothing("The experiment of this figure is not in the data.")
    here = first(here, "seed")
    groups, every = here["group"].values.tolist(), here["step"].values.tolist()
    few = np.linspace(len(every) - 1, 0, min(options.steps, len(every)))
    steps = [every[round(at)] for at in few.tolist()[::-1]]
    narrow = len(steps) > 3
    lines = 3 if narrow else 2
    words = lines * 0.15 + 0.2  # inches over each panel
    row = min(ROW, (TALLEST - 1) / len(groups) - words)
    width = style.sizes().single if len(steps) == 1 else style.sizes().double
    figure, axes = style.grid([row + words - 0.25] * len(groups), len(steps), width)
    diverged = False
    for group, panels in zip(groups, axes, strict=True):
        for step, panel in zip(steps, panels, strict=True):
            diverged |= _traces(panel, here.sel(step=step, group=group))
            estimate = _estimate(here.sel(step=step, group=group), narrow)
            panel.set_title(f"Step {step:,}\n{estimate}", fontweight="normal")
            panel.tick_params(labelbottom=panels is axes[-1])
        style.heading(panels[0], options.labels.get(group, style.readable(group)), lines)
    figure.supxlabel("Draw")
    figure.supylabel("Loss of a draw")
    style.key(figure, CHAIN, *([DIVERGED] if diverged else []), START)
    return figure


def _traces(panel: Axes, here: xr.Dataset) -> bool:
    """Draw the chains of one estimate; return whether a chain diverged."""
    from matplotlib.ticker import MaxNLocator

    chains = here["diverged"].notnull().values
    diverged = (here["diverged"] == 1).values & chains
    faults: dict[str, int] = {}
    for chain in np.flatnonzero(chains):
        trace = here["loss"].isel(chain=chain)
        color = DIVERGED.color if diverged[chain] else CHAIN.color
        finite = trace.where(np.isfinite(trace))
        above = 3 if diverged[chain] else 2
        panel.plot(here["draw"], finite, color=color, linewidth=0.6, alpha=0.7, zorder=above)
        left = finite.dropna("draw")[-1:] if diverged[chain] else finite[:0]
        if left.size:
            panel.plot(left["draw"], left, marker="X", color=color, markersize=5, zorder=above)
    sound = here["loss"].isel(chain=chains & ~diverged).values
    if sound.size and diverged.any():  # a diverged chain would leave no room for the others
        ends = [*sound.ravel(), float(here["start_loss"])]
        margin = 0.05 * (max(ends) - min(ends)) or 1.0
        panel.set_ylim(min(ends) - margin, max(ends) + margin)
    for fault, words in FAULTS.items():
        number = int((here[fault] == 1).sum())
        if number:
            faults[words] = number
    panel.axhline(float(here["start_loss"]), color=START.color, linestyle="--", linewidth=0.9)
    if faults:
        total = int(chains.sum())
        words = "\n".join(f"{number} of {total} {fault}" for fault, number in faults.items())
        low, high = panel.get_ylim()
        panel.set_ylim(low, high + 0.2 * len(faults) * (high - low))  # room for the words
        panel.text(
            1, 1, words, transform=panel.transAxes, ha="right", va="top", color=DIVERGED.color
        )
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    panel.locator_params(axis="y", nbins=4)
    return bool(diverged.any())


def _estimate(here: xr.Dataset, narrow: bool) -> str:
    """The estimate, its spread over chains and the scale reduction; in two lines if `narrow`."""
    llc, sd, r_hat = (float(here[name]) for name in ("llc", "llc_sd", "r_hat"))
    if not np.isfinite(llc):
        return "no estimate" + "\n" * narrow
    spread = f" ± {style.number(float(f'{sd:.2g}'))}" if np.isfinite(sd) else ""
    mixed = f"R\u0302 {r_hat:.2f}" if np.isfinite(r_hat) else "one chain"
    return f"LLC {style.number(llc)}{spread}" + ("\n" if narrow else ", ") + mixed
