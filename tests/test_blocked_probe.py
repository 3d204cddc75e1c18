"""A blocked probe reads the hidden states of a model that cannot look where it is blocked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from trees import trained_runs

from interpflow.analyses import blocked_probe, probe
from interpflow.errors import InterpflowError
from interpflow.methods import readings
from interpflow.model.sites import Sites
from interpflow.runs import Runs

PLACE = {"site": "blocks.1.hook_resid_post", "positions": ["root", "path"]}
OPTIONS = {
    "split": "train", "reads": {"path": PLACE}, "targets": {"goal": {"variable": "goal"}},
    "epochs": 6, "batch_size": 64, "learning_rate": 0.02,
}  # fmt: skip


def with_findings() -> Runs:
    """Runs that know of positions, others in each seed."""
    runs, where = trained_runs(), np.zeros((2, 20), dtype=bool)
    where[0, [13, 14]] = where[1, 5] = True
    found = xr.Dataset({"here": (("seed", "position"), where)}, {"seed": [0, 1]})
    return Runs(runs.data, runs.labelled, runs.history, runs.model, runs.loss, runs.device,
                findings={"places": found})  # fmt: skip


def blocked(queries: list[str], keys: list[str], **options: Any) -> blocked_probe.Options:
    block = {"queries": queries, "keys": keys}
    return blocked_probe.Options(**{**OPTIONS, "block": block, **options})


def test_the_goal_cannot_be_read_where_nobody_could_look_at_it() -> None:
    runs = with_findings()
    colon = {"colon": {**PLACE, "positions": ["colon"]}}
    free = probe.analyse(runs, probe.Options(**{**OPTIONS, "reads": colon})).squeeze()
    options = blocked(["colon"], ["goal"], reads=colon)
    cut = blocked_probe.analyse(runs, options).squeeze()
    # So little training teaches not every seed to look at the goal.
    assert (free["accuracy"] - cut["accuracy"]).max() > 0.2
    assert free["majority_accuracy"].equals(cut["majority_accuracy"])


def test_hidden_states_are_those_of_one_example_with_its_attention_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs, seen = with_findings(), []
    draw, predict = probe._draw, readings.predict

    def drawing(*given):
        seen.append(draw(*given))
        return seen[-1]

    def predicting(place, features, *rest):
        seen.append(features)
        return predict(place, features, *rest)

    monkeypatch.setattr(probe, "_draw", drawing)
    monkeypatch.setattr(readings, "predict", predicting)
    blocked_probe.analyse(runs, blocked(["root", "path"], ["places.here"]))
    (examples_at, positions), features = seen
    keys = runs.findings["places"]["here"].values
    examples, weights = runs.examples("train"), runs.weights("last")
    for index in range(0, len(examples_at), 97):
        tokens = examples.take(examples_at[index : index + 1]).tokens
        role = runs.data["role"].values[examples_at[index]]
        words = runs.data["role_name"].values[role]

        def cut(scores, words=words):
            scores = scores.clone()
            for seed, query, key in np.ndindex(2, scores.shape[-2], scores.shape[-1]):
                if words[query] in ("root", "path") and keys[seed, key] and query != key:
                    scores[seed, :, :, query, key] = -torch.inf
            return scores

        edits = {f"blocks.{layer}.attn.hook_attn_scores": cut for layer in (0, 1)}
        sites = Sites(read=[PLACE["site"]], edits=edits)
        with torch.no_grad():
            runs.model(weights, tokens, sites)
        expected = sites.values[PLACE["site"]][:, 0, positions[index]]
        torch.testing.assert_close(features[:, index], expected, atol=1e-4, rtol=1e-4)


def test_a_seed_in_which_nothing_is_blocked_has_no_numbers() -> None:
    runs = with_findings()
    runs.findings["places"]["here"][0] = False
    found = blocked_probe.analyse(runs, blocked(["root"], ["places.here"])).squeeze()
    assert found["blocked"].values.tolist() == [0, 1]
    for score in ("f1", "accuracy"):
        assert found[score].isnull().values.tolist() == [True, False]


def test_positions_that_nobody_found_are_an_error() -> None:
    with pytest.raises(InterpflowError, match=r"no findings of 'place'.*did you mean 'places'"):
        blocked_probe.analyse(with_findings(), blocked(["root"], ["place.here"]))


def test_a_read_at_positions_of_some_seeds_alone_is_refused() -> None:
    options = blocked(["root"], ["goal"], reads={"here": {**PLACE, "positions": ["places.here"]}})
    with pytest.raises(
        InterpflowError, match=r"places\.here are others in one seed than in another"
    ):
        blocked_probe.analyse(with_findings(), options)
