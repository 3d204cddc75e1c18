"""Modes of heads on constructed weights whose mode is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from small import runs_from

from interpflow.analyses import circuits, head_modes

WORDS = 32
WHOLE, LOWER, UPPER = np.ones(WORDS), np.arange(WORDS) < 16, np.arange(WORDS) >= 16
NOTHING = np.zeros(WORDS)


def constructed(*heads: np.ndarray) -> xr.Dataset:
    """A model whose heads write each number's own logit times the values given, or a matrix of logits.

    Embedding and unembedding are one-hot, with one more token, a separator, that no head copies.
    """
    shape = (1, 1)  # step, seed
    d_model = WORDS + 1
    identity = np.eye(d_model)
    weights = {
        "W_E": (("d_vocab", "d_model"), identity),
        "W_Q": (("layer", "head", "d_model", "d_head"), np.stack([identity] * len(heads))[None]),
        "W_K": (("layer", "head", "d_model", "d_head"), np.stack([identity] * len(heads))[None]),
        "W_V": (("layer", "head", "d_model", "d_head"), np.stack([identity] * len(heads))[None]),
        "W_O": (
            ("layer", "head", "d_head", "d_model"),
            np.stack([_written(values) for values in heads])[None],
        ),
        "W_U": (("d_model", "d_output"), identity[:, :WORDS]),
    }
    labelled = xr.Dataset(
        {
            name: (("step", "seed", *dims), np.broadcast_to(value, (*shape, *value.shape)))
            for name, (dims, value) in weights.items()
        },
        {"step": [10], "seed": [0]},
    )
    words = list(map(str, range(WORDS)))
    model = {"heads": len(heads), "d_model": d_model, "d_head": d_model, "norm": "none",
             "positions": "none", "biases": False}  # fmt: skip
    return runs_from(labelled, model, token=[*words, "|"], output=words)


def _written(values: np.ndarray) -> np.ndarray:
    matrix = np.diag(values) if values.ndim == 1 else values
    return np.pad(matrix, (0, 1))


def modes(*heads: np.ndarray, **options) -> xr.Dataset:
    found = head_modes.analyse(constructed(*heads), head_modes.Options(**options))
    return found.isel(seed=0, step=0)


@pytest.mark.parametrize(
    ("heads", "of_heads", "of_model"),
    [
        ((5.0 * LOWER, 4.0 * UPPER), ["part", "part"], "vocabulary_splitting"),
        ((WHOLE, -0.6 * WHOLE), ["whole", "suppressing"], "copy_suppression"),
        ((WHOLE, WHOLE), ["whole", "whole"], "overlapping"),
        ((WHOLE, 0.5 * WHOLE), ["whole", "whole"], "overlapping"),
        ((WHOLE, NOTHING), ["whole", "dead"], "single"),
        ((WHOLE, 0.05 * WHOLE), ["whole", "dead"], "single"),
        ((WHOLE,), ["whole"], "single"),
        ((NOTHING, NOTHING), ["dead", "dead"], "none"),
        ((WHOLE, 0.8 * LOWER - 0.3 * (np.arange(WORDS) >= 20)), ["whole", "part"], "overlapping"),
        ((1.0 * LOWER, 1.0 * UPPER - 0.8 * (np.arange(WORDS) < 8)), ["part", "mixed"], "mixed"),
        ((1.0 * LOWER, 1.0 * UPPER, -WHOLE), ["part", "part", "suppressing"], "copy_suppression"),
    ],
    ids=["splitting", "suppression", "overlap", "weaker overlap", "dead", "nearly dead",
         "one head", "nothing", "part overlap", "mixed", "three heads"],
)  # fmt: skip
def test_constructed_modes_are_told_apart(heads, of_heads, of_model):
    found = modes(*heads)
    assert found["head_mode"].values.tolist() == of_heads
    assert found["mode"].item() == of_model
    assert found["is_mode"].sel(model_mode=of_model) == 1
    assert found["is_mode"].sum() == 1


def test_before_training_no_head_has_a_mode():
    found = [
        head_modes.analyse(
            constructed(*noise.standard_normal((2, WORDS, WORDS)) * 0.1), head_modes.Options()
        )
        for noise in map(np.random.default_rng, range(20))
    ]
    assert {mode for one in found for mode in one["mode"].values.ravel()} == {"none"}
    assert {mode for one in found for mode in one["head_mode"].values.ravel()} == {"dead"}


def test_regions_are_counted_and_measured():
    blocks = np.repeat([1, 0, 1, 0], 8)
    found = modes(1.0 * blocks, 1.0 * (1 - blocks))
    assert found["regions"].values.tolist() == [2, 2]
    assert found["region_size"].values.tolist() == [8, 8]
    assert found["overlap"] == 0
    assert found["mode"].item() == "vocabulary_splitting"


def test_a_single_odd_number_is_no_region():
    lone = 1.0 * LOWER
    lone[25] = 1.0
    found = modes(lone, 1.0 * UPPER)
    assert found["regions"].values.tolist() == [1, 1]
    assert modes(lone, 1.0 * UPPER, smallest_region=1)["regions"].values.tolist() == [2, 1]


def test_the_overlap_is_the_share_of_copied_numbers_that_several_heads_copy():
    found = modes(1.0 * (np.arange(WORDS) < 20), 1.0 * (np.arange(WORDS) >= 12))
    assert found["overlap"] == pytest.approx(8 / 32)


def test_circuits_are_products_of_the_weights_head_by_head():
    maps = circuits.analyse(constructed(2.0 * WHOLE, -1.0 * WHOLE), circuits.Options())
    ov = maps["ov"].isel(seed=0, step=0).values
    assert ov[0, :WORDS] == pytest.approx(2 * np.eye(WORDS))
    assert ov[1, :WORDS] == pytest.approx(-np.eye(WORDS))
    qk = maps["qk"].isel(seed=0, step=0, head=0).values
    assert qk == pytest.approx(np.eye(WORDS + 1) / np.sqrt(WORDS + 1))
