"""Accuracy and loss by group of positions, over training.

A group holds the scored positions with one value of a state (which digit is asked for, say, or how the digit
comes about).  `accuracy_by` has groups of whole examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.selection import Examples, OneState, Positions, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(Examples):
    """Which positions, what tells their groups apart, and when."""

    positions: Positions = ["scored"]  # names of positions; those that are not scored are left out
    by: OneState  # a state of the position or the example, whose values are the groups
    steps: Steps = "last"


_BY_GROUP = ("seed", "step", "group")
VARIABLES = {
    "accuracy": Variable(_BY_GROUP, "1", "share of positions right"),
    "loss": Variable(_BY_GROUP, "1", "mean loss over positions"),
    "count": Variable(("group",), "position", "number of positions"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for."""
    from interpflow.methods.position_outcomes import PositionGroups, position_outcomes

    data, examples = runs.select(options)
    groups = PositionGroups(data, options.by, runs.mask_of_all(data, options.positions))
    steps = runs.kept(options.steps)
    right, losses = np.zeros((2, len(runs.seeds), len(steps), len(groups)))
    for at, step in enumerate(steps):
        found = position_outcomes(runs.model, runs.weights_at(step), examples, runs.loss)
        right[:, at], losses[:, at] = groups.mean(found.right), groups.mean(found.loss)
        runs.report(at + 1, len(steps), loss=float(losses[:, at].mean()))
    return xr.Dataset(
        {
            "accuracy": (_BY_GROUP, right),
            "loss": (_BY_GROUP, losses),
            "count": ("group", groups.count),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "group": groups.coordinate},
    )
