"""Chains of attention climb where the next key is the one that what is held leads to."""

from __future__ import annotations

import numpy as np
import pytest
from trees import felt_runs, found

from interpflow.analyses import attention_chains
from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.selection import Examples

STATES = {"holds": {"variable": "edge_source"}, "key": {"variable": "edge_target"}}


def slowly(attended, holds, key, position, first):
    """Length of one chain and whether it is valid; None where there is none."""
    layer = first
    while layer < len(attended) - 1 and holds[attended[layer]] < 0:
        layer += 1
    length = None
    while layer < len(attended) - 1:
        wanted = holds[attended[layer]]
        if wanted < 0 or wanted not in key[: position + 1]:
            break
        if key[attended[layer + 1]] != wanted:
            return length or 0, False
        length = (length or 0) + 1
        layer += 1
    return None if length is None else (length, True)


def test_chains_are_those_followed_one_by_one():
    random = generator("test chains")
    layers, seeds, examples, positions = 5, 2, 40, 9
    attended = random.integers(positions, size=(layers, seeds, examples, positions))
    attended = np.minimum(attended, np.arange(positions))
    holds, key = random.integers(-1, 3, size=(2, examples, positions))
    chains = attention_chains._chains(attended, holds, key, 1)
    lengths = set()
    for seed, example, position in np.ndindex(seeds, examples, positions):
        at = (seed, example, position)
        one = slowly(attended[(slice(None), *at)], holds[example], key[example], position, 1)
        assert chains["chain"][at] == (one is not None)
        if one is not None:
            assert (chains["length"][at], chains["valid"][at]) == one
            lengths.add(one)
    assert {(0, False), (1, False), (1, True), (2, True), (3, True)} <= lengths


# The edges 0>1, 1>2, 2>3 at three positions, then one position without.
HOLDS, KEY = np.array([[0, 1, 2, -1]]), np.array([[1, 2, 3, -1]])


@pytest.mark.parametrize(
    ("attended", "chain", "valid", "length"),
    [
        ([3, 2, 1, 0], True, True, 2),  # up to the root
        ([3, 3, 2, 1], True, True, 1),  # begins late, ends with the layers
        ([3, 1, 0, 3], True, True, 1),  # what comes after the root is no matter
        ([3, 2, 1, 3], True, False, 1),  # looks away
        ([3, 2, 0, 0], True, False, 0),  # jumps over an edge
        ([2, 0, 0, 0], False, False, 0),  # begins at the root: nothing to climb to
        ([2, 3, 3, 3], False, False, 0),  # holds nothing
    ],
)
def test_a_chain_is_valid_if_it_climbs_to_its_end(attended, chain, valid, length):
    every = np.broadcast_to(np.array(attended)[:, None, None, None], (4, 1, 1, 4))
    chains = attention_chains._chains(every, HOLDS, KEY, 1)
    found = tuple(chains[name][0, 0, 3] for name in ("chain", "valid", "length"))
    assert found == (chain, valid, length)
    links = chains["links"][:, 0, 0, 3]
    assert (links >= 0).sum() == (length + 1 if chain else 0)
    assert np.isin(links, [-1, *HOLDS[0, attended]]).all()


def test_what_stands_later_cannot_be_climbed_to():
    every = np.zeros((3, 1, 1, 3), dtype=int)
    holds, key = np.array([[5, 4, 3]]), np.array([[6, 5, 4]])
    chains = attention_chains._chains(every, holds, key, 0)
    assert chains["chain"][0, 0].tolist() == [False, True, True]
    assert chains["chance"][0, 0, 0].tolist() == [0, 0.5, pytest.approx(1 / 3)]


@pytest.fixture(scope="module")
def result():
    of = felt_runs({"registers": found(5, 8)}, layers=4)
    options = {"split": "lengths", "positions": ["registers.is_register", "root"], **STATES}
    return of, attention_chains.analyse(of, attention_chains.Options(**options))


def test_chains_are_followed_from_the_positions_named_in_every_batch(result):
    of, chains = result
    root = int((of.data["role"].values[0] == 5).argmax())
    there = np.flatnonzero(chains["chains"].notnull().all("seed"))
    assert there.tolist() == [5, 8, root]
    assert chains["chains"][:, there].max() > 0
    assert chains["layer"].values.tolist() == [2, 3]
    valid = chains["valid"].values[chains["valid"].notnull().values]
    assert ((valid >= 0) & (valid <= 1)).all()
    every = (chains["valid"] * chains["chains"]).sum("position") / chains["chains"].sum("position")
    np.testing.assert_allclose(chains["overall_valid"], every)


def test_findings_are_means_over_all_examples(result):
    of, chains = result
    data, examples = of.select(Examples(split="lengths"))
    every = examples.take(np.arange(len(examples)))
    attended = attention_chains._attended(of.model, of.weights("last"), every.tokens)
    holds, key = (
        data[f"edge_{end}"].values[:, : attended.shape[-1]] for end in ("source", "target")
    )
    each = attention_chains._chains(attended, holds.astype(int), key.astype(int), 1)
    for position in (5, 8):
        here = chains.isel(position=position)
        chain = each["chain"][..., position]
        assert here["chains"].values == pytest.approx(chain.mean(1))
        length = each["length"][..., position].sum(1) / chain.sum(1)
        assert here["length"].values == pytest.approx(length, nan_ok=True)
        steps, climbs = (each[name][..., position].sum(-1) for name in ("steps", "climbs"))
        assert steps.all()
        assert pytest.approx(climbs / steps, nan_ok=True) == here["moves"].values.T


def test_chains_can_end_before_the_last_layer(result):
    of, every = result
    options = {"split": "lengths", "positions": ["root"], "to_layer": -2, **STATES}
    shorter = attention_chains.analyse(of, attention_chains.Options(**options))
    assert shorter["layer"].values.tolist() == [2]
    root = shorter["moves"].notnull().any(["seed", "layer"])
    np.testing.assert_array_equal(
        shorter["moves"].sel(layer=2, position=root), every["moves"].sel(layer=2, position=root)
    )
    assert (shorter["length"].sel(position=root) <= 1).all()


def test_a_model_without_a_step_is_an_error(result):
    of, _ = result
    options = {"positions": ["root"], "from_layer": 3, "split": "lengths", **STATES}
    with pytest.raises(InterpflowError, match="to_layer -1: no step lies between in 4 layers"):
        attention_chains.analyse(of, attention_chains.Options(**options))
