"""Outcomes of examples are those of each example alone, and groups are averaged one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr
from small import brackets, recipe, runs_of
from trees import trained_runs

from interpflow.analyses import accuracy_by
from interpflow.errors import InterpflowError
from interpflow.methods.grouping import Grouping
from interpflow.methods.outcomes import outcomes
from interpflow.model.sites import Sites
from interpflow.runs import Runs
from interpflow.selection import Examples
from interpflow.training.losses import loss, right


@pytest.fixture(scope="module", params=["classes", "labels"])
def runs(request):
    return trained_runs() if request.param == "classes" else runs_of(brackets(), recipe(steps=5))


def test_an_example_comes_out_as_it_does_alone(runs) -> None:
    weights, examples = runs.weights("last"), runs.examples("validation")
    found = outcomes(runs.model, weights, examples, runs.loss)
    assert found.right.any() or found.share_right.any()
    for index in range(0, len(examples), 7):
        alone = examples.take(np.array([index]))
        with torch.no_grad():
            logits = runs.model(weights, alone.tokens)
        expected = loss(runs.loss, logits, alone).numpy()
        assert found.loss[:, index] == pytest.approx(expected, rel=1e-4)
        assert (found.right[:, index] == right(runs.loss, logits, alone)[:, 0].numpy()).all()
        for seed in range(2):
            hits = []
            for at in np.flatnonzero(alone.scored[0]):
                target, output = alone.targets[0, at], logits[seed, 0, at]
                hit = output.argmax() == target if target.dim() == 0 else (output > 0) == target
                hits.append(bool(torch.as_tensor(hit).all()))
            assert found.share_right[seed, index] == pytest.approx(np.mean(hits))


def test_the_mean_over_examples_is_the_evaluation(runs) -> None:
    weights, examples = runs.weights("last"), runs.examples("validation")
    found = outcomes(runs.model, weights, examples, runs.loss)
    whole = runs.evaluate(weights, examples)
    assert (found.right == whole.right).all()
    if runs.loss == "cross_entropy":  # scored positions are weighed alike only in short trees
        assert found.loss.mean(1) == pytest.approx(whole.loss, rel=0.2)


def test_edits_know_their_examples(runs) -> None:
    weights, examples = runs.weights("last"), runs.examples("validation")
    intact = outcomes(runs.model, weights, examples, runs.loss)
    odd = np.arange(len(examples)) % 2 == 1

    def sites(indices: np.ndarray) -> Sites:
        kept = torch.from_numpy(~odd[indices]).float()[:, None, None]
        return Sites(edits={"hook_embed": lambda value: value * kept})

    edited = outcomes(runs.model, weights, examples, runs.loss, sites)
    assert edited.loss[:, ~odd] == pytest.approx(intact.loss[:, ~odd], rel=1e-4)
    assert (np.abs(edited.loss - intact.loss)[:, odd] > 1e-4).mean() > 0.9


def test_groups_are_the_values_of_a_variable_in_order() -> None:
    data = xr.Dataset(
        {
            "size": ("example", [3, 1, 3, 2], {"units": "cm"}),
            "wide": (("example", "x"), np.ones((4, 2))),
        }
    )
    groups = Grouping(data, "size")
    assert groups.coordinate.values.tolist() == [1, 2, 3]
    assert groups.coordinate.attrs == {"units": "cm", "by": "size"}
    assert groups.count.tolist() == [1, 1, 2]
    values = np.array([[1.0, 2, 5, 4], [0, 0, 1, 0]])
    assert groups.mean(values).tolist() == [[2, 4, 3], [0, 0, 0.5]]
    with pytest.raises(InterpflowError, match="no variable 'wide' of examples; there are size"):
        Grouping(data, "wide")


def test_accuracy_by_group_is_the_accuracy_on_the_examples_of_that_group_at_every_step() -> None:
    runs = trained_runs()
    options = accuracy_by.Options(splits=["lengths"], by="path_length", steps="all")
    found = accuracy_by.analyse(runs, options)
    assert found["count"].values.tolist() == [30] * 3
    assert found["checkpoint"].values[:, [0, -1]].tolist() == [["first", "last"]] * 2
    for step in found["step"].values[[0, -1]]:
        for length in found["group"].values:
            _, examples = runs.select(Examples(split="lengths", where={"path_length": int(length)}))
            alone = runs.evaluate(runs.weights_at(int(step)), examples)
            here = found.sel(step=step, group=length)
            assert here["accuracy"].values == pytest.approx(alone.accuracy)
            assert here["loss"].values == pytest.approx(alone.loss, rel=1e-4)
            assert (here["position_accuracy"] >= here["accuracy"]).all()
    overall = found["accuracy"].weighted(found["count"]).mean("group")
    assert found["overall_accuracy"].values == pytest.approx(overall.values)
    assert found["accuracy"].sel(step=found["step"][-1]).max() > 0.2


def test_accuracy_by_group_takes_the_examples_asked_for() -> None:
    options = accuracy_by.Options(splits=["lengths"], by="bottom_up", where={"path_length": [1, 2]})
    found = accuracy_by.analyse(trained_runs(), options)
    assert int(found["count"].sum()) == 60
    assert found.sizes["step"] == 1


def test_by_split_every_split_but_train_is_a_group_and_best_is_the_best_step_of_each_seed() -> None:
    runs = trained_runs()
    kept = runs.labelled["step"].values.tolist()
    best = {0: kept[0], 1: kept[-1]}
    history = runs.history.copy(deep=True)
    for seed, step in best.items():
        history["validation_accuracy"].loc[{"seed": seed}] = 0.5
        history["validation_accuracy"].loc[{"seed": seed, "step": step}] = 1.0
    of = Runs(runs.data, runs.labelled, history, runs.model, runs.loss, runs.device)
    found = accuracy_by.analyse(of, accuracy_by.Options(steps="best"))
    assert sorted(found["group"].values) == ["lengths", "test", "validation"]
    assert found["step"].values.tolist() == [*best.values()]
    assert (found["checkpoint"] == "best").values.tolist() == [[True, False], [False, True]]
    for split in found["group"].values.tolist():
        alone = of.evaluate(of.weights("best"), of.examples(split)).accuracy
        here = found["accuracy"].sel(group=split)
        assert here.max("step").values.tolist() == alone.tolist()
        assert here.isnull().sum() == 2
    lengths = of.examples("test").lengths
    assert found["longest"].sel(group="test") == lengths.max()
    assert found["shortest"].sel(group="test") == lengths.min()


@pytest.mark.parametrize("count", [3, 7, 49, 300, 1001])
def test_a_share_of_one_is_one_in_groups_of_any_size(count):
    size = np.repeat([0, 1], count)
    groups = Grouping(xr.Dataset({"size": ("example", size)}), "size")
    right = np.stack([np.ones(2 * count, dtype=bool), size == 1])
    for values in (right, right.astype(float)):
        assert groups.mean(values).tolist() == [[1.0, 1.0], [0.0, 1.0]]


def test_what_one_group_lacks_is_missing_in_no_other():
    groups = Grouping(xr.Dataset({"size": ("example", [1, 1, 2])}), "size")
    np.testing.assert_array_equal(groups.mean(np.array([[np.nan, 1.0, 3.0]])), [[np.nan, 3.0]])
