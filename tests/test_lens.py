"""A lens reads from each layer what the model would predict from it, and its findings are means of that."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import brackets, recipe, runs_of

from interpflow.analyses import lens
from interpflow.errors import InterpflowError
from interpflow.methods import lenses
from interpflow.methods.lenses import Fit, Unembedding, kl, tune
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.selection import Examples
from interpflow.tasks import tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import describe

SHOWN = {"split": "validation", "count": 40}
TRACED = {"variable": "ancestor", "along": "distance", "output": ">{}"}


def trained(norm: str = "pre", biases: bool = True, steps: int = 10) -> Runs:
    options = tree_pathfinding.Options(
        nodes=4, train_size=400, validation_size=40, test_size=1,
        splits={"lone": tree_pathfinding.Split(size=5, path_length=1)},
    )  # fmt: skip
    model = {"norm": norm, "positions": "learned", "biases": biases, "layers": 2, "d_model": 24}
    of = recipe(
        model=model, optimizer="adam", loss="cross_entropy", steps=steps, learning_rate=0.003
    )
    return runs_of(make_dataset(tree_pathfinding, options), of)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return trained(steps=600)


@pytest.fixture(scope="module")
def found(runs):
    options = lens.Options(shown=SHOWN, by="path_length", traced=TRACED, steps=100, batch_size=64)
    return describe(lens.analyse(runs, options), lens.VARIABLES, "lens")


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("biases", [True, False])
def test_on_the_last_layer_every_lens_is_the_model(norm, biases):
    runs = trained(norm, biases)
    found = lens.analyse(runs, lens.Options(shown=SHOWN, steps=2))
    _, examples = runs.select(Examples(split="validation"))
    tokens = examples.take(np.arange(len(examples))).tokens
    model = runs.model(runs.weights("last"), tokens).softmax(-1).numpy()
    for name in ("logit", "tuned"):
        last = found["probability"].sel(lens=name).isel(layer=-1)
        there = last.notnull().values
        at = model[:, :, last["position"].values]
        np.testing.assert_allclose(last.values[there], at[there], rtol=1e-4, atol=1e-6)
        assert found["kl"].sel(lens=name).isel(layer=-1).values == pytest.approx(0, abs=1e-9)


def test_the_logit_lens_is_final_norm_and_unembedding_of_the_stream(runs, found):
    data, examples = runs.select(Examples(split="validation"))
    at = np.array([3]), np.flatnonzero(data["scored"].values[3])[:1]
    weights = runs.labelled.isel(step=-1)
    sites = ["blocks.0.hook_resid_pre", "blocks.0.hook_resid_post"]
    for layer, site in enumerate(sites):
        states = runs.activations(runs.weights("last"), examples, site, at)[:, 0].double().numpy()
        for seed, h in enumerate(states):
            one = weights.isel(seed=seed)
            h = (h - h.mean()) / np.sqrt(h.var() + 1e-5)
            h = h * one["ln_final_w"].values + one["ln_final_b"].values
            p = np.exp(h @ one["W_U"].values + one["b_U"].values)
            here = found["probability"].sel(lens="logit", layer=layer, position=at[1][0])
            here = here.isel(seed=seed, shown_example=3)
            np.testing.assert_allclose(here, p / p.sum(), rtol=1e-4, atol=1e-7)


def test_a_tuned_lens_is_nearer_to_the_model_than_the_logit_lens_on_other_examples(found):
    logit, tuned = (found["kl"].sel(lens=name).mean("group") for name in ("logit", "tuned"))
    assert (tuned[:, :-1] < logit[:, :-1]).all()


def test_findings_are_means_over_the_positions_of_a_group(runs, found):
    data, _ = runs.select(Examples(split="validation"))
    words = found["output"].values.tolist()
    for length in (1, 3):
        right, divergence, passed = [], [], []
        for example in np.flatnonzero(data["path_length"].values == length):
            for position in np.flatnonzero(data["scored"].values[example]):
                p = found["probability"].isel(shown_example=example).sel(position=position).values
                right.append(p.argmax(-1) == data["targets"].values[example, position])
                last = p[:, :, -1:]
                divergence.append((last * np.log(last / p)).sum(-1))
                node = data["ancestor"].values[example, 1]
                passed.append(p[..., words.index(f">{node}")])
        here = found.sel(group=length)
        assert here["count"].values == pytest.approx(len(right))
        np.testing.assert_allclose(here["accuracy"], np.mean(right, 0), rtol=1e-5)
        np.testing.assert_allclose(here["kl"], np.mean(divergence, 0), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(here["traced"].sel(place=1), np.mean(passed, 0), rtol=1e-4)
    assert found["traced"].sel(group=1, place=2).isnull().all()  # above the root there is no node
    assert found["traced"].sel(group=2, place=2).notnull().all()


def test_only_positions_asked_for_are_read(runs):
    options = lens.Options(lenses=["logit"], positions=["root"], shown=SHOWN)
    found = lens.analyse(runs, options)
    assert found["position"].values.tolist() == [3 * 3 + 2]
    assert found["count"].values.tolist() == [[40], [40]]
    assert found["group"].values.tolist() == ["all"]
    assert found["lens"].values.tolist() == ["logit"]


def test_translators_are_trained_on_examples_answered_right_alone(runs, monkeypatch):
    taken = {}

    def tune(states, counts, unembed, fit):
        taken.update(states=states, counts=counts)
        raise StopIteration

    monkeypatch.setattr(lenses, "tune", tune)
    with pytest.raises(StopIteration):
        lens.analyse(runs, lens.Options())
    data, examples = runs.select(Examples(split="train"))
    right = runs.evaluate(runs.weights("last"), examples).right
    assert 0 < right.mean() < 1
    positions = data["scored"].values.sum(1)
    assert taken["counts"].sum(1).tolist() == (right * positions).sum(1).tolist()
    assert taken["states"].shape[:3] == (2, 3, positions.sum())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positions": ["rot"]}, "no position is called 'rot'.*mean 'root'"),
        (
            {"positions": ["padding"], "split": "lone", "where": {"goal": [9]}},
            "no example of split",
        ),
        ({"by": "path_lenth"}, "no variable 'path_lenth'.*mean 'path_length'"),
        ({"traced": {**TRACED, "along": "distanc"}}, "ancestor has no further dim distanc"),
        ({"traced": {**TRACED, "output": "<{}"}}, "no output '<0'"),
    ],
)
def test_what_is_not_in_the_data_is_an_error_with_what_there_is(runs, options, message):
    with pytest.raises(InterpflowError, match=message):
        lens.analyse(runs, lens.Options(lenses=["logit"], **options))


def test_a_name_of_positions_that_no_example_has_is_an_error(runs):
    runs = Runs(
        runs.data.assign(scored=runs.data["scored"] & False), runs.labelled, runs.history,
        runs.model, runs.loss, "cpu",
    )  # fmt: skip
    with pytest.raises(InterpflowError, match="no example has a position scored"):
        lens.analyse(runs, lens.Options(lenses=["logit"], by="goal"))


def test_a_task_of_several_labels_has_no_lens():
    runs = runs_of(brackets(), recipe())
    with pytest.raises(InterpflowError, match="no single prediction"):
        lens.analyse(runs, lens.Options())


# The translators themselves.


def streams(seeds: int = 2, count: int = 300, width: int = 8) -> tuple[torch.Tensor, Unembedding]:
    """A stream (seed, layer 2, n, d) whose first layer is an affine image of its last."""

    def normal(*address, shape) -> torch.Tensor:
        return torch.from_numpy(generator("test lens", *address).normal(0, 1, shape)).float()

    last = torch.stack([normal(seed, "last", shape=(count, width)) for seed in range(seeds)])
    turn = torch.linalg.qr(normal("turn", shape=(width, width))).Q
    unembedding = torch.stack([normal(seed, "W_U", shape=(width, 5)) for seed in range(seeds)])
    states = torch.stack([last @ turn + 0.5, last], dim=1)
    return states, Unembedding({"W_U": unembedding})


def test_a_translator_finds_the_affine_map_back_to_the_last_layer():
    states, unembed = streams()
    wanted = unembed(states[:, -1:])
    before = kl(wanted, unembed(states)).mean(-1)
    found = tune(states, torch.ones(2, 300), unembed, Fit(600, 64, 0.03))
    after = kl(wanted, unembed(found(states))).mean(-1)
    assert (after[:, 0] < 0.01 * before[:, 0]).all()


def test_positions_that_do_not_count_change_nothing():
    states, unembed = streams()
    counts = (torch.arange(300) % 2 == 0).expand(2, -1)
    spoilt = torch.where(counts[:, None, :, None], states, states.flip(2) * 3)
    one, other = (tune(each, counts, unembed, Fit(20, 64, 0.02)) for each in (states, spoilt))
    torch.testing.assert_close(one.matrix, other.matrix)


def test_seeds_are_tuned_apart():
    states, unembed = streams(seeds=3)
    together = tune(states, torch.ones(3, 300), unembed, Fit(20, 64, 0.02))
    _, alone = streams(seeds=1)
    one = tune(states[:1], torch.ones(1, 300), alone, Fit(20, 64, 0.02))
    torch.testing.assert_close(together.matrix[:1], one.matrix, rtol=1e-4, atol=1e-6)
