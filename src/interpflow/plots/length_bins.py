"""Accuracy by sequence length: a point and a band of lengths for each split of test data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import xarray as xr

from interpflow import style
from interpflow.plots._panels import Panel, Shown, find, for_each_experiment, within
from interpflow.plots.base import choose
from interpflow.section import Names
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("accuracy", "shortest", "longest")


class Options(Shown):
    """Which models are shown, and which share a panel; `select` says at which checkpoint."""

    # The split whose sequences are as long as in training.
    trained_on: Annotated[str, Names("group")] = "validation"
    # title: {label: line}; one for each experiment if none
    panels: dict[str, dict[str, Panel]] = {}


TRAINED = style.Look("lengths in training", style.PALE, "s", line="")
APART = 0.03  # of the longest length, between points of one split, which often lie on each other


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines of `accuracy`, each point with a band over the lengths of its split.

    Points of the lines in a panel stand side by side; a mark has the colour of its line.
    """
    groups = _groups(data, options)
    if not groups:
        return style.nothing("No experiment of these panels is in the data.")
    figure, axes = style.panels(len(groups), height=1.6, share="y")
    # The commonest label first, so that its look does not depend on the first panel.
    labels = Counter(label for group in groups.values() for label in group)
    lines = style.looks(label for label, _ in labels.most_common())
    marked = []
    for panel, group in zip(axes, groups.values(), strict=True):
        apart = APART * max(float(here["longest"].max()) for here in group.values())
        for lane, (label, here) in enumerate(group.items()):
            lengths = here[["shortest", "longest"]].dropna("group").sortby("shortest")
            first, last = lengths["shortest"], lengths["longest"]
            x = (first + last) / 2 + apart * (lane - (len(group) - 1) / 2)
            y, look = here["accuracy"].sel(group=x["group"]), lines[label]
            trained = choose(lengths, group=options.trained_on)
            ends = trained["shortest"].item(), trained["longest"].item()
            panel.axvspan(*ends, color=TRAINED.color, linewidth=0, zorder=0)
            mean, _ = style.mean_and_sd(y)
            panel.hlines(mean, first, last, look.color, linewidth=2.5, alpha=0.35)
            style.series(panel, x, y, look)
            for mark in marks(claims, here.attrs["analysis"], here, "accuracy"):
                mark.draw(panel, float(x.sel(group=mark.place["group"])), color=look.color)
                marked.append(mark)
        style.shares(panel)
        panel.set_xlim(left=0)
    style.titles(axes, [(title,) for title in groups])
    style.axis_labels(figure, "Sequence length", style.axis_label(here["accuracy"]))
    style.key(figure, *(lines.values() if options.panels else ()), TRAINED, *looks(marked))
    return figure


def _groups(data: Mapping[str, xr.Dataset], options: Options) -> dict[str, dict[str, xr.Dataset]]:
    """The lines of each panel that has some, by title and label."""
    asked = options.panels or {
        title: {"": panel} for title, panel in for_each_experiment(data, options).items()
    }
    found = {
        title: {
            label: find(data, within(line, options), "accuracy", f"panels.{title}.{label}")
            for label, line in lines.items()
        }
        for title, lines in asked.items()
    }
    there = {
        title: {label: here for label, here in lines.items() if here is not None}
        for title, lines in found.items()
    }
    return {title: lines for title, lines in there.items() if lines}
