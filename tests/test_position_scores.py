"""Scores of positions are those of the QK circuit with embeddings of positions in place of words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from trees import random_runs, trees

from interpflow.analyses import position_scores
from interpflow.errors import InterpflowError
from interpflow.methods.weight_circuits import qk_circuit
from interpflow.variables import describe


def analyse(runs, **options: Any) -> xr.Dataset:
    found = position_scores.analyse(runs, position_scores.Options(**options))
    return describe(found, position_scores.VARIABLES, "position_scores")


def scale(runs) -> xr.DataArray:
    """The standard deviation over d_model that an average token at an average position has (seed, step)."""
    tokens, positions = (runs.labelled[name].values for name in ("W_E", "W_pos"))
    both = tokens.var(-1).mean(-1) + positions.var(-1).mean(-1)
    return xr.DataArray(np.sqrt(both), dims=("step", "seed"))


@pytest.mark.parametrize("norm", ["pre", "none"])
def test_positions_that_are_embedded_as_words_score_as_these(norm):
    runs = random_runs(trees(), norm=norm, steps=(0, 10))
    size = runs.data.sizes["token"]
    runs.labelled["W_pos"][:, :, :size] = runs.labelled["W_E"].values
    found = analyse(runs, layers=[0, 1], steps="all")
    for layer in (0, 1):
        circuit = qk_circuit(runs.labelled, runs.model.options, layer).transpose(
            "seed", "step", ...
        )
        here = found.sel(layer=layer).isel(position=slice(size))
        square = scale(runs) ** 2 if norm == "pre" else 1.0
        circuit = circuit / square
        expected = circuit - circuit.mean("key")
        np.testing.assert_allclose(here["to_token"], expected, atol=1e-4)
        own = here["to_position"].isel(key_position=slice(size)).values
        differences = own[..., 1:, :1] - own[..., 1:, 1:2]
        scores = circuit.values[..., 1:, :1] - circuit.values[..., 1:, 1:2]
        np.testing.assert_allclose(differences, scores, atol=1e-4)


@pytest.mark.parametrize("norm", ["pre", "none"])
def test_attention_is_that_of_embeddings_that_stand_alone(norm):
    runs = random_runs(trees(), norm=norm, scale_embedding=True)
    found = analyse(runs, layers=[1])["attention"].sel(step=10, layer=1)
    one = {name: torch.from_numpy(runs.labelled[name].isel(step=0, seed=1).values)
           for name in runs.labelled}  # fmt: skip
    width = runs.model.options.d_model

    def read(vector):
        if norm == "none":
            return vector
        return torch.nn.functional.layer_norm(vector, (width,), one["ln1_w"][1], one["ln1_b"][1])

    for head, position in ((0, 3), (1, 20)):
        query = read(one["W_pos"][position]) @ one["W_Q"][1, head] + one["b_Q"][1, head]
        keys = [
            read(vector * width**0.5) @ one["W_K"][1, head] + one["b_K"][1, head]
            for vector in one["W_E"]
        ]
        expected = torch.stack([query @ key for key in keys]).softmax(0)
        here = found.isel(seed=1).sel(head=head, position=position)
        np.testing.assert_allclose(here, expected, rtol=1e-3, atol=1e-6)


def test_keys_behind_the_query_have_no_score():
    found = analyse(random_runs(trees()))["to_position"]
    later = found["key_position"] > found["position"]
    assert found.where(later, drop=True).isnull().all()
    assert found.where(~later, 0.0).notnull().all()
    np.testing.assert_allclose(found.mean("key_position"), 0, atol=1e-4)


def test_positions_that_are_not_learned_and_layers_that_are_not_there_are_errors():
    with pytest.raises(InterpflowError, match="positions are none, not learned"):
        analyse(random_runs(trees(), positions="none"))
    with pytest.raises(InterpflowError, match="no layer 5; there are 2"):
        analyse(random_runs(trees()), layers=[0, 5])
