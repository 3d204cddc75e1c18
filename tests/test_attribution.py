"""Contributions of keys add up to the logits, and are counted by the relations asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from pydantic import ValidationError
from trees import random_runs, trees

from interpflow.analyses import attribution
from interpflow.errors import InterpflowError
from interpflow.methods.contributions import contributions
from interpflow.model.sites import Sites
from interpflow.tasks._tree_states import ROLES
from interpflow.variables import describe

EDGES = ["edge_target", "edge_end"]
RELATIONS: dict[str, dict[str, Any]] = {
    "child": {
        "keys": EDGES,
        "match": {"query": {"variable": "at_node"}, "key": {"variable": "edge_source"}},
        "own": {"variable": "edge_target"},
    },
    "leaf": {
        "keys": ["edge_target"],
        "own": {"variable": "edge_target"},
        "only": ["leaf"],
        "unless": ["goal"],
    },
    "goal": {"keys": ["goal"], "own": {"variable": "goal"}},
    "children": {"only": ["children"]},
}
ASKED = {"queries": ["root", "path"], "output": ">{}", "relations": RELATIONS}


def analyse(runs, **options: Any) -> xr.Dataset:
    found = attribution.analyse(runs, attribution.Options(**{**ASKED, **options}))
    return describe(found, attribution.VARIABLES, "attribution")


@pytest.fixture(scope="module")
def runs():
    return random_runs(trees(), layers=3)


@pytest.mark.parametrize("norm", ["pre", "none"])
def test_all_keys_of_all_layers_and_what_is_not_attention_make_up_the_logits(norm):
    runs = random_runs(trees(), norm=norm)
    weights, model = runs.weights("last"), runs.model
    tokens = runs.examples("validation").take(np.arange(5)).tokens
    row, at = (part.ravel() for part in np.mgrid[:5, 3 : tokens.shape[1]])
    outputs = range(model.d_output)
    found = contributions(model, weights, tokens, range(2), (row, at), outputs)

    other = ["hook_embed", "hook_pos_embed", "blocks.0.hook_mlp_out", "blocks.1.hook_mlp_out"]
    sites = Sites(read=[*other, "blocks.1.hook_resid_post"])
    with torch.no_grad():
        logits = model(weights, tokens, sites)
        rest = sum(sites.values[name] for name in other)
        rest = rest + sum(weights[f"blocks.{layer}.b_O"] for layer in range(2))[:, None, None]
        if norm == "pre":
            stream = sites.values["blocks.1.hook_resid_post"]
            scale = (stream.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
            rest = (rest - rest.mean(-1, keepdim=True)) / scale
            rest = (
                rest * weights["ln_final_w"][:, None, None] + weights["ln_final_b"][:, None, None]
            )
        rest = rest @ weights["W_U"][:, None] + weights["b_U"][:, None, None]
    expected = (logits - logits.mean(-1, keepdim=True))[:, row, at]
    without = (rest - rest.mean(-1, keepdim=True))[:, row, at]
    np.testing.assert_allclose(found.sum((1, 2, 4)) + without, expected, atol=2e-4)


def slowly(runs, seed: int, layer: int, head: int) -> dict[str, list[tuple[float, float]]]:
    """For every relation what each query that has it adds to its outputs and to others, one by one."""
    data = runs.data.isel(example=runs.data["split"].values == "validation")
    words = data["output"].values.tolist()
    nodes = data.sizes["node"]
    outputs = [words.index(f">{node}") for node in range(nodes)]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in RELATIONS}
    for number in range(data.sizes["example"]):
        one = data.isel(example=number)
        tokens = torch.from_numpy(one["tokens"].values.astype(np.int64))[None]
        role = [ROLES[index] for index in one["role"].values]
        targets, sources = one["edge_target"].values, one["edge_source"].values
        goal, leaves = int(one["goal"]), np.flatnonzero(one["leaf"].values)
        for at in (at for at, name in enumerate(role) if name in ("root", "path")):
            added = contributions(runs.model, runs.weights("last"), tokens, [layer],
                                  (np.array([0]), np.array([at])), outputs)[seed, 0, head, 0]  # fmt: skip
            children = set(np.flatnonzero(one["children"].values[at]))
            named: dict[str, dict[int, set[int]]] = {
                "child": {
                    key: {int(targets[key])}
                    for key in range(at + 1)
                    if role[key] in EDGES and sources[key] == one["at_node"].values[at]
                },
                "leaf": {
                    key: {int(targets[key])}
                    for key in range(at + 1)
                    if role[key] == "edge_target"
                    and targets[key] in leaves
                    and targets[key] != goal
                },
                "goal": {role.index("goal"): {goal}},
                "children": dict.fromkeys(range(at + 1), children) if children else {},
            }
            for name, keys in named.items():
                if not keys:
                    continue
                every = set().union(*keys.values())
                own, others = [], []
                for node in every:
                    those = [key for key, nodes_of in keys.items() if node in nodes_of]
                    own.append(sum(float(added[key, node]) for key in those))
                    others.append(
                        sum(
                            np.mean(
                                [float(added[key, n]) for n in range(nodes) if n not in keys[key]]
                            )
                            for key in those
                        )
                    )
                found[name].append((float(np.mean(own)), float(np.mean(others))))
    return found


def test_relations_are_those_of_every_query_alone(runs):
    found = analyse(runs)
    assert found["layer"].values.tolist() == [1, 2]
    for name, queries in slowly(runs, seed=1, layer=2, head=1).items():
        own, others = np.array(queries).T
        here = found.sel(seed=1, layer=2, head=1, relation=name)
        assert here["positions"] == len(own)
        assert here["contribution"] == pytest.approx(own.mean(), abs=1e-5)
        assert here["deviation"] == pytest.approx(own.std(ddof=1), rel=1e-3)
        assert here["others"] == pytest.approx(others.mean(), abs=1e-5)
        assert here["above_others"] == pytest.approx((own > others).mean(), abs=0.02)


def test_a_head_that_copies_raises_what_a_key_is_and_lowers_it_with_the_sign_turned():
    data = trees()
    size = data.sizes["token"]
    runs = random_runs(data, seeds=(0, 1), layers=1, heads=1, d_model=size, d_head=size,
                       d_mlp=0, norm="none", positions="none", biases=False)  # fmt: skip
    for name in ("W_E", "W_U", "W_V", "W_O"):
        runs.labelled[name][:] = np.eye(size)
    runs.labelled["W_O"][:, 1] *= -1
    runs.labelled["W_Q"][:] = 0.0
    found = analyse(runs, relations={"leaf": RELATIONS["leaf"]}).squeeze()
    raised, lowered = found["contribution"].values
    assert raised == pytest.approx(-lowered) and raised > 0
    assert found["above_others"].values.tolist() == [1, 0]
    assert found["others"].values[0] < 0  # the mean over outputs is zero


def test_a_relation_that_no_query_has_has_no_number(runs):
    found = analyse(runs, relations={"none": {"keys": ["padding"], "only": ["leaf"]}})
    assert found["positions"].values.tolist() == [[0], [0]]
    assert found["contribution"].isnull().all()


def test_more_last_layers_than_there_are_are_all_of_them(runs):
    assert analyse(runs, last=9)["layer"].values.tolist() == [0, 1, 2]


def test_what_is_not_there_is_an_error(runs):
    with pytest.raises(InterpflowError, match=r"no variable 'leafs' .* did you mean 'leaf'"):
        analyse(runs, relations={"a": {"only": ["leafs"]}})
    with pytest.raises(InterpflowError, match="ancestor has dims"):
        analyse(runs, relations={"a": {"only": ["ancestor"]}})
    with pytest.raises(InterpflowError, match="no output '~0'"):
        analyse(runs, output="~{}")
    with pytest.raises(InterpflowError, match="norm pre or none"):
        analyse(random_runs(trees(), norm="post"))
    with pytest.raises(ValidationError, match="neither own nor only"):
        analyse(runs, relations={"a": {"keys": ["goal"]}})
