"""Sequences that share a beginning, as one: the beginning once, and its continuations one after another.

`branch` (…, pos) says to which continuation a token belongs: -1 for the beginning, less for padding.  A
continuation sees the beginning and itself, and its positions go on from the beginning's end, so each has the
logits that it has as a sequence of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

BEGINNING = -1


def seen(branch: Tensor) -> Tensor:
    """Whether a token sees another, (…, query, key) bool, for `branch` (…, pos)."""
    query, key = branch[..., :, None], branch[..., None, :]
    return ((key == query) | (key == BEGINNING)).tril()


def positions(branch: Tensor) -> Tensor:
    """The position of each token (…, pos) int64 in the sequence that it belongs to."""
    return seen(branch).sum(-1) - 1


def join(
    arrays: Mapping[str, np.ndarray],
    length: np.ndarray,
    owner: np.ndarray,
    beginning: int,
    width: int,
) -> dict[str, np.ndarray]:
    """Sequences of one owner as one sequence of `width`: `arrays` and `branch`, each (owner, width).

    `arrays` (sequence, pos) are `length` (sequence,) long and share their first `beginning` positions with
    those of the same `owner` (sequence,), 0, 0, 1, ….  A sequence that no longer fits is left out, and all
    after it of that owner; the longest has to fit.
    """
    further = length - beginning
    first = np.searchsorted(owner, np.arange(owner[-1] + 1))
    before = np.cumsum(further) - further
    start = before - before[first][owner]  # of the continuation, behind the beginning
    step = np.arange(further.max())
    fits = beginning + start + further <= width
    rows, steps = np.nonzero((step < further[:, None]) & fits[:, None])
    place = owner[rows], beginning + start[rows] + steps

    # Each padding is a continuation of its own, so that none comes to a position that there is not.
    branch = np.tile(-2 - np.arange(width), (len(first), 1))
    branch[:, :beginning] = BEGINNING
    branch[place] = rows - first[owner[rows]]
    joined = {"branch": branch}
    for name, array in arrays.items():
        joined[name] = np.zeros((len(first), width), dtype=array.dtype)
        joined[name][:, :beginning] = array[first, :beginning]
        joined[name][place] = array[rows, beginning + steps]
    return joined
