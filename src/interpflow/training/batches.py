"""The examples of each training step: stored examples in random order, or new examples at every step.

Both are a pure function of the seed and the step.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch

from interpflow.rng import generator
from interpflow.tasks.base import options_that
from interpflow.training.examples import Examples, Groups

# A batch is computed in this many groups of like length, so that little work goes into padding.  More
# groups pad less and start more kernels; four groups are fastest from 30 to 100 tokens.
_GROUPS = 4


class Supply(Protocol):
    """The examples of each step, for all seeds of an ensemble."""

    def at(self, step: int) -> Groups:
        """The examples of `step`, counted from 0."""


class Stored:
    """The examples of one split, epoch after epoch."""

    def __init__(self, examples: Examples, size: int, seeds: Sequence[int]):
        self._examples = examples
        self._batches = Batches(examples.lengths, size, seeds)
        self.per_epoch = self._batches.per_epoch

    def at(self, step: int) -> Groups:
        """See `Batches`."""
        return self._examples.take_groups(self._batches.at(step))


class Fresh:
    """New examples at every step and for every seed, from the `sample` of a task.

    `task` holds the name and the options of the task; with `read`, the options named there alone can be read.
    Training that goes on `after` another experiment draws other examples than that experiment.
    """

    def __init__(
        self,
        task: Mapping[str, Any],
        size: int,
        seeds: Sequence[int],
        device: str,
        after: str | None = None,
        read: Collection[str] | None = None,
    ):
        self._name = task["name"]
        self._task = importlib.import_module(f"interpflow.tasks.{self._name}")
        self._options = options_that(self._task, task, read)
        self._size, self._seeds, self._device = size, tuple(seeds), device
        self._after = () if after is None else (after,)

    def at(self, step: int) -> Groups:
        """`size` examples for each seed, all of one length."""
        drawn = [
            self._task.sample(
                self._options,
                generator(self._name, "fresh", seed, step, *self._after),
                self._size,
                step,
            )
            for seed in self._seeds
        ]
        found = {
            name: torch.from_numpy(np.stack([part[name] for part in drawn])).to(self._device)
            for name in drawn[0]
        }
        branch = [found["branch"]] if "branch" in found else None
        targets, scored = (found[name].flatten(1, 2) for name in ("targets", "scored"))
        return Groups([found["tokens"].long()], targets, scored, branch)


class Batches:
    """The batches of `seeds` over examples of `lengths` (example,), `size` at a time.

    An epoch is a random order of examples, cut into batches.  The lengths in this order are drawn once for all
    seeds; each seed draws the order of the examples of one length by itself.  So the seeds of an ensemble have
    batches of one shape and different examples, and no seed depends on the others.
    """

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
        """The examples by length (seed, rank), and a random order of ranks (rank,), of one epoch."""
        rows = [
            np.lexsort((generator("ties", seed, epoch).random(len(self._lengths)), self._lengths))
            for seed in self._seeds
        ]
        # Ranks are places in the order of length, so sorting ranks sorts by length.
        return np.stack(rows), generator("batches", epoch).permutation(len(self._lengths))
