"""Small trees and models with weights in every place, for tests of what looks at named positions."""

from __future__ import annotations

import functools
from typing import Any

import small
import torch
import xarray as xr

from interpflow.model.options import ModelOptions
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs
from interpflow.tasks import tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import WEIGHTS

NODES = 6


@functools.cache
def trees() -> xr.Dataset:
    """Trees of six nodes, with a split of 8 for each path length and one of every leaf of 10 trees."""
    options = tree_pathfinding.Options(
        nodes=NODES,
        train_size=20,
        validation_size=20,
        test_size=40,
        splits={
            "lengths": tree_pathfinding.Split(size=8, path_length="each"),
            "leaves": tree_pathfinding.Split(size=10, all_leaves=True),
        },
    )
    return make_dataset(tree_pathfinding, options)


def runs(findings: dict[str, xr.Dataset] | None = None, **options: Any) -> Runs:
    """Two seeds of a model with random weights of ordinary size, two layers and two heads if not said else."""
    torch.set_num_threads(1)  # more would wait for each other at these sizes
    shape = {
        "d_model": 16, "d_mlp": 24, "layers": 2, "heads": 2, "norm": "pre", "positions": "learned",
    }  # fmt: skip
    data = trees()
    words = data.sizes["token"]
    of = Transformer(ModelOptions(**{**shape, **options}), words, 4 * NODES, words)
    weights = small.labelled_weights(of, seeds=(0, 1))
    for name, value in weights.items():  # what differs between examples is felt
        value *= 3 if name in ("W_Q", "W_K", "W_V", "W_O") else 0.3 if name == "W_pos" else 1
        value += 1 if name in ("ln1_w", "ln2_w", "ln_final_w") else 0
    labelled = xr.Dataset(
        {name: (WEIGHTS[name].dims, value.numpy()[None]) for name, value in weights.items()},
        {"step": [0], "seed": [0, 1]},
    )
    return Runs(data, labelled, xr.Dataset(), of, "cross_entropy", "cpu", findings=findings)


def found(*positions: int, seeds: int = 2) -> xr.Dataset:
    """Findings that call `positions` registers, in every seed."""
    every = range(4 * NODES)
    chosen = [[position in positions for position in every]] * seeds
    return xr.Dataset({"is_register": (("seed", "position"), chosen)}, {"seed": range(seeds)})
