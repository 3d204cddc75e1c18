"""Correlations and maps are those of plain vectors, on examples that were not fitted."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import xarray as xr
from small import recipe, runs_of

from interpflow.analyses import continuous_readout
from interpflow.analyses.continuous_readout import Options
from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.tasks import automaton

SITE = "blocks.0.hook_resid_post"
DEPTH = {"value": {"variable": "state"}}
RATIO = {"value": {"variable": "state"}, "over": {"variable": "letters"}}
READS = {"after": {"site": SITE, "positions": ["real"]}}


@pytest.fixture(scope="module")
def runs() -> Runs:
    data = automaton.generate(
        automaton.Options(
            language="d_2", strings="uniform", max_length=8, train_size=40, validation_size=30
        )
    )
    return runs_of(data, recipe(steps=2))


def rows(runs: Runs, over: bool) -> tuple[dict[str, list[list[float]]], dict[str, list[float]]]:
    """Hidden states of seed 1 and numbers of the validation strings, by half."""
    data = runs.data.isel(example=np.flatnonzero(runs.data["split"].values == "validation"))
    order = generator("continuous readout", "validation").permutation(data.sizes["example"])
    examples, weights = runs.examples("validation"), runs.weights("last")
    states: dict[str, list[list[float]]] = {"fitted": [], "held": []}
    numbers: dict[str, list[float]] = {"fitted": [], "held": []}
    for at in range(data.sizes["example"]):
        half = "fitted" if order[at] < len(order) / 2 else "held"
        for place in range(int(data["length"].values[at])):
            one = (np.array([at]), np.array([place]))
            states[half].append(runs.activations(weights, examples, SITE, one)[1, 0].tolist())
            depth = float(data["state"].values[at, place])
            numbers[half].append(depth / (place + 1) if over else depth)
    return states, numbers


def pearson(one: list[float], other: list[float]) -> float:
    def centred(values):
        return [value - math.fsum(values) / len(values) for value in values]

    a, b = centred(one), centred(other)
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        math.fsum(x * x for x in a) * math.fsum(y * y for y in b)
    )


@pytest.mark.parametrize(("target", "over"), [(DEPTH, False), (RATIO, True)])
def test_the_best_coordinate_of_one_half_is_measured_on_the_other(runs, target, over):
    found = continuous_readout.analyse(runs, Options(reads=READS, targets={"t": target}))
    here = found.sel(seed=1, read="after", target="t")
    states, numbers = rows(runs, over)
    own = [
        abs(pearson([row[at] for row in states["fitted"]], numbers["fitted"])) for at in range(16)
    ]
    best = int(np.argmax(own))
    held = abs(pearson([row[best] for row in states["held"]], numbers["held"]))
    assert here["chosen_coordinate"].item() == best
    assert here["correlation"].item() == pytest.approx(held, abs=1e-5)
    assert here["count"].item() == len(numbers["fitted"]) + len(numbers["held"])
    x = np.column_stack([states["fitted"], np.ones(len(states["fitted"]))])
    line = np.linalg.pinv(x, rcond=float(np.finfo(np.float32).eps)) @ numbers["fitted"]
    left = numbers["held"] - np.column_stack([states["held"], np.ones(len(states["held"]))]) @ line
    r2 = 1 - (left**2).mean() / np.var(numbers["held"])
    assert here["r2"].item() == pytest.approx(r2, abs=1e-3)


def test_a_number_that_a_coordinate_is_is_found_and_drawn_along_a_string(runs):
    """With the depth itself written into coordinate 5, scaled and shifted, both readings are the depth."""
    given = runs.data["state"].values.astype(np.float32)

    class Told(Runs):
        def activations(self, weights, examples, site, at):
            found = super().activations(weights, examples, site, at)
            own = given[self.data["split"].values == "validation"]
            found[:, :, 5] = torch.from_numpy(3 - 2 * own[at])
            return found

    told = Told(runs.data, runs.labelled, runs.history, runs.model, runs.loss, "cpu")
    found = continuous_readout.analyse(told, Options(reads=READS, targets={"depth": DEPTH}))
    assert (found["chosen_coordinate"] == 5).all()
    np.testing.assert_allclose(found["correlation"], 1, atol=1e-6)
    np.testing.assert_allclose(found["r2"], 1, atol=1e-6)
    (name,) = found["shown_example"].values.tolist()
    assert name == "validation 0"
    value = found["value"].sel(target="depth", shown_example=name).values
    real = np.isfinite(value)
    text = "".join(found["word"].sel(shown_example=name).values)
    assert real.sum() == len(text)
    assert value[real].tolist() == [
        text[: at + 1].count("a") - text[: at + 1].count("b") for at in range(len(text))
    ]
    for kind in ("of_coordinate", "of_map"):
        along = found[kind].sel(read="after", target="depth", shown_example=name).values
        np.testing.assert_allclose(
            along[:, real], np.broadcast_to(value[real], (2, real.sum())), atol=1e-5
        )
        assert np.isnan(along[:, ~real]).all()


def test_a_state_that_is_nowhere_is_named(runs):
    none = Runs(runs.data.assign(state=xr.full_like(runs.data["state"], -1)), runs.labelled,
                runs.history, runs.model, runs.loss, "cpu")  # fmt: skip
    with pytest.raises(
        InterpflowError, match=r"targets.depth: has a value at 0 of these positions"
    ):
        continuous_readout.analyse(none, Options(reads=READS, targets={"depth": DEPTH}))
