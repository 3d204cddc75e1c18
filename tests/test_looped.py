"""Analyses see a looped model as the plain one that has its block's weights at every layer."""

from __future__ import annotations

from typing import Any

import pytest
import xarray as xr
from test_attribution import ASKED
from trees import random_runs, trees

from interpflow.analyses import attribution, circuits, composition, position_scores
from interpflow.model.options import ModelOptions
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs


def unrolled(looped: Runs) -> Runs:
    """The plain model of equal layers."""
    options = ModelOptions(**{**looped.model.options.model_dump(), "looped": False})
    sizes = looped.data.sizes
    model = Transformer(options, sizes["token"], looped.model.n_ctx, sizes["output"])
    weights = looped.labelled.isel(layer=[0] * options.layers)
    return Runs(looped.data, weights, looped.history, model, looped.loss, looped.device)


@pytest.mark.parametrize(
    ("analysis", "options"),
    [
        (attribution, ASKED),
        (circuits, {"layer": 2}),
        (composition, {}),
        (position_scores, {"layers": [0, 2]}),
    ],
)
def test_a_looped_model_gives_what_the_unrolled_one_gives(analysis, options: dict[str, Any]):
    looped = random_runs(trees(), layers=3, looped=True)
    found, expected = (
        analysis.analyse(runs, analysis.Options(**options)) for runs in (looped, unrolled(looped))
    )
    xr.testing.assert_allclose(found, expected)
    assert all(found[name].notnull().any() for name in found.data_vars)
