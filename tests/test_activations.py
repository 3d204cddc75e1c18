"""Activations are those of one run of the model, example by example, and NaN where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference as slow
from small import brackets, recipe, runs_of

from interpflow.analyses import activations
from interpflow.methods.query_key_plane import planes
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.tasks import tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import describe


def trained(**model: object) -> Runs:
    options = tree_pathfinding.Options(nodes=5, train_size=60, validation_size=40, test_size=1)
    shape = {"norm": "pre", "positions": "learned", "layers": 2, "d_model": 24, "heads": 2} | model
    of = recipe(model=shape, optimizer="adam", loss="cross_entropy", learning_rate=0.003)
    return runs_of(make_dataset(tree_pathfinding, options), of)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return trained(biases=False)


@pytest.fixture(scope="module")
def found(runs):
    return describe(activations.analyse(runs, activations.Options()), activations.VARIABLES, "")


def one_run(runs, found, at, names):
    """Tokens of an example, and logits and sites of one run of one seed at a step."""
    example = found["shown_example"].values[at["shown_example"]]
    data = runs.data.isel(example=runs.data["split"].values == "validation")
    number = int(example.removeprefix("validation "))
    length = int(data["length"].values[number])
    given = slow.tokens(data, number)[:length]
    step = int(found["step"].values[at["step"]])
    weights = slow.seed(runs.weights_at(step), at["seed"])
    logits = slow.run(runs.model, weights, given)
    return data.isel(example=number), logits, slow.values(runs.model, weights, given, names)


PLACES = [
    {"seed": seed, "step": step, "shown_example": example}
    for seed, step, example in [(0, 0, 0), (1, -1, 3), (0, 1, 2)]
]


@pytest.mark.parametrize("at", PLACES)
def test_attention_is_the_pattern_of_one_run(runs, found, at):
    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(2)]
    _, _, patterns = one_run(runs, found, at, names)
    for layer, pattern in enumerate(patterns):
        length = pattern.shape[-1]
        here = found["attention"].isel(at).sel(layer=layer).values
        np.testing.assert_allclose(here[:, :length, :length], pattern, rtol=1e-4, atol=1e-6)
        assert np.isnan(here[:, length:]).all()


@pytest.mark.parametrize("at", PLACES)
def test_the_last_layer_of_the_lens_is_the_prediction(runs, found, at):
    example, logits, _ = one_run(runs, found, at, ["hook_embed"])
    p = logits.softmax(-1).numpy()
    last = found.isel(at).isel(lens_layer=-1)
    for position in np.flatnonzero(example["scored"].values):
        here, target = last.isel(position=position), int(example["targets"].values[position])
        assert here["right"].item() == pytest.approx(p[position, target], rel=1e-3)
        assert int(here["top_output"][0]) == p[position].argmax()
        np.testing.assert_allclose(here["top"], np.sort(p[position])[:-6:-1], rtol=1e-3)
        assert here["answer"].values.nonzero()[0].tolist() == [target]
    assert np.isnan(last["right"].values[~example["scored"].values[: len(last["position"])]]).all()


def test_the_lens_before_the_last_layer_is_final_norm_and_unembedding(runs, found):
    at = PLACES[1]
    example, _, (h,) = one_run(runs, found, at, ["blocks.0.hook_resid_post"])
    one = runs.labelled.isel(step=at["step"], seed=at["seed"])
    position = int(np.flatnonzero(example["scored"].values)[0])
    h = h[position].double().numpy()
    h = (h - h.mean()) / np.sqrt(h.var() + 1e-5) * one["ln_final_w"].values
    p = np.exp((h + one["ln_final_b"].values) @ one["W_U"].values)
    here = found["right"].isel(at).sel(lens_layer=1, position=position)
    right = p[int(example["targets"].values[position])] / p.sum()
    assert here.item() == pytest.approx(right, rel=1e-3)


@pytest.mark.parametrize("norm", ["pre", "none"])
def test_contributions_of_all_parts_add_up_to_the_centred_logit(norm):
    runs = trained(biases=False, norm=norm, d_mlp=16)
    found = activations.analyse(runs, activations.Options())
    assert found["part"].values.tolist() == [
        "embedding", "L0H0", "L0H1", "MLP 0", "L1H0", "L1H1", "MLP 1"
    ]  # fmt: skip
    at = PLACES[1]
    example, logits, _ = one_run(runs, found, at, ["hook_embed"])
    one = runs.labelled.isel(step=at["step"], seed=at["seed"])
    of_norm = one["ln_final_b"].values @ one["W_U"].values if norm == "pre" else np.zeros(99)
    for position in np.flatnonzero(example["scored"].values):
        target = int(example["targets"].values[position])
        logit = logits[position].numpy() - of_norm[: logits.shape[-1]]
        centred = float(logit[target] - logit.mean())
        total = found["contribution"].isel(at).isel(position=position).sum("part")
        assert total.item() == pytest.approx(centred, rel=1e-3, abs=1e-4)


def test_a_right_answer_of_several_labels_has_all_of_them_right():
    runs = runs_of(brackets(), recipe())
    found = activations.analyse(runs, activations.Options(count=3))
    example, logits, _ = one_run(runs, found, PLACES[0], ["hook_embed"])
    labels = example["targets"].values[: len(logits)].astype(bool)
    p = logits.sigmoid().numpy()
    right = np.where(labels, p, 1 - p).prod(-1)
    right[~example["scored"].values[: len(logits)]] = np.nan
    here = found["right"].isel(PLACES[0]).isel(lens_layer=-1).values[: len(logits)]
    np.testing.assert_allclose(here, right, rtol=1e-4)
    assert "contribution" not in found


def test_without_a_residual_stream_the_last_layer_alone_is_read():
    found = activations.analyse(trained(residual=False), activations.Options())
    assert found["lens_layer"].values.tolist() == [2]
    assert "contribution" not in found


def test_examples_are_from_all_over_the_split_or_of_each_value(runs):
    data, names = activations.Options(count=4).of(runs.data)
    assert names == ["validation 5", "validation 15", "validation 25", "validation 35"]
    data, names = activations.Options(by="path_length", count=1).of(runs.data)
    assert data["path_length"].values.tolist() == sorted(set(data["path_length"].values.tolist()))


def test_in_a_plane_of_its_own_width_a_head_keeps_its_attention():
    queries, keys = (generator("plane", name).normal(size=(1, 3, 1, 6, 2, 2)) for name in "qk")
    real = np.ones((3, 6), dtype=bool)
    real[0, 4:] = False
    query, key, share = planes(queries, keys + 5.0, real)
    np.testing.assert_allclose(share, 1.0)

    def attention(q, k):
        """Softmax over real keys (…, query, key) of q and k (…, position, d)."""
        scores = np.einsum("...qd,...kd->...qk", q, k)
        scores = np.where(real[None, :, None, None, None], scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)

    before = attention(np.swapaxes(queries, 3, 4), np.swapaxes(keys + 5.0, 3, 4))
    after = attention(query, key)
    counted = np.broadcast_to(real[None, :, None, None, :, None], before.shape)
    np.testing.assert_allclose(after[counted], before[counted], atol=1e-9)
