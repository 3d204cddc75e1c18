"""Where the examples of a training step come from: stored ones in random order, or new ones every step.

Either way they are a pure function of the seed and the step.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from interpflow.batching import Batches
from interpflow.examples import Examples, Groups
from interpflow.rng import generator


class Source(Protocol):
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
    """New examples at every step and for every seed, from the `sample` of a task."""

    def __init__(self, task: Mapping[str, Any], size: int, seeds: Sequence[int], device: str):
        options = dict(task)
        self._name = options.pop("name")
        self._task = importlib.import_module(f"interpflow.tasks.{self._name}")
        self._options = self._task.Options(**options)
        self._size, self._seeds, self._device = size, tuple(seeds), device

    def at(self, step: int) -> Groups:
        """`size` examples for each seed, all of one length."""
        drawn = [
            self._task.sample(
                self._options, generator(self._name, "fresh", seed, step), self._size, step
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
