"""Norms, ways and directions of weights are those of plain vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from small import labelled_weights, model

from interpflow.analyses import weight_dynamics
from interpflow.analyses.weight_dynamics import Options
from interpflow.runs import Runs
from interpflow.variables import WEIGHTS

STEPS = [0, 3, 9, 20]
PARTS = {
    "W_Q": [("W_Q", ...)],
    "unembedding": [("W_U", ...), ("b_U", ...)],
    "head 1.0": [(f"{kind}_{x}", (1, 0)) for x in "QKV" for kind in "Wb"] + [("W_O", (1, 0))],
}


@pytest.fixture(scope="module")
def runs() -> Runs:
    ours = model(layers=2, heads=2)
    every = [labelled_weights(ours, [100 * step, 100 * step + 1]) for step in STEPS]
    labelled = xr.Dataset(
        {
            name: (WEIGHTS[name].dims, np.stack([each[name].numpy() for each in every]))
            for name in ours.shapes
        },
        {"step": STEPS, "seed": [0, 1]},
    )
    return Runs(xr.Dataset(), labelled, xr.Dataset(), ours, "mse", "cpu")


def vector(runs: Runs, part: str, step: int, seed: int) -> list[float]:
    chosen = runs.labelled.sel(step=step, seed=seed)
    return [
        float(value)
        for name, place in PARTS[part]
        for value in np.ravel(chosen[name].values[place])
    ]


def dot(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("since", "reference"), [(0, 0), (5, 3), (9, 9), (99, 20)])
def test_every_part_is_measured_as_one_long_vector(runs, since, reference):
    found = weight_dynamics.analyse(runs, Options(parts=list(PARTS), since=since))
    assert found["step"].values.tolist() == STEPS
    for part in PARTS:
        for seed in (0, 1):
            last, then = (vector(runs, part, step, seed) for step in (20, reference))
            for step in STEPS:
                here = found.sel(part=part, seed=seed, step=step)
                own = vector(runs, part, step, seed)
                way = [a - b for a, b in zip(own, then, strict=True)]
                norm = math.sqrt(dot(own, own))
                assert here["norm"].item() == pytest.approx(norm)
                assert here["distance"].item() == pytest.approx(math.sqrt(dot(way, way)))
                cosine = dot(own, last) / norm / math.sqrt(dot(last, last))
                assert here["cosine"].item() == pytest.approx(cosine)


def test_weights_of_zeros_have_no_direction(runs):
    zeros = runs.labelled.assign(W_U=runs.labelled["W_U"] * (runs.labelled["step"] > 0))
    of = Runs(runs.data, zeros, runs.history, runs.model, "mse", "cpu")
    cosine = weight_dynamics.analyse(of, Options(parts=["W_U"]))["cosine"]
    assert np.isnan(cosine.sel(step=0)).all() and cosine.sel(step=[3, 9, 20]).notnull().all()
