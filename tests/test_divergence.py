"""A seed that leaves the finite numbers is named, with its step, and missing; the others go on."""

from __future__ import annotations

import numpy as np
import pytest
import small
import torch
import xarray as xr

from interpflow.training import loop

STEPS = {"steps": 12, "checkpoints": {"linear": 4}}


def trained(tmp_path, seeds=(0, 1), **training):
    state = tmp_path / "state.npz"
    recipe = small.recipe(seeds=seeds, **STEPS, **training)
    return loop.train(small.brackets(), recipe, state, lambda *at, **values: None)


@pytest.fixture
def broken(monkeypatch):
    """Makes the loss, or a weight, of the second seed of an ensemble not finite at a step."""

    def break_at(step: int, what: str, value: float):
        advance, calls = loop._Loop.advance, []

        def advance_to_the_end(self):
            calls.append(1)
            if len(calls) == step and what == "weight":
                with torch.no_grad():
                    self.theta[1, 3] = value
            return advance(self)

        def broken_loss(kind, logits, batch):
            found = small_loss(kind, logits, batch)
            return found + torch.tensor([0.0, value if len(calls) == step else 0.0])

        small_loss = loop.loss
        monkeypatch.setattr(loop._Loop, "advance", advance_to_the_end)
        if what == "loss":
            monkeypatch.setattr(loop, "loss", broken_loss)

    return break_at


@pytest.mark.parametrize("what", ["loss", "weight"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_step_is_recorded_and_the_seed_is_missing_from_then_on(tmp_path, broken, what, value):
    alone, alone_history = trained(tmp_path, seeds=(0,))
    broken(5, what, value)
    weights, history = trained(tmp_path)
    for found in (weights, history):
        assert found.attrs["diverged"] == {1: 5}
    assert weights["step"].values.tolist() == [0, 3, 6, 9, 12]
    for dataset in (weights, history[["validation_loss", "validation_accuracy"]]):
        assert dataset.sel(seed=1, step=[0, 3]).notnull().all().to_array().all()
        assert dataset.sel(seed=1, step=[6, 9, 12]).isnull().all().to_array().all()
    xr.testing.assert_identical(weights.sel(seed=[0]).drop_attrs(), alone)
    xr.testing.assert_identical(history.sel(seed=[0]).drop_attrs(), alone_history)


def test_training_ends_where_every_seed_has_diverged(tmp_path, monkeypatch):
    steps = []
    advance = loop._Loop.advance
    monkeypatch.setattr(loop._Loop, "advance", lambda self: steps.append(1) or advance(self))
    weights, history = trained(tmp_path, optimizer="sgd", learning_rate=1e30)
    assert len(steps) <= 3
    assert sorted(weights.attrs["diverged"]) == [0, 1]
    assert weights["W_E"].sel(step=[3, 6, 9, 12]).isnull().all()
    assert history["validation_accuracy"].sel(step=12).isnull().all()


def test_what_diverged_before_a_kill_is_known_after_it(tmp_path, broken, monkeypatch):
    broken(2, "loss", float("nan"))
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_SAVES", -1.0)
    undisturbed = trained(tmp_path)
    again = trained(tmp_path)  # from the last state
    for one, other in zip(undisturbed, again, strict=True):
        assert one.attrs == other.attrs == {"diverged": {1: 2}}
        xr.testing.assert_identical(one, other)


def test_without_divergence_nothing_is_said_and_nothing_missing(tmp_path):
    weights, history = trained(tmp_path)
    assert weights.attrs == history.attrs == {}
    assert np.isfinite(weights["W_E"]).all()
