"""Weights that come with the project take the place of training, and only the right ones do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from small import brackets, recipe

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.store import sha256
from interpflow.training import start
from interpflow.training.loop import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[xr.Dataset, xr.Dataset, Path]:
    """Weights and history of two seeds, and the file that holds both at their last step."""
    folder = tmp_path_factory.mktemp("shipped")
    weights, history = train(brackets(), recipe(), folder / "state.npz", lambda *at, **values: None)
    path = folder / "two_seeds.nc"
    made = {"recipe": json.dumps(recipe())}
    store.write(start.join(weights, history), path, made)
    return weights, history, path


def wanted(path: Path, **other) -> dict:
    found = recipe(**other)
    found["training"]["weights"] = {"file": str(path), "sha256": sha256(path)}
    return found


def test_shipped_weights_are_those_of_the_training_they_replace(trained):
    weights, history, path = trained
    given, past = start.read(brackets(), wanted(path))
    xr.testing.assert_identical(given, weights.isel(step=[0, -1]))
    np.testing.assert_array_equal(
        past["validation_loss"].isel(step=-1), history["validation_loss"][-1]
    )
    assert np.isnan(past["validation_loss"].isel(step=0)).all()


def test_one_of_the_shipped_seeds_can_be_asked_for(trained):
    weights, _, path = trained
    given, _ = start.read(brackets(), wanted(path, seeds=[1]))
    xr.testing.assert_identical(given, weights.isel(step=[0, -1]).sel(seed=[1]))


def test_a_file_of_another_digest_is_refused(trained, tmp_path):
    path = tmp_path / "other.nc"
    content = trained[2].read_bytes()
    path.write_bytes(content[:-1] + b"x")
    asked = wanted(path)
    asked["training"]["weights"]["sha256"] = sha256(trained[2])
    with pytest.raises(InterpflowError, match="not the file that the spec means: its sha256 is"):
        start.read(brackets(), asked)


def test_a_missing_file_is_refused_with_both_ways_out(trained, tmp_path):
    asked = wanted(trained[2])
    asked["training"]["weights"]["file"] = str(tmp_path / "gone.nc")
    with pytest.raises(InterpflowError, match=r"get it back, or set training.weights to null"):
        start.read(brackets(), asked)


def test_weights_of_another_shape_are_refused_by_name_and_shape(trained):
    with pytest.raises(
        InterpflowError, match=r"W_E has shape \(5, 16\); the spec's model has \(5, 24\)"
    ):
        start.read(brackets(), wanted(trained[2], model={"d_model": 24}))


def test_weights_that_the_model_lacks_or_has_besides_are_refused(trained):
    with pytest.raises(InterpflowError, match="has no W_pos; the spec's model has"):
        start.read(brackets(), wanted(trained[2], model={"positions": "learned"}))
    with pytest.raises(InterpflowError, match=r"has b_K, b_O, .*; the spec's model has not"):
        start.read(brackets(), wanted(trained[2], model={"biases": False}))


@pytest.mark.parametrize("model", [{"activation": "gelu"}, {"scale_embedding": True}])
def test_a_model_that_computes_otherwise_is_refused_though_all_shapes_fit(trained, model):
    name = next(iter(model))
    with pytest.raises(
        InterpflowError, match=rf"was trained with {name} \w+; the spec's model has"
    ):
        start.read(brackets(), wanted(trained[2], model=model))


def test_a_seed_that_was_not_trained_is_refused(trained):
    with pytest.raises(InterpflowError, match=r"has no seed \[2\]; it has \[0, 1\]"):
        start.read(brackets(), wanted(trained[2], seeds=[0, 2]))


def test_a_file_that_does_not_say_its_model_is_refused(trained, tmp_path):
    path = tmp_path / "unsaid.nc"
    store.write(store.read(trained[2]).drop_attrs(deep=False), path)
    with pytest.raises(InterpflowError, match="does not say in which model it was trained"):
        start.read(brackets(), wanted(path))


def test_values_that_are_not_finite_are_refused(trained, tmp_path):
    stored = store.read(trained[2])
    stored["W_U"][...] = np.nan
    path = tmp_path / "nan.nc"
    store.write(stored, path, {"recipe": stored.attrs["recipe"]})
    with pytest.raises(InterpflowError, match="W_U holds values that are not finite"):
        start.read(brackets(), wanted(path))
