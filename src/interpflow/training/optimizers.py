"""Optimizers and learning-rate schedules by the names that specs use."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from interpflow.model.shapes import Shapes
from interpflow.training.muon import Muon
from interpflow.training.options import TrainingOptions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

# As torch's classes have them.
_EPSILON, _SMOOTHING = 1e-8, 0.99


class Optimizer(Protocol):
    """Moves flat weights (seed, parameter); `state` is its memory, empty before the first step."""

    state: dict[str, Tensor]

    def step(self, theta: Tensor, gradient: Tensor, rate: float) -> None:
        """Move `theta`, in place, against its `gradient` at the learning rate `rate`."""


def make_optimizer(theta: Tensor, shapes: Shapes, options: TrainingOptions) -> Optimizer:
    """The optimizer of `options` over the flat parameters `theta` (seed, parameter), named by `shapes`.

    Each optimizer works parameter by parameter or matrix by matrix, so the seeds of an ensemble do not touch
    each other.
    """
    if options.optimizer == "muon":
        decay, dtype = options.weight_decay, DTYPES[options.dtype]
        return Muon(theta, shapes, options.momentum, options.betas, decay, dtype)
    if options.optimizer == "rmsprop":
        return RMSprop(options)
    return SGD(options) if options.optimizer == "sgd" else Adam(options)


class _ByParameter:
    """An optimizer of torch by its functional form; torch's classes load its compiler, which takes a second."""

    def __init__(self, options: TrainingOptions):
        self.options = options
        self.state: dict[str, Tensor] = {}

    def _remembered(self, theta: Tensor, *names: str) -> list[list[Tensor]]:
        """The entries `names` of the state, then the number of steps; zeros at first."""
        if not self.state:
            self.state = {name: torch.zeros_like(theta) for name in names}
            self.state["step"] = torch.zeros((), device=theta.device)
        return [[self.state[name]] for name in (*names, "step")]


class Adam(_ByParameter):
    """Adam, with weight decay inside the gradient, and AdamW, with weight decay beside it."""

    @torch.no_grad()
    def step(self, theta: Tensor, gradient: Tensor, rate: float) -> None:
        first, second, steps = self._remembered(theta, "exp_avg", "exp_avg_sq")
        adam(
            [theta], [gradient], first, second, [], steps, fused=True, amsgrad=False,
            beta1=self.options.betas[0], beta2=self.options.betas[1], lr=rate, eps=_EPSILON,
            weight_decay=self.options.weight_decay, maximize=False,
            decoupled_weight_decay=self.options.optimizer == "adamw",
        )  # fmt: skip


class RMSprop(_ByParameter):
    """RMSprop, with momentum if the options have some."""

    @torch.no_grad()
    def step(self, theta: Tensor, gradient: Tensor, rate: float) -> None:
        names = ["square_avg", *(["momentum_buffer"] if self.options.momentum else [])]
        squares, *buffers, steps = self._remembered(theta, *names)
        rmsprop(
            [theta], [gradient], squares, [], buffers[0] if buffers else [], steps, foreach=False,
            lr=rate, alpha=_SMOOTHING, eps=_EPSILON, weight_decay=self.options.weight_decay,
            momentum=self.options.momentum, centered=False,
        )  # fmt: skip


class SGD(_ByParameter):
    """Gradient descent, with momentum if the options have some."""

    @torch.no_grad()
    def step(self, theta: Tensor, gradient: Tensor, rate: float) -> None:
        buffers = [self.state.get("momentum_buffer")]
        sgd(
            [theta], [gradient], buffers, foreach=False, fused=False, lr=rate, dampening=0.0,
            weight_decay=self.options.weight_decay, momentum=self.options.momentum, nesterov=False,
            maximize=False,
        )  # fmt: skip
        if buffers[0] is not None:
            self.state["momentum_buffer"] = buffers[0]


def learning_rate(options: TrainingOptions, step: int, total: int) -> float:
    """The learning rate of `step`, counted from 0, of `total`.

    It warms up linearly from 0.  Then it is constant, or decays to `final_learning_rate` along a cosine or a
    line, over all further steps or the last `decay_steps` of them.  The decay changes it once in
    `schedule_every` steps.
    """
    peak, final, warmup = options.learning_rate, options.final_learning_rate, options.warmup_steps
    if step < warmup:
        return peak * (step + 1) / warmup
    if options.schedule == "constant":
        return peak
    span = min(options.decay_steps or total, max(1, total - warmup))
    step -= (step - (total - span)) % options.schedule_every
    done = max(0.0, 1 - (total - step) / span)
    remaining = (1 + math.cos(math.pi * done)) / 2 if options.schedule == "cosine" else 1 - done
    return final + (peak - final) * remaining
