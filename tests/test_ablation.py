"""Ablating a head changes that head alone, in the way its name says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import brackets, recipe, runs_of
from sums import sum_runs

from interpflow.analyses import ablation, accuracy_at
from interpflow.methods.predictions import _predictions, sureness
from interpflow.model.packing import pack, unpack
from interpflow.model.sites import Sites
from interpflow.tasks import list_sorting
from interpflow.training.examples import Batch


def trained(mlp: int = 0):
    options = list_sorting.Options(length=4, vocabulary=8, train_size=64, validation_size=60)
    model = {"norm": "pre", "positions": "learned", "d_mlp": mlp, "heads": 2, "layers": 2}
    of = recipe(model=model, optimizer="adam", loss="cross_entropy", steps=40)
    return runs_of(list_sorting.generate(options), of)


@pytest.fixture(scope="module")
def runs():
    return trained()


@pytest.fixture(scope="module")
def found(runs):
    return ablation.analyse(runs, ablation.Options())


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (0, 1), (1, 0)])
def test_zero_ablation_is_the_model_with_that_head_s_output_weights_at_zero(
    runs, found, layer, head
):
    labelled = unpack(runs.weights("last"), heads=2)
    labelled["W_O"][:, layer, head] = 0.0
    without = runs.evaluate(pack(labelled), runs.examples("validation"))
    here = found.sel(ablation="zero").isel(layer=layer, head=head)
    assert here["loss"].values == pytest.approx(without.loss, rel=1e-5)
    assert here["accuracy"].values == pytest.approx(without.accuracy)


def test_mean_ablation_puts_in_the_mean_over_examples_of_each_position(runs, found):
    examples, weights = runs.examples("validation"), runs.weights("last")
    site = "blocks.0.attn.hook_z"
    everything = examples.take(np.arange(len(examples)))
    read = Sites(read=[site])
    with torch.no_grad():
        runs.model(weights, everything.tokens, read)
    mean = read.values[site].mean(1)[:, :, 1]

    def edit(z):
        z = z.clone()
        z[:, :, :, 1] = mean[:, None]
        return z

    without = runs.evaluate(weights, examples, {site: edit})
    here = found.sel(ablation="mean").isel(layer=0, head=1)
    assert here["loss"].values == pytest.approx(without.loss, rel=1e-5)


def test_resample_ablation_gives_every_example_another_one_s_output(runs):
    weights, examples = runs.weights("last"), runs.examples("validation")
    site = "blocks.0.attn.hook_z"
    ablate = ablation._resample(runs, weights, examples)(0, 1)
    indices = np.arange(20)
    sites = ablate(indices)
    z = torch.arange(20.0).view(1, 20, 1, 1, 1).expand(1, 20, 3, 2, 4)
    edited = sites.edits[site](z)
    assert (edited[:, :, :, 0] == z[:, :, :, 0]).all()
    stand_ins = edited[0, :, 0, 1, 0]
    assert (stand_ins != z[0, :, 0, 1, 0]).all()
    assert sorted(stand_ins.tolist()) == list(range(20))


def test_what_is_intact_is_what_evaluation_measures(runs, found):
    plain = runs.evaluate(runs.weights("last"), runs.examples("validation"))
    assert found["intact_loss"].values == pytest.approx(plain.loss, rel=1e-5)
    assert found["intact_accuracy"].values == pytest.approx(plain.accuracy)
    assert (found["count"].sum("bin") == 60 * 4).all()


def test_tasks_of_several_labels_and_lengths_are_ablated_too():
    runs = runs_of(brackets(), recipe(model={"heads": 2}, steps=20))
    found = ablation.analyse(runs, ablation.Options())
    for name in ablation.MEASURES:
        assert found[name].notnull().all(), name


def predictions(probability: float, right: int, of: int) -> torch.Tensor:
    """Logits (1, of, 1, 2) that predict class 0 with `probability`, the first `right` of them rightly."""
    logit = float(np.log(probability / (1 - probability)))
    return torch.tensor([logit, 0.0]).expand(1, of, 1, 2)


class OneAnswer:
    """A model that always gives the same logits."""

    def __init__(self, logits):
        self.logits = logits

    def __call__(self, weights, tokens, sites):
        return self.logits[:, : len(tokens)]


class Answers:
    """Examples of one position whose right answers are given."""

    def __init__(self, answers):
        self.targets = torch.tensor(answers)[:, None]
        self.lengths = np.ones(len(answers), dtype=int)

    def __len__(self):
        return len(self.targets)

    def in_order_of_length(self):
        scored = torch.ones_like(self.targets, dtype=torch.bool)
        yield np.arange(len(self)), Batch(self.targets, self.targets, scored)


@pytest.mark.parametrize(("right", "error"), [(8, 0.0), (5, 0.3), (10, 0.2)])
def test_the_calibration_error_is_how_far_confidence_is_from_what_is_right(right, error):
    answers = Answers([0] * right + [1] * (10 - right))
    model = OneAnswer(predictions(0.8, right, 10))
    found = sureness(model, {"W_E": torch.zeros(1)}, answers, "cross_entropy", lambda at: Sites())
    assert found.calibration_error == pytest.approx([error], abs=1e-6)
    assert found.confidence == pytest.approx([0.8])
    assert found.accuracy == pytest.approx([right / 10])
    assert found.prediction_accuracy == pytest.approx([right / 10])


def test_entropy_is_that_of_the_predicted_distribution():
    one = torch.ones(1, 1, dtype=torch.long)
    batch = Batch(one, one, one.bool())
    entropy, *_ = _predictions("cross_entropy", torch.zeros(1, 1, 1, 8), batch)
    assert entropy.item() == pytest.approx(np.log(8))


def test_groups_of_positions_are_those_of_the_model_without_the_head():
    runs = sum_runs(d_mlp=0)
    options = ablation.Options(ablations=["zero"], by="case", positions=["asks A1", "asks A2"])
    found = ablation.analyse(runs, options)
    plain = accuracy_at.Options(by="case", positions=options.positions)
    intact = accuracy_at.analyse(runs, plain).isel(step=0)
    assert found["intact_group_loss"].values == pytest.approx(intact["loss"].values)
    assert found["group_count"].values.tolist() == intact["count"].values.tolist()
    for layer, head in ((0, 1), (1, 0)):
        runs.labelled["W_O"][-1, :, layer, head] = 0.0
        without = accuracy_at.analyse(runs, plain).isel(step=0)
        here = found.isel(ablation=0, layer=layer, head=head)
        assert here["group_loss"].values == pytest.approx(without["loss"].values, rel=1e-5)
        assert here["group_accuracy"].values == pytest.approx(without["accuracy"].values)
        runs = sum_runs(d_mlp=0)
