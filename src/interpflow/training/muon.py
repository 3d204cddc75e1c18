"""Muon: orthogonalised momentum for the matrices of the blocks, AdamW for everything else.

The method is Keller Jordan's (kellerjordan.github.io/posts/muon), with steps as large as AdamW's (Liu et al.
2025, arXiv:2502.16982).  torch's Muon takes one matrix at a time; here all matrices of one shape, of all layers
and seeds, are one batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from interpflow.model.packing import unflatten
from interpflow.model.shapes import Shapes

# The steps and coefficients of the Newton-Schulz iteration, as torch has them.
_STEPS, _A, _B, _C = 5, 3.4445, -4.7750, 2.0315
_EPSILON = 1e-8


class Muon:
    """Muon over flat parameters `theta` (seed, parameter), which `shapes` names.

    The matrices of queries, of keys and of values are orthogonalised apart, all heads together, in `dtype`.
    Embeddings, unembedding, biases and norms take AdamW's step.
    """

    def __init__(
        self,
        theta: Tensor,
        shapes: Shapes,
        momentum: float,
        betas: tuple[float, float],
        weight_decay: float,
        dtype: torch.dtype,
    ):
        self.shapes, self.momentum, self.betas = shapes, momentum, betas
        self.weight_decay, self.dtype = weight_decay, dtype
        self.state: dict[str, Tensor] = {}
        self.names = [
            n for n, shape in shapes.items() if n.startswith("blocks.") and len(shape) == 2
        ]
        rest = torch.ones((1, theta.shape[1]), dtype=torch.bool, device=theta.device)
        places = unflatten(rest, shapes)
        for name in self.names:
            places[name].fill_(False)
        self.rest = rest[0].nonzero()[:, 0]

    @torch.no_grad()
    def step(self, theta: Tensor, gradient: Tensor, rate: float) -> None:
        """Move `theta`, in place, against its `gradient` at the learning rate `rate`."""
        state = self.state
        if not state:
            few = theta[:, self.rest]
            state["step"] = torch.zeros((), device=theta.device)
            state["buffer"] = torch.zeros_like(theta)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(few), torch.zeros_like(few)
        state["buffer"].lerp_(gradient, 1 - self.momentum)
        ahead = gradient.lerp(state["buffer"], self.momentum)
        theta.mul_(1 - rate * self.weight_decay)
        theta.index_add_(1, self.rest, self._adam(gradient[:, self.rest]), alpha=-rate)
        places, directions = self._by_shape(theta), self._by_shape(ahead)
        for shape, parts in directions.items():
            found = orthogonal(torch.stack(parts).to(self.dtype)).to(theta.dtype)
            found *= 0.2 * math.sqrt(max(shape))
            torch._foreach_sub_(places[shape], found.unbind(), alpha=rate)

    def _by_shape(self, theta: Tensor) -> dict[tuple[int, ...], list[Tensor]]:
        """The matrices of blocks in `theta` by shape, as views (seed, row, column), tall ones transposed."""
        weights = unflatten(theta, self.shapes)
        alike: dict[tuple[int, ...], list[Tensor]] = {}
        for name in self.names:
            for part in weights[name].chunk(3 if name.endswith("W_QKV") else 1, dim=2):
                wide = part.mT if part.shape[1] > part.shape[2] else part
                alike.setdefault(wide.shape[1:], []).append(wide)
        return alike

    def _adam(self, gradient: Tensor) -> Tensor:
        """AdamW's direction (seed, parameter) of the parameters outside the matrices of blocks."""
        (first, second), state = self.betas, self.state
        state["step"] += 1
        state["exp_avg"].lerp_(gradient, 1 - first)
        state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = (state["exp_avg_sq"] / (1 - second ** state["step"])).sqrt_().add_(_EPSILON)
        return state["exp_avg"] / (1 - first ** state["step"]) / size


def orthogonal(matrices: Tensor) -> Tensor:
    """`matrices` (…, row, column) with singular values near 1 (within 0.5 to 1.5), in the same dtype.

    Tall matrices give the same result as their transposes, and take longer.
    """
    x = matrices.flatten(0, -3)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x.unflatten(0, matrices.shape[:-2])
