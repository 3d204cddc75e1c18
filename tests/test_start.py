"""Training starts from the seed, from another experiment's weights, or from values with a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from small import brackets, recipe

from interpflow.errors import InterpflowError
from interpflow.training.loop import train

SQUARE = {"layers": 2, "heads": 2, "d_head": 16, "d_mlp": 16, "norm": "pre", "positions": "learned"}


def trained(
    folder: Path, start: dict[str, Any] | None, other: xr.Dataset | None = None, **options: Any
) -> xr.Dataset:
    """Weights of two seeds after 3 steps."""
    of = recipe(SQUARE, **{"steps": 3, "optimizer": "adam", "start": start, **options})
    (folder / "state.npz").unlink(missing_ok=True)
    return train(brackets(), of, folder / "state.npz", lambda *at, **values: None, other)[0]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> xr.Dataset:
    """What another experiment trained."""
    folder = tmp_path_factory.mktemp("base")
    return trained(folder, None, steps=20)


@pytest.fixture(scope="module")
def drawn(base) -> xr.Dataset:
    """The weights that follow from the seeds."""
    return base.isel(step=0, drop=True)


def begun(folder: Path, start: dict[str, Any], other: xr.Dataset | None = None) -> xr.Dataset:
    """The weights before the first step."""
    return trained(folder, start, other).isel(step=0, drop=True)


def test_training_goes_on_from_the_last_checkpoint_of_the_other_experiment(base, tmp_path):
    further = trained(tmp_path, {"experiment": "base"}, base)
    xr.testing.assert_identical(further.isel(step=0, drop=True), base.isel(step=-1, drop=True))
    assert not further.isel(step=-1, drop=True).identical(base.isel(step=-1, drop=True))


def test_a_start_that_says_nothing_is_that_from_the_seed(tmp_path):
    xr.testing.assert_identical(trained(tmp_path, {}), trained(tmp_path, None))


def test_of_the_other_experiment_only_the_parts_named_are_taken(base, drawn, tmp_path):
    found = begun(tmp_path, {"experiment": "base", "parts": ["head 1.0", "W_E", "layer 0"]}, base)
    last = base.isel(step=-1, drop=True)
    for name in found:
        expected = drawn[name].copy(deep=True)
        if name == "W_E":
            expected = last[name]
        if "layer" in expected.dims:
            expected[{"layer": 0}] = last[name].isel(layer=0)
        if "head" in expected.dims:
            expected[{"layer": 1, "head": 0}] = last[name].isel(layer=1, head=0)
        np.testing.assert_array_equal(found[name], expected, err_msg=str(name))


def test_shuffled_weights_have_the_entries_of_each_layer_in_another_order(base, tmp_path):
    found = begun(tmp_path, {"experiment": "base", "shuffled": True}, base)
    last = base.isel(step=-1, drop=True)
    for name in found:
        whole = 2 if "layer" in found[name].dims else 1  # (seed, layer) or (seed,)
        ours, theirs = (
            each[name].values.reshape(*each[name].shape[:whole], -1) for each in (found, last)
        )
        np.testing.assert_array_equal(np.sort(ours), np.sort(theirs), err_msg=str(name))
        assert (ours != theirs).any(), name
    xr.testing.assert_identical(
        found, begun(tmp_path, {"experiment": "base", "shuffled": True}, base)
    )


def test_a_part_shuffled_twice_over_is_shuffled_once(base, tmp_path):
    found, twice = (
        begun(tmp_path, {"experiment": "base", "shuffled": True, "parts": parts}, base)
        for parts in (["W_Q"], ["head 0.1", "W_Q"])
    )
    xr.testing.assert_identical(found["W_Q"], twice["W_Q"])


def test_named_values_take_the_place_of_drawn_ones(drawn, tmp_path):
    values = {"W_K": "identity", "W_V": "zeros", "ln1_b": "ones", "W_in": "identity"}
    found = begun(tmp_path, {"values": values})
    for layer in range(2):
        for head in range(2):
            at = {"layer": layer, "head": head, "seed": 1}
            np.testing.assert_array_equal(found["W_K"][at], np.eye(16, dtype=np.float32))
    np.testing.assert_array_equal(found["W_in"][0, 1], np.eye(16, dtype=np.float32))
    assert not found["W_V"].any() and (found["ln1_b"] == 1).all()
    xr.testing.assert_identical(found.drop_vars(values), drawn.drop_vars(values))


def test_named_values_win_over_those_of_the_other_experiment(base, tmp_path):
    start = {"experiment": "base", "values": {"W_V": "zeros"}}
    found = begun(tmp_path, start, base)
    assert not found["W_V"].any()
    xr.testing.assert_identical(
        found.drop_vars("W_V"), base.isel(step=-1, drop=True).drop_vars("W_V")
    )


def test_an_identity_that_is_not_square_is_refused(tmp_path):
    with pytest.raises(InterpflowError, match="W_E is 5 by 16; identity takes square matrices"):
        trained(tmp_path, {"values": {"W_E": "identity"}})
    with pytest.raises(InterpflowError, match="b_Q is no matrix; identity takes square ones"):
        trained(tmp_path, {"values": {"b_Q": "identity"}})


def test_weights_for_another_vocabulary_are_refused_unless_other_parts_are_named(base, tmp_path):
    of = recipe(SQUARE, steps=3, start={"experiment": "base"})
    more, silent = brackets(pairs=3), lambda *at, **values: None
    with pytest.raises(InterpflowError, match=r"W_E of 'base' has shape \(5, 16\), this model's"):
        train(more, of, tmp_path / "state.npz", silent, base)
    of["training"]["start"]["parts"] = ["layer 0", "layer 1"]
    weights, _ = train(more, of, tmp_path / "state.npz", silent, base)
    np.testing.assert_array_equal(weights["W_Q"][0], base["W_Q"][-1])
