"""LEACE is that of its authors' package."""

from __future__ import annotations

import pytest
import torch
from trees import trained_runs

from interpflow.analyses import concept_erasure as concept_erasure_by_group
from interpflow.methods import erasure as ours
from interpflow.methods.erasure import leace
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
    eraser = leace(hidden[None], labels)
    torch.testing.assert_close(
        eraser(hidden[None])[0], theirs(hidden.double()).float(), atol=1e-3, rtol=1e-3
    )
    projection = torch.eye(D) - (eraser.take[0] @ eraser.give[0]).T
    torch.testing.assert_close(projection, theirs.P.float(), atol=1e-4, rtol=1e-4)
    moved = eraser(hidden[None])[0] - hidden
    assert float(moved.std()) > 0.3


def test_the_analysis_erases_as_concept_erasure_does_and_scikit_learn_reads_nothing_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    calls = []

    def watched(hidden: torch.Tensor, labels: torch.Tensor) -> ours.Eraser:
        calls.append((hidden, labels, leace(hidden, labels)))
        return calls[-1][-1]

    monkeypatch.setattr(ours, "leace", watched)
    place = {
        "site": "blocks.0.hook_resid_post",
        "positions": ["root", "path"],
        "state": {"variable": "at_node"},
    }
    options = concept_erasure_by_group.Options(
        split="lengths",
        by="path_length",
        erasures={"node": place},
        epochs=30,
        learning_rate=0.01,
    )
    found = concept_erasure_by_group.analyse(trained_runs(), options)
    (hidden, labels, eraser), _ = calls
    erased, classes = eraser(hidden), labels.argmax(1).numpy()
    for seed in range(len(hidden)):
        theirs = erasure.LeaceFitter.fit(hidden[seed].double(), labels.double(), shrinkage=False)
        expected = theirs.eraser(hidden[seed].double()).float()
        torch.testing.assert_close(erased[seed], expected, atol=1e-3, rtol=1e-3)
        before, after = (
            linear_model.LogisticRegression(max_iter=2000).fit(x, classes).score(x, classes)
            for x in (hidden[seed].numpy(), erased[seed].numpy())
        )
        assert before > 0.95
        assert after == pytest.approx(float(labels.double().mean(0).max()), abs=0.02)
        assert found["readable"].isel(seed=seed, erasure=0).sel(when="before") > 0.95
