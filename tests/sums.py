"""A few questions of addition, for tests of what looks at states of positions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from trees import felt, random_runs

from interpflow.model.sites import Edit, Sites
from interpflow.runs import Runs
from interpflow.tasks import addition
from interpflow.tasks.base import make_dataset


@functools.cache
def sums(digits: int = 3) -> xr.Dataset:
    """Questions of a few digits: 30 of the validation split, 4 of each hardest."""
    options = addition.Options(
        digits=digits, train_size=4, validation_size=30, test_size=4, graded_size=4
    )
    return make_dataset(addition, options)


def sum_runs(**model: Any) -> Runs:
    """Two models at two steps that have learned nothing."""
    return felt(random_runs(sums(), steps=(0, 10), **model))


def validation(runs: Runs) -> xr.Dataset:
    return runs.data.isel(example=runs.data["split"].values == "validation")


def logits(
    runs: Runs, step: int, seed: int, example: xr.Dataset, edits: dict[str, Edit] | None = None
) -> Tensor:
    """Logits (pos, output) of one model on one example."""
    weights = {name: each[seed : seed + 1] for name, each in runs.weights_at(step).items()}
    length = int(example["length"])
    tokens = torch.from_numpy(example["tokens"].values[:length].astype(np.int64))
    with torch.no_grad():
        return runs.model(weights, tokens[None], Sites(edits=edits))[0, 0]
