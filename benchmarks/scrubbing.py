"""Causal scrubbing of the 16-node model, layers by path lengths, against one example at a time.

Both take the model as it starts: what weights hold changes no time.
"""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow import selection
from interpflow.analyses import scrubbing
from interpflow.model.packing import unpack
from interpflow.model.transformer import build_model
from interpflow.runs import Runs
from interpflow.variables import WEIGHTS
from tests.slow_reference import scrubbed_losses

EXAMPLES = 4  # of the slow one, for which every example takes as long


def main() -> None:
    """The hypotheses of the study, with every fifth position as a register."""
    torch.set_num_threads(1)
    planned = study.tree_pathfinding()
    experiment = planned.experiments["nodes16"]
    options = scrubbing.Options(**planned.analyses["scrubbing"].options["nodes16"])
    few = {"train_size": 1, "validation_size": 1, "test_size": 1}
    runs = untrained(study.data({**experiment.task, **few}), experiment.model)
    data = scrubbing.sample(selection.select(runs.data, options), options)
    pool = selection.select(runs.data, selection.Examples(split=options.donors))
    total, depth = data.sizes["example"], runs.model.options.layers
    compare(
        f"one scrubbed example, {len(options.hypotheses)} hypotheses of {depth} layers",
        [
            Way("ours", lambda: scrubbing.analyse(runs, options), total),
            Way(
                "one example, layer and hypothesis at a time",
                lambda: slow(runs, data, pool, options),
                EXAMPLES,
            ),
        ],
        1,
    )


def slow(runs: Runs, data: xr.Dataset, pool: xr.Dataset, options: scrubbing.Options) -> None:
    """A few examples, with any of `pool` as donors: finding the right ones is left out."""
    weights = runs.weights("last")
    query = int(
        (data["role"].values[0] == data["role_name"].values.tolist().index("root")).argmax()
    )
    clean = [
        [runs.mask(among, each.clean)[0] for among in (data, pool)]
        for each in options.hypotheses.values()
    ]
    for example in range(EXAMPLES):
        donors = np.full((len(clean), runs.model.options.layers), example)
        scrubbed_losses(runs, data, pool, weights, example, query, donors, clean)


def untrained(data: xr.Dataset, shape: dict[str, object]) -> Runs:
    """One seed of the model before training, and registers for it."""
    model = build_model(shape, data)
    start = unpack(model.init([0]), model.options.heads)
    labelled = xr.Dataset(
        {name: (WEIGHTS[name].dims, start[name].numpy()[None]) for name in model.shapes},
        {"step": [0], "seed": [0]},
    )
    positions = np.arange(data.sizes["position"])
    found = xr.Dataset(
        {"is_register": (("seed", "position"), positions[None] % 5 == 0)}, {"seed": [0]}
    )
    return Runs(
        data, labelled, xr.Dataset(), model, "cross_entropy", "cpu", findings={"registers": found}
    )
