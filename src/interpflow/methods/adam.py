"""Adam for small fits inside an analysis."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """torch.optim.Adam as it starts out, by its functional form.

    The class loads torch's compiler when it is made: more than a second, in jobs that take few.
    """

    def __init__(self, theta: Tensor):
        self._theta = theta
        self._first, self._second = torch.zeros_like(theta), torch.zeros_like(theta)
        self._steps = torch.zeros((), device=theta.device)

    @torch.no_grad()
    def step(self, gradient: Tensor, learning_rate: float) -> None:
        """One step of `theta`, in place, against `gradient`, which has its shape."""
        adam(
            [self._theta], [gradient], [self._first], [self._second], [], [self._steps],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=learning_rate, weight_decay=0.0,
            eps=1e-8, maximize=False,
        )  # fmt: skip
