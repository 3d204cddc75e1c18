"""Knockouts cut one position for one query, and registers are the positions whose cut is felt."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference
import torch
from small import brackets, recipe, runs_of
from trees import NODES, felt_runs

from interpflow.analyses import attention_knockout
from interpflow.errors import InterpflowError
from interpflow.selection import Examples

ROOT = 3 * (NODES - 1) + 2
UNLESS = {"state": {"variable": "edge_target"}, "among": "ancestor"}


def options(**changed) -> attention_knockout.Options:
    given = {
        "split": "lengths",
        "queries": ["root"],
        "layers": [-2, -1],
        "by": "path_length",
        "exclude": ["edge_target"],
        "judged": {"path_length": [3, 4, 5]},
        "unless": UNLESS,
        "least_kl": 0.02,
        "least_wrong": 1.0,
        "draws": 3,
    }
    return attention_knockout.Options(**{**given, **changed})


@pytest.fixture(scope="module")
def of():
    """Runs whose second seed is right at the root in every other example."""
    found = felt_runs()
    with torch.no_grad():
        logits = found.model(
            found.weights("last"), torch.from_numpy(found.data["tokens"].values).long()
        )
    targets = found.data["targets"].values.copy()
    targets[::2, ROOT] = logits[1, ::2, ROOT].argmax(-1)
    found.data = found.data.assign(targets=(("example", "position"), targets))
    return found


@pytest.fixture(scope="module")
def result(of):
    return attention_knockout.analyse(of, options())


@pytest.fixture(scope="module")
def one_by_one(of):
    """Data, and of seed 1 log-probabilities at the root, intact (example,) and cut (example, key)."""
    data, _ = of.select(Examples(split="lengths"))
    weights = slow_reference.seed(of.weights("last"), 1)

    def cut(example, keys):
        given = slow_reference.tokens(data, example)
        logits = slow_reference.knocked_out(of.model, weights, given, ROOT, keys, [0, 1])
        return logits.log_softmax(-1).numpy()

    every = range(data.sizes["example"])
    intact = np.stack([cut(example, []) for example in every])
    each = np.stack([[cut(example, [key]) for key in range(ROOT)] for example in every])
    return data, intact, each, cut


def effects(data, intact, each):
    """KL and whether right turns wrong (example, key), and whether it was right (example,)."""
    kl = (np.exp(intact)[:, None] * (intact[:, None] - each)).sum(-1)
    target = data["targets"].values[:, ROOT]
    right = intact.argmax(-1) == target
    return kl, right[:, None] & (each.argmax(-1) != target[:, None]), right


def test_effects_are_those_of_one_example_and_one_key_at_a_time(result, one_by_one):
    data, intact, each, _ = one_by_one
    kl, wrong, right = effects(data, intact, each)
    found, long = result.sel(seed=1), data["path_length"].values >= 3
    path = data["ancestor"].values
    for key in range(ROOT):
        held = data["edge_target"].values[:, key]
        off = np.array([node < 0 or node not in row for node, row in zip(held, path, strict=True)])
        there = long & off
        assert found["kl"][key] == pytest.approx(kl[there, key].mean(), rel=1e-3, abs=1e-6)
        asked = there & right
        expected = wrong[asked, key].mean() if asked.any() else np.nan
        assert found["wrong"][key] == pytest.approx(expected, nan_ok=True)
    for length in range(1, NODES - 1):
        there = data["path_length"].values == length
        by = found.sel(group=length)
        np.testing.assert_allclose(by["kl_by"][:ROOT], kl[there].mean(0), rtol=1e-3, atol=1e-6)
        if (there & right).any():
            np.testing.assert_allclose(by["wrong_by"][:ROOT], wrong[there & right].mean(0))
        assert by["intact_accuracy"] == pytest.approx(right[there].mean())


def test_registers_are_cut_together(result, one_by_one):
    data, intact, each, cut = one_by_one
    _, _, right = effects(data, intact, each)
    found = result.sel(seed=1)
    registers = np.flatnonzero(found["is_register"])
    assert len(registers) == found["registers"] > 1
    target = data["targets"].values[:, ROOT]
    joint = np.array([cut(example, registers).argmax() for example in range(len(target))])
    for length in range(1, NODES - 1):
        there, by = data["path_length"].values == length, found.sel(group=length)
        assert by["joint_accuracy"] == pytest.approx((joint == target)[there].mean())
        asked = there & right
        expected = (joint != target)[asked].mean() if asked.any() else np.nan
        assert by["joint_wrong"] == pytest.approx(expected, nan_ok=True)


def test_registers_are_positions_with_an_effect_that_are_not_excluded(result):
    excluded = np.arange(4 * NODES) % 3 == 1
    excluded &= np.arange(4 * NODES) < ROOT - 2
    felt = ((result["kl"] >= 0.02) | (result["wrong"] >= 1.0)).values & ~excluded
    assert (result["is_register"].values == felt).all()
    assert felt.any() and (result["kl"].values[:, excluded] >= 0.02).any()


def test_only_the_keys_that_are_named_are_tried(of, result):
    found = attention_knockout.analyse(of, options(keys=["goal"]))
    at = ROOT - 2
    for name in ("kl", "wrong", "kl_by", "wrong_by"):
        np.testing.assert_allclose(
            found[name][..., at], result[name][..., at], rtol=1e-3, atol=1e-6
        )
        assert found[name].notnull().any(("seed", "position")).all()
        assert found[name].drop_sel(position=at).isnull().all()


def test_positions_that_no_query_comes_after_have_no_effect(result):
    assert result["kl"][:, :ROOT].notnull().all()
    assert result["kl"][:, ROOT:].isnull().all()
    assert not result["is_register"][:, ROOT:].any()
    places = result["place"].values
    assert places[:3].tolist() == ["edge_source", "edge_target", "edge_end"]
    assert places[ROOT - 2 : ROOT + 2].tolist() == ["goal", "colon", "root", "path"]


def test_the_control_cuts_as_many_positions_that_are_no_registers():
    registers = np.arange(10) < 3
    fit = np.arange(10) != 9
    sets = attention_knockout._sets(registers, fit, 0, options(draws=20))
    assert (sets[0, :-1] == registers).all()
    assert (sets[1:].sum(1) == 3).all()
    assert not sets[1:, :3].any() and not sets[1:, 9:].any()
    assert sets[1:, 3:9].any(0).all()
    few = attention_knockout._sets(np.arange(10) < 7, fit, 0, options())
    assert (few[1:].sum(1) == 2).all()


def test_every_query_of_a_sequence_is_cut_for_itself(of):
    found = attention_knockout.analyse(of, options(queries=["root", "path"], by=None, unless=None))
    assert found["kl_by"].sel(group="all")[:, ROOT].notnull().all()
    data, _ = of.select(Examples(split="lengths"))
    weights = slow_reference.seed(of.weights("last"), 0)
    total = []
    for example, query in np.argwhere(data["role"].isin([5, 6]).values):
        if query <= ROOT:
            continue
        given = slow_reference.tokens(data, example)
        intact, cut = (
            slow_reference.knocked_out(of.model, weights, given, query, keys, [0, 1]).log_softmax(
                -1
            )
            for keys in ([], [ROOT])
        )
        total.append(float((intact.exp() * (intact - cut)).sum()))
    assert found["kl_by"][0, 0, ROOT] == pytest.approx(np.mean(total), rel=1e-3)


def test_queries_may_be_told_apart_by_a_state_of_their_own(of, monkeypatch):
    asked = {"by": None, "unless": None, "split": "lengths"}
    whole = attention_knockout.analyse(
        of, options(**(asked | {"queries": ["path"], "by": "to_goal"}))
    )
    assert whole["group"].attrs["by"] == "to_goal"
    assert whole["group"].values.tolist() == list(range(NODES - 2))
    near = of.data.assign(near=(of.data["role"] == 6) & (of.data["to_goal"] == 1))
    monkeypatch.setattr(of, "data", near)
    alone = attention_knockout.analyse(of, options(**(asked | {"queries": ["near"]})))
    for name in ("kl_by", "wrong_by", "intact_accuracy"):
        np.testing.assert_array_equal(whole[name].sel(group=1), alone[name].sel(group="all"))


def test_knockouts_refuse_what_is_not_there(of):
    for changed, message in (
        ({"queries": ["rot"]}, "no position is called 'rot'.* mean 'root'"),
        ({"keys": ["path"]}, r"no position before the queries is called \['path'\]"),
        ({"layers": [2]}, "no layer 2 in a model of 2 layers"),
        ({"by": "parent"}, "parent has dims"),
        ({"by": "to_gaol"}, "no variable 'to_gaol' in the data.* mean 'to_goal'"),
        ({"unless": {**UNLESS, "among": "ancestr"}}, "no variable 'ancestr'.* mean 'ancestor'"),
    ):
        with pytest.raises(InterpflowError, match=message):
            attention_knockout.analyse(of, options(**changed))
    with pytest.raises(InterpflowError, match="no position of these examples is called"):
        attention_knockout.analyse(of, options(queries=[]))
    labels = runs_of(brackets(), recipe(steps=1))
    with pytest.raises(InterpflowError, match="no single answer"):
        attention_knockout.analyse(labels, attention_knockout.Options())
