"""Examples that are shown one by one: the same ones in every analysis that is told the same."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow import selection


class Shown(selection.Examples):
    """The first examples of a split, or the first of each value of a variable."""

    by: selection.OfExamples | None = (
        None  # a variable of examples: `count` of each of its values, ascending
    )
    count: Annotated[int, Field(ge=1, le=64)] = 4  # what is kept of each is large

    @property
    def labels(self) -> re.Pattern[str]:
        """What the names of examples look like."""
        return re.compile(re.escape(self.split) + r" \d+")

    def of(self, data: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
        """The data of the examples, and a name for each: its split and its number there.

        Raises InterpflowError where there is no such split or variable, or no example is left.
        """
        whole = selection.select(data, selection.Examples(split=self.split))
        numbered = whole.assign_coords(example=np.arange(whole.sizes["example"]))
        found = selection.select(numbered, self)
        if self.by is None:
            chosen = np.arange(min(self.count, found.sizes["example"]))
        else:
            values = selection.of_example(found, self.by, "by")
            order = np.argsort(values, kind="stable")
            rank = np.arange(len(order)) - np.searchsorted(values[order], values[order])
            chosen = order[rank < self.count]
        found = found.isel(example=chosen)
        names = [f"{self.split} {number}" for number in found["example"].values]
        return found.drop_vars("example"), names


def words(data: xr.Dataset) -> NDArray[np.str_]:
    """The tokens of every example (example, position) as words, empty after its end."""
    there = np.arange(data.sizes["position"]) < data["length"].values[:, None]
    return np.where(there, data["token"].values[data["tokens"].values], "")
