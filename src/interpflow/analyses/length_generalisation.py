"""Exact-match accuracy on splits the model was not trained on, such as bins of longer sequences."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from interpflow.section import Section
from interpflow.variables import Variable


class Options(Section):
    """Which checkpoints are tested."""

    checkpoints: list[Literal["first", "best", "last"]] = ["best"]


VARIABLES = {
    "accuracy": Variable(
        ("seed", "checkpoint", "split"), "1", "share of sequences right at every position"
    ),
    "loss": Variable(("seed", "checkpoint", "split"), "1", "mean loss over sequences"),
    "step": Variable(("seed", "checkpoint"), "step", "training step of the checkpoint"),
    "shortest": Variable(("split",), "token", "length of the shortest sequence"),
    "longest": Variable(("split",), "token", "length of the longest sequence"),
}

NEEDS = "runs"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """Run every seed over every split but `train`."""
    splits = [name for name in dict.fromkeys(runs.data["split"].values) if name != "train"]
    lengths = {name: runs.examples(name).lengths for name in splits}
    found = [
        [runs.evaluate(runs.weights(checkpoint), runs.examples(name)) for name in splits]
        for checkpoint in options.checkpoints
    ]

    def table(values: list[list[np.ndarray]]) -> np.ndarray:
        return np.moveaxis(np.array(values), -1, 0)

    dims = ("seed", "checkpoint", "split")
    return xr.Dataset(
        {
            "accuracy": (dims, table([[each.accuracy for each in row] for row in found])),
            "loss": (dims, table([[each.loss for each in row] for row in found])),
            "step": (dims[:2], np.array([runs.steps(name) for name in options.checkpoints]).T),
            "shortest": ("split", [int(lengths[name].min()) for name in splits]),
            "longest": ("split", [int(lengths[name].max()) for name in splits]),
        },
        {"seed": runs.seeds, "checkpoint": options.checkpoints, "split": splits},
    )
