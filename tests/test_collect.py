"""Findings of several experiments become one dataset, with nothing lost and nothing made up."""

from __future__ import annotations

import io
import json
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from interpflow import gaps, store
from interpflow.collecting.frame import collect
from interpflow.errors import InterpflowError
from interpflow.progress import Log
from interpflow.stages import collect as stage
from interpflow.stages.collect import run


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
    swept = {"one": {}, "two": {"model.heads": 2, "model.activation": "relu"}}
    joined = collect({"one": findings(1, 1), "two": findings(1, 1)}, swept)
    assert joined["heads"].dims == ("experiment",)
    assert np.isnan(joined["heads"][0])
    assert joined["heads"][1] == 2
    assert joined["activation"].values.tolist() == ["", "relu"]


@pytest.mark.parametrize("name", ["heads", "loss", "positions", "length", "seed", "experiment"])
@pytest.mark.parametrize("place", ["variable", "dim", "coordinate", "nowhere"])
def test_a_swept_option_is_written_over_nothing(name: str, place: str, tmp_path):
    part = findings(2, 2)
    if place == "variable" and name != "seed":
        part = part.assign({name: part["score"] * 3})
    if place == "dim":
        part = part.assign(more=(name, [7.0, 8.0])) if name != "seed" else part
    if place == "coordinate" and name != "seed":
        part = part.assign_coords({name: ("layer", [5, 6])})
    if name == "experiment" and place != "nowhere":
        with pytest.raises(InterpflowError, match="'experiment', which is the name of the dim"):
            collect({"one": part}, {"one": {}})
        return
    key = f"model.{name}"
    joined = collect({"one": part, "two": part}, {"one": {key: 1}, "two": {key: 2}})
    free = place == "nowhere" and name not in ("seed", "experiment")
    assert joined[name if free else key].values.tolist() == [1, 2]
    for held in part.data_vars:
        assert (joined[held].sel(experiment="two") == part[held]).all()
    for held in part.coords:
        assert joined[held].values.tolist() == part[held].values.tolist()
    store.write(joined, tmp_path / "joined.nc")
    xr.testing.assert_equal(store.read(tmp_path / "joined.nc"), joined)


def test_two_swept_options_of_one_word_have_both_their_names_in_full():
    swept = {"one": {"model.positions": 1, "task.positions": 2, "task.length": 3}}
    joined = collect({"one": findings(1, 1)}, swept)
    assert {"model.positions", "task.positions", "length"} <= {*joined.coords}


def test_true_and_false_and_whole_numbers_stay_numbers_where_an_experiment_lacks_them(tmp_path):
    def part(layers: int) -> xr.Dataset:
        values = {
            "right": [True, False, True],
            "rank": [7, -1, 2],
            "small": [1, 2, 3],
            "word": ["", "nan", "n/a"],
        }
        kinds = {"small": np.int8}
        return xr.Dataset(
            {name: ("layer", np.array(held[:layers], kinds.get(name))) for name, held in values.items()},
            {"layer": range(layers), "is_last": ("layer", [False, False, True][:layers])},
        )  # fmt: skip

    joined = collect({"few": part(2), "many": part(3)}, {"few": {}, "many": {}})
    store.write(joined, tmp_path / "joined.nc")
    for found in (joined, store.read(tmp_path / "joined.nc")):
        few = found.sel(experiment="few")
        np.testing.assert_array_equal(few["right"], [1, 0, np.nan])
        np.testing.assert_array_equal(few["rank"], [7, -1, np.nan])
        np.testing.assert_array_equal(few["small"], [1, 2, np.nan])
        assert few["word"].values.tolist() == ["", "nan", ""]
        assert found["right"].attrs["values"] == "true or false"
        assert found["rank"].attrs["values"] == "whole numbers"
        assert found["is_last"].dtype == bool
        assert found["layer"].dtype.kind == "i"
    alike = collect({"one": part(2), "two": part(2)}, {"one": {}, "two": {}})
    assert alike["right"].dtype == bool
    assert alike["small"].dtype == np.int8


def test_a_variable_that_one_experiment_has_alone_is_missing_in_the_other():
    joined = collect({"one": findings(1, 2).assign(only=("layer", [True, False])), "two": findings(1, 2)},
                     {"one": {}, "two": {}})  # fmt: skip
    np.testing.assert_array_equal(joined["only"], [[1, 0], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ({"x": ("i", [1])}, {"x": ("i", ["a"])}, "'x' is a variable .i. of numbers in 'one'"),
        ({"x": ("i", [True])}, {"x": ("i", [2])}, "of true or false in 'one'"),
        ({"x": ("i", [1])}, {"x": (("j", "i"), [[1]])}, "a variable .j, i."),
        ({"x": ("i", [1])}, {"x": ("i", [1, 2])}, "dim 'i' has 1 places in 'one' and 2 in 'two'"),
        ({"i": ("i", [1])}, {"i": ("i", ["a"])}, "'i' is a coordinate"),
        ({"x": ("i", [2**60]), "i": [0]}, {"x": ("i", [1, 2]), "i": [0, 1]}, "above 9007199254740992"),
        ({"i": ("i", ["a", "a"])}, {"i": ("i", ["b"])}, "cannot be joined"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_said_in_words(one, two, said):
    with pytest.raises(InterpflowError, match=said):
        collect({"one": xr.Dataset(one), "two": xr.Dataset(two)}, {"one": {}, "two": {}})


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


def collected(folder: Path, parts: dict[str, xr.Dataset]) -> Path:
    """The file of a job that collects `parts`, which are written first."""
    for name, part in parts.items():
        store.write(part, folder / f"{name}.nc")
    job = SimpleNamespace(
        inputs={name: str(folder / f"{name}.nc") for name in parts},
        outputs={"findings": str(folder / "all.nc")},
        slice={"coords": {name: {"model.heads": at} for at, name in enumerate(parts)}},
        attrs=dict,
    )
    with Log(folder / "log", "all", io.StringIO()) as log:
        run(job, log)
    return folder / "all.nc"


def plainly(parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """`parts` joined by xarray, all at once, with the types that their values had."""
    joined = xr.concat(
        [part.drop_attrs(deep=False) for part in parts.values()],
        dim=xr.Variable("experiment", list(parts)),
        data_vars="all", coords="minimal", compat="no_conflicts", join="outer", combine_attrs="override",
    )  # fmt: skip
    for name in joined.variables:
        array = joined[name].variable
        there = [part[name].variable for part in parts.values() if name in part.variables]
        kept = gaps.kept(str(name), array, [gaps.held_as(each) for each in there])
        if kept is not array:
            joined[name] = kept
    return joined.assign_coords(heads=("experiment", range(len(parts)), {"option": "model.heads"}))


def drawn(seed: int, names: str) -> dict[str, xr.Dataset]:
    """Findings that may lack a seed, a layer or a variable that others have, of all types."""
    random = np.random.default_rng(seed)
    alike = random.random() < 0.3

    def values(kind: str, shape: tuple[int, ...]) -> np.ndarray:
        if kind == "U":
            return np.array(["", "a", "nan", "beta"])[random.integers(0, 4, shape)]
        if kind == "mixed":
            kind = str(random.choice(["i2", "i4", "f4"]))
        return (100 * random.random(shape)).astype(kind)

    parts = {}
    for name in names:
        few = 0 if alike else random.integers(0, 2, 2)
        sizes = dict(zip(("seed", "layer", "bin"), (*(np.array([3, 2]) - few), 600), strict=True))
        found = xr.Dataset(attrs={"experiment": name}).assign_coords(
            seed=range(sizes["seed"]), layer=("layer", list("ab")[: sizes["layer"]])
        )
        for kind in random.permutation(["f4", "i1", "i8", "?", "U", "mixed"]).tolist():
            for dims in ((), ("seed", "layer"), ("layer", "bin")):
                if alike or random.random() < 0.9:
                    held = values(kind, tuple(sizes[dim] for dim in dims))
                    called = "_".join((kind.replace("?", "bool"), *dims))
                    found[called] = xr.Variable(dims, held, {"units": "1"})
        parts[name] = gaps.with_seeds(found, range(3)) if random.random() < 0.3 else found
    return parts


@pytest.mark.parametrize("seed", range(4))
def test_piece_by_piece_is_what_joining_all_at_once_gives(seed: int, tmp_path, monkeypatch):
    parts = drawn(seed, "pqrs")
    whole = collected(tmp_path, parts)
    parts = {name: store.read(tmp_path / f"{name}.nc") for name in parts}
    plain = plainly(parts)
    joined = collect(parts, {name: {} for name in parts})
    xr.testing.assert_identical(joined, plain.drop_vars("heads"))
    seeds = {name: part["seed"].values.tolist() for name, part in parts.items()}
    store.write(plain, tmp_path / "plain.nc", {"seeds": json.dumps(seeds)})
    assert whole.read_bytes() == (tmp_path / "plain.nc").read_bytes()
    at_once = store.read(whole)
    monkeypatch.setattr(stage, "_AT_ONCE", 2 * max(part.nbytes for part in parts.values()))
    in_pieces = store.read(collected(tmp_path, parts))
    assert whole.read_bytes() != (tmp_path / "plain.nc").read_bytes()
    xr.testing.assert_identical(in_pieces, at_once)
    for name, array in at_once.variables.items():
        assert in_pieces[name].dtype == array.dtype
        for kept in ("_FillValue", "dtype"):
            assert str(in_pieces[name].encoding.get(kept)) == str(array.encoding.get(kept)), name


def test_findings_of_one_experiment_are_in_memory_at_a_time(tmp_path, monkeypatch):
    """Beside those that are joined at once, of which there are three."""
    values = np.random.default_rng(0).random((5, 4, 500))
    part = xr.Dataset({"score": (("seed", "layer", "position"), values)}, {"seed": range(5)})
    parts = {f"e{number:02}": part for number in range(20)}
    alive: list[weakref.ref[np.ndarray]] = []
    counted: list[int] = []

    def read(path: str) -> xr.Dataset:
        counted.append(sum(ref() is not None for ref in alive))
        found = real(path)
        alive.append(weakref.ref(found["score"].values))
        return found

    real = store.read
    monkeypatch.setattr(store, "read", read)
    monkeypatch.setattr(stage, "_AT_ONCE", 3 * values.nbytes)
    collected(tmp_path, parts)
    # The values of a part are those of its rows, until they are written.
    assert len(counted) == 2 * len(parts)
    assert max(counted[: len(parts)]) == 0
    assert max(counted) <= 3
    joined = real(tmp_path / "all.nc")
    assert (joined["score"] == values).all()
    assert joined["score"].encoding["zlib"]
    assert joined["score"].encoding["fletcher32"]
    assert joined["experiment"].values.tolist() == list(parts)


def test_what_is_written_in_pieces_has_the_same_bytes_again(tmp_path, monkeypatch):
    parts = drawn(1, "pqrst")
    monkeypatch.setattr(stage, "_AT_ONCE", 1)
    first, again = (collected(tmp_path, parts).read_bytes() for _ in range(2))
    assert first == again


def test_findings_that_cannot_be_joined_leave_the_file_of_before(tmp_path, monkeypatch):
    parts = {name: xr.Dataset({"x": ("i", [1.0])}) for name in "abc"}
    monkeypatch.setattr(stage, "_AT_ONCE", 1)
    path = collected(tmp_path, parts)
    before = path.read_bytes()
    numbers = {"a": [1], "b": [1], "c": [2**60, 1]}
    wider = {name: xr.Dataset({"x": ("i", x)}, {"i": range(len(x))}) for name, x in numbers.items()}
    with pytest.raises(InterpflowError, match="above 9007199254740992"):
        collected(tmp_path, wider)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))
