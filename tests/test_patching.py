"""Patching puts the values of one run into another, and says how far that goes."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference
from small import brackets, recipe, runs_of
from trees import felt_runs

from interpflow import selection
from interpflow.analyses import patching
from interpflow.errors import InterpflowError

PLACES = ["edge_source", "goal", "root", "scored", "real"]


def options(**changed) -> patching.Options:
    given = {
        "split": "leaves",
        "pair_by": ["edge_source", "edge_target"],
        "positions": PLACES,
        "pairs": 12,
    }
    return patching.Options(**{**given, **changed})


@pytest.fixture(scope="module")
def of():
    return felt_runs()


def test_pairs_have_the_same_edges_and_other_goals(of):
    data = selection.select(of.data, selection.Examples(split="leaves"))
    found = patching.pairs(data, options(pairs=1000))
    clean, corrupted = data.isel(example=found.clean), data.isel(example=found.corrupted)
    edges = 3 * (data.sizes["node"] - 1)
    assert (clean["tokens"][:, :edges].values == corrupted["tokens"][:, :edges].values).all()
    assert (clean["goal"].values != corrupted["goal"].values).all()
    assert len(found.position) > 15
    for i, position in enumerate(found.position):
        one, other = (part["targets"].values[i] for part in (clean, corrupted))
        path = slice(edges + 2, position)
        assert (one[path] == other[path]).all()
        assert (one[position], other[position]) == (
            found.clean_answer[i],
            found.corrupted_answer[i],
        )
        assert one[position] != other[position]


@pytest.mark.parametrize("site", ["blocks.{layer}.hook_resid_pre", "blocks.{layer}.attn.hook_z"])
def test_what_is_recovered_is_that_of_one_pair_at_a_time(of, site, monkeypatch):
    monkeypatch.setattr(patching, "_BATCH", 5)
    asked = options(site=site)
    result = patching.analyse(of, asked).sel(seed=1)
    data = selection.select(of.data, selection.Examples(split="leaves"))
    every = patching.pairs(data, asked)
    weights = slow_reference.seed(of.weights("last"), 1)
    assert result["pairs"] == 12
    for layer, place in [(0, "goal"), (1, "root"), (1, "scored"), (0, "edge_source")]:
        sums, flips = np.zeros(3), []
        for corrupted, clean, position, old, new in zip(*every, strict=True):
            one, other = (slow_reference.tokens(data, each) for each in (corrupted, clean))
            named = np.flatnonzero(selection.mask(data, [place])[0, corrupted])
            put = slow_reference.patched(
                of.model, weights, one, other, site.format(layer=layer), named
            )
            logits = [slow_reference.run(of.model, weights, given) for given in (one, other)]
            sums += [float(each[position, new] - each[position, old]) for each in (*logits, put)]
            flips.append(int(put[position].argmax()) == new)
        here = result.sel(layer=layer, place=place)
        expected = (sums[2] - sums[0]) / (sums[1] - sums[0])
        assert here["recovered"] == pytest.approx(expected, rel=1e-3, abs=1e-4)
        assert here["flipped"] == pytest.approx(np.mean(flips))
        assert result["corrupted_difference"] == pytest.approx(sums[0] / 12, rel=1e-4)
        assert result["clean_difference"] == pytest.approx(sums[1] / 12, rel=1e-4)


def test_all_positions_recover_all_and_the_goal_is_all_that_differs_at_first(of):
    result = patching.analyse(of, options(pairs=1000))
    np.testing.assert_allclose(result["recovered"].sel(place="real"), 1, atol=1e-4)
    np.testing.assert_allclose(result["recovered"].sel(place="goal", layer=0), 1, atol=1e-4)
    np.testing.assert_allclose(result["recovered"].sel(place="edge_source"), 0, atol=1e-3)


def test_patching_refuses_what_it_cannot_pair(of):
    for changed, message in (
        ({"pair_by": ["edge_sorce"]}, "pair_by: no 'edge_sorce'.* mean 'edge_source'"),
        ({"pair_by": ["tokens"]}, "no two examples have the same"),
        ({"positions": ["gaol"]}, "no position is called 'gaol'.* mean 'goal'"),
        ({"site": "blocks.{layer}.hook_resid"}, "no site"),
    ):
        with pytest.raises(InterpflowError, match=message):
            patching.analyse(of, options(**changed))
    labels = runs_of(brackets(), recipe(steps=1))
    with pytest.raises(InterpflowError, match="no single answer"):
        patching.analyse(labels, options(split="validation", pair_by=["length"]))
