"""Frozen parts stay bit by bit as they began, whatever the optimizer, and the others train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from small import brackets, model, recipe
from small import weights as weights_of

from interpflow.model.packing import flatten, unflatten, unpack
from interpflow.training import loop
from interpflow.training.frozen import Frozen
from interpflow.training.loop import train
from interpflow.variables import WEIGHTS

MODEL = {"layers": 2, "heads": 2, "norm": "pre", "positions": "learned"}
OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "adam", "weight_decay": 0.1},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "muon", "momentum": 0.9, "weight_decay": 0.1},
    {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1, "learning_rate": 0.1},
    {"optimizer": "rmsprop", "momentum": 0.5, "weight_decay": 0.1},
    {"optimizer": "adamw", "weight_decay": 0.1, "dtype": "bfloat16"},
]
each_optimizer = pytest.mark.parametrize("options", OPTIMIZERS, ids=str)


def weights(folder: Path, **options: Any) -> xr.Dataset:
    of = recipe(MODEL, **{"steps": 4, **options})
    return train(brackets(), of, folder / "state.npz", lambda *at, **values: None)[0]


def moved(found: xr.Dataset, name: str) -> np.ndarray:
    """Whether an entry of a weight is another at the end than at the start (seed, …)."""
    return (found[name].isel(step=-1) != found[name].isel(step=0)).values


@each_optimizer
def test_frozen_parts_stay_and_the_others_train(options, tmp_path):
    found = weights(tmp_path, frozen=["embedding", "head 1.0", "W_in", "ln1_w"], **options)
    for name in found:
        changed = moved(found, str(name))
        if name in ("W_E", "W_pos", "W_in", "ln1_w"):
            assert not changed.any(), name
        elif "head" in found[name].dims:
            assert not changed[:, 1, 0].any(), name
            assert changed[:, 0].any() and changed[:, 1, 1].any(), name
        else:
            assert changed.any(), name


def test_the_gradient_of_what_is_frozen_is_zero_and_no_other():
    """A matrix of Muon's is turned as a whole: a gradient of frozen entries would turn the others."""
    ours = model(heads=2)
    shapes = {name: tuple(weight.shape[1:]) for name, weight in weights_of(ours).items()}
    theta = flatten(weights_of(ours))
    gradient = torch.ones_like(theta)
    Frozen(["head 0.1"], ours.shapes, theta).silence(gradient)
    for name, left in unpack(unflatten(gradient, shapes), 2).items():
        expected = torch.ones_like(left)
        if "head" in WEIGHTS[name].dims:
            expected[:, 0, 1] = 0
        assert torch.equal(left, expected), name


@each_optimizer
def test_without_frozen_parts_nothing_of_it_runs(options, tmp_path, monkeypatch):
    before = weights(tmp_path / "a", **options)
    monkeypatch.setattr(loop, "Frozen", None)
    xr.testing.assert_identical(before, weights(tmp_path / "b", frozen=[], **options))


def test_a_run_that_was_stopped_goes_on_with_the_same_parts_frozen(tmp_path, monkeypatch):
    options = {"frozen": ["embedding"], "optimizer": "adamw", "weight_decay": 0.1, "steps": 60}
    whole = weights(tmp_path / "whole", **options)
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_SAVES", 0.0)

    def stop(step: int, *further: Any, **values: float) -> None:
        raise KeyboardInterrupt

    state = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        train(brackets(), recipe(MODEL, **options), state, stop)
    assert state.exists()
    resumed, _ = train(brackets(), recipe(MODEL, **options), state, lambda *at, **values: None)
    xr.testing.assert_identical(resumed, whole)
