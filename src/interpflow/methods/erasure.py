"""Erasure of directions from hidden states: by projection, and by LEACE."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Singular values below this share of the largest are noise of the covariance estimate.
_RELATIVE_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Eraser:
    """The map h -> h - (h - mean) take give: mean (seed, d), take (seed, d, k), give (seed, k, d)."""

    mean: Tensor
    take: Tensor
    give: Tensor

    def __call__(self, hidden: Tensor) -> Tensor:
        """`hidden` (seed, …, d) without the erased part."""
        rows = hidden.flatten(1, -2)
        erased = rows - (rows - self.mean[:, None]) @ self.take @ self.give
        return erased.view(hidden.shape)


def project_out(mean: Tensor, deviation: Tensor, directions: Tensor) -> Eraser:
    """The eraser that projects out `directions` (seed, d, k), orthonormal directions of standardised states.

    A probe reads standardised states; `mean` and `deviation` (seed, d) are the ones that standardise them.
    """
    take = directions / deviation[..., None]
    return Eraser(mean, take, directions.transpose(1, 2) * deviation[:, None])


def leace(hidden: Tensor, labels: Tensor) -> Eraser:
    """The eraser that changes `hidden` (seed, n, d) least and hides `labels` (n, k) from linear classifiers.

    Least-squares concept erasure, LEACE: Belrose et al. 2023 (arXiv:2306.03819), theorem 4.3.  Computed in
    float64, because it inverts a covariance.
    """
    x, z = hidden.double(), labels.double()
    mean = x.mean(1)
    x, z = x - mean[:, None], z - z.mean(0)
    covariance = x.transpose(1, 2) @ x / x.shape[1]
    cross = x.transpose(1, 2) @ z / x.shape[1]
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > values.amax(-1, keepdim=True) * torch.finfo(torch.float32).eps
    root = torch.where(kept, values, 0.0).sqrt()
    inverse = torch.where(kept, 1.0 / root, 0.0)
    whiten = vectors * inverse[:, None] @ vectors.transpose(1, 2)
    colour = vectors * root[:, None] @ vectors.transpose(1, 2)
    left, singular, _ = torch.linalg.svd(whiten @ cross, full_matrices=False)
    left = left * (singular > singular[:, :1] * _RELATIVE_TOLERANCE)[:, None]
    # Of a row vector h, the part (h - mean) whiten left leftᵀ colour shows the labels.
    take, give = whiten @ left, left.transpose(1, 2) @ colour
    return Eraser(mean.to(hidden), take.to(hidden), give.to(hidden))
