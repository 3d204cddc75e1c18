"""Muon: orthogonalised momentum for the matrices of the blocks, AdamW for everything else.

The method is Keller Jordan's (kellerjordan.github.io/posts/muon), with steps as large as AdamW's (Liu et al.
2025, arXiv:2502.16982).  torch has it for one matrix at a time; here all matrices of one shape, of all layers
and seeds, are one batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from interpflow.packing import Shapes, unflatten

# The steps and coefficients of the Newton-Schulz iteration, as torch has them.
_STEPS, _A, _B, _C = 5, 3.4445, -4.7750, 2.0315
_EPSILON = 1e-8


class Muon(torch.optim.Optimizer):
    """Over flat parameters `theta` (seed, parameter), which `shapes` names.

    The matrices of queries, keys and values are orthogonalised each for itself, all heads together, in
    `dtype`; what is no matrix of a block (embeddings, unembedding, biases, norms) takes AdamW's step.
    """

    def __init__(
        self,
        theta: Tensor,
        shapes: Shapes,
        lr: float,
        momentum: float,
        betas: tuple[float, float],
        weight_decay: float,
        dtype: torch.dtype,
    ):
        super().__init__([theta], {"lr": lr})
        self.theta, self.shapes, self.momentum, self.betas = theta, shapes, momentum, betas
        self.weight_decay, self.dtype = weight_decay, dtype
        self.alike: dict[tuple[int, ...], list[str]] = {}
        for name, shape in shapes.items():
            if name.startswith("blocks.") and len(shape) == 2:
                self.alike.setdefault(shape, []).append(name)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step along the gradient of `theta`."""
        theta, gradient = self.theta, self.theta.grad
        assert gradient is not None
        state = self.state[theta]
        if not state:
            state["step"] = torch.zeros((), device=theta.device)
            state |= {name: torch.zeros_like(theta) for name in ("exp_avg", "exp_avg_sq", "buffer")}
        first, second = self.betas
        state["step"] += 1
        state["exp_avg"].lerp_(gradient, 1 - first)
        state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        state["buffer"].lerp_(gradient, 1 - self.momentum)
        size = (state["exp_avg_sq"] / (1 - second ** state["step"])).sqrt_().add_(_EPSILON)
        direction = state["exp_avg"] / (1 - first ** state["step"]) / size
        ahead = unflatten(gradient.lerp(state["buffer"], self.momentum), self.shapes)
        places = unflatten(direction, self.shapes)
        for names in self.alike.values():
            parts = [part for name in names for part in _matrices(name, ahead[name])]
            found = orthogonal(torch.stack(parts).to(self.dtype)).to(theta.dtype)
            for name in names:
                for place in _matrices(name, places[name]):
                    place.copy_(found[0] * (0.2 * math.sqrt(max(place.shape[1:]))))
                    found = found[1:]
        rate = self.param_groups[0]["lr"]
        theta.mul_(1 - rate * self.weight_decay).sub_(direction, alpha=rate)


def _matrices(name: str, weight: Tensor) -> tuple[Tensor, ...]:
    """The matrices (seed, row, column) in a packed weight, as views."""
    return weight.chunk(3, dim=2) if name.endswith("W_QKV") else (weight,)


def orthogonal(matrices: Tensor) -> Tensor:
    """`matrices` (…, row, column) with singular values near 1 (within 0.5 to 1.5), in the same dtype."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).flatten(0, -3)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return (x.mT if tall else x).unflatten(0, matrices.shape[:-2])
