"""Accuracy by group of examples under each way of choosing the checkpoint that is reported.

    last           the last checkpoint
    best           that with the highest validation accuracy, and the lowest validation loss among several
    best_of_group  of each group by itself, that with the highest accuracy on the group

The third chooses on the examples that it is scored on, so its accuracy is no lower than the others'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow.analyses import accuracy_by
from interpflow.section import EachOnce, Section, Some
from interpflow.selection import OfExamples, Splits, Where
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs

Choice = Literal["last", "best", "best_of_group"]


class Options(Section):
    """Which examples, what tells their groups apart, and which choices."""

    splits: Splits = []  # all but train if none
    where: Where = {}  # which of the splits' examples, {variable: value or values}
    by: OfExamples = "split"  # a variable with one value an example, whose values are the groups
    per_group: PositiveInt | None = None  # at most so many examples of each group, spread over it
    choices: Annotated[list[Choice], Some, EachOnce] = ["last", "best", "best_of_group"]


_BY_CHOICE = ("seed", "choice", "group")
VARIABLES = {
    "accuracy": Variable(_BY_CHOICE, "1", "share of sequences right at every position"),
    "loss": Variable(_BY_CHOICE, "1", "mean loss over sequences"),
    "chosen_step": Variable(_BY_CHOICE, "1", "training step of the checkpoint that is chosen"),
    **{name: accuracy_by.VARIABLES[name] for name in ("count", "shortest", "longest")},
}

NEEDS = "runs"
OVER_TRAINING = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    splits = options.splits or [split for split in known.splits if split != "train"]
    return {"group": known.groups(options.by, splits), "choice": options.choices}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at every checkpoint, and keep what each choice would report."""
    every = accuracy_by.analyse(
        runs,
        accuracy_by.Options(**options.model_dump(exclude={"choices"}), steps="all"),
    )
    accuracy, steps = every["accuracy"], every["step"].values
    chosen = {
        "last": xr.full_like(accuracy.isel(step=0, drop=True), len(steps) - 1, dtype=int),
        "best": xr.zeros_like(accuracy.isel(step=0, drop=True), dtype=int)
        + xr.DataArray(np.searchsorted(steps, runs.steps("best")), {"seed": runs.seeds}),
        "best_of_group": accuracy.argmax("step"),
    }
    at = xr.concat([chosen[name] for name in options.choices], "choice").transpose(*_BY_CHOICE)
    return (
        xr.Dataset(
            {
                "accuracy": accuracy.isel(step=at).transpose(*_BY_CHOICE),
                "loss": every["loss"].isel(step=at).transpose(*_BY_CHOICE),
                "chosen_step": (_BY_CHOICE, steps[at.values]),
                **{name: every[name] for name in ("count", "shortest", "longest")},
            }
        )
        .assign_coords(choice=list(options.choices))
        .drop_vars("step", errors="ignore")
    )
