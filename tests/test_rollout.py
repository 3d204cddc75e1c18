"""What a model answers on its own is what one gets by reading, writing and reading again."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch
import xarray as xr
from small import brackets, labelled_weights

from interpflow.analyses import rollout
from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs
from interpflow.tasks import even_pairs, list_sorting, tree_pathfinding
from interpflow.variables import WEIGHTS

SEEDS = (0, 1, 2)
LETTERS = {"1": "a{}", "0": "b{}"}


def runs_on(data: xr.Dataset, loss: str) -> Runs:
    options = ModelOptions(d_model=12, heads=2, layers=2, norm="pre", biases=False)
    sizes = data.sizes
    model = Transformer(options, sizes["token"], sizes["position"], sizes["output"])
    given = {name: 3 * each.numpy() for name, each in labelled_weights(model, SEEDS).items()}
    labelled = xr.Dataset(
        {name: (WEIGHTS[name].dims, each[None]) for name, each in given.items()},
        {"step": [7], "seed": list(SEEDS)},
    )
    return Runs(data, labelled, xr.Dataset(), model, loss, "cpu")


def says(runs: Runs, seed: int, words: list[str]) -> str:
    """The word of the output that one model has after `words`."""
    tokens = [runs.data["token"].values.tolist().index(word) for word in words]
    weights = {name: w[seed : seed + 1] for name, w in runs.weights_at(7).items()}
    with torch.no_grad():
        logits = runs.model(weights, torch.tensor([tokens]))[0, 0, -1].tolist()
    if len(logits) == 1:
        return "1" if logits[0] > 0 else "0"
    return str(runs.data["output"].values[int(np.argmax(logits))])


def words_of(example: xr.Dataset) -> list[str]:
    return example["token"].values[example["tokens"].values[: int(example["length"])]].tolist()


def validation(runs: Runs) -> list[xr.Dataset]:
    data = runs.data.isel(example=runs.data["split"].values == "validation")
    return [data.isel(example=at) for at in range(data.sizes["example"])]


LISTS = list_sorting.Options(length=3, vocabulary=4, train_size=2, validation_size=20)
TREES = tree_pathfinding.Options(nodes=4, train_size=2, validation_size=20, test_size=2)


@pytest.mark.parametrize(
    "data", [list_sorting.generate(LISTS), tree_pathfinding.generate(TREES)], ids=["lists", "trees"]
)
def test_predictions_that_are_read_again_decide_whether_an_example_is_right(data):
    runs = runs_on(data, "cross_entropy")
    found = rollout.analyse(runs, rollout.Options())["accuracy"]
    for seed in SEEDS:
        right = []
        for example in validation(runs):
            text, hits = words_of(example), []
            for at in np.flatnonzero(example["scored"].values):
                said = says(runs, seed, text[: at + 1])
                hits.append(said == str(example["output"].values[example["targets"].values[at]]))
                if at + 1 < len(text):
                    text[at + 1] = said
            right.append(all(hits))
        assert found.sel(seed=seed).item() == pytest.approx(np.mean(right))


def test_a_chain_of_letters_is_continued_by_the_letters_that_predictions_stand_for():
    runs = runs_on(
        even_pairs.generate(even_pairs.Options(mode="parity_cot")), "binary_cross_entropy"
    )
    options = rollout.Options(words=LETTERS, answer="parity")
    found = rollout.analyse(runs, options)["accuracy"]
    for seed in SEEDS:
        right = []
        for example in validation(runs):
            text = words_of(example)[:4]
            for place in (5, 6, 7):
                said = says(runs, seed, text)
                text.append(LETTERS[said].format(place))
            right.append(int(said) == int(example["parity"]))
        assert found.sel(seed=seed).item() == pytest.approx(np.mean(right))


def test_a_chain_in_a_window_drops_the_first_letter_and_moves_the_others():
    runs = runs_on(even_pairs.generate(even_pairs.Options(longest=4)), "binary_cross_entropy")
    options = rollout.Options(
        words=LETTERS, rounds="rounds", answer="parity", by="length", where={"length": [2, 3, 4]}
    )
    found = rollout.analyse(runs, options)
    assert found["count"].values.tolist() == [4, 8, 16]
    for seed in SEEDS:
        right = defaultdict(list)
        for example in validation(runs):
            text = [word[0] for word in words_of(example)]
            if len(text) == 1:
                continue
            for _ in range(len(text) - 1):
                said = says(runs, seed, [f"{letter}{at + 1}" for at, letter in enumerate(text)])
                text = [*text[1:], "a" if said == "1" else "b"]
            right[len(text)].append((text[-1] == "a") == bool(example["parity"]))
        for length, hits in right.items():
            here = found["accuracy"].sel(seed=seed, group=length)
            assert here.item() == pytest.approx(np.mean(hits))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "output '0' is no token '0'"),
        ({"words": {"even": "a{}"}}, "no output 'even'; there are: 0, 1"),
        ({"words": {"1": "a{}", "0": "c{}"}}, "output '0' is no token 'c1'"),
        ({"words": LETTERS, "rounds": "rounds", "answer": "parity"}, "of 1 tokens has no prediction"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(options, message):
    runs = runs_on(even_pairs.generate(even_pairs.Options()), "binary_cross_entropy")
    with pytest.raises(InterpflowError, match=message):
        rollout.analyse(runs, rollout.Options(**options))


def test_several_labels_at_once_are_no_token():
    runs = runs_on(brackets(), "mse")
    with pytest.raises(InterpflowError, match="several labels hold at once"):
        rollout.analyse(runs, rollout.Options())
