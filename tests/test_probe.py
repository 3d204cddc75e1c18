"""Probes read what stands at a place, miss what does not, and are trained and tested where they should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from pydantic import ValidationError
from trees import trained_runs

from interpflow.analyses import probe
from interpflow.errors import InterpflowError
from interpflow.methods import readings
from interpflow.model.sites import Sites
from interpflow.rng import generator
from interpflow.runs import Runs

HERE = {"site": "hook_embed", "positions": ["edge_target"]}
SOURCE, TARGET = {"variable": "edge_source"}, {"variable": "edge_target"}


def read(runs: Runs, **options: Any) -> xr.Dataset:
    fast = {"split": "train", "epochs": 6, "batch_size": 64, "learning_rate": 0.02}
    return probe.analyse(runs, probe.Options(**{**fast, **options}))


def with_variable(runs: Runs, **variables: Any) -> Runs:
    """The same runs with more variables in their data."""
    data = runs.data.assign(variables)
    data = data.assign_coords(
        {dim: range(size) for dim, size in data.sizes.items() if dim == "kind"}
    )
    return Runs(data, runs.labelled, runs.history, runs.model, runs.loss, runs.device)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each training of probes was given."""
    seen: list[dict[str, Any]] = []
    draw, predict = probe._draw, readings.predict

    def drawing(*given):
        seen.append({"at": draw(*given)})
        return seen[-1]["at"]

    def predicting(place, features, asked, train, test, fit):
        labels = {one.target: one.labels for one in asked}
        seen[-1] |= {"features": features, "targets": labels, "parts": (train, test)}
        return predict(place, features, asked, train, test, fit)

    monkeypatch.setattr(probe, "_draw", drawing)
    monkeypatch.setattr(readings, "predict", predicting)
    return seen


def test_a_token_s_embedding_tells_its_own_node_and_not_the_other_of_its_edge() -> None:
    found = read(
        trained_runs(), reads={"target": HERE}, targets={"source": SOURCE, "target": TARGET}
    )
    own, other = (found.squeeze().sel(target=name) for name in ("target", "source"))
    assert (own["f1"] == 1).all() and (own["accuracy"] == 1).all()
    assert (other["accuracy"] < 0.45).all()
    assert (other["f1"] <= other["accuracy"] + 0.05).all()
    assert found["classes"].values.tolist() == [[5, 5]]


@pytest.mark.parametrize("seeds", [[1], [1, 0]])
def test_no_seed_feels_which_others_there_are(seeds) -> None:
    runs = trained_runs()
    some = Runs(runs.data, runs.labelled.sel(seed=seeds), runs.history.sel(seed=seeds), runs.model,
                runs.loss, runs.device)  # fmt: skip
    asked: dict[str, Any] = {
        "reads": {"target": HERE}, "targets": {"source": SOURCE}, "controls": ["untrained_model"],
        "epochs": 1, "learning_rate": 0.003,
    }  # fmt: skip
    xr.testing.assert_equal(read(some, **asked).sel(seed=[1]), read(runs, **asked).sel(seed=[1]))


def test_only_a_probe_with_hidden_layers_reads_what_is_not_linear() -> None:
    runs = trained_runs()
    node = runs.data["edge_target"].values
    either = np.where(
        node >= 0, (node + np.arange(node.shape[1])) % 2, -1
    )  # node and place, or neither
    runs = with_variable(runs, either=(("example", "position"), either))
    place = {"site": "blocks.0.hook_resid_pre", "positions": ["edge_target"]}
    found = read(
        runs, reads={"target": place}, targets={"either": {"variable": "either"}},
        hidden=[[], [64]], epochs=20,
    ).squeeze()  # fmt: skip
    linear, deep = (found["accuracy"].sel(hidden_layers=depth) for depth in (0, 1))
    assert (deep > 0.95).all()
    assert (deep - linear > 0.15).all()


def test_labels_that_can_hold_at_once_have_a_probe_each() -> None:
    runs = trained_runs()
    tokens = runs.data["tokens"].values
    shown = np.isin(tokens[..., None] - 3, np.arange(5)) & (
        (tokens[..., None] - 3 + np.arange(3)) % 5 < 2
    )
    noise = generator("test labels").random(shown.shape) < 0.3
    dims = ("example", "position", "kind")
    runs = with_variable(runs, shown=(dims, shown.astype(int)), noise=(dims, noise.astype(int)))
    found = read(
        runs, reads={"target": HERE}, targets={n: {"variable": n} for n in ("shown", "noise")}
    ).squeeze()  # fmt: skip
    assert found["classes"].values.tolist() == [3, 3]
    assert (found["f1"].sel(target="shown") == 1).all()
    assert (found["accuracy"].sel(target="shown") == 1).all()
    assert (found["f1"].sel(target="noise") < 0.3).all()
    # Nobody is what most are not: no label found, and right where none holds.
    assert found["majority_f1"].sel(target="noise") == 0
    assert found["majority_accuracy"].sel(target="noise") == pytest.approx(0.7**3, abs=0.1)


def test_one_of_several_labels_can_be_selected() -> None:
    child = {"variable": "children", "select": {"child": 2}}
    root = {"site": "hook_embed", "positions": ["root"]}
    found = read(trained_runs(), reads={"root": root}, targets={"child": child})
    assert found["classes"].item() == 2
    assert "example" not in found.dims


def test_positions_without_a_value_are_left_out(watched) -> None:
    runs = trained_runs()
    above = {"variable": "ancestor", "select": {"distance": 3}}
    place = {"site": "hook_embed", "positions": ["goal"]}
    found = read(
        runs, reads={"goal": place}, targets={"goal": {"variable": "goal"}, "above": above}
    )
    deep = runs.data["path_length"].values[runs.data["split"].values == "train"] >= 3
    assert [sorted(one["targets"]) for one in watched] == [["above"]]  # the last of two trainings
    (one,) = watched
    everything = np.concatenate(one["parts"])
    assert (np.sort(everything) == np.flatnonzero(deep[one["at"][0]])).all()
    assert (one["targets"]["above"][:, everything] >= 0).all()
    assert np.isfinite(found["f1"]).all()


def test_no_example_is_both_trained_on_and_held_out(watched) -> None:
    read(trained_runs(), reads={"target": HERE}, targets={"target": TARGET}, test_share=0.25)
    (one,) = watched
    train, test = ({*one["at"][0][part]} for part in one["parts"])
    assert not train & test
    assert len(test) == 75 and len(train) == 225
    assert len(one["at"][0]) == 300 * 4


def test_positions_are_drawn_at_random_and_the_same_again(watched) -> None:
    for _ in range(2):
        read(
            trained_runs(),
            reads={"target": HERE},
            targets={"target": TARGET},
            positions_per_read=100,
        )
    one, again = (each["at"] for each in watched)
    assert len(one[0]) == 100 and len({*one[0]}) > 60
    assert np.array_equal(one, again)


def test_the_untrained_model_is_the_first_checkpoint(watched) -> None:
    runs = trained_runs()
    found = read(runs, reads={"a": {**HERE, "site": "blocks.1.hook_resid_post"}},
                 targets={"source": SOURCE}, controls=["untrained_model"])  # fmt: skip
    (one,) = watched
    first = runs.activations(
        runs.weights("first"), runs.examples("train"), "blocks.1.hook_resid_post", one["at"]
    )
    assert torch.equal(one["features"][2:], first)
    assert found["control"].values.tolist() == ["none", "untrained_model"]
    assert not np.array_equal(one["features"][:2], first)


def test_the_same_readout_again_gives_the_same_bytes() -> None:
    options = {"reads": {"target": HERE}, "targets": {"source": SOURCE}, "epochs": 1}
    assert read(trained_runs(), **options).identical(read(trained_runs(), **options))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"targets": {"a": {"variable": "edge"}}}, "no variable 'edge' in the data"),
        ({"targets": {"a": {"variable": "ancestor"}}}, "select says one value of distance"),
        ({"targets": {"a": {"variable": "at_node"}}}, "no target has a value at edge_target"),
        ({"reads": {"a": {**HERE, "positions": ["edges"]}}}, "no position is called 'edges'"),
        ({"reads": {"a": {**HERE, "site": "hook_ebmed"}}}, "no site .'hook_ebmed'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_an_error(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InterpflowError, match=words):
        read(trained_runs(), **{"reads": {"target": HERE}, "targets": {"target": TARGET}, **wrong})


def test_a_word_type_is_read_from_its_embedding_and_random_labels_are_not() -> None:
    found = read(
        trained_runs(), reads={"target": HERE}, targets={"source": SOURCE},
        controls=["random_labels", "word_type"], epochs=10,
    ).squeeze()  # fmt: skip
    true, random, word = (found["accuracy"].sel(control=name) for name in found["control"].values)
    assert (word == 1).all()
    assert (abs(random - 1 / 5) < 0.1).all()
    np.testing.assert_allclose(found["selectivity"], true - word)


def test_controls_have_the_seeds_and_depths_asked_for() -> None:
    found = read(
        trained_runs(), reads={"target": HERE}, targets={"source": SOURCE}, hidden=[[], [8]],
        controls=["word_type"], control_seeds=1, control_hidden=[[]], epochs=1,
    )["accuracy"].squeeze()  # fmt: skip
    assert found.sel(control="none").notnull().all()
    there = found.sel(control="word_type").notnull()
    assert there.transpose("seed", "hidden_layers").values.tolist() == [[True, False], [False] * 2]
    one = read(trained_runs(), reads={"a": HERE}, targets={"a": TARGET}, seeds=1, epochs=1)
    assert one["seed"].values.tolist() == [0]


def test_only_the_seeds_that_are_probed_run(watched) -> None:
    read(trained_runs(), reads={"a": HERE}, targets={"a": TARGET}, seeds=1, epochs=1,
         controls=["untrained_model"])  # fmt: skip
    assert len(watched[0]["features"]) == 2


def test_positions_of_one_example_may_stand_on_both_sides(watched) -> None:
    read(trained_runs(), reads={"a": HERE}, targets={"a": TARGET}, hold_out="position")
    (one,) = watched
    train, test = (one["at"][0][part] for part in one["parts"])
    assert len(test) == 240 and len(train) == 960
    assert len({*train.tolist()} & {*test.tolist()}) > 100


def test_padding_is_read_where_it_is_asked_for() -> None:
    runs = trained_runs()
    reads = {name: {"site": "hook_embed", "positions": [name]} for name in ("real", "padded")}
    found = read(runs, reads=reads, targets={"goal": {"variable": "goal"}}, epochs=1)
    lengths = runs.examples("train").lengths
    expected = 1 - lengths.sum() / (len(lengths) * lengths.max())
    assert found["padding_share"].values == pytest.approx([0, expected])
    assert expected > 0.05


def test_confusions_count_the_held_out_positions_of_each_class() -> None:
    found = read(trained_runs(), reads={"a": HERE}, targets={"a": SOURCE}).squeeze()
    counts = found["confusion"]
    assert (counts.sum(("true_class", "predicted_class")) == 240).all()
    right = sum(counts.isel(true_class=at, predicted_class=at) for at in range(5))
    np.testing.assert_allclose(right / 240, found["accuracy"])


def test_two_probes_of_one_depth_could_not_be_told_apart() -> None:
    with pytest.raises(ValidationError, match="several probes of one depth"):
        probe.Options(reads={"a": HERE}, targets={"a": TARGET}, hidden=[[8], [16]])


def test_values_read_by_a_pass_that_stops_at_a_site_are_those_of_a_whole_pass() -> None:
    runs = trained_runs()
    examples, weights = runs.examples("test"), runs.weights("last")
    at = np.array([3, 40, 3]), np.array([0, 5, 12])
    sites = ["hook_embed", "blocks.1.hook_resid_post", "blocks.0.hook_attn_out"]
    together = runs.activations_of_sites(weights, examples, [*sites, "hook_embed"], at)
    for site in sites:
        whole = Sites(read=[site])
        with torch.no_grad():
            runs.model(weights, examples.take(np.arange(len(examples))).tokens, whole)
        expected = whole.values[site][:, at[0], at[1]]
        torch.testing.assert_close(runs.activations(weights, examples, site, at), expected)
        torch.testing.assert_close(together[site], expected)
