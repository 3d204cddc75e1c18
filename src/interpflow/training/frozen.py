"""Parts of a model that stay as they start."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from interpflow.model.packing import mask
from interpflow.model.parts import pieces
from interpflow.model.shapes import Shapes


class Frozen:
    """The parts `names` of a model with labelled weights of `shapes`, kept as they are in `theta`.

    `theta` (seed, parameter) holds all weights, and an optimizer cannot leave out a part of one tensor.
    """

    def __init__(self, names: Sequence[str], shapes: Shapes, theta: Tensor):
        self._at = mask(pieces(names, shapes), shapes).to(theta.device).nonzero()[:, 0]
        self._values = theta.detach()[:, self._at]

    def silence(self, gradient: Tensor) -> None:
        """Before a step: set the gradient of the parts to 0, which Muon would mix into the rest of a matrix."""
        gradient.index_fill_(1, self._at, 0.0)

    @torch.no_grad()
    def restore(self, theta: Tensor) -> None:
        """After a step: put the parts back, which weight decay has moved."""
        theta.index_copy_(1, self._at, self._values)
