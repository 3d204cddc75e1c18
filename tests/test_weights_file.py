"""Weights of a file take the place of training, and only the right ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from small import brackets, recipe

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.model.transformer_lens import from_transformer_lens, to_transformer_lens
from interpflow.store import sha256
from interpflow.training import weights_file
from interpflow.training.loop import train

LEARNED = {"norm": "pre", "positions": "learned"}


def trained_on(folder: Path, of: dict[str, Any]) -> tuple[xr.Dataset, xr.Dataset]:
    return train(brackets(), of, folder / "state.npz", lambda *at, **values: None)


def shipped(folder: Path, of: dict[str, Any], name: str = "shipped.nc") -> Path:
    """The last step of training by the recipe `of`, as `ship` writes it."""
    path = folder / name
    joined = weights_file.join(*trained_on(folder, of))
    store.write(joined, path, {"recipe": json.dumps(of), "stage": weights_file.SHIPPED})
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[xr.Dataset, xr.Dataset, Path]:
    """Weights and history of two seeds, and the file that holds both at their last step."""
    folder = tmp_path_factory.mktemp("shipped")
    return *trained_on(folder, recipe()), shipped(folder, recipe())


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    """Somebody else's model for up to 20 tokens, as `import` writes it."""
    folder = tmp_path_factory.mktemp("imported")
    weights, _ = trained_on(folder, recipe(LEARNED))
    options = weights_file.ModelOptions(**recipe(LEARNED)["model"])
    last = weights.isel(step=-1, seed=0)
    found, ours = from_transformer_lens(to_transformer_lens(last, options, n_ctx=20))
    path = folder / "imported.nc"
    said = {"recipe": json.dumps({"model": found.model_dump()}), "stage": weights_file.IMPORTED}
    store.write(ours, path, said)
    return path


def wanted(path: Path, **other) -> dict:
    found = recipe(**other)
    found["training"]["start"] = {"file": str(path), "sha256": sha256(path)}
    return found


def read(path: Path, **other) -> tuple[xr.Dataset, xr.Dataset]:
    return weights_file.read(brackets(), wanted(path, **other))


def test_weights_of_a_file_are_those_of_the_training_they_replace(trained):
    weights, history, path = trained
    given, past = read(path)
    xr.testing.assert_identical(given, weights.isel(step=[0, -1]))
    np.testing.assert_array_equal(
        past["validation_loss"].isel(step=-1), history["validation_loss"][-1]
    )
    assert np.isnan(past["validation_loss"].isel(step=0)).all()


def test_one_of_the_seeds_of_a_file_can_be_asked_for(trained):
    weights, _, path = trained
    given, _ = read(path, seeds=[1])
    xr.testing.assert_identical(given, weights.isel(step=[0, -1]).sel(seed=[1]))


def test_of_somebody_elses_model_there_is_the_last_checkpoint_alone_and_no_history(imported):
    given, past = read(imported, model=LEARNED, seeds=[0])
    assert given["step"].values.tolist() == past["step"].values.tolist() == [0]
    np.testing.assert_array_equal(given["W_E"].values, store.read(imported)["W_E"].values)
    assert set(past) == {"train_loss", "validation_loss", "validation_accuracy"}
    assert all(np.isnan(values).all() for values in past.values())


def test_positions_that_no_sequence_reaches_are_left_out(imported):
    shorter = brackets().isel(position=slice(12))
    given, _ = weights_file.read(shorter, wanted(imported, model=LEARNED, seeds=[0]))
    np.testing.assert_array_equal(
        given["W_pos"].values, store.read(imported)["W_pos"].values[:, :, :12]
    )
    longer = brackets().pad(position=(0, 3))
    with pytest.raises(InterpflowError, match=r"W_pos has shape \(20, 16\); .* it is \(23, 16\)"):
        weights_file.read(longer, wanted(imported, model=LEARNED, seeds=[0]))


@pytest.mark.parametrize("change", ["started from another", "drawn otherwise"])
def test_weights_before_training_are_not_made_up(tmp_path, change):
    of = recipe()
    path = shipped(tmp_path, of)
    stored = store.read(path)
    if change == "started from another":
        of["training"]["start"] = {"experiment": "other"}
    else:
        of["model"]["init_range"] = 0.5
    store.write(stored, path, {"recipe": json.dumps(of), "stage": weights_file.SHIPPED})
    given, _ = read(path)
    assert given["step"].values.tolist() == [12]


def test_a_file_of_another_digest_is_refused(trained, tmp_path):
    path = tmp_path / "other.nc"
    content = trained[2].read_bytes()
    path.write_bytes(content[:-1] + b"x")
    asked = wanted(path)
    asked["training"]["start"]["sha256"] = sha256(trained[2])
    with pytest.raises(InterpflowError, match="not the file that the spec means: its sha256 is"):
        weights_file.read(brackets(), asked)


def test_a_missing_file_is_refused_with_both_ways_out(trained, tmp_path):
    asked = wanted(trained[2])
    asked["training"]["start"]["file"] = str(tmp_path / "gone.nc")
    with pytest.raises(InterpflowError, match=r"get it back, or set training.start to null"):
        weights_file.read(brackets(), asked)


def test_a_file_of_several_steps_gives_them_all_with_their_history(trained, tmp_path):
    weights, history, _ = trained
    path = tmp_path / "all.nc"
    said = {"recipe": json.dumps(recipe()), "stage": weights_file.SHIPPED}
    store.write(weights_file.join(weights, history, "all"), path, said)
    given, past = read(path)
    xr.testing.assert_identical(given, weights.drop_attrs())
    np.testing.assert_array_equal(past["validation_loss"], history["validation_loss"])


def test_a_result_in_the_place_of_a_shipped_file_is_refused_with_the_command_that_ships(
    trained, tmp_path
):
    path = tmp_path / "weights_0.nc"
    store.write(trained[0], path, {"recipe": json.dumps(recipe())})
    with pytest.raises(InterpflowError, match=r"neither by `ship` nor .* `interpflow ship"):
        read(path)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"d_model": 24}, "d_model 16; the spec's model has 24"),
        ({"d_mlp": 0}, "d_mlp 24; the spec's model has 0"),
        ({"biases": False}, "biases True; the spec's model has False"),
        ({"positions": "learned"}, "positions none; the spec's model has learned"),
        ({"positions": "rotary"}, "positions none; the spec's model has rotary"),
        ({"attention": "full"}, "attention causal; the spec's model has full"),
        ({"activation": "gelu"}, "activation relu; the spec's model has gelu"),
        ({"scale_embedding": True}, "scale_embedding False; the spec's model has True"),
        ({"looped": True, "layers": 2}, "layers 1; the spec's model has 2"),
    ],
)
def test_a_model_that_computes_otherwise_is_refused_though_all_shapes_may_fit(trained, model, says):
    with pytest.raises(InterpflowError, match=f"was trained with {says}"):
        read(trained[2], model=model)


def test_the_base_of_rotary_positions_counts_where_there_are_some(trained, tmp_path):
    read(trained[2], model={"rotary_base": 500.0})
    rotary = {"positions": "rotary", "rotary_base": 500.0}
    path = shipped(tmp_path, recipe(rotary))
    with pytest.raises(InterpflowError, match=r"rotary_base 500\.0; the spec's model has 10000\.0"):
        read(path, model={"positions": "rotary"})


def test_weights_for_another_vocabulary_are_refused_with_both_shapes(trained):
    with pytest.raises(InterpflowError, match=r"W_E has shape \(5, 16\); .* it is \(7, 16\)"):
        weights_file.read(brackets(pairs=3), wanted(trained[2]))


def test_weights_that_the_model_lacks_or_has_besides_are_refused(trained, tmp_path):
    path, stored = tmp_path / "other.nc", store.read(trained[2])
    store.write(stored.drop_vars("b_K"), path)
    with pytest.raises(InterpflowError, match="has no b_K; the spec's model has"):
        read(path)
    store.write(stored.assign(W_pos=stored["W_E"]), path)
    with pytest.raises(InterpflowError, match="has W_pos; the spec's model has not"):
        read(path)


def test_a_seed_that_was_not_trained_is_refused(trained):
    with pytest.raises(InterpflowError, match=r"has no seed \[2\]; it has \[0, 1\]"):
        read(trained[2], seeds=[0, 2])


def test_a_file_that_does_not_say_its_model_is_refused(trained, tmp_path):
    path = tmp_path / "unsaid.nc"
    unsaid = store.read(trained[2]).drop_attrs(deep=False)
    store.write(unsaid, path, {"stage": weights_file.SHIPPED})
    with pytest.raises(InterpflowError, match="does not say in which model it was trained"):
        read(path)


def test_values_that_are_not_finite_are_refused(trained, tmp_path):
    stored = store.read(trained[2])
    stored["W_U"][...] = np.nan
    path = tmp_path / "nan.nc"
    store.write(stored, path, {"recipe": stored.attrs["recipe"]})
    with pytest.raises(InterpflowError, match="W_U holds values that are not finite"):
        read(path)
