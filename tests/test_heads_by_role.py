"""Roles go to the heads that do them best together, and bring along what is known of these heads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import heads_by_role
from interpflow.errors import InterpflowError
from interpflow.methods.assignment import assign


@pytest.mark.parametrize(("roles", "heads"), [(1, 4), (3, 3), (3, 6), (4, 5)])
def test_the_choice_of_heads_is_the_best_of_all(roles, heads):
    random = np.random.default_rng(roles * heads)
    for _ in range(20):
        scores = random.normal(size=(roles, heads))
        chosen = assign(scores)
        assert len({*chosen.tolist()}) == roles
        best = max(
            scores[np.arange(roles), list(each)].sum()
            for each in itertools.permutations(range(heads), roles)
        )
        assert scores[np.arange(roles), chosen].sum() == pytest.approx(best)


def findings() -> dict[str, xr.Dataset]:
    """Two seeds of two layers with two heads: attention over two steps, and effects without steps."""
    random = np.random.default_rng(0)
    dims, coords = ("seed", "step", "layer", "head", "pair"), {"pair": ["own", "below"]}
    heads = {"seed": [3, 5], "layer": [0, 1], "head": [0, 1]}
    attention = random.random((2, 3, 2, 2, 2))
    attention[0, -1, :, :, 0] = [[0.1, 0.2], [0.9, 0.3]]
    attention[0, -1, :, :, 1] = [[0.2, 0.1], [0.8, 0.5]]
    attention[1, -1, :, :, 0] = [[0.1, 0.7], [0.2, 0.3]]
    attention[1, -1, :, :, 1] = [[0.6, 0.1], [0.2, 0.3]]
    return {
        "attention": xr.Dataset(
            {"attention": (dims, attention)}, {**heads, **coords, "step": [0, 10, 20]}
        ),
        "effects": xr.Dataset(
            {"loss": (("seed", "ablation", "layer", "head"), random.random((2, 1, 2, 2)))},
            {**heads, "ablation": ["mean"]},
        ),
    }


def place(data: str, variable: str, **select: str) -> dict[str, object]:
    return {"data": data, "variable": variable, "select": select}


ROLES = {pair: place("attention", "attention", pair=pair) for pair in ("own", "below")}


def test_quantities_and_curves_are_those_of_the_head_of_each_role():
    given = findings()
    options = heads_by_role.Options(
        roles=ROLES,
        quantities={"loss": place("effects", "loss", ablation="mean")},
        curves={"to own": ROLES["own"]},
    )
    found = heads_by_role.analyse(given, options)
    heads = {(3, "own"): (1, 0), (3, "below"): (1, 1), (5, "own"): (0, 1), (5, "below"): (0, 0)}
    for (seed, role), (layer, head) in heads.items():
        here = found.sel(seed=seed, role=role)
        assert (here["role_layer"].item(), here["role_head"].item()) == (layer, head)
        at = {"seed": seed, "layer": layer, "head": head}
        attention = given["attention"]["attention"].sel(at)
        assert here["score"].item() == attention.sel(pair=role).isel(step=-1).item()
        every = (
            given["attention"]["attention"].sel(seed=seed, pair=role).isel(step=-1).values.copy()
        )
        every[layer, head] = -1
        assert here["other_score"].item() == every.max()
        value = here["quantity_value"].sel(quantity="loss").item()
        assert value == given["effects"]["loss"].sel(at).item()
        curve = here["curve_value"].sel(curve="to own").values
        assert (curve == attention.sel(pair="own").values).all()
    assert found["lowest_score"].values.tolist() == [0.5, 0.6]


def test_a_seed_without_scores_has_no_heads():
    given = findings()
    given["attention"]["attention"][0] = np.nan
    options = heads_by_role.Options(
        roles=ROLES, quantities={"loss": place("effects", "loss", ablation="mean")}
    )
    found = heads_by_role.analyse(given, options)
    assert all(found[name].isel(seed=0).isnull().all() for name in found)
    assert found["quantity_value"].isel(seed=1).notnull().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": {f"r{at}": ROLES["own"] for at in range(5)}}, "5 roles take as many heads"),
        ({"roles": {"a": place("atention", "attention")}}, "roles.a.data: no analysis 'atention'"),
        ({"roles": {"a": place("attention", "loss")}}, "no 'loss' in attention; it has attention"),
        ({"roles": {"a": place("attention", "attention")}}, "one value of every dim but seed, layer, head"),
        ({"roles": ROLES, "curves": {"c": place("effects", "loss", ablation="mean")}}, "curves.c: loss runs"),
        ({"roles": {"a": place("attention", "attention", pair="abov")}}, "roles.a.select: attention has no"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(options, message):
    with pytest.raises(InterpflowError, match=message):
        heads_by_role.analyse(findings(), heads_by_role.Options(**options))
