"""Small models with weights in every place, and small data, for tests of the numerical parts."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from torch import Tensor

from interpflow.model.options import ModelOptions
from interpflow.model.packing import pack
from interpflow.model.transformer import Transformer, build_model
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.tasks import bracket_language
from interpflow.training import loop
from interpflow.training.options import TrainingOptions

D_VOCAB, N_CTX, D_OUTPUT = 7, 12, 5
COMPUTE = {"device": "cpu", "threads": 1}


def model(**options: Any) -> Transformer:
    """A model of `options` for 7 tokens, 12 positions and 5 outputs."""
    return Transformer(ModelOptions(**{"d_model": 24, **options}), D_VOCAB, N_CTX, D_OUTPUT)


def labelled_weights(of: Transformer, seeds: Sequence[int] = (0, 1, 2)) -> dict[str, Tensor]:
    """Weights (seed, …) of ordinary size in every place, zero nowhere."""
    return {
        name: torch.stack(
            [
                torch.from_numpy(generator("test", seed, name).normal(0.05, 0.25, shape)).float()
                for seed in seeds
            ]
        )
        for name, shape in of.shapes.items()
    }


def weights(of: Transformer, seeds: Sequence[int] = (0, 1, 2)) -> dict[str, Tensor]:
    """The same, packed."""
    return pack(labelled_weights(of, seeds))


def tokens(*shape: int) -> Tensor:
    """Random token ids of `shape`."""
    return torch.from_numpy(generator("test tokens", *shape).integers(D_VOCAB, size=shape))


@functools.cache
def brackets(train_size: int = 200, pairs: int = 2, max_length: int = 20) -> xr.Dataset:
    """A few strings of a counter language."""
    options = bracket_language.Options(
        pairs=pairs, max_length=max_length, train_size=train_size, validation_size=50
    )
    return bracket_language.generate(options)


def recipe(
    model: dict[str, Any] | None = None, seeds: Sequence[int] = (0, 1), **training: Any
) -> dict[str, Any]:
    """What `loop.train` takes, for a model of one post-norm layer trained for some steps."""
    shape = {"d_model": 16, "d_mlp": 24, "norm": "post", "positions": "none", **(model or {})}
    options = {
        "batch_size": 16, "optimizer": "rmsprop", "learning_rate": 0.005, "loss": "mse", **training,
    }  # fmt: skip
    if "epochs" not in options:
        options.setdefault("steps", 12)
    return {
        "model": ModelOptions(**shape).model_dump(),
        "training": TrainingOptions(**options).model_dump(),
        "compute": COMPUTE,
        "seeds": list(seeds),
    }


def runs_of(data: xr.Dataset, of: dict[str, Any]) -> Runs:
    """The seeds of a recipe, trained on `data`."""
    with tempfile.TemporaryDirectory() as folder:
        weights, history = loop.train(
            data, of, Path(folder) / "state.npz", lambda *at, **values: None
        )
    model = build_model(of["model"], data)
    return Runs(data, weights, history, model, of["training"]["loss"], "cpu")


def runs_from(
    labelled: xr.Dataset, model: dict[str, Any], token: Sequence[str], output: Sequence[str]
) -> Runs:
    """Runs with the weights given, for tokens and outputs of these names, and no examples."""
    data = xr.Dataset(coords={"token": list(token), "output": list(output)})
    of = Transformer(ModelOptions(**model), len(token), N_CTX, len(output))
    return Runs(data, labelled, xr.Dataset(), of, "cross_entropy", "cpu")
