"""LEACE is that of its authors' package."""

from __future__ import annotations

import pytest
import torch

from interpflow.erasure import leace
from interpflow.rng import generator

erasure = pytest.importorskip("concept_erasure")

N, D, CLASSES = 3000, 16, 5


def hidden_and_labels(shared: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states (n, d) that depend on one-hot labels; `shared` dimensions repeat others."""
    random = generator("test concept erasure")
    labels = torch.eye(CLASSES)[torch.from_numpy(random.integers(CLASSES, size=N))]
    noise = torch.from_numpy(random.normal(size=(N, D)) @ random.normal(size=(D, D))).float()
    shown = torch.from_numpy(random.normal(size=(CLASSES, D))).float()
    hidden = noise + 2 * labels @ shown + 1.0
    hidden[:, D - shared :] = hidden[:, :shared]
    return hidden, labels


@pytest.mark.parametrize("shared", [0, 3])
def test_leace_equals_concept_erasure(shared: int) -> None:
    hidden, labels = hidden_and_labels(shared)
    # Shrinkage is theirs alone: with it the covariance is not that of the data.
    theirs = erasure.LeaceFitter.fit(hidden.double(), labels.double(), shrinkage=False).eraser
    ours = leace(hidden[None], labels)
    torch.testing.assert_close(
        ours(hidden[None])[0], theirs(hidden.double()).float(), atol=1e-3, rtol=1e-3
    )
    projection = torch.eye(D) - (ours.take[0] @ ours.give[0]).T
    torch.testing.assert_close(projection, theirs.P.float(), atol=1e-4, rtol=1e-4)
    moved = ours(hidden[None])[0] - hidden
    assert float(moved.std()) > 0.3
