"""A model that knows answers holds their bits, one that guesses holds none, and its size is what learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small import recipe, runs_of

from interpflow.analyses import capacity
from interpflow.runs import Runs
from interpflow.tasks import fact_recall
from interpflow.tasks.base import make_dataset

ALL = 12  # facts of the split
FACTS = make_dataset(
    fact_recall,
    fact_recall.Options(
        subjects=4, relations=3, answers=4, noise=3, length=4, train_size=500, validation_size=4
    ),
)
MODEL = {"d_model": 10, "d_mlp": 6, "heads": 2, "d_head": 3, "norm": "none"}


def trained(steps: int = 3, d_mlp: int = 6, **training) -> Runs:
    options = {"optimizer": "adam", "loss": "cross_entropy", "learning_rate": 0.02, **training}
    return runs_of(FACTS, recipe({**MODEL, "d_mlp": d_mlp}, steps=steps, **options))


def analysed(runs: Runs, **options):
    return capacity.analyse(runs, capacity.Options(split="facts", guesses=4, **options))


def test_what_is_frozen_is_no_trained_parameter():
    words, outputs, d, m, attended = 11, 12, 10, 6, 2 * 3
    biases = {"attention": 3 * attended + d, "MLP": m + d, "embedding": outputs}
    every = {
        "embedding": (words + outputs) * d + biases["embedding"],
        "attention": 4 * d * attended + biases["attention"],
        "MLP": 2 * d * m + biases["MLP"],
        "rest": 0,
    }
    found = analysed(trained())
    assert dict(zip(found["part"].values, found["parameters"].values, strict=True)) == every
    assert found["trainable"].item() == sum(every.values())
    frozen = ["W_E", "unembedding", "W_Q", "b_in", "b_O"]
    less = analysed(trained(frozen=frozen))["parameters"]
    assert less.sel(part="embedding").item() == 0
    assert less.sel(part="attention").item() == every["attention"] - d * attended - d
    assert less.sel(part="MLP").item() == every["MLP"] - m


def test_a_model_that_guesses_holds_nothing_and_one_that_knows_holds_all():
    runs = trained()
    of_relation = runs.data["answer_relation"].values
    for name in runs.labelled:
        runs.labelled[name].values[:] = 0
    guess = analysed(runs)  # of 12 outputs, so a guess of 4 is better
    assert guess["bits"].values == pytest.approx([ALL * math.log2(4 / 12)] * 2, rel=1e-5)
    # From an embedding of the relation alone: the right four outputs, evenly.
    runs.labelled["W_E"].values[..., 4:7, :3] = np.eye(3) * 50
    runs.labelled["W_V"].values[..., 0, :3, :] = np.eye(3) * 50
    runs.labelled["W_O"].values[..., 0, :, :3] = np.eye(3) * 50
    runs.labelled["W_U"].values[..., :3, :] = np.eye(3)[:, of_relation]
    relation = analysed(runs)
    assert relation["bits"].values == pytest.approx([0, 0], abs=1e-3)
    assert relation["bits_per_parameter"].values == pytest.approx([0, 0], abs=1e-3)


def test_what_is_right_is_counted_and_bits_are_what_losses_leave():
    runs = trained(300, d_mlp=40)
    plain = runs.evaluate(runs.weights("last"), runs.examples("facts"))
    found = analysed(runs, guide=0.15)
    assert found["examples"].item() == ALL
    assert found["accuracy"].values == pytest.approx(plain.accuracy)
    assert (found["accuracy"].values > 0.5).all()
    size = found["trainable"].item()
    assert found["asked_per_parameter"].item() == pytest.approx(ALL / size)
    assert found["right_per_parameter"].values == pytest.approx(plain.accuracy * ALL / size)
    missing = plain.loss / math.log(2)
    assert found["bits"].values == pytest.approx(ALL * (2 - missing), rel=1e-5)
    assert found["guide"].item() == 0.15
    assert "guide" not in analysed(trained())
