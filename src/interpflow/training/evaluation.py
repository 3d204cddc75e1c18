"""Loss and exact-match accuracy of an ensemble on one split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import Examples
from interpflow.training.losses import loss, right


@dataclass(frozen=True)
class Evaluation:
    """loss (seed,): mean over sequences; right (seed, example): whether every scored position is right."""

    loss: np.ndarray
    right: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """Share of sequences right (seed,); NaN where the loss is not finite."""
        return np.where(np.isfinite(self.loss), self.right.mean(axis=1), np.nan)


@torch.no_grad()
def evaluate(
    model: Transformer,
    weights: Weights,
    examples: Examples,
    loss_kind: str,
    sites: Callable[[], Sites] = Sites,
) -> Evaluation:
    """Run `weights` over all `examples`; `sites` makes the edits of each pass."""
    seeds = len(weights["W_E"])
    losses, rights = np.zeros(seeds), np.zeros((seeds, len(examples)), dtype=bool)
    for indices, batch in examples.in_order_of_length():
        logits = model(weights, batch.tokens, sites()).float()
        losses += loss(loss_kind, logits, batch).double().cpu().numpy() * len(indices)
        rights[:, indices] = right(loss_kind, logits, batch).cpu().numpy()
    return Evaluation(losses / len(examples), rights)
