"""Attention scores of position embeddings, from the weights alone: what a position looks for by itself.

The query is the embedding of a position.  The key is the embedding of a token or of another position.  Both
pass the gains and the centring of LayerNorm, without biases (see `methods.weight_circuits`).  The scale of
LayerNorm is that of an average embedding, so that scores are about as large as in a pass.  In the first layer
the scores are those of the embeddings; in later layers they are the direct path alone.

`attention` is what Brinkmann et al. 2024 (arXiv:2402.11917) show of registers: the softmax over all tokens of
the same scores, each embedding normalised by itself, with all biases, and without the division by
sqrt(d_head).  The softmax is therefore sharper than that of a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.section import EachOnce, Section, Some
from interpflow.selection import Layer, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs


class Options(Section):
    """Of which layers, and when."""

    layers: Annotated[list[Layer], Some, EachOnce] = [0]
    steps: Steps = "last"


_PLACE = ("seed", "step", "layer", "head", "position")
VARIABLES = {
    "to_token": Variable((*_PLACE, "token"), "1", "score of a token, above the mean of all tokens"),
    "attention": Variable(
        (*_PLACE, "token"), "1", "attention that a position pays a token by their embeddings alone"
    ),
    "to_position": Variable(
        (*_PLACE, "key_position"),
        "1",
        "score of a position, above the mean of those up to the query's",
    ),
}

NEEDS = "runs"
RESIDUAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if known.model.positions != "learned":
        yield (
            ("method",),
            f"takes learned positions; those of the model are {known.model.positions}",
        )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    at = range(known.data.sizes["position"])
    return {"layer": options.layers, "key_position": at}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Compute scores and attention for every seed.  A key after the query is NaN.

    Raises InterpflowError for a model without learned positions, and for a layer that it lacks.
    """
    from interpflow.methods.weight_circuits import qk_scores

    shape = runs.model.options
    if shape.positions != "learned":
        raise InterpflowError(
            f"position_scores: the model's positions are {shape.positions}, not learned"
        )
    if max(options.layers) >= shape.layers:
        raise InterpflowError(
            f"layers: no layer {max(options.layers)}; there are {shape.layers}, counted from 0"
        )
    weights = runs.by_layer.sel(step=runs.kept(options.steps))
    tokens, positions = _normalized(weights, shape)
    queries = positions.rename(n_ctx="query")
    scores = {}
    for name, keys in (
        ("token", tokens.rename(d_vocab="key")),
        ("key_position", positions.rename(n_ctx="key")),
    ):
        of_layer = [qk_scores(queries, keys, weights, shape, at) for at in options.layers]
        scores[name] = xr.concat(of_layer, "layer").rename(query="position", key=name)
    at = np.arange(runs.model.n_ctx)
    seen = xr.DataArray(at[:, None] >= at, dims=("position", "key_position"))
    to_position = scores["key_position"].where(seen)
    found = xr.Dataset(
        {
            "to_token": scores["token"] - scores["token"].mean("token"),
            "attention": xr.concat(
                [_attention(weights, shape, at) for at in options.layers], "layer"
            ),
            "to_position": to_position - to_position.mean("key_position"),
        }
    )
    named = found.assign_coords(
        layer=options.layers,
        head=np.arange(shape.heads),
        position=at,
        token=runs.data["token"].values,
        key_position=at,
    )
    return named.drop_attrs().transpose(*_PLACE, ...)


def _attention(weights: xr.Dataset, shape: ModelOptions, layer: int) -> xr.DataArray:
    """Attention of positions to tokens, (…, head, position, token), by each embedding as if it stood alone."""
    from interpflow.model.layer import NORM_EPSILON

    here = weights.isel(layer=layer)

    def read(vectors: xr.DataArray) -> xr.DataArray:
        if shape.norm != "pre":
            return vectors
        centred = vectors - vectors.mean("d_model")
        size = np.sqrt(vectors.var("d_model") + NORM_EPSILON)
        return centred / size * here["ln1_w"] + here["ln1_b"]

    asked = xr.dot(read(weights["W_pos"]), here["W_Q"], dim="d_model")
    if shape.biases:
        asked = asked + here["b_Q"]  # that of keys adds as much to every token's score
    offered = xr.dot(read(_tokens(weights, shape)), here["W_K"], dim="d_model")
    scores = xr.dot(asked, offered, dim="d_head")
    weight = np.exp(scores - scores.max("d_vocab"))
    return (weight / weight.sum("d_vocab")).rename(n_ctx="position", d_vocab="token")


def _tokens(weights: xr.Dataset, shape: ModelOptions) -> xr.DataArray:
    """The embeddings of tokens as a pass takes them."""
    return weights["W_E"] * np.sqrt(shape.d_model) if shape.scale_embedding else weights["W_E"]


def _normalized(weights: xr.Dataset, shape: ModelOptions) -> tuple[xr.DataArray, xr.DataArray]:
    """Embeddings of tokens and of positions, as their sum is scaled before the first layer."""
    tokens, positions = _tokens(weights, shape), weights["W_pos"]
    if shape.norm != "pre":
        return tokens, positions
    size = np.sqrt(tokens.var("d_model").mean("d_vocab") + positions.var("d_model").mean("n_ctx"))
    return tokens / size, positions / size
