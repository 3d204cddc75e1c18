"""Which examples stand in for each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interpflow.rng import generator


def partners(state: NDArray[np.generic], *address: str | int) -> NDArray[np.int64]:
    """For each example another one of the same `state` (example,), at random, and -1 where there is none.

    Those of one state stand in a circle, in an order that belongs to `address`, and each takes the next: so
    everybody is taken once.
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
    """For each state `wanted` (example,) a random one of the donors that have it, of states `offered` (donor,).

    -1 where none has it; a negative state is none.  One donor may stand in for several examples.
    """
    order = np.argsort(offered, kind="stable")
    first, end = (np.searchsorted(offered[order], wanted, side) for side in ("left", "right"))
    rank = np.floor(generator(*address).random(len(wanted)) * (end - first)).astype(np.int64)
    there = (wanted >= 0) & (end > first)
    return np.where(there, order[np.where(there, first + rank, 0)], -1)
