"""Small trees, and models of their paths, trained a little or not, for tests of what looks at positions."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from small import labelled_weights, recipe, runs_of

from interpflow.model.options import ModelOptions
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs
from interpflow.tasks import tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import WEIGHTS

NODES = 6
SHAPE = {"d_model": 12, "d_head": 6, "d_mlp": 16, "heads": 2, "layers": 2, "norm": "pre",
         "positions": "learned", "activation": "gelu"}  # fmt: skip


@functools.cache
def trees(nodes: int = NODES, size: int = 30) -> xr.Dataset:
    """Trees of a few nodes: `size` in each of the splits train, validation and test.

    And 8 of each length of a path (`lengths`), 30 of each without a second chain (`plain`), and every leaf of
    10 trees (`leaves`).
    """
    splits = {
        "lengths": tree_pathfinding.Split(size=8, path_length="each"),
        "plain": tree_pathfinding.Split(size=30, kind="plain", path_length="each"),
        "leaves": tree_pathfinding.Split(size=10, all_leaves=True),
    }
    options = tree_pathfinding.Options(
        nodes=nodes,
        train_size=size,
        validation_size=size,
        test_size=size,
        held_out=0.5,
        splits=splits,
    )
    return make_dataset(tree_pathfinding, options)


@functools.cache
def trained_runs(steps: int = 150, layers: int = 2) -> Runs:
    """Two seeds, trained a little on trees of five nodes; 60 test trees and 30 of each path length."""
    options = tree_pathfinding.Options(
        nodes=5, train_size=300, validation_size=50, test_size=60,
        splits={"lengths": tree_pathfinding.Split(size=30, path_length="each")},
    )  # fmt: skip
    model: dict[str, Any] = {"norm": "pre", "positions": "learned", "layers": layers, "d_model": 24}
    of = recipe(
        model=model, optimizer="adam", loss="cross_entropy", steps=steps, batch_size=32,
        learning_rate=3e-3,
    )  # fmt: skip
    return runs_of(make_dataset(tree_pathfinding, options), of)


def random_runs(
    data: xr.Dataset | None = None, seeds: Sequence[int] = (0, 1), steps: Sequence[int] = (10,),
    findings: Mapping[str, xr.Dataset] | None = None, **model: Any,
) -> Runs:  # fmt: skip
    """Runs of models that learned nothing, whose weights are of ordinary size in every place."""
    data = trees() if data is None else data
    options = ModelOptions(**{**SHAPE, **model})
    of = Transformer(
        options, data.sizes["token"], data.sizes.get("position", 12), data.sizes["output"]
    )
    each = [labelled_weights(of, [100 * step + seed for seed in seeds]) for step in steps]
    labelled = xr.Dataset(
        {
            name: (WEIGHTS[name].dims, np.stack([one[name].numpy() for one in each]))
            for name in of.shapes
        },
        {"seed": list(seeds), "step": list(steps)},
    )
    return Runs(
        data, labelled, xr.Dataset(), of, "cross_entropy", "cpu", findings=dict(findings or {})
    )


def felt_runs(findings: Mapping[str, xr.Dataset] | None = None, **model: Any) -> Runs:
    """The same, but with larger heads and smaller positions: what differs between examples is felt."""
    shape = {"d_model": 16, "d_head": 8, "d_mlp": 24, "activation": "relu"}
    return felt(random_runs(steps=(0,), findings=findings, **{**shape, **model}))


def felt(runs: Runs) -> Runs:
    """The runs, with weights changed so."""
    for name, values in runs.labelled.items():
        if name in ("W_Q", "W_K", "W_V", "W_O"):
            values *= 3
        elif name == "W_pos":
            values *= 0.3
        elif name in ("ln1_w", "ln2_w", "ln_final_w"):
            values += 1
    return runs


def found(*positions: int, seeds: int = 2) -> xr.Dataset:
    """Findings that call `positions` of trees of six nodes registers, in every seed."""
    every = range(trees().sizes["position"])
    chosen = [[position in positions for position in every]] * seeds
    return xr.Dataset({"is_register": (("seed", "position"), chosen)}, {"seed": range(seeds)})
