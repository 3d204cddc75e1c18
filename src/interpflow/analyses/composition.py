"""Composition of heads: how much of an earlier head's output a later head reads, from the weights alone.

The score is that of Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": ‖A B‖ / (‖A‖
‖B‖) in Frobenius norms.  A is the OV circuit of the earlier head.  B is the later head's QK circuit, read from
its query (Q-composition) or its key (K-composition), or its OV circuit (V-composition).  A and B include the
gains and the centring of LayerNorm.  They include no MLP: composition through an MLP stays at chance.

Chance is the score of A and B turned against each other at random.  Over rotations R of d dimensions the mean
of ‖A R B‖² is ‖A‖² ‖B‖² / d, whatever A and B are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.section import Section
from interpflow.selection import Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(Section):
    """Of every pair of heads in different layers."""

    steps: Steps = "last"


KINDS = ("Q", "K", "V")
_PLACE = ("seed", "step", "kind", "layer", "head", "earlier_layer", "earlier_head")
VARIABLES = {
    "composition": Variable(_PLACE, "1", "composition score"),
    "excess": Variable(_PLACE, "1", "composition score above chance"),
    "chance": Variable((), "1", "composition score of matrices turned at random"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
RESIDUAL = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    model = known.model
    return {"kind": KINDS, "earlier_layer": range(model.layers), "earlier_head": range(model.heads)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Score every seed.  A pair of heads whose second layer is not the earlier one is NaN."""
    shape, steps = runs.model.options, runs.kept(options.steps)
    weights = runs.by_layer.sel(step=steps).drop_vars(["seed", "step"]).astype(np.float64)
    reads = {name: weights[f"W_{name}"] for name in KINDS}
    writes = weights["W_O"]
    if shape.norm == "pre":
        reads = {name: _centred(read * weights["ln1_w"]) for name, read in reads.items()}
        writes = _centred(writes)
    q, k, v = (reads[kind] for kind in KINDS)
    into = {"Q": _gram(q, k), "K": _gram(k, q), "V": _gram(v, writes)}
    later = xr.concat([into[kind] for kind in KINDS], "kind")
    earlier = _gram(writes, v).rename(layer="earlier_layer", head="earlier_head")
    # ‖A B‖² is the sum over both dims of AᵀA times BBᵀ, and ‖A‖² the trace of AᵀA.
    product = xr.dot(later, earlier, dim=("d_model", "d_model_2"))
    score = np.sqrt(product.clip(0) / (_trace(later) * _trace(earlier)))
    numbers = {dim: np.arange(score.sizes[dim]) for dim in _PLACE[3:]}
    score = score.assign_coords(seed=runs.seeds, step=steps, kind=list(KINDS), **numbers)
    score = score.where(score["earlier_layer"] < score["layer"]).transpose(*_PLACE)
    # What goes through LayerNorm has no component along the mean: one dimension less.
    chance = 1 / np.sqrt(shape.d_model - (shape.norm == "pre"))
    return xr.Dataset(
        {
            "composition": score,
            "excess": score - chance,
            "chance": chance,
            "checkpoint": ("step", runs.names(steps)),
        }
    ).drop_attrs()


def _gram(outer: xr.DataArray, inner: xr.DataArray) -> xr.DataArray:
    """W (Xᵀ X) Wᵀ over two dims of the model, with W `outer` and X `inner`, both (…, d_model, d_head)."""
    middle = xr.dot(inner, inner.rename(d_head="d_head_2"), dim="d_model")
    turned = xr.dot(outer, middle, dim="d_head")
    other = outer.rename(d_model="d_model_2", d_head="d_head_2")
    return xr.dot(turned, other, dim="d_head_2")


def _trace(gram: xr.DataArray) -> xr.DataArray:
    same = xr.DataArray(np.arange(gram.sizes["d_model"]), dims="diagonal")
    return gram.isel(d_model=same, d_model_2=same).sum("diagonal")


def _centred(matrices: xr.DataArray) -> xr.DataArray:
    return matrices - matrices.mean("d_model")
