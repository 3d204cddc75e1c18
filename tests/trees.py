"""Small trees, and models with weights of ordinary size in every place, for tests of what looks at states."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from small import labelled_weights

from interpflow.model.options import ModelOptions
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs
from interpflow.tasks import tree_pathfinding
from interpflow.variables import WEIGHTS

SHAPE = {"d_model": 12, "d_head": 6, "d_mlp": 16, "heads": 2, "layers": 2, "norm": "pre",
         "positions": "learned", "activation": "gelu"}  # fmt: skip


@functools.cache
def trees(nodes: int = 6, size: int = 30) -> xr.Dataset:
    """Trees of a few nodes; `size` in each of the splits train, validation and test."""
    options = tree_pathfinding.Options(
        nodes=nodes, train_size=size, validation_size=size, test_size=size, held_out=0.5
    )
    return tree_pathfinding.generate(options)


def labelled(of: Transformer, seeds: Sequence[int], steps: Sequence[int]) -> xr.Dataset:
    """Weights of ordinary size, other ones for each seed and step."""
    each = [
        {name: value.numpy() for name, value in
         labelled_weights(of, [100 * step + seed for seed in seeds]).items()}
        for step in steps
    ]  # fmt: skip
    return xr.Dataset(
        {name: (WEIGHTS[name].dims, np.stack([one[name] for one in each])) for name in of.shapes},
        {"seed": list(seeds), "step": list(steps)},
    )


def random_runs(
    data: xr.Dataset, seeds: Sequence[int] = (0, 1), steps: Sequence[int] = (10,), **model: Any
) -> Runs:
    """Runs on `data` of models that learned nothing."""
    options = ModelOptions(**{**SHAPE, **model})
    of = Transformer(
        options, data.sizes["token"], data.sizes.get("position", 12), data.sizes["output"]
    )
    return Runs(data, labelled(of, seeds, steps), xr.Dataset(), of, "cross_entropy", "cpu")
