"""Parts of a model that training leaves as they began."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from interpflow.model.packing import mask
from interpflow.model.parts import pieces
from interpflow.model.shapes import Shapes


class Frozen:
    """The parts `names` of a model with labelled weights of `shapes`, as they are in `theta` (seed, parameter).

    All weights are one tensor, of which an optimizer cannot leave some out.
    """

    def __init__(self, names: Sequence[str], shapes: Shapes, theta: Tensor):
        self._at = mask(pieces(names, shapes), shapes).to(theta.device).nonzero()[:, 0]
        self._values = theta.detach()[:, self._at]

    def silence(self, gradient: Tensor) -> None:
        """Before a step: nothing of these parts enters the others' step, as it would in a matrix of Muon's."""
        gradient.index_fill_(1, self._at, 0.0)

    @torch.no_grad()
    def restore(self, theta: Tensor) -> None:
        """After a step: weight decay has moved these parts all the same."""
        theta.index_copy_(1, self._at, self._values)
