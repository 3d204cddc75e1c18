"""What is known of an experiment before it runs: its model, its seeds, and its task on a few examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from interpflow import selection
from interpflow.model.options import ModelOptions

# The labels of a coordinate, or the form or the type that all of them have; or, where they take long to find
# out, a function that is asked for them when one is named, and is told which.
Foreseen = Iterable[Any] | re.Pattern[str] | type | Callable[[Any], Iterable[Any] | type]


# Which of an analysis's options cannot work, and why.
Refused = tuple[tuple[str | int, ...], str]


@dataclass(frozen=True, eq=False)
class Known:
    """One experiment.

    data      the task's dataset with a few examples of each split; `more` makes that with so many
    model     the options of its model
    loss      the name of its training loss
    seeds     its seeds
    findings  {analysis: the variables (seed, position) that it finds}, of those that come before
    values    {variable: the values that it can have}, where the task says so
    steps     the training steps whose weights will be there; None where that is not known
    """

    data: xr.Dataset
    more: Callable[[int], xr.Dataset]
    model: ModelOptions
    loss: str
    seeds: list[int]
    findings: Mapping[str, list[str]] = field(default_factory=dict)
    values: Mapping[str, Iterable[Any]] = field(default_factory=dict)
    steps: Callable[[], list[int] | None] = lambda: None

    @cached_property
    def splits(self) -> list[str]:
        """The splits of the task, in their order."""
        return list(dict.fromkeys(self.data["split"].values.tolist()))

    def has(self, split: str, number: int) -> int:
        """How many examples the split has, counted up to `number`."""
        here = (
            self.data if int((self.data["split"] == split).sum()) >= number else self.more(number)
        )
        return min(number, int((here["split"] == split).sum()))

    def numbered(self, split: str, most: int | None = None) -> Foreseen:
        """The names `<split> <number>` of its examples, of which at most the first so many."""

        def near(name: Any) -> list[str]:
            number = re.fullmatch(r"\d+", str(name).removeprefix(f"{split} "))
            wanted = int(number[0]) + 1 if number else 1
            there = self.has(split, wanted if most is None else min(wanted, most))
            return [f"{split} {at}" for at in range(there)]

        return near

    def checkpoints(self, kept: selection.Steps | str) -> Foreseen:
        """The training steps of which an analysis finds something that looks at those that are `kept`."""

        def every(_: Any) -> list[int] | type:
            steps = self.steps()
            if steps is None:
                return int
            return selection.kept(steps, kept) if kept == "last" or isinstance(kept, int) else steps

        return every

    def groups(self, by: str | None, splits: Iterable[str] | None = None) -> Foreseen | None:
        """What tells groups apart by the variable `by`; None where that is not known before the run."""
        if by is None:
            return ["all"]
        if by == "split":
            return self.splits if splits is None else splits
        return self.values_of(by)

    def values_of(self, variable: str) -> Foreseen:
        """The values that a variable of the task can have."""
        if variable in self.values:
            return self.values[variable]
        values = self.data[variable].values
        if values.dtype.kind in "bU":
            return np.unique(values).tolist()
        return int if values.dtype.kind in "iu" else float
