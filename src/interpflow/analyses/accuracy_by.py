"""How well a model does on examples of one kind and another: accuracy and loss by group, over training."""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.section import Section
from interpflow.selection import Steps, Where
from interpflow.variables import Variable


class Options(Section):
    """Which examples, and what tells their groups apart."""

    split: str = "test"
    where: Where = {}  # which examples of the split, {variable: value or values}
    by: str  # a variable with one value an example, whose values are the groups
    steps: Steps = "last"


_BY_GROUP = ("seed", "step", "group")
VARIABLES = {
    "accuracy": Variable(_BY_GROUP, "1", "share of sequences right at every position"),
    "position_accuracy": Variable(
        _BY_GROUP, "1", "share of a sequence's positions that are right, mean over sequences"
    ),
    "loss": Variable(_BY_GROUP, "1", "mean loss over sequences"),
    "overall_accuracy": Variable(
        ("seed", "step"), "1", "share of all sequences right at every position"
    ),
    "count": Variable(("group",), "1", "number of sequences"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """Every seed at the steps asked for."""
    from interpflow.methods.grouping import Grouping
    from interpflow.methods.outcomes import outcomes

    data, examples = runs.select(options.split, options.where)
    groups, steps = Grouping(data, options.by), runs.kept(options.steps)
    found = []
    for step in steps:
        found.append(outcomes(runs.model, runs.weights_at(step), examples, runs.loss))
        runs.report(len(found), len(steps), accuracy=found[-1].right.mean())
    right = np.stack([each.right for each in found], axis=1)
    return xr.Dataset(
        {
            "accuracy": (_BY_GROUP, groups.mean(right)),
            "position_accuracy": (
                _BY_GROUP, groups.mean(np.stack([each.share_right for each in found], axis=1)),
            ),
            "loss": (_BY_GROUP, groups.mean(np.stack([each.loss for each in found], axis=1))),
            "overall_accuracy": (("seed", "step"), right.mean(axis=-1)),
            "count": ("group", groups.count),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "group": groups.coordinate},
    )  # fmt: skip
