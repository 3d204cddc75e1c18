"""Adam for small fits inside an analysis."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """Adam with the default options of `torch.optim.Adam` (Kingma & Ba 2015, arXiv:1412.6980).

    By torch's functional form: making a `torch.optim.Adam` loads torch's compiler, which takes over a second.
    """

    def __init__(self, theta: Tensor):
        self._theta = theta
        self._first, self._second = torch.zeros_like(theta), torch.zeros_like(theta)
        self._steps = torch.zeros((), device=theta.device)

    @torch.no_grad()
    def step(self, gradient: Tensor, learning_rate: float) -> None:
        """Move `theta` one step, in place; `gradient` has the shape of `theta`."""
        adam(
            [self._theta], [gradient], [self._first], [self._second], [], [self._steps],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=learning_rate, weight_decay=0.0,
            eps=1e-8, maximize=False,
        )  # fmt: skip
