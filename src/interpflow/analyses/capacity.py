"""How many answers a model holds for its size: examples right, bits, and the parameters that learned.

The bits that a model holds are those that a guess lacks, less those that its losses say are missing: with a
loss of zero it holds all, and with an even guess none.  A model that is sure and wrong has less than none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat

from interpflow.selection import ExamplesAt
from interpflow.variables import WEIGHTS, Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """Which examples hold one answer each, and what a guess is worth."""

    guesses: int = Field(ge=2)  # outputs between which one who knows all but the answer guesses
    guide: PositiveFloat | None = None  # examples a parameter, for a line beside what was found


PARTS = ("embedding", "attention", "MLP", "rest")
VARIABLES = {
    "trainable": Variable((), "1", "trained parameters"),
    "parameters": Variable(("part",), "1", "trained parameters of the part"),
    "examples": Variable((), "1", "number of examples"),
    "accuracy": Variable(("seed",), "1", "share of examples right"),
    "right": Variable(("seed",), "1", "number of examples right"),
    "asked_per_parameter": Variable((), "1", "examples, by trained parameter"),
    "right_per_parameter": Variable(("seed",), "1", "examples right, by trained parameter"),
    "bits": Variable(("seed",), "bit", "bits of the answers that the model holds"),
    "bits_per_parameter": Variable(("seed",), "bit", "bits held, by trained parameter"),
    "guide": Variable((), "1", "examples a parameter that were reported elsewhere"),
}

NEEDS = "runs"
OVER_TRAINING = True  # a weight that training has not moved is no trained parameter


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"part": PARTS}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Count what every seed has right and holds, at one checkpoint."""
    from interpflow.methods.outcomes import outcomes

    _, examples = runs.select(options)
    found = outcomes(runs.model, runs.weights(options.checkpoint), examples, runs.loss)
    parameters = _trained(runs.labelled)
    trainable = sum(parameters.values())
    bits = (np.log(options.guesses) - found.loss).sum(-1) / np.log(2)
    dataset = xr.Dataset(
        {
            "trainable": ((), trainable),
            "parameters": ("part", [parameters[part] for part in PARTS]),
            "examples": ((), len(examples)),
            "accuracy": ("seed", found.right.mean(-1)),
            "right": ("seed", found.right.sum(-1)),
            "asked_per_parameter": ((), len(examples) / max(trainable, 1)),
            "right_per_parameter": ("seed", found.right.sum(-1) / max(trainable, 1)),
            "bits": ("seed", bits),
            "bits_per_parameter": ("seed", bits / max(trainable, 1)),
        },
        {"seed": runs.seeds, "part": [*PARTS]},
    )
    if options.guide is not None:
        dataset["guide"] = options.guide
    return dataset


def _trained(labelled: xr.Dataset) -> dict[str, int]:
    """How many entries the weights of each part have that differ between first and last step of some seed."""
    found = dict.fromkeys(PARTS, 0)
    for name in map(str, labelled.data_vars):
        weight = labelled[name]
        if (weight.isel(step=0) != weight.isel(step=-1)).any():
            found[_part(name)] += weight[0, 0].size
    return found


def _part(name: str) -> str:
    dims = WEIGHTS[name].dims
    if "d_mlp" in dims or name == "b_out":
        return "MLP"
    if "head" in dims or name == "b_O":
        return "attention"
    return "embedding" if name in ("W_E", "W_pos", "W_U", "b_U") else "rest"
