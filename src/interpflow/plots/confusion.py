"""True against predicted class of a probe: a row of a panel is one true class and sums to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._controls import at_read
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Which probe is shown, and of what."""

    read: str | None = None  # the first of the analysis if not given
    hidden_layers: int = 0
    classes: str = "class"  # what a class is, in words: "depth"


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A panel for each experiment and target, all seeds together; a class never seen is grey."""
    import seaborn

    (every,) = data.values()
    found = at_read(every, options.read)
    confusion = choose(found, hidden_layers=options.hidden_layers)["confusion"]
    cells = style.present(confusion, "experiment", "target")
    figure, axes = style.panels(len(cells), height=1.4, share="")
    for panel, (experiment, target) in zip(axes, cells, strict=True):
        here = {"experiment": experiment, "target": target}
        those = slice(int(found["classes"].sel(here)))
        counts = confusion.sel(here).isel(true_class=those, predicted_class=those).sum("seed")
        shares = counts / counts.sum("predicted_class")
        apart = -(-len(shares["true_class"]) // 4)
        seaborn.heatmap(
            shares.transpose("true_class", "predicted_class").to_pandas(),
            ax=panel,
            cmap=style.SHADES,
            vmin=0,
            vmax=1,
            square=True,
            cbar=False,
            xticklabels=apart,
            yticklabels=apart,
        )
        panel.invert_yaxis()
        panel.tick_params(rotation=0)
        panel.set(xlabel="", ylabel="", facecolor=style.PALE)
    style.titles(axes, cells)
    style.axis_labels(figure, f"Predicted {options.classes}", f"True {options.classes}")
    style.shade_key(figure, axes, axes[0].collections[0], f"share of the true {options.classes}")
    return figure
