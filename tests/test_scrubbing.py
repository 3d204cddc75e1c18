"""Scrubbing swaps what it says between examples that have in common what it says."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference
from trees import NODES, felt_runs, found

from interpflow import selection
from interpflow.analyses import scrubbing
from interpflow.errors import InterpflowError
from interpflow.methods.pairing import partners

MATCH = [{"variable": "ancestor", "select": {"distance": distance}} for distance in (0, 1)]
REGISTERS = (3, 8, 11)


def options(**changed) -> scrubbing.Options:
    given = {
        "split": "lengths",
        "query": "root",
        "match": MATCH,
        "by": "path_length",
        "samples": 5,
        "hypotheses": {
            "whole": {},
            "part": {"clean": ["registers.is_register", "edge_target"]},
            "control": {"matched": False},
            "nothing": {"clean": ["real"]},
        },
    }
    return scrubbing.Options(**{**given, **changed})


@pytest.fixture(scope="module")
def of():
    return felt_runs({"registers": found(*REGISTERS)})


@pytest.fixture(scope="module")
def result(of):
    return scrubbing.analyse(of, options())


def test_losses_are_those_of_one_example_at_a_time(of, result):
    asked = options()
    data = scrubbing.sample(selection.select(of.data, selection.Examples(split="lengths")), asked)
    matched, anyone = (scrubbing.donors(data, asked, 2, kind) for kind in (True, False))
    donors = np.stack([matched, matched, anyone, matched])
    clean = [of.mask(data, each.clean)[0] for each in asked.hypotheses.values()]
    position = int((data["role"].values[0] == 5).argmax())
    weights = slow_reference.seed(of.weights("last"), 1)
    losses = np.stack(
        [
            slow_reference.scrubbed_losses(
                of, data, weights, example, position, donors[:, :, example], clean
            )
            for example in range(data.sizes["example"])
        ],
        -1,
    )
    for length in range(1, NODES):
        for layer in range(2):
            there = (data["path_length"].values == length) & (matched[layer] >= 0)
            cell = result.sel(seed=1, layer=layer, group=length)
            assert cell["donors"] == there.sum()
            assert cell["loss"].values == pytest.approx(losses[:, layer, there].mean(-1), rel=1e-4)


def test_recovered_loss_is_100_where_nothing_is_swapped_and_follows_from_the_losses(result):
    np.testing.assert_allclose(result["recovered"].sel(hypothesis="nothing"), 100, rtol=1e-4)
    floor = result["uniform_loss"]
    assert float(floor) == pytest.approx(np.log(3 + 2 * NODES))
    expected = 100 * (result["loss"] - floor) / (result["clean_loss"] - floor)
    np.testing.assert_allclose(result["recovered"], expected.transpose("seed", "hypothesis", ...))
    assert np.ptp(result["recovered"].sel(hypothesis="whole").values) > 1


def test_donors_are_others_with_the_same_state_and_give_once():
    state = np.array([3, 1, 3, 2, 1, 3, 1, -1, -1])
    found = partners(state, "test")
    alone = state == 2
    assert (found[alone] == -1).all()
    assert (state[found[~alone]] == state[~alone]).all()
    assert (found != np.arange(len(state))).all()
    assert sorted(found[~alone]) == np.flatnonzero(~alone).tolist()
    assert (partners(state, "test") == found).all()
    many = np.zeros(50, dtype=int)
    assert (partners(many, "test") != partners(many, "other")).any()


def test_examples_without_a_donor_are_left_out(of):
    every = scrubbing.analyse(
        of, options(match=[{"variable": "parent", "select": {"node": 0}}] * 2)
    )
    assert (every["donors"] <= 5).all()
    alone = of.data.sizes["example"]
    data = of.data.assign(number=("example", np.arange(alone)))
    there = felt_runs({"registers": found()})
    there.data = data
    none = scrubbing.analyse(there, options(match=[{"variable": "number"}] * 2))
    assert (none["donors"] == 0).all()
    assert none["recovered"].isnull().all()


def test_without_groups_all_examples_are_one(of):
    result = scrubbing.analyse(of, options(by=None, samples=12))
    assert result["group"].values.tolist() == ["all"]
    assert result["donors"].max() <= 12


def test_no_more_than_the_samples_of_each_group_are_looked_at(result):
    assert result["donors"].max() <= 5
    assert result["group"].values.tolist() == list(range(1, NODES))


def test_scrubbing_refuses_what_it_cannot_do(of):
    with pytest.raises(InterpflowError, match="match has 1 states; the model has 2 layers"):
        scrubbing.analyse(of, options(match=MATCH[:1]))
    with pytest.raises(InterpflowError, match="'path' is not one position of each example"):
        scrubbing.analyse(of, options(query="path"))
    with pytest.raises(InterpflowError, match=r"no findings of 'registers'; there are none"):
        scrubbing.analyse(felt_runs(), options())
