"""Probes find what scikit-learn's classifiers find on the same split."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interpflow.methods.probing import ProbeFit, ProbeGrid
from interpflow.rng import generator

linear_model = pytest.importorskip("sklearn.linear_model")
neural_network = pytest.importorskip("sklearn.neural_network")

N, D, CLASSES = 4000, 12, 5
TRAIN, TEST = np.arange(3000), np.arange(3000, N)
NOISE = 4 * np.sqrt(0.25 / len(TEST))  # four standard deviations of an accuracy on the test part


def data() -> tuple[np.ndarray, np.ndarray]:
    """Features of different sizes (N, D), and labels that follow them in part, and not linearly."""
    random = generator("test scikit-learn")
    x = random.normal(size=(N, D)) * np.linspace(0.1, 10, D) + 3
    z = (x - 3) / np.linspace(0.1, 10, D)
    scores = z @ random.normal(size=(D, CLASSES)) + 3 * np.abs(z[:, :CLASSES])
    return x, (scores + random.normal(0, 1, scores.shape)).argmax(-1)


def ours(
    x: np.ndarray, y: np.ndarray, widths: tuple[int, ...] = (), epochs: int = 40, rate: float = 1e-2
) -> float:
    grid = ProbeGrid(
        features=torch.from_numpy(x).float()[None],
        source=[0], labels=torch.from_numpy(y)[None], classes=[CLASSES], address=[("test",)],
        train=TRAIN, test=TEST,
    )  # fmt: skip
    trained = grid.fit(ProbeFit(widths, epochs, batch_size=128, learning_rate=rate))
    return float((trained.predict(TEST)[0] == y[TEST]).mean())


def standardised(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = (x - x[TRAIN].mean(0)) / x[TRAIN].std(0)
    return result


def test_a_linear_probe_is_as_good_as_logistic_regression() -> None:
    x, y = data()
    theirs = linear_model.LogisticRegression(C=np.inf, max_iter=1000)
    theirs.fit(standardised(x)[TRAIN], y[TRAIN])
    expected = theirs.score(standardised(x)[TEST], y[TEST])
    assert 0.5 < expected < 0.9
    assert ours(x, y) == pytest.approx(expected, abs=NOISE / 2)


@pytest.mark.parametrize("widths", [(64,), (64, 64)])
def test_a_probe_with_hidden_layers_is_as_good_as_a_multilayer_perceptron(
    widths: tuple[int, ...],
) -> None:
    x, y = data()
    theirs = neural_network.MLPClassifier(
        widths, alpha=0, batch_size=128, learning_rate_init=1e-3, max_iter=15, tol=0, random_state=0
    )
    with pytest.warns(
        UserWarning, match="Maximum iterations"
    ):  # it counts epochs, as the probe does
        theirs.fit(standardised(x)[TRAIN], y[TRAIN])
    expected = theirs.score(standardised(x)[TEST], y[TEST])
    assert ours(x, y, widths, epochs=15, rate=1e-3) == pytest.approx(expected, abs=NOISE)
    assert expected > ours(x, y) + NOISE / 2
