"""Examples that are shown one by one: equal options choose the same examples in every analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow import selection

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Shown(selection.Examples):
    """The first examples of a split, or the first of each value of a variable."""

    # A variable of examples: `count` examples of each of its values, in ascending order.
    by: selection.OfExamples | None = None
    count: Annotated[int, Field(ge=1, le=64)] = 4  # few: the findings of one example are large

    def labels(self, known: Known) -> Foreseen:
        """The names that examples can have."""
        first = self.by is None and not self.where
        return known.numbered(self.split, self.count if first else None)

    def of(self, data: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
        """The data of the examples, and the name of each: its split and its number in the split.

        Raises InterpflowError if the data lacks the split or the variable, or if no example is left.
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
    """The tokens of each example as words (example, position), empty in padding."""
    there = np.arange(data.sizes["position"]) < data["length"].values[:, None]
    return np.where(there, data["token"].values[data["tokens"].values], "")
