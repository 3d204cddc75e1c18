"""Queries and keys of a head in one plane (AttentionViz, Yeh et al. 2023, arXiv:2305.03210, section 4).

Two transformations leave attention as it is: a vector added to all keys adds one number to all scores of a
query, and queries may be scaled up by what keys are scaled down by.  Keys are moved so that their mean is 0,
and both are scaled to the same root-mean-square length.  The plane goes through 0 and holds most of their
squared lengths, so that products of its vectors are near to the scores.
"""

from __future__ import annotations

import numpy as np


def planes(
    queries: np.ndarray, keys: np.ndarray, real: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries and keys in the plane, both (seed, example, layer, head, position, 2), and the share it holds.

    `queries` and `keys` are (seed, example, layer, position, head, d_head); `real` (example, position) says
    which of them count.  The share (seed, layer, head) is of all squared lengths; 1 where there is no length.
    """
    counts = real[None, :, None, :, None, None]
    both = [np.where(counts, part, 0.0) for part in (queries, keys)]
    number = real.sum()
    both[1] = np.where(counts, both[1] - both[1].sum((1, 3), keepdims=True) / number, 0.0)
    lengths = [np.sqrt((part**2).sum((1, 3, 5), keepdims=True) / number) for part in both]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(lengths[1] / lengths[0])
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    both = [both[0] * scale, both[1] / scale]
    gram = sum(np.einsum("selphd,selphc->slhdc", part, part) for part in both)
    values, vectors = np.linalg.eigh(gram)  # ascending
    axes = vectors[..., : -min(2, vectors.shape[-1]) - 1 : -1]  # (seed, layer, head, d_head, 2)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(-2, keepdims=True), -2)
    axes = axes * np.where(largest < 0, -1.0, 1.0)  # of v and -v one
    if axes.shape[-1] < 2:
        axes = np.concatenate([axes, np.zeros_like(axes)], -1)
    total = values.sum(-1)
    share = np.divide(values[..., -2:].sum(-1), total, out=np.ones_like(total), where=total > 0)
    placed = [np.einsum("selphd,slhda->selhpa", part, axes) for part in both]
    return placed[0], placed[1], share
