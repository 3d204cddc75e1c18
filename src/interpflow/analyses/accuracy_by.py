"""Accuracy and loss by group of examples, over training.

A group holds the examples with one value of a variable (the length of a path, say), or the examples of one
split (a bin of sequences longer than training saw).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow import selection
from interpflow.section import Section
from interpflow.selection import Examples, OfExamples, Splits, Steps, Where
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(Section):
    """Which examples, what tells their groups apart, and when."""

    splits: Splits = []  # all but train if none
    where: Where = {}  # which of the splits' examples, {variable: value or values}
    by: OfExamples = "split"  # a variable with one value an example, whose values are the groups
    per_group: PositiveInt | None = None  # at most so many examples of each group, spread over it
    steps: Steps | Literal["best"] = "last"  # best: the best checkpoint of each seed


_BY_GROUP, _BY_STEP = ("seed", "step", "group"), ("seed", "step")
VARIABLES = {
    "accuracy": Variable(_BY_GROUP, "1", "share of sequences right at every position"),
    "position_accuracy": Variable(
        _BY_GROUP, "1", "share of a sequence's positions that are right, mean over sequences"
    ),
    "loss": Variable(_BY_GROUP, "1", "mean loss over sequences"),
    "overall_accuracy": Variable(_BY_STEP, "1", "share of all sequences right at every position"),
    "count": Variable(("group",), "1", "number of sequences"),
    "shortest": Variable(("group",), "token", "length of the shortest sequence"),
    "longest": Variable(("group",), "token", "length of the longest sequence"),
    "checkpoint": Variable(_BY_STEP, "1", "first, last, in between, or best"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    splits = options.splits or [split for split in known.splits if split != "train"]
    best = {"checkpoint": ["best"]} if options.steps == "best" else {}
    return {"group": known.groups(options.by, splits), **best}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for.  A step that was kept for another seed alone is NaN."""
    from interpflow.methods.grouping import Grouping
    from interpflow.methods.outcomes import outcomes
    from interpflow.training.examples import Examples as Tensors

    every = dict.fromkeys(runs.data["split"].values.tolist())
    splits = options.splits or [split for split in every if split != "train"]
    asked = [Examples(split=split, where=options.where) for split in splits]
    data = xr.concat(
        [selection.select(runs.data, each) for each in asked], "example", data_vars="minimal"
    )
    if options.per_group:
        data = data.isel(example=Grouping(data, options.by).spread(options.per_group))
    groups, lengths = Grouping(data, options.by), data["length"].values
    parts = [
        Tensors(data, split, runs.device) for split in dict.fromkeys(data["split"].values.tolist())
    ]
    if options.steps == "best":
        own = runs.steps("best")
        steps = np.unique(own)
        measured, called = own[:, None] == steps, np.full(len(steps), "best")
        moments = iter([runs.weights("best")])
    else:
        steps = np.array(runs.kept(options.steps))
        measured = np.ones((len(runs.seeds), len(steps)), dtype=bool)
        called = np.array(runs.names(steps.tolist()))
        moments = (runs.weights_at(step) for step in steps.tolist())
    found = []
    for weights in moments:
        each = [outcomes(runs.model, weights, part, runs.loss) for part in parts]
        found.append(each)
        runs.report(len(found), len(steps), accuracy=np.mean([one.right.mean() for one in each]))

    def over_steps(name: str) -> np.ndarray:
        """A measure of every example (seed, step, example), and NaN where a seed was not measured."""
        values = [np.concatenate([getattr(one, name) for one in each], -1) for each in found]
        return np.where(measured[..., None], np.stack(values, axis=1), np.nan)

    right = over_steps("right")
    return xr.Dataset(
        {
            "accuracy": (_BY_GROUP, groups.mean(right)),
            "position_accuracy": (_BY_GROUP, groups.mean(over_steps("share_right"))),
            "loss": (_BY_GROUP, groups.mean(over_steps("loss"))),
            "overall_accuracy": (_BY_STEP, right.mean(axis=-1)),
            "count": ("group", groups.count),
            "shortest": ("group", [lengths[groups.index == at].min() for at in range(len(groups))]),
            "longest": ("group", [lengths[groups.index == at].max() for at in range(len(groups))]),
            "checkpoint": (_BY_STEP, np.where(measured, called, "")),
        },
        {"seed": runs.seeds, "step": steps, "group": groups.coordinate},
    )
