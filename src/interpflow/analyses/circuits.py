"""OV and QK circuits of every head of a layer, token by token, from the weights alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.section import Section
from interpflow.selection import Layer, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs


class Options(Section):
    """Of which layer, and when."""

    layer: Layer = 0
    steps: Steps = "last"


VARIABLES = {
    "ov": Variable(
        ("seed", "step", "head", "source", "output"), "logit", "effect of attending to the source"
    ),
    "qk": Variable(("seed", "step", "head", "query", "key"), "1", "attention score"),
}

NEEDS = "runs"


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    model = known.model
    if not model.residual and (model.layers > 1 or model.d_mlp):
        yield (
            ("layer",),
            "without a residual stream a head has no direct path to the logits but in one attention layer",
        )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    words = known.data["token"].values.tolist()
    return dict.fromkeys(("source", "query", "key"), words)


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Compute both maps for every seed, see `methods.weight_circuits`."""
    from interpflow.methods.weight_circuits import ov_circuit, qk_circuit

    weights = runs.by_layer.sel(step=runs.kept(options.steps))
    shape = runs.model.options
    words = runs.data["token"].values
    maps = xr.Dataset(
        {
            "ov": ov_circuit(weights, shape, options.layer),
            "qk": qk_circuit(weights, shape, options.layer),
        }
    )
    named = maps.assign_coords(
        source=words,
        query=words,
        key=words,
        output=runs.data["output"].values,
        head=np.arange(shape.heads),
    )
    return named.drop_attrs().transpose("seed", "step", ...)
