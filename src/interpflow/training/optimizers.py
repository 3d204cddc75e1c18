"""Optimizers and learning-rate schedules by the names that specs use."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from interpflow.model.shapes import Shapes
from interpflow.training.muon import Muon
from interpflow.training.options import TrainingOptions

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def make_optimizer(
    theta: Tensor, shapes: Shapes, options: TrainingOptions
) -> torch.optim.Optimizer:
    """The optimizer of `options` over the flat parameters `theta` (seed, parameter), named by `shapes`.

    All of them work parameter by parameter or matrix by matrix, so the seeds of an ensemble do not touch
    each other.
    """
    rate, decay = options.learning_rate, options.weight_decay
    if options.optimizer == "adamw":
        return torch.optim.AdamW([theta], rate, options.betas, weight_decay=decay, fused=True)
    if options.optimizer == "adam":
        return torch.optim.Adam([theta], rate, options.betas, weight_decay=decay, fused=True)
    if options.optimizer == "rmsprop":
        return torch.optim.RMSprop([theta], rate, weight_decay=decay, momentum=options.momentum)
    if options.optimizer == "muon":
        dtype = DTYPES[options.dtype]
        return Muon(theta, shapes, rate, options.momentum, options.betas, decay, dtype)
    return torch.optim.SGD([theta], rate, options.momentum, weight_decay=decay)


def learning_rate(options: TrainingOptions, step: int, total: int) -> float:
    """The learning rate of `step`, counted from 0, of `total`.

    Linear warm-up from 0, then constant, or down to `final_learning_rate` along a cosine or a line, over
    all further steps or the last `decay_steps` of them.  With `schedule_every` it goes down once in so many
    of these steps, and stays in between.
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


def checkpoint_steps(options: TrainingOptions, total: int) -> list[int]:
    """The steps whose weights are kept, ascending, from 0 (untrained) to `total`."""
    linear, log = options.checkpoints.linear, options.checkpoints.log
    steps = {0, total}
    steps |= {round(total * (i + 1) / linear) for i in range(linear)}
    steps |= {round(total ** ((i + 1) / log)) for i in range(log)}
    return sorted(steps)
