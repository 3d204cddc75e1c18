"""SGLD chains that estimate local learning coefficients (LLC): starts, batches, noise, groups of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from interpflow.model.packing import flatten, mask, unflatten
from interpflow.model.parts import parts, pieces
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.selection import Examples
from interpflow.training.evaluation import evaluate
from interpflow.training.losses import loss


class Chains:
    """`chains` chains for each of `seeds`; the members of the ensemble are in the order (seed, chain).

    The batches and the noise of a chain depend on its seed and its number alone.  They are the same at every
    checkpoint and for every group of weights, so two estimates do not differ by chance.
    """

    def __init__(
        self, runs: Runs, seeds: Sequence[int], chains: int, batch_size: int, chosen: Examples
    ):
        self._runs, self._seeds, self._chains = runs, list(seeds), chains
        self._members = [(seed, chain) for seed in seeds for chain in range(chains)]
        _, self._examples = runs.select(chosen)
        self._size = batch_size
        packed = runs.weights("last")
        self.shapes = {name: tuple(weight.shape[1:]) for name, weight in packed.items()}

    def start(self, step: int) -> Tensor:
        """The weights after `step` training steps, (member, parameter)."""
        places = [self._runs.seeds.index(seed) for seed in self._seeds]
        packed = {name: w[places] for name, w in self._runs.weights_at(step).items()}
        return flatten(packed).repeat_interleave(self._chains, dim=0)

    def loss_at(self, start: Tensor) -> np.ndarray:
        """Mean loss over the whole split (seed,)."""
        weights = unflatten(start[:: self._chains], self.shapes)
        return evaluate(self._runs.model, weights, self._examples, self._runs.loss).loss

    def losses(self, theta: Tensor, draw: int) -> Tensor:
        """The loss (member,) of `theta` (member, parameter), each member on its own batch of the draw."""
        indices = np.stack(
            [
                generator("llc batch", seed, chain, draw).integers(
                    len(self._examples), size=self._size
                )
                for seed, chain in self._members
            ]
        )
        batch = self._examples.take_groups([indices])
        logits = self._runs.model.rows(unflatten(theta, self.shapes), batch.tokens)
        return loss(self._runs.loss, logits, batch)

    def noise(self, start: Tensor) -> Callable[[int], Tensor]:
        """Standard normal noise of the shape of `start` (member, parameter), by draw.

        The draws have to be asked for in order, from 0.
        """
        # Torch's generator is several times faster than NumPy's here, and each chain has its own.
        streams = [torch.Generator() for _ in self._members]
        for stream, (seed, chain) in zip(streams, self._members, strict=True):
            stream.manual_seed(int(generator("llc noise", seed, chain).integers(2**62)))

        def draw(number: int) -> Tensor:
            drawn = torch.stack(
                [torch.randn(start.shape[1], generator=stream) for stream in streams]
            )
            return drawn.to(self._runs.device)

        return draw

    def groups(self, kinds: Sequence[str]) -> dict[str, Tensor]:
        """The mask (parameter,) of each group of weights, by name: 1 where a weight moves, else 0."""
        shapes = self._runs.model.shapes
        named = {"all": pieces(shapes, shapes), **parts(shapes)}
        groups = [
            name
            for kind in kinds
            for name in named
            if name == kind or (kind == "heads" and name.startswith("head "))
        ]
        return {name: mask(named[name], shapes).to(self._runs.device) for name in groups}
