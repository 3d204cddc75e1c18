"""OV and QK circuits read off labelled weights (Elhage et al. 2021, "A Mathematical Framework").

The OV circuit of a head says which logits a token raises if the head attends to it.  The QK circuit says from
which token the head attends to which token.  Both are of the direct path: from the embedding to the heads of
one layer, and from the heads to the logits.  Gains and centring of LayerNorm are part of the maps.  The scale
of LayerNorm, a positive number for every token, all biases and the rotation of rotary positions are not.
"""

from __future__ import annotations

import xarray as xr

from interpflow.model.options import ModelOptions


def ov_circuit(weights: xr.Dataset, options: ModelOptions, layer: int) -> xr.DataArray:
    """Logits (…, head, source, output) of each head of `layer`, by source token: W_E W_V W_O W_U."""
    here = weights.isel(layer=layer)
    values = xr.dot(_read(weights["W_E"], weights, options, layer), here["W_V"], dim="d_model")
    written = xr.dot(values, here["W_O"], dim="d_head")
    if options.norm == "pre":
        written = _centred(written) * weights["ln_final_w"]
    logits = xr.dot(written, weights["W_U"], dim="d_model")
    named = logits.rename(d_vocab="source", d_output="output")
    return named.transpose(..., "head", "source", "output")


def qk_circuit(weights: xr.Dataset, options: ModelOptions, layer: int) -> xr.DataArray:
    """Scaled scores (…, head, query, key) of each head of `layer`: W_E W_Q W_Kᵀ W_Eᵀ / scale."""
    tokens = weights["W_E"]
    queries, keys = tokens.rename(d_vocab="query"), tokens.rename(d_vocab="key")
    return qk_scores(queries, keys, weights, options, layer)


def qk_scores(
    queries: xr.DataArray,
    keys: xr.DataArray,
    weights: xr.Dataset,
    options: ModelOptions,
    layer: int,
) -> xr.DataArray:
    """Attention scores (…, head, query, key) of each head of `layer`, for any vectors of the residual stream.

    `queries` are (…, query, d_model), `keys` (…, key, d_model).
    """
    here = weights.isel(layer=layer)
    asked = xr.dot(_read(queries, weights, options, layer), here["W_Q"], dim="d_model")
    offered = xr.dot(_read(keys, weights, options, layer), here["W_K"], dim="d_model")
    scores = xr.dot(asked, offered, dim="d_head") / options.score_divisor
    return scores.transpose(..., "head", "query", "key")


def _read(
    vectors: xr.DataArray, weights: xr.Dataset, options: ModelOptions, layer: int
) -> xr.DataArray:
    """`vectors` (…, d_model) of the residual stream as the attention of `layer` reads them."""
    if options.norm != "pre":
        return vectors
    return _centred(vectors) * weights["ln1_w"].isel(layer=layer)


def _centred(vectors: xr.DataArray) -> xr.DataArray:
    return vectors - vectors.mean("d_model")
