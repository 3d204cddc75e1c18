"""Loss and accuracy of each example, with edits that may differ from example to example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import Batch, Examples
from interpflow.training.losses import loss, right


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of examples, each (seed, example).

    loss         mean over scored positions
    right        whether every scored position is right
    share_right  share of scored positions that are right
    """

    loss: np.ndarray
    right: np.ndarray
    share_right: np.ndarray


def _untouched(indices: np.ndarray) -> None:
    """No edits."""


@torch.no_grad()
def outcomes(
    model: Transformer,
    weights: Weights,
    examples: Examples,
    loss_kind: str,
    sites: Callable[[np.ndarray], Sites | None] = _untouched,
) -> Outcomes:
    """Run `weights` over `examples`; `sites` makes the edits for the examples (batch,) of each pass."""
    shape = (len(weights["W_E"]), len(examples))
    found = Outcomes(np.zeros(shape), np.zeros(shape, dtype=bool), np.zeros(shape))
    for indices, batch in examples.in_order_of_length():
        logits = model(weights, batch.tokens, sites(indices)).float()
        hit = _right_at(loss_kind, logits, batch)
        share = (hit & batch.scored).sum(-1) / batch.scored.sum(-1)
        found.loss[:, indices] = _losses(loss_kind, logits, batch).cpu().numpy()
        found.right[:, indices] = hit.all(-1).cpu().numpy()
        found.share_right[:, indices] = share.cpu().numpy()
    return found


def _losses(kind: str, logits: Tensor, batch: Batch) -> Tensor:
    """The loss of each example (seed, batch)."""
    # To `loss`, every pair of a seed and an example is a seed of its own.
    seeds = len(logits)
    alone = Batch(
        batch.tokens,
        *(part.expand(seeds, *part.shape).flatten(0, 1) for part in (batch.targets, batch.scored)),
    )
    return loss(kind, logits.flatten(0, 1), alone).unflatten(0, (seeds, -1))


def _right_at(kind: str, logits: Tensor, batch: Batch) -> Tensor:
    """Whether a position is right or not scored (seed, batch, pos)."""
    # To `right`, every position is an example of its own.
    parts = (part.flatten(0, 1)[:, None] for part in (batch.tokens, batch.targets, batch.scored))
    return right(kind, logits.flatten(1, 2)[:, :, None], Batch(*parts)).view(logits.shape[:3])
