"""Attention to equal states is counted where such a key stands, for the queries and keys asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from small import recipe, runs_of
from trees import random_runs, trees

from interpflow.analyses import attention_to_state
from interpflow.errors import InterpflowError
from interpflow.model.sites import Sites
from interpflow.tasks import list_sorting
from interpflow.tasks._tree_states import ROLES
from interpflow.variables import describe


def pair(query: str, key: str, **select: int) -> dict[str, Any]:
    return {"query": {"variable": query, "select": select}, "key": {"variable": key}}


PAIRS = {
    "up 1": pair("ancestor", "edge_target", distance=1),
    "child": pair("at_node", "edge_source"),
    "goal": pair("goal", "goal"),
}
ASKED = {"queries": ["root", "path"], "keys": ["edge_target", "edge_end"], "pairs": PAIRS}


def analyse(runs, **options: Any) -> xr.Dataset:
    found = attention_to_state.analyse(runs, attention_to_state.Options(**{**ASKED, **options}))
    return describe(found, attention_to_state.VARIABLES, "attention_to_state")


@pytest.fixture(scope="module")
def runs():
    return random_runs(trees(), seeds=(0, 1), steps=(0, 10))


def slowly(runs, step: int, seed: int, layer: int, head: int) -> dict[str, list[list[Any]]]:
    """For each pair the attention, hit and length of path of every query, one example at a time."""
    data = runs.data.isel(example=runs.data["split"].values == "validation")
    weights = runs.weights_at(step)
    site = f"blocks.{layer}.attn.hook_pattern"
    found: dict[str, list[list[Any]]] = {name: [] for name in PAIRS}
    for number in range(data.sizes["example"]):
        one = data.isel(example=number)
        sites = Sites(read=[site])
        runs.model(weights, torch.from_numpy(one["tokens"].values.astype(np.int64))[None], sites)
        pattern = sites.values[site][seed, 0, head].detach().numpy()
        role = [ROLES[index] for index in one["role"].values]
        for at in range(len(role)):
            if role[at] not in ("root", "path"):
                continue
            wanted = {
                "up 1": int(one["ancestor"][1]),
                "child": int(one["at_node"][at]),
                "goal": int(one["goal"]),
            }
            offered = {"up 1": "edge_target", "child": "edge_source", "goal": None}
            for name, state in wanted.items():
                keys = [
                    key
                    for key in range(at + 1)
                    if role[key] in ("edge_target", "edge_end")
                    and state >= 0
                    and (offered[name] is None or int(one[offered[name]][key]) == state)
                ]
                if keys:
                    mass = sum(pattern[at, key] for key in keys)
                    found[name].append(
                        [mass, pattern[at].argmax() in keys, int(one["path_length"])]
                    )
    return found


def test_attention_is_that_of_every_query_alone(runs):
    found = analyse(runs, by="path_length", steps="all")
    for step, seed, layer, head in ((0, 1, 0, 1), (10, 0, 1, 0)):
        expected = slowly(runs, step, seed, layer, head)
        here = found.sel(step=step, seed=seed, layer=layer, head=head)
        for name, queries in expected.items():
            mass, hits, lengths = (np.array(column) for column in zip(*queries, strict=True))
            of_pair = here.sel(pair=name)
            assert of_pair["positions"] == len(queries)
            assert of_pair["attention"] == pytest.approx(mass.mean(), rel=1e-5)
            assert of_pair["top"] == pytest.approx(hits.mean())
            for length in np.unique(lengths):
                group = of_pair.sel(group=length)
                assert group["group_positions"] == (lengths == length).sum()
                expected_mean = mass[lengths == length].mean()
                assert group["group_attention"] == pytest.approx(expected_mean, rel=1e-5)
                assert group["group_top"] == pytest.approx(hits[lengths == length].mean())


def test_the_best_head_is_the_one_with_the_most_attention(runs):
    found = analyse(runs, by="path_length")
    for group in ("", "group_"):
        heads = found[f"{group}attention"].stack(place=("layer", "head"))
        assert np.allclose(found[f"{group}best_attention"], heads.max("place"), equal_nan=True)
        best = found[f"{group}attention"].fillna(-1).max("head").idxmax("layer")
        there = found[f"{group}best_attention"].notnull()
        assert (found[f"{group}best_layer"] == best).where(there, True).all()
        assert there.any()


def test_heads_that_ask_nothing_attend_to_everything_alike():
    runs = random_runs(trees(), seeds=(0,))
    runs.labelled[["W_Q", "b_Q"]] = runs.labelled[["W_Q", "b_Q"]] * 0
    found = analyse(runs, queries=["root"], pairs={"goal": PAIRS["goal"]})
    edges = runs.data.sizes["node"] - 1
    assert np.allclose(found["attention"], 2 * edges / (3 * edges + 3))


def test_a_head_of_one_hot_words_finds_its_own_word_again():
    data = trees()
    size = data.sizes["token"]
    runs = random_runs(data, seeds=(0,), layers=1, heads=1, d_model=size, d_head=size,
                       d_mlp=0, norm="none", positions="none", biases=False)  # fmt: skip
    large = xr.zeros_like(runs.labelled["W_Q"]) + 10 * np.eye(size)
    runs.labelled["W_E"][:] = np.eye(size)
    runs.labelled["W_Q"][:], runs.labelled["W_K"][:] = large, large
    # A node of the path is the same word as the target of the edge that leads to it.
    found = analyse(
        runs, queries=["path"], keys=["edge_target"], pairs={"here": pair("at_node", "edge_target")}
    )
    assert found["attention"].item() == pytest.approx(0.5, abs=1e-4)  # the rest is on itself
    elsewhere = analyse(
        runs, queries=["path"], pairs={"child": PAIRS["child"]}, keys=["edge_target"]
    )
    assert elsewhere["attention"].item() < 1e-4


def test_each_seed_has_the_positions_that_were_found_for_it(runs):
    places = np.zeros((2, runs.data.sizes["position"]), dtype=bool)
    places[0, 3], places[1, [3, 6, 9]] = True, True
    runs.findings["registers"] = xr.Dataset(
        {"found": (("seed", "position"), places)}, {"seed": [0, 1]}
    )
    pairs = {"itself": pair("edge_source", "edge_source")}
    found = analyse(runs, queries=["registers.found"], keys=["registers.found"], pairs=pairs)
    examples = int((runs.data["split"] == "validation").sum())
    assert found["positions"].values.ravel().tolist() == [examples, 3 * examples]
    alone = random_runs(trees(), seeds=(1,), steps=(10,))
    alone.findings["registers"] = runs.findings["registers"]
    one = analyse(alone, queries=["registers.found"], keys=["registers.found"], pairs=pairs)
    xr.testing.assert_allclose(one["attention"], found["attention"].sel(seed=[1]), rtol=1e-5)


def test_a_pair_without_keys_has_no_number_and_none_at_all_is_an_error(runs):
    never = pair("goal", "parent_of_none")
    runs.data["parent_of_none"] = xr.full_like(runs.data["at_node"], -1)
    found = analyse(runs, pairs={**PAIRS, "never": never})
    assert found["attention"].sel(pair="never").isnull().all()
    assert found["best_layer"].sel(pair="never").isnull().all()
    assert found["attention"].sel(pair="goal").notnull().all()
    with pytest.raises(InterpflowError, match="no query at root, path has a key of its state"):
        analyse(runs, pairs={"never": never})


def test_queries_can_be_told_apart_by_where_they_stand(runs):
    found = analyse(runs, by="to_goal", where={"path_length": [3]})
    assert found["group"].values.tolist() == [0, 1, 2, 3]
    assert found["group"].attrs["by"] == "to_goal"
    whole = (found["group_attention"] * found["group_positions"]).sum("group")
    np.testing.assert_allclose(
        whole / found["positions"], found["attention"].transpose(*whole.dims)
    )


def test_a_look_at_the_answer_is_a_look_from_the_target_to_the_token_of_the_same_number():
    options = list_sorting.Options(length=4, vocabulary=8, train_size=16, validation_size=20)
    model = {"norm": "pre", "positions": "learned", "heads": 2, "layers": 2}
    of = recipe(model=model, optimizer="adam", loss="cross_entropy", steps=30)
    runs = runs_of(list_sorting.generate(options), of)
    pairs = {"answer": pair("targets", "tokens")}
    found = attention_to_state.analyse(runs, attention_to_state.Options(pairs=pairs)).squeeze()

    data = runs.data.isel(example=runs.data["split"].values == "validation")
    weights = runs.weights("last")
    mass, top = [], []
    for tokens, targets in zip(data["tokens"].values, data["targets"].values, strict=True):
        sites = Sites(read=["blocks.1.attn.hook_pattern"])
        runs.model(weights, torch.from_numpy(tokens.astype(np.int64))[None], sites)
        pattern = sites.values["blocks.1.attn.hook_pattern"][1, 0, 0].detach().numpy()
        for position in range(4, 8):
            there = (tokens == targets[position]) & (np.arange(8) <= position)
            mass.append(pattern[position][there].sum())
            top.append(there[pattern[position].argmax()])
    here = found.sel(seed=1).isel(layer=1, head=0)
    assert here["attention"] == pytest.approx(np.mean(mass), rel=1e-5)
    assert here["top"] == pytest.approx(np.mean(top))
    assert (found["any_top"] >= found["top"].max(("layer", "head"))).all()


def test_any_head_counts_a_query_once(runs):
    data = runs.data.isel(example=runs.data["split"].values == "validation")
    found = analyse(runs, pairs={"up 1": PAIRS["up 1"]}, queries=["root"]).sel(pair="up 1", seed=1)
    hit = []
    for number in range(data.sizes["example"]):
        one = data.isel(example=number)
        sites = Sites(read=[f"blocks.{layer}.attn.hook_pattern" for layer in (0, 1)])
        tokens = torch.from_numpy(one["tokens"].values.astype(np.int64))[None]
        with torch.no_grad():
            runs.model(runs.weights("last"), tokens, sites)
        role = np.array([ROLES[index] for index in one["role"].values])
        at = int(np.flatnonzero(role == "root")[0])
        offered = np.isin(role, ["edge_target", "edge_end"])
        wanted = offered & (one["edge_target"].values == int(one["ancestor"][1]))
        wanted &= (np.arange(len(role)) <= at) & (int(one["ancestor"][1]) >= 0)
        if wanted.any():
            top = [sites.values[site][1, 0, :, at].argmax(-1).tolist() for site in sites.values]
            hit.append(any(wanted[key] for keys in top for key in keys))
    assert found["any_top"].item() == pytest.approx(np.mean(hit))
