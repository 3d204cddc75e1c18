"""Accuracy, confidence and calibration of a model's predictions.

A prediction is one scored position of a task with classes, or one label at one scored position where several
labels can hold at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import Batch, Examples
from interpflow.training.losses import loss, right


@dataclass(frozen=True)
class Sureness:
    """Means over examples or predictions, each (seed,), and the reliability table, each (seed, bin).

    loss            mean over examples
    accuracy        share of examples right at every scored position
    entropy         mean over predictions, nat
    confidence      mean over predictions of the probability of the predicted class
    count           number of predictions in a bin of confidence; the bins divide 0 to 1 evenly
    confidence_sum  sum of the confidences of these predictions
    right_count     number of these predictions that are right
    """

    loss: np.ndarray
    accuracy: np.ndarray
    entropy: np.ndarray
    confidence: np.ndarray
    count: np.ndarray
    confidence_sum: np.ndarray
    right_count: np.ndarray

    @property
    def prediction_accuracy(self) -> np.ndarray:
        """Share of predictions right (seed,)."""
        return self.right_count.sum(-1) / self.count.sum(-1)

    @property
    def calibration_error(self) -> np.ndarray:
        """Expected calibration error (seed,): |share right - confidence|, mean over predictions."""
        return np.abs(self.right_count - self.confidence_sum).sum(-1) / self.count.sum(-1)


@torch.no_grad()
def sureness(
    model: Transformer,
    weights: Weights,
    examples: Examples,
    loss_kind: str,
    sites: Callable[[np.ndarray], Sites],
    bins: int = 10,
) -> Sureness:
    """Run `weights` over `examples`; `sites` makes the edits for the examples (batch,) of each pass."""
    seeds = len(weights["W_E"])
    means = np.zeros((4, seeds))
    table = np.zeros((3, seeds, bins))
    for indices, batch in examples.in_order_of_length():
        logits = model(weights, batch.tokens, sites(indices)).float()
        entropy, confidence, hit = _predictions(loss_kind, logits, batch)
        losses = loss(loss_kind, logits, batch)
        accuracy = right(loss_kind, logits, batch).float().mean(1)
        parts = torch.stack([losses, accuracy, entropy.mean(1), confidence.mean(1)])
        # Examples of one length have about as many scored positions, so means of means will do.
        means += parts.double().cpu().numpy() * len(indices)
        place = (confidence * bins).long().clamp(max=bins - 1)
        for row, values in enumerate((torch.ones_like(confidence), confidence, hit.float())):
            summed = torch.zeros(seeds, bins, device=values.device).scatter_add_(1, place, values)
            table[row] += summed.cpu().numpy()
    return Sureness(*(means / len(examples)), *table)


def _predictions(kind: str, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Entropy (nat), confidence and whether it is right, of each prediction (seed, prediction)."""
    scored = batch.scored.expand(logits.shape[:3])
    seeds = len(logits)
    if kind == "cross_entropy":
        log_p = F.log_softmax(logits[scored].view(seeds, -1, logits.shape[-1]), dim=-1)
        targets = batch.targets.long().expand(scored.shape)[scored].view(seeds, -1)
        top = log_p.max(-1)
        return -(log_p.exp() * log_p).sum(-1), top.values.exp(), top.indices == targets
    chosen = logits[scored].view(seeds, -1)
    targets = batch.targets.bool().expand(logits.shape)[scored].view(seeds, -1)
    p = chosen.sigmoid()
    entropy = -(p * F.logsigmoid(chosen) + (1 - p) * F.logsigmoid(-chosen))
    return entropy, torch.maximum(p, 1 - p), (chosen > 0) == targets
