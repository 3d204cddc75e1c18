"""Accuracy by sequence length: each split of test data over the lengths that it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim
from interpflow.style.marks import looks, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Which models are shown, and which share a panel."""

    checkpoint: str = "best"  # of those that the analysis tested
    trained_on: str = "validation"  # the split whose lengths are those of training
    panels: dict[str, dict[str, str]] = {}  # title: {label: experiment}; if none, one panel each


TRAINED = style.Look("lengths in training", style.PALE, "s", line="")
APART = 0.03  # of the longest length, between points of one split: they often lie on each other


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Lines of `accuracy`, each point with a band over the lengths of its split.

    Points of the experiments in a panel stand side by side, and marks have the colour of theirs.
    """
    ((analysis, every),) = data.items()
    found = _at(every, options.checkpoint)
    accuracy = found["accuracy"]
    groups = _groups(options, [name for (name,) in style.present(accuracy, "experiment")])
    if not groups:
        return style.nothing("No experiment of these panels is in the data.")
    figure, axes = style.panels(len(groups), height=1.6, share="y")
    # The commonest label first, so that its look does not hang on the first panel.
    labels = Counter(label for group in groups.values() for label in group)
    lines = style.looks(label for label, _ in labels.most_common())
    marked = []
    for panel, group in zip(axes, groups.values(), strict=True):
        longest = found["longest"].sel(experiment=list(group.values()))
        apart = APART * float(longest.max())
        for lane, (label, experiment) in enumerate(group.items()):
            lengths = found[["shortest", "longest"]].sel(experiment=experiment).dropna("group")
            lengths = lengths.sortby("shortest")
            first, last = lengths["shortest"], lengths["longest"]
            x = (first + last) / 2 + apart * (lane - (len(group) - 1) / 2)
            y, look = accuracy.sel(experiment=experiment, group=x["group"]), lines[label]
            trained = choose(lengths, group=options.trained_on)
            ends = trained["shortest"].item(), trained["longest"].item()
            panel.axvspan(*ends, color=TRAINED.color, linewidth=0, zorder=0)
            mean, _ = style.mean_and_sd(y)
            panel.hlines(mean, first, last, look.color, linewidth=2.5, alpha=0.35)
            style.series(panel, x, y, look)
            for mark in marks(claims, analysis, found, "accuracy", experiment=experiment):
                mark.draw(panel, float(x.sel(group=mark.place["group"])), color=look.color)
                marked.append(mark)
        style.shares(panel)
        panel.set_xlim(left=0)
    style.titles(axes, [(title,) for title in groups])
    style.axis_labels(figure, "Sequence length", style.axis_label(accuracy))
    style.key(figure, *(lines.values() if options.panels else ()), TRAINED, *looks(marked))
    return figure


def _at(found: xr.Dataset, checkpoint: str) -> xr.Dataset:
    """`found` at one checkpoint, which may be another step for each seed."""
    known = found["checkpoint"].values.ravel().tolist()
    if checkpoint not in known:
        there = way_out(checkpoint, dict.fromkeys(filter(None, known)))
        raise InterpflowError(f"checkpoint: no {checkpoint!r} in the data; there are: {there}")
    chosen = found["accuracy"].where(found["checkpoint"] == checkpoint)
    accuracy = chosen.max("step", keep_attrs=True)
    return (
        found[["shortest", "longest"]]
        .assign(accuracy=accuracy)
        .assign_coords(checkpoint=checkpoint)
    )


def _groups(options: Options, experiments: list[str]) -> dict[str, dict[str, str]]:
    """The panels that have an experiment, each with those it has."""
    if not options.panels:
        return {style.readable(name): {"": name} for name in experiments}
    kept = {
        title: {label: name for label, name in group.items() if name in experiments}
        for title, group in options.panels.items()
    }
    return {title: group for title, group in kept.items() if group}
