"""Findings of several experiments become one dataset, with nothing lost and nothing made up."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.stages.collect import collect


def findings(seeds: int, layers: int, **coords) -> xr.Dataset:
    names = [chr(97 + layer) for layer in range(layers)]
    score = xr.Variable(
        ("seed", "layer"),
        np.ones((seeds, layers), np.float32),
        {"units": "1", "long_name": "score"},
    )
    return xr.Dataset(
        {"score": score, "count": ("layer", range(layers)), "word": ("layer", names)},
        {"seed": range(seeds), "layer": range(layers), **coords},
        {"experiment": "of its own"},
    )


def test_experiments_alike_keep_their_values_types_and_units():
    joined = collect({"one": findings(2, 2), "two": findings(2, 2)}, {"one": {}, "two": {}})
    assert joined["score"].dims == ("experiment", "seed", "layer")
    assert joined["score"].dtype == np.float32
    assert joined["count"].dtype.kind == "i"
    assert joined["score"].attrs == {"units": "1", "long_name": "score"}
    assert joined.attrs == {}
    xr.testing.assert_identical(
        joined.sel(experiment="two", drop=True), findings(2, 2).drop_attrs(deep=False)
    )


def test_what_an_experiment_lacks_is_missing_and_can_be_written(tmp_path):
    joined = collect({"one": findings(2, 2), "two": findings(1, 3)}, {"one": {}, "two": {}})
    assert joined["score"].sel(experiment="one", layer=2).isnull().all()
    assert joined["score"].sel(experiment="two", seed=1).isnull().all()
    assert joined["score"].sel(experiment="two", seed=0).notnull().all()
    assert joined["word"].sel(experiment="one").values.tolist() == ["a", "b", ""]
    store.write(joined, tmp_path / "joined.nc", {})
    xr.testing.assert_equal(store.read(tmp_path / "joined.nc"), joined)


def test_swept_values_become_coordinates_along_experiment():
    swept = {"one": {}, "two": {"heads": 2, "activation": "relu"}}
    joined = collect({"one": findings(1, 1), "two": findings(1, 1)}, swept)
    assert joined["heads"].dims == ("experiment",)
    assert np.isnan(joined["heads"][0])
    assert joined["heads"][1] == 2
    assert joined["activation"].values.tolist() == ["", "relu"]


def test_a_coordinate_that_differs_is_an_error_in_words():
    one, two = (findings(1, 1, name=("layer", [name])) for name in "ab")
    with pytest.raises(InterpflowError, match="should then be a variable"):
        collect({"one": one, "two": two}, {"one": {}, "two": {}})


def test_a_label_keeps_its_length_beside_shorter_ones_when_written_again(tmp_path):
    for name, targets in {"two": ["()", "[]"], "four": ["total", "()"]}.items():
        part = xr.Dataset({"score": ("target", [1.0] * len(targets))}, {"target": targets})
        store.write(part, tmp_path / f"{name}.nc")
    parts = {name: store.read(tmp_path / f"{name}.nc") for name in ("two", "four")}
    store.write(collect(parts, {"two": {}, "four": {}}), tmp_path / "joined.nc")
    joined = store.read(tmp_path / "joined.nc")
    assert joined["score"].sel(experiment="four", target="total") == 1.0
    assert joined["score"].sel(experiment="two", target="total").isnull()


def test_labels_stay_in_their_order_where_one_experiment_has_more_of_them():
    def numbered(count: int) -> xr.Dataset:
        return xr.Dataset(
            {"x": ("word", np.arange(count))}, {"word": [str(n) for n in range(count)]}
        )

    joined = collect({"few": numbered(3), "many": numbered(12)}, {"few": {}, "many": {}})
    assert joined["word"].values.tolist() == [str(number) for number in range(12)]
    assert joined["x"].sel(experiment="many").values.tolist() == list(range(12))
