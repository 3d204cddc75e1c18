"""Accuracy of a task by the number of directions that are removed from the hidden state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._controls import by_target
from interpflow.plots._panels import Panels, panels
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROBE = style.Look("the probe's directions", style.BLUE, "o")
RANDOM = style.Look("random directions", style.ORANGE, "v")
LEACE = style.Look("LEACE", style.PURPLE, "D", line="", fill="white", size=7)


DRAWS = ("probe_rank", "leace_accuracy", "intact_accuracy", "rank")


class Options(Panels):
    """Which models are shown."""


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A panel for each experiment and target, from no direction removed to all that the probe reads."""
    cells = by_target(panels(data, options, "accuracy"))
    if not cells:
        return style.nothing("No experiment of this figure is in the data.")
    figure, axes = style.panels(len(cells), height=1.4, share="y")
    marked = []
    for panel, at in zip(axes, cells.values(), strict=True):
        whole = int(at["probe_rank"])
        style.series(panel, whole, at["leace_accuracy"], LEACE)
        for look, some, everything in (
            (RANDOM, "random_accuracy", "random_subspace_accuracy"),
            (PROBE, "accuracy", "subspace_accuracy"),
        ):
            removed = {0: at["intact_accuracy"]}
            removed |= {rank: at[some].sel(rank=rank, drop=True) for rank in at["rank"].values}
            removed[whole] = at[everything]
            line = xr.concat([removed[rank] for rank in sorted(removed)], "rank")
            style.series(panel, sorted(removed), line, look)
            for variable in (some, everything):
                for mark in marks(claims, at.attrs["analysis"], at, variable):
                    mark.draw(panel, mark.place.get("rank", whole), color=look.color)
                    marked.append(mark)
        style.shares(panel)
        _ranks(panel, at["rank"].values, whole)
    style.titles(axes, [*cells])
    style.axis_labels(figure, "Directions removed", "Share of sequences right")
    style.key(figure, PROBE, RANDOM, LEACE, *looks(marked))
    return figure


def _ranks(panel: Axes, ranks: np.ndarray, whole: int) -> None:
    """Set up x, the number of directions: linear from 0 to 1, then logarithmic, with `whole` named."""
    panel.set_xscale("symlog", base=2, linthresh=1, linscale=0.5)
    # The words under `whole` need room: ranks near it have a tick and no number.
    near = np.abs(np.log2(ranks / whole)) < 1
    panel.set_xticks(ranks[near], minor=True)
    panel.set_xticks([0, *ranks[~near], whole], ["0", *map(str, ranks[~near]), f"all {whole}"])
    panel.set_xlim(left=-0.1)
