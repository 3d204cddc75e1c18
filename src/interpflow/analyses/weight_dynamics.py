"""How weights move over training: their size, their way from an earlier checkpoint, their direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import NonNegativeInt

from interpflow.nearest import way_out
from interpflow.section import EachOnce, Section, Some
from interpflow.selection import Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.parts import Piece
    from interpflow.runs import Runs


class Options(Section):
    """Which weights, and from where their way is measured."""

    # `embedding`, `unembedding`, `layer 0`, `head 0.1` (layer and head), or a weight: W_Q.
    parts: Annotated[list[str], Some, EachOnce]
    since: NonNegativeInt = 0  # a training step; the last checkpoint up to it counts
    steps: Steps = "all"


_BY_PART = ("seed", "step", "part")
VARIABLES = {
    "norm": Variable(_BY_PART, "1", "root of the sum of the squared weights"),
    "distance": Variable(_BY_PART, "1", "norm of the change since the chosen checkpoint"),
    "cosine": Variable(_BY_PART, "1", "cosine to the last weights"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
OVER_TRAINING = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    from interpflow.model.parts import parts
    from interpflow.model.shapes import weight_shapes

    there = parts(weight_shapes(known.model, 1, 1, 1))
    for at, name in enumerate(options.parts):
        if name not in there:
            yield ("parts", at), f"no part '{name}'; the model has: {way_out(name, there)}"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"part": options.parts}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed.  The cosine of weights that are all 0 is NaN."""
    from interpflow.model.parts import pieces

    every, steps = runs.labelled["step"].values, runs.kept(options.steps)
    since = every[every <= options.since][-1]
    found: dict[str, list[NDArray[np.float64]]] = {"norm": [], "distance": [], "cosine": []}
    for part in options.parts:
        of_part = pieces([part], runs.model.shapes)
        here, before, last = (
            _vectors(runs.labelled.sel(step=step), of_part) for step in (steps, [since], every[-1:])
        )
        norm = np.linalg.norm(here, axis=-1)
        found["norm"].append(norm)
        found["distance"].append(np.linalg.norm(here - before, axis=-1))
        with np.errstate(invalid="ignore"):
            size = norm * np.linalg.norm(last, axis=-1)
            found["cosine"].append((here * last).sum(-1) / size)
    return xr.Dataset(
        {
            **{name: (_BY_PART, np.stack(values, axis=-1)) for name, values in found.items()},
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "part": options.parts},
    )


def _vectors(labelled: xr.Dataset, pieces: Iterable[Piece]) -> NDArray[np.float64]:
    """The weights of `pieces` end to end, (seed, step, weight)."""
    rows = []
    for name, place in pieces:
        weight = labelled[name].transpose("seed", "step", ...).values
        for index in place:
            weight = weight[:, :, index]
        rows.append(weight.reshape(*weight.shape[:2], -1))
    return np.concatenate(rows, axis=-1, dtype=np.float64)
