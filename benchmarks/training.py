"""Five seeds as one ensemble, against single runs and plain torch: one seed at a time, padded to the longest.

The plain loop comes in two forms: with the batches taken from tensors by index, which is the least there can
be, and as it is usually written, with a DataLoader and a padding mask.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.training import loop
from interpflow.training.examples import Examples

STEPS, REPEATS = 100, 5
LISTS = 8192  # that list_sorting trains on here


class Plain(nn.Module):
    """The model of the study as people write it."""

    def __init__(self, model: dict[str, Any], d_vocab: int, d_output: int):
        super().__init__()
        d_model = model["d_model"]
        layer = nn.TransformerEncoderLayer(
            d_model, model["heads"], model["d_mlp"], dropout=0.0, batch_first=True
        )
        self.scale = math.sqrt(d_model)
        self.embed = nn.Embedding(d_vocab, d_model)
        self.encoder = nn.TransformerEncoder(layer, model["layers"])
        self.decoder = nn.Linear(d_model, d_output)

    def forward(self, tokens: Tensor, padding: Tensor | None) -> Tensor:
        size = tokens.shape[1]
        later = torch.ones(size, size, dtype=torch.bool).triu(1)
        hidden = self.encoder(
            self.embed(tokens) * self.scale,
            mask=later,
            src_key_padding_mask=padding,
            is_causal=padding is None,
        )
        return torch.sigmoid(self.decoder(hidden))


def by_index(whole: TensorDataset, size: int) -> Iterator[list[Tensor]]:
    """Batches taken by index, epoch after epoch."""
    while True:
        for chosen in torch.randperm(len(whole)).split(size):
            yield [tensor[chosen] for tensor in whole.tensors]


def by_loader(whole: TensorDataset, size: int) -> Iterator[list[Tensor]]:
    """Batches of a DataLoader, epoch after epoch."""
    while True:
        yield from DataLoader(whole, batch_size=size, shuffle=True)


def plain(data: xr.Dataset, experiment: Any, usual: bool) -> None:
    """Train one seed for `STEPS` steps."""
    options = experiment.training
    every = Examples(data, "train")
    padded = every.take(np.arange(len(every)))
    tokens = torch.where(padded.tokens < 0, ~padded.tokens, padded.tokens)  # padding is ~token
    whole = TensorDataset(tokens, padded.targets.float(), padded.scored)
    model = Plain(experiment.model, data.sizes["token"], data.sizes["output"])
    optimizer = torch.optim.RMSprop(model.parameters(), options["learning_rate"])
    batches = (by_loader if usual else by_index)(whole, options["batch_size"])
    for _, (tokens, targets, real) in zip(range(STEPS), batches, strict=False):
        output = model(tokens, ~real if usual else None)
        error = ((output - targets) ** 2).mean(-1)
        loss = (error * real).sum() / real.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def ensemble(data: xr.Dataset, experiment: Any, seeds: int) -> None:
    """Train `seeds` seeds for `STEPS` steps, as the workflow does."""
    recipe = {
        "task": experiment.task,
        "model": experiment.model,
        "training": {
            **experiment.training, "epochs": None, "steps": STEPS, "checkpoints": {"linear": 0, "log": 0},
        },
        "compute": {"device": "cpu", "threads": 1},
        "seeds": range(seeds),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        loop.train(data, recipe, Path(folder) / "state.npz", lambda *at, **values: None)


def main() -> None:
    """Print the time of one step of one seed."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "enable_nested_tensor")  # a shortcut for inference
    experiments = study.counter_languages().experiments
    for name in ("dyck1", "dyck1_four_heads", "shuffle6"):
        experiment = experiments[name]
        data = study.data(experiment.task)
        compare(
            f"{name}: one step of one seed",
            [
                Way(
                    "five seeds as one ensemble", partial(ensemble, data, experiment, 5), 5 * STEPS
                ),
                Way(
                    "one seed as an ensemble of one", partial(ensemble, data, experiment, 1), STEPS
                ),
                Way(
                    "plain torch, batches by index", partial(plain, data, experiment, False), STEPS
                ),
                Way(
                    "plain torch, DataLoader and padding mask",
                    partial(plain, data, experiment, True),
                    STEPS,
                ),
            ],
            REPEATS,
        )
    print("  goal: 5 x")
    baseline = study.list_sorting().experiments["baseline"]
    lists = study.data({**baseline.task, "train_size": LISTS})
    compare(
        "list_sorting, baseline: one step of one seed",
        [
            Way("five seeds as one ensemble", partial(ensemble, lists, baseline, 5), 5 * STEPS),
            Way("five runs of one seed", partial(ensemble, lists, baseline, 1), STEPS),
        ],
        REPEATS,
    )
