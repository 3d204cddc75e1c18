"""A part with a learning rate of its own moves as it would if the whole model had that rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from small import brackets, recipe

from interpflow.training import loop
from interpflow.training.loop import train

MODEL = {"layers": 2, "heads": 2, "norm": "pre", "positions": "learned"}
OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1},
    {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
    {"optimizer": "rmsprop", "learning_rate": 0.01},
    {"optimizer": "muon", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.1},
]
each_optimizer = pytest.mark.parametrize("options", OPTIMIZERS, ids=str)


def weights(folder: Path, **options: Any) -> xr.Dataset:
    found, _ = train(
        brackets(), recipe(MODEL, **{"steps": 4, "checkpoints": {"linear": 4}, **options}),
        folder / "state.npz", lambda *at, **values: None,
    )  # fmt: skip
    return found


@each_optimizer
def test_one_step_of_a_scaled_part_is_a_step_at_the_scaled_rate(options, tmp_path):
    options = {**options, "steps": 1}
    parts = {"W_Q": 3.0, "embedding": 3.0}
    ours = weights(tmp_path / "a", **options, rate_scale={"parts": parts})
    plain = weights(tmp_path / "b", **options)
    fast = weights(tmp_path / "c", **{**options, "learning_rate": 3 * options["learning_rate"]})
    for name in map(str, ours):
        expected = fast if name in ("W_Q", "W_E", "W_pos") else plain
        close = {"rtol": 1e-5, "atol": 1e-7, "err_msg": name}
        np.testing.assert_allclose(ours[name], expected[name], **close)


def test_of_a_weight_in_two_parts_both_numbers_count(tmp_path):
    options = {"optimizer": "sgd", "learning_rate": 0.1, "steps": 1}
    plain = weights(tmp_path / "a", **options)["W_Q"]
    ours = weights(tmp_path / "b", **options, rate_scale={"parts": {"W_Q": 3.0, "head 1.0": 2.0}})[
        "W_Q"
    ]
    factor = np.full((2, 2, 1, 1), 3.0)
    factor[1, 0] = 6.0
    moved, once = (each.isel(step=-1).values - each.isel(step=0).values for each in (ours, plain))
    np.testing.assert_allclose(moved, factor * once, rtol=1e-2, atol=1e-6)


def test_many_steps_are_those_of_gradient_descent_by_hand(tmp_path):
    """Until step 2 the move of a part is tripled, then it is the others' again."""
    options = {"optimizer": "sgd", "learning_rate": 0.1}
    scale = {"parts": {"unembedding": 3.0}, "until": 2}
    ours = weights(tmp_path / "a", **options, rate_scale=scale)
    slow = weights(
        tmp_path / "b", **options, rate_scale={"parts": {"unembedding": 3.0}, "until": 9}
    )
    np.testing.assert_array_equal(
        ours["W_U"].isel(step=[0, 1, 2]), slow["W_U"].isel(step=[0, 1, 2])
    )
    third = [each["W_U"].isel(step=3) - each["W_U"].isel(step=2) for each in (ours, slow)]
    np.testing.assert_allclose(3 * third[0], third[1], rtol=1e-3, atol=1e-6)


def test_without_rates_of_their_own_nothing_of_it_runs(tmp_path, monkeypatch):
    before = weights(tmp_path / "a", optimizer="adamw")
    monkeypatch.setattr(loop, "ScaledRates", None)
    xr.testing.assert_identical(before, weights(tmp_path / "b", optimizer="adamw"))


def test_a_run_that_was_stopped_goes_on_with_the_same_rates(tmp_path, monkeypatch):
    options = {
        "optimizer": "sgd", "learning_rate": 0.1, "steps": 60,
        "rate_scale": {"parts": {"W_Q": 2.0}, "until": 55},
    }  # fmt: skip
    whole = weights(tmp_path / "whole", **options)
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_SAVES", 0.0)

    def stop(step: int, *further: Any, **values: float) -> None:
        raise KeyboardInterrupt

    of, state = recipe(MODEL, **{**options, "checkpoints": {"linear": 4}}), tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        train(brackets(), of, state, stop)
    assert state.exists()
    resumed, _ = train(brackets(), of, state, lambda *at, **values: None)
    xr.testing.assert_identical(resumed, whole)
