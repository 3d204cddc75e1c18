"""Which examples a training step sees: a pure function of the seed and the step.

An epoch is a random row of examples, cut into batches.  All seeds draw the lengths of that row alike, and
each seed draws which of the examples of one length stands where.  So the seeds of an ensemble have batches
of one shape, see different examples, and no seed depends on which others ride along.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from interpflow.rng import generator

# A batch is computed in this many groups of like length, so that little work goes into padding.  More
# groups pad less and start more kernels; four is the fastest from 30 to 100 tokens.
_GROUPS = 4


class Batches:
    """The batches of `seeds` over examples of `lengths` (example,), `size` at a time."""

    def __init__(self, lengths: np.ndarray, size: int, seeds: Sequence[int]):
        self._lengths, self._size, self._seeds = lengths, size, tuple(seeds)
        self.per_epoch = math.ceil(len(lengths) / size)
        self._epoch = lru_cache(maxsize=1)(self._draw_epoch)

    def at(self, step: int) -> list[np.ndarray]:
        """The example indices of `step`, counted from 0, in groups of like length, each (seed, batch)."""
        epoch, place = divmod(step, self.per_epoch)
        rows, ranks = self._epoch(epoch)
        batch = np.sort(ranks[place * self._size : (place + 1) * self._size])
        longest = self._lengths[rows[0, batch]]
        parts = np.array_split(np.arange(len(batch)), min(_GROUPS, len(batch)))
        starts = [part[0] for part in parts if part[0] == 0 or longest[part[0]] < longest[-1]]
        return [rows[:, group] for group in np.split(batch, starts[1:])]

    def _draw_epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Examples by length (seed, rank), and the random row of ranks (rank,), of one epoch."""
        rows = [
            np.lexsort((generator("ties", seed, epoch).random(len(self._lengths)), self._lengths))
            for seed in self._seeds
        ]
        # Ranks are places in the order of length, so sorting ranks sorts by length.
        return np.stack(rows), generator("batches", epoch).permutation(len(self._lengths))
