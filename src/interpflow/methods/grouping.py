"""Groups by the value of a variable, such as the length of a path: of examples, or of positions."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.selection import State, of_example, state


class Grouping:
    """The examples of `data` by their value of `by`, a variable (example,); one group "all" without it.

    coordinate  the values there are, ascending, with the unit and the name of `by`
    index       which of them each example has (example,)
    count       number of examples (group,)

    Raises InterpflowError where the data has no such variable of examples.
    """

    def __init__(self, data: xr.Dataset, by: str | None):
        values = np.full(data.sizes["example"], "all")
        if by is not None:
            values = of_example(data, by, "by")
        there, self.index, self.count = np.unique(values, return_inverse=True, return_counts=True)
        self.coordinate = _coordinate(data, by, there)

    def __len__(self) -> int:
        return len(self.count)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Means of `values` (…, example) over each group, (…, group).

        Sums are divided, not weighted: a share of 1 is 1, and what is missing in one group is no other's.
        """
        groups = [values[..., self.index == group].mean(-1) for group in range(len(self))]
        return np.stack(groups, axis=-1)


def of_positions(
    data: xr.Dataset, by: str | None, asked: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], xr.Variable]:
    """Which group each position is in (example, position), -1 for none, and the coordinate of the groups.

    `by` is a state of positions or of examples; only values at positions `asked` (example, position) make
    groups.  Without it all positions are one group "all".
    """
    if by is None:
        return np.zeros(asked.shape, dtype=np.int64), _coordinate(data, by, np.array(["all"]))
    values = state(data, State(variable=by))
    there = np.unique(values[asked & (values >= 0)])
    index = np.where(np.isin(values, there), np.searchsorted(there, values), -1)
    return index, _coordinate(data, by, there)


def _coordinate(data: xr.Dataset, by: str | None, there: NDArray[np.generic]) -> xr.Variable:
    """The values that tell groups apart, with the unit and the name of `by`."""
    return xr.Variable("group", there, {**data[by].attrs, "by": by} if by is not None else {})
