"""Random partners and donors: examples that stand in for other examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interpflow.rng import generator


def partners(state: NDArray[np.generic], *address: str | int) -> NDArray[np.int64]:
    """A random other example with the same `state` for each example (example,), -1 where there is none.

    The examples of one state form a circle, in an order drawn at `address`.  The partner of an example is the
    next one in the circle, so each example is taken once.
    """
    order = generator(*address).permutation(len(state))
    order = order[np.argsort(state[order], kind="stable")]
    first, end = (np.searchsorted(state[order], state[order], side) for side in ("left", "right"))
    after = np.arange(1, len(order) + 1)
    found = np.empty_like(order)
    found[order] = order[np.where(after == end, first, after)]
    return np.where(found == np.arange(len(found)), -1, found)


def donors(
    wanted: NDArray[np.int64], offered: NDArray[np.int64], *address: str | int
) -> NDArray[np.int64]:
    """A random donor for each example (example,): a donor whose state in `offered` (donor,) is `wanted`.

    `wanted` is (example,).  -1 where no donor has the state, and for a negative state.  One donor may stand in
    for several examples.
    """
    order = np.argsort(offered, kind="stable")
    first, end = (np.searchsorted(offered[order], wanted, side) for side in ("left", "right"))
    rank = np.floor(generator(*address).random(len(wanted)) * (end - first)).astype(np.int64)
    there = (wanted >= 0) & (end > first)
    return np.where(there, order[np.where(there, first + rank, 0)], -1)
