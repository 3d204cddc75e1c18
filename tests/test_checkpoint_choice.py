"""Each choice reports the accuracy of the checkpoint that it chooses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from small import recipe, runs_of

from interpflow.analyses import accuracy_by, checkpoint_choice
from interpflow.analyses.checkpoint_choice import Options
from interpflow.methods.grouping import Grouping
from interpflow.runs import Runs
from interpflow.tasks import automaton


@pytest.fixture(scope="module")
def runs() -> Runs:
    options = automaton.Options(
        language="dyck_1", max_length=8, train_size=40, validation_size=20, bins=[[10, 14]], seed=2
    )  # strings on which training goes up and down
    data = automaton.generate(options)
    return runs_of(data, recipe(seeds=(0, 1, 2), steps=32, checkpoints={"linear": 8}))


def test_each_choice_reports_the_checkpoint_that_it_chooses(runs):
    every = accuracy_by.analyse(runs, accuracy_by.Options(steps="all"))
    found = checkpoint_choice.analyse(runs, Options())
    best = dict(zip(runs.seeds, runs.steps("best"), strict=True))
    assert found["choice"].values.tolist() == ["last", "best", "best_of_group"]
    for seed in runs.seeds:
        for group in ("validation", "bin1"):
            curve = every["accuracy"].sel(seed=seed, group=group)
            values = curve.values.tolist()
            expected = {
                "last": every["step"].values[-1],
                "best": best[seed],
                "best_of_group": every["step"].values[values.index(max(values))],
            }
            for choice, step in expected.items():
                here = found.sel(seed=seed, choice=choice, group=group)
                assert here["chosen_step"].item() == step
                assert here["accuracy"].item() == curve.sel(step=step).item()
                loss = every["loss"].sel(seed=seed, group=group, step=step)
                assert here["loss"].item() == loss.item()


def test_no_choice_is_above_that_on_the_group_itself(runs):
    found = checkpoint_choice.analyse(runs, Options())["accuracy"]
    assert (found.max("choice") == found.sel(choice="best_of_group")).all()
    assert (found.sel(choice="best_of_group") > found.sel(choice="last")).any()


def test_choices_come_as_they_are_asked_for_and_of_any_groups(runs):
    options = Options(choices=["best", "last"], by="length", splits=["bin1"])
    found = checkpoint_choice.analyse(runs, options)
    assert found["choice"].values.tolist() == ["best", "last"]
    assert found["group"].values.tolist() == [10, 12, 14]
    assert found["count"].sum() == 20 and (found["shortest"] == found["longest"]).all()


def test_what_is_declared_is_what_is_found(runs):
    found = checkpoint_choice.analyse(runs, Options())
    assert {name: found[name].dims for name in found} == {
        name: variable.dims for name, variable in checkpoint_choice.VARIABLES.items()
    }
    assert np.isfinite(found["accuracy"]).all()


@pytest.mark.parametrize("by", ["split", "length"])
def test_no_more_examples_of_a_group_are_measured_than_asked_for(runs, by):
    every = checkpoint_choice.analyse(runs, Options(by=by))
    few = checkpoint_choice.analyse(runs, Options(by=by, per_group=3))
    assert few["group"].values.tolist() == every["group"].values.tolist()
    assert (few["count"] == np.minimum(every["count"], 3)).all()
    # The measure of few is that of these examples alone: a share of three.
    shares = few["accuracy"] * few["count"]
    assert np.allclose(shares, shares.round())
    assert not few["accuracy"].equals(every["accuracy"])


def test_the_few_of_a_group_are_spread_over_it_and_all_are_kept_where_there_are_fewer(runs):
    data = runs.data.isel(example=np.flatnonzero(runs.data["split"] != "train"))
    groups = Grouping(data, "split")
    assert Counter(data["split"].values[groups.spread(4)]) == {"validation": 4, "bin1": 4}
    assert groups.spread(4)[[0, -1]].tolist() == [0, 39]
    assert groups.spread(99).tolist() == list(range(40))
