"""Parts of a model whose learning rate is a multiple of the others'."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from interpflow.model.packing import mask
from interpflow.model.parts import pieces
from interpflow.model.shapes import Shapes


class ScaledRates:
    """The parts of a model with labelled weights of `shapes` that move `factors` times as far in a step.

    Every optimizer moves a weight by the learning rate times something that does not depend on it, also for
    weight decay, so a scaled move is a step at a scaled rate.  From the step `until` on, counted from 0, all
    parts move alike.
    """

    def __init__(self, factors: Mapping[str, float], until: int | None, shapes: Shapes):
        factor = torch.ones_like(mask([], shapes))
        for name, times in factors.items():
            factor = torch.where(mask(pieces([name], shapes), shapes) > 0, factor * times, factor)
        self._at = (factor != 1).nonzero()[:, 0]
        self._factor = factor[self._at]
        self._until = math.inf if until is None else until

    def before(self, theta: Tensor, step: int) -> Tensor | None:
        """The parts in `theta` (seed, parameter) before a step, for `after`; None where all move alike."""
        self._at, self._factor = self._at.to(theta.device), self._factor.to(theta.device)
        return theta.detach()[:, self._at] if step < self._until else None

    @torch.no_grad()
    def after(self, theta: Tensor, before: Tensor | None) -> None:
        """After the step: move the parts as far as they should have."""
        if before is not None:
            moved = theta[:, self._at] - before
            theta.index_copy_(1, self._at, before + self._factor * moved)
