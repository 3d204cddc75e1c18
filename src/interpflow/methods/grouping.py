"""Groups of examples, or of positions, by the value of a variable, such as the length of a path."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.selection import State, of_example, state


class Grouping:
    """Groups of the examples of `data` by the variable `by` (example,); one group "all" if `by` is None.

    coordinate  the value of each group (group,), ascending, with the unit and the name of `by`
    index       the group of each example (example,)
    count       number of examples (group,)

    Raises InterpflowError if `by` is no variable of examples.
    """

    def __init__(self, data: xr.Dataset, by: str | None):
        values = np.full(data.sizes["example"], "all")
        if by is not None:
            values = of_example(data, by, "by")
        there, self.index, self.count = np.unique(values, return_inverse=True, return_counts=True)
        self.coordinate = _coordinate(data, by, there)

    def __len__(self) -> int:
        return len(self.count)

    def spread(self, most: int) -> NDArray[np.intp]:
        """The examples (kept,) of which each group has at most `most`, evenly from its first to its last."""
        kept = []
        for group in range(len(self)):
            its = np.flatnonzero(self.index == group)
            kept.append(its[np.linspace(0, len(its) - 1, min(most, len(its))).round().astype(int)])
        return np.sort(np.concatenate(kept))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean of `values` (…, example) over each group, (…, group).

        Each group is averaged by itself: a share of 1 is exactly 1, and a NaN stays in its own group.
        """
        groups = [values[..., self.index == group].mean(-1) for group in range(len(self))]
        return np.stack(groups, axis=-1)


def of_positions(
    data: xr.Dataset, by: str | None, asked: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], xr.Variable]:
    """The group of each position (example, position), -1 for none, and the coordinate of the groups.

    `by` is a state of positions or of examples; the groups are its values at the positions `asked` (example,
    position).  If `by` is None, all positions are one group "all".
    """
    if by is None:
        return np.zeros(asked.shape, dtype=np.int64), _coordinate(data, by, np.array(["all"]))
    values = state(data, State(variable=by))
    there = np.unique(values[asked & (values >= 0)])
    index = np.where(np.isin(values, there), np.searchsorted(there, values), -1)
    return index, _coordinate(data, by, there)


def _coordinate(data: xr.Dataset, by: str | None, there: NDArray[np.generic]) -> xr.Variable:
    """The value of each group, with the unit and the name of `by`."""
    return xr.Variable("group", there, {**data[by].attrs, "by": by} if by is not None else {})
