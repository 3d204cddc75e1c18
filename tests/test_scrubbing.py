"""Scrubbing swaps what it says between examples that have in common what it says."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference
import xarray as xr
from pydantic import ValidationError
from trees import NODES, felt_runs, found

from interpflow import selection
from interpflow.analyses import scrubbing
from interpflow.errors import InterpflowError

MATCH = [{"variable": "below_root", "select": {"distance": distance}} for distance in (0, 1)]
REGISTERS = (3, 8, 11)


def options(**changed) -> scrubbing.Options:
    given = {
        "split": "lengths",
        "donors": "plain",
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


def both(of, asked) -> tuple[xr.Dataset, xr.Dataset]:
    """The examples that are scrubbed, and those that may be put in."""
    data, pool = (selection.select(of.data, selection.Examples(split=split))
                  for split in (asked.split, asked.donors))  # fmt: skip
    return scrubbing.sample(data, asked), pool


def test_losses_are_those_of_the_own_answer_of_one_example_at_a_time(of, result):
    asked = options()
    data, pool = both(of, asked)
    matched, anyone = (scrubbing.donors(data, pool, asked, 2, kind) for kind in (True, False))
    donors = np.stack([matched, matched, anyone, matched])
    clean = [[of.mask(each, one.clean)[0] for each in (data, pool)]
             for one in asked.hypotheses.values()]  # fmt: skip
    position = int((data["role"].values[0] == 5).argmax())
    weights = slow_reference.seed(of.weights("last"), 1)
    each = [
        slow_reference.scrubbed_losses(
            of, data, pool, weights, example, position, donors[:, :, example], clean
        )
        for example in range(data.sizes["example"])
    ]
    intact, losses = np.array([one for one, _ in each]), np.stack([rest for _, rest in each], -1)
    floor = np.log(3 + 2 * NODES)
    recovered = 100 * (losses - floor) / (intact - floor)
    for length in range(1, NODES - 1):
        for layer in range(2):
            there = (data["path_length"].values == length) & (matched[layer] >= 0)
            cell = result.sel(seed=1, layer=layer, group=length)
            assert cell["donors"] == there.sum()
            assert cell["clean_loss"].values == pytest.approx(intact[there].mean(), rel=1e-4)
            assert cell["loss"].values == pytest.approx(losses[:, layer, there].mean(-1), rel=1e-4)
            mean = recovered[:, layer, there].mean(-1)
            assert cell["recovered"].values == pytest.approx(mean, rel=1e-3)


def test_recovered_loss_is_100_where_nothing_is_swapped(result):
    np.testing.assert_allclose(result["recovered"].sel(hypothesis="nothing"), 100, rtol=1e-4)
    assert float(result["uniform_loss"]) == pytest.approx(np.log(3 + 2 * NODES))
    assert np.ptp(result["recovered"].sel(hypothesis="whole").values) > 1


def test_a_donor_has_the_node_so_many_edges_above_its_goal_and_short_paths_ask_for_the_roots_child(
    of,
):
    asked = options(split="lengths")
    data, pool = both(of, asked)
    donors = scrubbing.donors(data, pool, asked, 2, True)
    ancestor, above = data["ancestor"].values, pool["ancestor"].values
    length, of_donors = data["path_length"].values, pool["path_length"].values
    for layer in range(2):
        there = donors[layer] >= 0
        assert there.mean() > 0.9
        height = np.minimum(layer, length - 1)
        node = np.take_along_axis(ancestor, height[:, None], 1)[:, 0]
        assert (above[donors[layer], layer] == node)[there].all()
        # The node is below the root of the donor, too.
        assert (of_donors[donors[layer]] > layer)[there].all()


def test_examples_without_a_donor_are_left_out(of):
    number = ("example", np.arange(of.data.sizes["example"]))
    there = felt_runs({"registers": found()})
    there.data = of.data.assign(number=number)
    none = scrubbing.analyse(there, options(match=[{"variable": "number"}] * 2))
    assert (none["donors"] == 0).all()
    assert none["recovered"].isnull().all()


def test_without_groups_all_examples_are_one(of):
    result = scrubbing.analyse(of, options(by=None, samples=12))
    assert result["group"].values.tolist() == ["all"]
    assert result["donors"].max() <= 12


def test_no_more_than_the_samples_of_each_group_are_looked_at(result):
    assert result["donors"].max() <= 5
    assert result["group"].values.tolist() == list(range(1, NODES - 1))


def test_scrubbing_refuses_what_it_cannot_do(of):
    with pytest.raises(ValidationError, match="donors: lengths is the split that is scrubbed"):
        options(donors="lengths")
    with pytest.raises(InterpflowError, match="match has 1 states; the model has 2 layers"):
        scrubbing.analyse(of, options(match=MATCH[:1]))
    with pytest.raises(InterpflowError, match="'path' is not one position of each example"):
        scrubbing.analyse(of, options(query="path"))
    with pytest.raises(InterpflowError, match=r"no findings of 'registers'; there are none"):
        scrubbing.analyse(felt_runs(), options())
