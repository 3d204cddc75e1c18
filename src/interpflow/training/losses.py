"""Losses and exact-match accuracy, for one class per position or several labels at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow.training.examples import Batch, Groups


def loss(kind: str, logits: Tensor, batch: Batch | Groups) -> Tensor:
    """Mean loss of each seed over its scored positions (seed,), for logits (seed, …, output).

    `cross_entropy` takes class ids.  `mse`, on sigmoid outputs, and `binary_cross_entropy` take labels of 0 and
    1, and are means over outputs too.  Both cross-entropies are in nat.
    """
    if kind == "cross_entropy":
        targets = batch.targets.long().expand(logits.shape[:-1])
        each = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")
        each = each.view(targets.shape)
    else:
        targets = batch.targets.to(logits.dtype)
        # torch's sigmoid and binary_cross_entropy_with_logits round differently at the end of a tensor,
        # so a seed's loss would depend on its place in the ensemble; tanh and logsigmoid do not.
        if kind == "mse":
            difference = (torch.tanh(logits * 0.5) + 1) * 0.5 - targets
            each = (difference * difference).mean(-1)
        else:
            each = (logits * (1 - targets) - F.logsigmoid(logits)).mean(-1)
    weight = batch.scored.to(each.dtype).expand(each.shape)
    return (each * weight).flatten(1).sum(1) / weight.flatten(1).sum(1)


def right(kind: str, logits: Tensor, batch: Batch) -> Tensor:
    """Whether every scored position of a sequence is right (seed, batch), from logits (…, pos, output).

    The predicted class has the largest logit; a label is predicted if its sigmoid is above 0.5.
    """
    if kind == "cross_entropy":
        same = logits.argmax(-1) == batch.targets
    else:
        same = ((logits > 0) == batch.targets.bool()).all(-1)
    return (same | ~batch.scored).all(-1)
