"""Classes of outputs have the loss, accuracy and entropy that adding up probabilities one by one gives."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
import xarray as xr
from sums import logits
from trees import felt, random_runs

from interpflow.analyses import coarse_classes
from interpflow.errors import InterpflowError
from interpflow.runs import Runs
from interpflow.tasks import fact_recall
from interpflow.tasks.base import make_dataset

KINDS = {"relation": "answer_relation", "number": "answer_number"}
MLP = "blocks.0.hook_mlp_out"


@functools.cache
def facts() -> xr.Dataset:
    options = fact_recall.Options(
        subjects=4, relations=3, answers=4, noise=3, length=5, train_size=2, validation_size=12
    )
    return make_dataset(fact_recall, options)


def runs(**model) -> Runs:
    """Two models at three steps that have learned nothing."""
    return felt(random_runs(facts(), steps=(0, 10, 20), **{"layers": 1, "d_mlp": 8, **model}))


def analysed(of: Runs, **options) -> xr.Dataset:
    return coarse_classes.analyse(
        of, coarse_classes.Options(**{"kinds": KINDS, "steps": "all", **options})
    )


def expected(of: Runs, step: int, seed: int, kind: str, edits=None) -> list[float]:
    """Means of loss, accuracy, loss and entropy within the class, by adding up."""
    data = of.data.isel(example=of.data["split"].values == "validation")
    every = range(data.sizes["output"])
    of_output = {
        "output": [*every],
        "relation": data["answer_relation"].values.tolist(),
        "number": data["answer_number"].values.tolist(),
    }[kind]
    rows = []
    for at in range(data.sizes["example"]):
        example = data.isel(example=at)
        target = int(example["targets"][-1])
        p = logits(of, step, seed, example, edits)[-1].double().softmax(-1).tolist()
        by_class = {each: sum(p[y] for y in every if of_output[y] == each) for each in of_output}
        mine = by_class[of_output[target]]
        inside = [p[y] / mine for y in every if of_output[y] == of_output[target]]
        rows.append(
            [
                -math.log(mine),
                max(by_class, key=by_class.get) == of_output[target],
                -math.log(p[target] / mine),
                -sum(q * math.log(q) for q in inside),
            ]
        )
    return np.mean(rows, axis=0).tolist()


NAMES = ("loss", "accuracy", "within_loss", "within_entropy")


@pytest.mark.parametrize("kind", ["output", *KINDS])
@pytest.mark.parametrize("without", [None, MLP])
def test_classes_are_what_adding_up_gives(kind, without):
    of = runs()
    found = analysed(of, without=without)
    edits = {without: torch.zeros_like} if without else None
    for step in (0, 20):
        for seed in (0, 1):
            here = found.sel(step=step, seed=seed, kind=kind)
            wanted = expected(of, step, seed, kind, edits)
            assert [here[name].item() for name in NAMES] == pytest.approx(wanted, abs=1e-5)
    assert (
        found["classes"].sel(kind=kind).item() == {"output": 12, "relation": 3, "number": 4}[kind]
    )


def test_a_class_is_known_from_the_first_step_on_at_which_its_loss_is_low():
    of = runs()
    losses = analysed(of)["loss"].values  # (seed, step, kind)
    limit = float(np.sort(losses[0, :, 1])[1])  # relation, seed 0: below it at one step alone
    found = analysed(of, known=limit).sel(kind="relation")
    step = int(losses[0, :, 1].argmin())
    assert found["known_at"].values[0] == [0, 10, 20][step]
    for name in ("within_loss", "within_entropy"):
        assert found[f"{name}_then"].values[0] == found[name].values[0, step]
    never = analysed(of, known=1e-9)
    for name in ("known_at", "within_loss_then", "within_entropy_then"):
        assert never[name].isnull().all()


def test_a_probability_of_nothing_has_a_loss_all_the_same():
    of = runs()
    of.labelled["W_U"].values *= 1e3
    found = analysed(of)
    assert all(np.isfinite(found[name]).all() for name in NAMES)
    assert found["loss"].max() > 800  # where a sum of probabilities would be zero


def test_positions_that_are_not_scored_are_refused():
    with pytest.raises(InterpflowError, match=r"no scored position is called \['noise'\]"):
        analysed(runs(), positions=["noise"])
