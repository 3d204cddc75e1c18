"""Contributions of attended positions to the logits: a bar for each relation, a panel for each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._cells import by_head
from interpflow.plots._panels import Shown, find
from interpflow.section import Names
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("contribution", "relation")


class Options(Shown):
    """Which model is shown; `select` says which relations."""

    labels: dict[Annotated[str, Names("relation")], str] = {}  # relation: words for it


RAISED = style.Look("raised", style.BLUE, "s", line="", size=7)
LOWERED = style.Look("lowered", style.VERMILLION, "s", line="", size=7)
OTHERS = style.Look("other outputs, by the same keys", style.BLACK, "|", line="", size=8)
ROW = 0.22  # from bar to bar, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`contribution` as means over seeds with one standard deviation, and the mean of `others` beside it."""
    here = find(data, options, "contribution", along=["layer", "relation"])
    if here is None:
        return style.nothing("No contributions of this experiment are in the data.")
    kept = [
        options.labels.get(name, style.readable(name)) for name in here["relation"].values.tolist()
    ]
    own, others = (by_head(here[name]) for name in ("contribution", "others"))
    layers = own["layer"].values.tolist()
    figure, axes = style.panels(
        len(layers), ROW * len(kept) + 0.1, style.sizes().double, share="xy"
    )
    for panel, layer in zip(axes, layers, strict=True):
        _bars(panel, own.sel(layer=layer), others.sel(layer=layer))
        panel.set_yticks(range(len(kept)), kept)
        panel.set_title(f"Layer {layer}")
    axes[0].invert_yaxis()
    figure.supxlabel("Contribution to the logit (centred over outputs)")
    style.key(figure, RAISED, LOWERED, OTHERS)
    return figure


def _bars(panel: Axes, own: xr.DataArray, others: xr.DataArray) -> None:
    mean, sd = style.mean_and_sd(own)
    beside, _ = style.mean_and_sd(others)
    rows = np.arange(len(mean))
    colors = [RAISED.color if value >= 0 else LOWERED.color for value in mean]
    panel.barh(rows, mean, 0.7, color=colors, linewidth=0)
    if sd is not None:
        panel.errorbar(
            mean, rows, xerr=sd, fmt="none", ecolor=style.BLACK, elinewidth=0.8, capsize=1.5
        )
    panel.plot(beside, rows, **OTHERS.drawn)
    panel.axvline(0, color=style.BLACK, linewidth=0.6)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0)
