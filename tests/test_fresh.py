"""Training on fresh examples: new at every step, the same for a seed whatever else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from small import recipe

from interpflow import training
from interpflow.options import TrainingOptions
from interpflow.sources import Fresh
from interpflow.tasks import list_sorting

TASK = {"name": "list_sorting", "length": 4, "vocabulary": 16, "train_size": 8}


def fresh(*seeds: int) -> Fresh:
    return Fresh(TASK, 6, seeds, "cpu")


def of(**options: Any) -> dict[str, Any]:
    """A recipe that trains on fresh lists."""
    given = {"optimizer": "adam", "loss": "cross_entropy", "fresh": True, "steps": 12, **options}
    return {**recipe(model={"norm": "pre", "positions": "learned"}, **given), "task": TASK}


def data():
    return list_sorting.generate(
        list_sorting.Options(**{key: value for key, value in TASK.items() if key != "name"})
    )


def test_steps_and_seeds_see_different_examples():
    drawn = [fresh(0, 1).at(step).tokens[0] for step in range(3)]
    seen = {tuple(row.tolist()) for batch in drawn for row in batch.flatten(0, 1)}
    assert len(seen) == 3 * 2 * 6


def test_a_seed_s_examples_do_not_depend_on_who_rides_along():
    alone, together = fresh(3).at(7), fresh(1, 3).at(7)
    assert torch.equal(alone.tokens[0][0], together.tokens[0][1])
    assert torch.equal(alone.targets[0], together.targets[1])


class Killed(BaseException):
    pass


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "_SECONDS_BETWEEN_SAVES", -1.0)
    monkeypatch.setattr(training, "_STEPS_BETWEEN_REPORTS", 1)

    def kill(step: int, total: int, **values: float) -> None:
        if step == 5:
            raise Killed

    undisturbed = training.train(data(), of(), tmp_path / "one.npz", lambda *a, **k: None)
    with pytest.raises(Killed):
        training.train(data(), of(), tmp_path / "two.npz", kill)
    resumed = training.train(data(), of(), tmp_path / "two.npz", lambda *a, **k: None)
    for one, other in zip(resumed, undisturbed, strict=True):
        for name in one.data_vars:
            assert one[name].values.tobytes() == other[name].values.tobytes(), name


def test_lists_are_learnt_from_fresh_examples(tmp_path: Path):
    learning = of(steps=400, batch_size=32, learning_rate=5e-3)
    _, history = training.train(data(), learning, tmp_path / "s.npz", lambda *a, **k: None)
    first, last = history["validation_loss"].mean("seed").values[[0, -1]]
    assert last < first / 3


def test_epochs_of_fresh_examples_are_refused():
    options = {"batch_size": 1, "optimizer": "adam", "learning_rate": 1, "loss": "mse"}
    with pytest.raises(ValidationError, match="give steps"):
        TrainingOptions(**options, fresh=True, epochs=3)
