"""One split of a task's data as tensors, in batches with little padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow.errors import InterpflowError

# Tokens of each seed in a pass: enough to be worth starting, few enough for the cache.  The number does not
# depend on the seeds, so that the order in which a seed's loss is summed does not either.
TOKENS_PER_PASS = 2400


@dataclass(frozen=True)
class Batch:
    """tokens (…, pos) int64, targets (…, pos[, output]), scored (…, pos) bool; leading dims as taken.

    A token of padding stands as `~token`, a negative number.
    """

    tokens: Tensor
    targets: Tensor
    scored: Tensor


@dataclass(frozen=True)
class Groups:
    """Several batches of different lengths as one, in the order of `Transformer.rows`.

    tokens, branch   of each batch (seed, batch, pos); `branch` as in `interpflow.model.branches`
    targets, scored  (seed, row[, output])
    """

    tokens: list[Tensor]
    targets: Tensor
    scored: Tensor
    branch: list[Tensor] | None = None


class Examples:
    """The examples of one split of `data`, on `device`.

    `lengths` (example,) counts real tokens.  Raises InterpflowError where the split does not exist.
    """

    def __init__(self, data: xr.Dataset, split: str, device: str = "cpu"):
        chosen = np.flatnonzero(data["split"].values == split)
        if not len(chosen):
            known = ", ".join(np.unique(data["split"].values))
            raise InterpflowError(f"no split '{split}' in the data; it has {known}")
        self.lengths = data["length"].values[chosen]
        longest = int(self.lengths.max())

        def tensor(name: str) -> Tensor:
            return torch.from_numpy(data[name].values[chosen, :longest]).to(device)

        self._lengths = torch.from_numpy(self.lengths.astype(np.int64)).to(device)
        self._all = Batch(tensor("tokens"), tensor("targets"), tensor("scored"))

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, indices: np.ndarray, longest: int | None = None) -> Batch:
        """The examples at `indices` (any shape), cut to `longest` tokens, by default to the longest example."""
        longest = longest or int(self.lengths[indices].max())
        device = self._all.tokens.device
        at = torch.from_numpy(indices).to(device)
        tokens = self._all.tokens[:, :longest][at].long()
        real = torch.arange(longest, device=device) < self._lengths[at][..., None]
        return Batch(
            torch.where(real, tokens, ~tokens),
            self._all.targets[:, :longest][at],
            self._all.scored[:, :longest][at],
        )

    def take_groups(self, groups: list[np.ndarray]) -> Groups:
        """The examples at each of `groups` (seed, batch), every group cut to its longest example."""
        parts = [self.take(indices) for indices in groups]
        return Groups(
            [part.tokens for part in parts],
            torch.cat([part.targets.flatten(1, 2) for part in parts], dim=1),
            torch.cat([part.scored.flatten(1, 2) for part in parts], dim=1),
        )

    def in_order_of_length(
        self, tokens: int = TOKENS_PER_PASS
    ) -> Iterator[tuple[np.ndarray, Batch]]:
        """All examples once, shortest first, in batches of up to `tokens` tokens, padding counted.

        A batch has at least one example.  Each comes with its indices (batch,).
        """
        order = np.argsort(self.lengths, kind="stable")
        while len(order):
            # The last of a batch is its longest.
            padded = np.arange(1, len(order) + 1) * self.lengths[order]
            size = max(1, int(np.searchsorted(padded, tokens, side="right")))
            yield order[:size], self.take(order[:size])
            order = order[size:]
