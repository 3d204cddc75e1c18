"""How far the read-out's hyperplane is from the examples, and how near it is to the best one.

The features of an example are what the unembedding reads at a position.  The margin is the distance of the
nearest features from the hyperplane on which the logit is 0, negative if some are on the wrong side.  The best
hyperplane is that of the hard-margin support vector machine on the same features; gradient descent on a
logistic loss turns a linear read-out of fixed features towards it (Soudry et al. 2018).  An unembedding bias
counts as a weight on a feature that is always 1, as gradient descent has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.methods.grouping import of_positions
from interpflow.selection import Examples, OneState, Positions, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs


class Options(Examples):
    """Which examples and positions."""

    positions: Positions = ["scored"]
    by: OneState | None = (
        None  # a state of the position or the example: margins for each of its values
    )
    steps: Steps = "last"


_BY_STEP = ("seed", "step")
VARIABLES = {
    "margin": Variable(_BY_STEP, "1", "margin of the read-out"),
    "best_margin": Variable(_BY_STEP, "1", "largest margin of any read-out, 0 if none separates"),
    "separable": Variable(_BY_STEP, "1", "whether some read-out separates the features"),
    "cosine": Variable(_BY_STEP, "1", "cosine of the read-out with the hard-margin direction"),
    "cosine_last": Variable(
        _BY_STEP, "1", "cosine of the read-out with the hard-margin direction of the last features"
    ),
    "group_margin": Variable((*_BY_STEP, "group"), "1", "margin of the read-out in the group"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if known.data["targets"].ndim < 3 or known.data.sizes["output"] > 1:
        yield ("method",), "takes a task with one output of 0 or 1"
    if known.model.norm == "pre":
        yield ("method",), "takes a model whose read-out has no LayerNorm before it; norm is pre"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for.

    The margin and the cosines of a read-out that is 0 are NaN, as are cosines where nothing separates.
    """
    from interpflow.methods.margins import hard_margin

    data, examples = runs.select(options)
    asked = runs.mask_of_all(data, options.positions)
    example, position = np.nonzero(asked)
    signs = 2.0 * data["targets"].values[example, position, 0] - 1.0
    group, groups = of_positions(data, options.by, asked)
    member = [group[example, position] == number for number in range(len(groups))]
    site = f"blocks.{runs.model.options.layers - 1}.hook_resid_post"
    steps = runs.kept(options.steps)
    shape = (len(runs.seeds), len(steps))
    margin, best = np.empty(shape), np.zeros(shape)
    by_group = np.empty((*shape, len(groups)))
    # The directions of the read-out and of the best one, (seed, d) for each step.
    ours: list[NDArray[np.float64]] = []
    theirs: list[NDArray[np.float64]] = []
    for index, step in enumerate(steps):
        weights = runs.weights_at(step)
        features = (
            runs.activations(weights, examples, site, (example, position)).double().cpu().numpy()
        )
        readout = weights["W_U"][..., 0].double().cpu().numpy()
        if "b_U" in weights:
            features = np.concatenate([features, np.ones((*features.shape[:2], 1))], -1)
            readout = np.concatenate([readout, weights["b_U"].double().cpu().numpy()], -1)
        points = signs[:, None] * features
        direction = _direction(readout)
        distance = np.einsum("snd,sd->sn", points, direction)
        margin[:, index] = distance.min(-1)
        by_group[:, index] = np.stack([distance[:, each].min(-1) for each in member], -1)
        separators = [hard_margin(np.unique(each, axis=0)) for each in points]
        for seed, w in enumerate(separators):
            best[seed, index] = 0.0 if w is None else 1 / np.linalg.norm(w)
        ours.append(direction)
        theirs.append(np.stack([np.zeros_like(d) if w is None else w
                                for w, d in zip(separators, direction, strict=True)]))  # fmt: skip
        runs.report(index + 1, len(steps))
    readouts, separating = np.stack(ours, 1), _direction(np.stack(theirs, 1))
    return xr.Dataset(
        {
            "margin": (_BY_STEP, margin),
            "best_margin": (_BY_STEP, best),
            "separable": (_BY_STEP, best > 0),
            "cosine": (_BY_STEP, (readouts * separating).sum(-1)),
            "cosine_last": (_BY_STEP, (readouts * separating[:, -1:]).sum(-1)),
            "group_margin": ((*_BY_STEP, "group"), by_group),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "group": groups},
    )


def _direction(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """`vectors` (…, d) at length 1, NaN for those that are 0."""
    with np.errstate(invalid="ignore"):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
