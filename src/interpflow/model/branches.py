"""Sequences that share a prefix, as one: the prefix once, and its continuations one after another.

`branch` (…, pos) is the number of the continuation to which a token belongs.  It is -1 in the prefix, and in
padding a lower number, another at each position.  A continuation sees the prefix and itself, and its positions
go on from the end of the prefix.  So its logits are the logits of prefix and continuation as one sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = -1


def together(branch: Tensor) -> Tensor:
    """Whether a key is of the prefix or of the query's continuation, (…, query, key), for `branch` (…, pos)."""
    query, key = branch[..., :, None], branch[..., None, :]
    return (key == query) | (key == PREFIX)


def join(
    arrays: Mapping[str, np.ndarray],
    length: np.ndarray,
    owner: np.ndarray,
    prefix: int,
    width: int,
) -> dict[str, np.ndarray]:
    """Sequences of one owner as one sequence of `width`: `arrays` and `branch`, each (owner, width).

    `arrays` (sequence, pos) are `length` (sequence,) long.  Sequences of one `owner` (sequence,), numbered 0,
    0, 1, …, share their first `prefix` positions.  The first sequence that does not fit is left out, and all
    later sequences of its owner.  Raises ValueError if a sequence does not fit alone.
    """
    if length.max() > width:
        raise ValueError(f"a sequence of {length.max()} tokens does not fit a width of {width}")
    further = length - prefix
    first = np.searchsorted(owner, np.arange(owner[-1] + 1))
    before = np.cumsum(further) - further
    start = before - before[first][owner]  # of the continuation, behind the prefix
    step = np.arange(further.max())
    fits = prefix + start + further <= width
    rows, steps = np.nonzero((step < further[:, None]) & fits[:, None])
    place = owner[rows], prefix + start[rows] + steps

    branch = np.tile(PREFIX - 1 - np.arange(width), (len(first), 1))
    branch[:, :prefix] = PREFIX
    branch[place] = rows - first[owner[rows]]
    joined = {"branch": branch}
    for name, array in arrays.items():
        joined[name] = np.zeros((len(first), width), dtype=array.dtype)
        joined[name][:, :prefix] = array[first, :prefix]
        joined[name][place] = array[rows, prefix + steps]
    return joined
