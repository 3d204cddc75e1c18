"""Random positions at which training sequences begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from interpflow.rng import generator


def begins(groups: Sequence[Tensor], n_ctx: int, seeds: Sequence[int], step: int) -> list[Tensor]:
    """Where each sequence of `groups`, each (seed, batch, pos), begins: (seed, batch) for each group.

    Any position from which the group's longest sequence fits into `n_ctx` positions is as likely as any other.
    """
    sizes = [group.shape[1] for group in groups]
    draws = np.stack([generator("offsets", seed, step).random(sum(sizes)) for seed in seeds])
    parts = np.split(draws, np.cumsum(sizes)[:-1], axis=1)
    return [
        torch.from_numpy((part * (n_ctx - group.shape[2] + 1)).astype(np.int64)).to(group.device)
        for part, group in zip(parts, groups, strict=True)
    ]
