"""Stochastic gradient Langevin dynamics: many chains at once, each around its own point.

w <- w - ε/2 (nβ ∇L(w) + γ (w - w*)) + N(0, ε), from w = w*, with L the loss of a batch (Welling & Teh 2011;
the pull γ to the start is that of Lau et al. 2023, arXiv:2308.12108).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sgld:
    """step_size ε, localization γ, nbeta nβ; `draws` are kept after `burn_in` are thrown away."""

    step_size: float
    localization: float
    nbeta: float
    draws: int
    burn_in: int


def sample(
    start: Tensor,
    losses: Callable[[Tensor, int], Tensor],
    noise: Callable[[int], Tensor],
    settings: Sgld,
    moving: Tensor | None = None,
) -> Tensor:
    """The loss of each kept draw (chain, draw), of chains from `start` (chain, parameter).

    `losses` takes parameters and the number of the draw, and gives the losses (chain,) on the batches of the
    draw.  `noise` takes the number, and gives standard normal noise that expands to the shape of `start`.
    Parameters stay where `moving` (…, parameter) is 0.  A chain that has diverged goes on as NaN or infinity
    and touches no other.
    """
    w = start.clone()
    half, spread = settings.step_size / 2, settings.step_size**0.5
    trace = []
    for draw in range(settings.burn_in + settings.draws):
        w.requires_grad_()
        found = losses(w, draw)
        (gradient,) = torch.autograd.grad(found.sum(), w)
        with torch.no_grad():
            step = gradient.mul_(-half * settings.nbeta)
            step.add_(w - start, alpha=-half * settings.localization)
            step.add_(noise(draw), alpha=spread)
            w = w.detach().add_(step if moving is None else step.mul_(moving))
        if draw >= settings.burn_in:
            trace.append(found.detach())
    return torch.stack(trace, dim=-1)
