"""Coarse classes of outputs over training: what a model knows of an answer before it knows the answer.

Outputs that have a state in common, such as the relation whose answers they are, make a class, and the
probability of a class is the sum of those of its outputs.  Of the kind `output`, each output is a class.  Where
a model knows the class and guesses within it, the loss within the class is the log of the number of its
outputs, and if the guess is calibrated the entropy within the class is as large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import PositiveFloat

from interpflow.errors import InterpflowError
from interpflow.section import Names, Some
from interpflow.selection import Examples, Positions, Site, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.packing import Weights
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples as Tensors

OfOutputs = Annotated[str, Names("variable of outputs")]  # with one value an output
Classes = Mapping[str, NDArray[np.int64]]  # the class of each output (output,), by kind
OUTPUT = "output"


class Options(Examples):
    """Which classes, where, and when."""

    # Kinds of classes: {relation: answer_relation} has the outputs of one relation in a class.
    kinds: Annotated[dict[str, OfOutputs], Some]
    positions: Positions = ["scored"]  # those that are not scored are left out
    without: Site | None = None  # what is set to zero: `blocks.0.hook_mlp_out` is the MLP
    known: PositiveFloat = 0.1  # nat; a class of a lower loss counts as known
    steps: Steps = "last"


_BY_STEP, _ONCE = ("seed", "step", "kind"), ("seed", "kind")
_WITHIN = {
    "within_loss": "mean loss of the output given its class",
    "within_entropy": "mean entropy of the outputs of the right class",
}
VARIABLES = {
    "loss": Variable(_BY_STEP, "nat", "mean loss of the class"),
    "accuracy": Variable(_BY_STEP, "1", "share of predictions whose likeliest class is right"),
    **{name: Variable(_BY_STEP, "nat", words) for name, words in _WITHIN.items()},
    "known_at": Variable(_ONCE, "step", "first step at which the class is known"),
    **{f"{name}_then": Variable(_ONCE, "nat", f"{words}, then") for name, words in _WITHIN.items()},
    "classes": Variable(("kind",), "1", "number of classes"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

_MEASURED = [name for name, variable in VARIABLES.items() if variable.dims == _BY_STEP]

NEEDS = "runs"
ONE_ANSWER = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if OUTPUT in options.kinds:
        yield ("kinds", OUTPUT), f"'{OUTPUT}' has each output in a class of its own; take another"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"kind": [OUTPUT, *options.kinds]}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for; a class that is never known has NaN where it would be.

    Raises InterpflowError where no scored position is left.
    """
    data, examples = runs.select(options)
    asked = runs.mask_of_all(data, options.positions) & data["scored"].values
    if not asked.any():
        raise InterpflowError(f"positions: no scored position is called {options.positions}")
    classes = _classes(data, options.kinds)
    steps, found = runs.kept(options.steps), []
    for step in steps:
        found.append(_means(runs, runs.weights_at(step), examples, asked, classes, options.without))
        runs.report(len(found), len(steps))
    each = {name: np.stack([one[name] for one in found], axis=1) for name in _MEASURED}
    is_known = each["loss"] < options.known
    first = is_known.argmax(1)  # (seed, kind)

    def then(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What `values` (seed, step, kind) are when a class is first known (seed, kind)."""
        there = np.take_along_axis(values, first[:, None], axis=1)[:, 0]
        return np.where(is_known.any(1), there, np.nan)

    every = np.broadcast_to(np.array(steps, float)[:, None], is_known.shape)
    return xr.Dataset(
        {
            **{name: (_BY_STEP, values) for name, values in each.items()},
            "known_at": (_ONCE, then(every)),
            **{f"{name}_then": (_ONCE, then(each[name])) for name in _WITHIN},
            "classes": ("kind", [len(np.unique(each)) for each in classes.values()]),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "kind": [*classes]},
    )


def _classes(data: xr.Dataset, kinds: Mapping[str, str]) -> Classes:
    """The class of each output of every kind, classes counted from 0."""
    found = {OUTPUT: np.arange(data.sizes["output"])}
    for kind, variable in kinds.items():
        _, found[kind] = np.unique(data[variable].values, return_inverse=True)
    return found


def _means(
    runs: Runs,
    weights: Weights,
    examples: Tensors,
    asked: NDArray[np.bool_],
    classes: Classes,
    without: str | None,
) -> dict[str, NDArray[np.float64]]:
    """Means over the positions `asked` (example, position) of what is measured, each (seed, kind)."""
    import torch

    from interpflow.model.sites import Sites

    edits = {} if without is None else {without: torch.zeros_like}
    total = {name: np.zeros((len(runs.seeds), len(classes))) for name in _MEASURED}
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            row, at = np.nonzero(asked[indices, : batch.tokens.shape[-1]])
            if not len(row):
                continue
            logits = runs.model(weights, batch.tokens, Sites(edits=edits))[:, row, at].double()
            log_p, targets = logits.log_softmax(-1), batch.targets[row, at].long()
            for place, each in enumerate(classes.values()):
                of_output = torch.from_numpy(each).to(targets.device)
                for name, values in _measure(log_p, targets, of_output).items():
                    total[name][:, place] += values.double().sum(-1).cpu().numpy()
    return {name: summed / asked.sum() for name, summed in total.items()}


def _measure(log_p: Tensor, targets: Tensor, of_output: Tensor) -> dict[str, Tensor]:
    """What is measured of each prediction, (seed, query).

    log_p      log probabilities (seed, query, output)
    targets    the right output (query,)
    of_output  the class of each output (output,)
    """
    from torch.nn.functional import one_hot

    right = of_output[targets]
    mine = of_output == right[:, None]  # (query, output)
    # A sum of logs that stays finite where the probability of a class is nothing.
    log_class = log_p.masked_fill(~mine, -float("inf")).logsumexp(-1)
    log_within = (log_p - log_class[..., None]).masked_fill(~mine, 0.0)
    by_class = log_p.exp() @ one_hot(of_output).to(log_p)
    answer = log_p.gather(-1, targets.expand(log_p.shape[:2])[..., None])[..., 0]
    return {
        "loss": -log_class,
        "accuracy": (by_class.argmax(-1) == right).to(log_p),
        "within_loss": log_class - answer,
        "within_entropy": -(log_within.exp() * log_within).sum(-1),
    }
