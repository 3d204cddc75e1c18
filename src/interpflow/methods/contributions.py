"""Direct logit attribution: the contribution of each head and key to the logits of a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer


@torch.no_grad()
def contributions(
    model: Transformer,
    weights: Weights,
    tokens: Tensor,
    layers: Sequence[int],
    queries: tuple[np.ndarray, np.ndarray],
    outputs: Sequence[int],
) -> Tensor:
    """The contributions (seed, layer, head, query, key, output) of `layers` to the logits of `outputs`.

    `tokens` are (sequence, position); `queries` are the sequence and the position of each query, each (query,).
    The final LayerNorm keeps the scale that it has in this pass.  The logits are centred: their mean over all
    outputs of the model is 0.  Raises InterpflowError for a model with norm `post`, whose LayerNorms lie
    between the heads and the logits.
    """
    if model.options.norm == "post":
        raise InterpflowError(
            "contributions to logits are direct: they take a model with norm pre or none"
        )
    row, at = queries
    names = [f"blocks.{layer}.attn.hook_{name}" for layer in layers for name in ("pattern", "v")]
    final = ["ln_final.hook_normalized", f"blocks.{model.options.layers - 1}.hook_resid_post"]
    sites = Sites(read=[*names, *(final if model.options.norm == "pre" else ())])
    model(weights, tokens, sites)
    found = []
    for layer in layers:
        pattern, value = (
            sites.values[f"blocks.{layer}.attn.hook_{name}"] for name in ("pattern", "v")
        )
        written = torch.einsum(
            "sbkhd,shdo->sbhko", value, _to_logits(model, weights, layer)[..., outputs]
        )
        attended = pattern.transpose(2, 3)[:, row, at]  # (seed, query, head, key)
        found.append((attended[..., None] * written[:, row]).transpose(1, 2))
    every = torch.stack(found, 1)
    if model.options.norm == "pre":
        normalized, stream = (sites.values[name][:, row, at] for name in final)
        stream = stream - stream.mean(-1, keepdim=True)
        scale = normalized.norm(dim=-1) / stream.norm(dim=-1)  # (seed, query)
        every *= scale[:, None, None, :, None, None]
    return every


def _to_logits(model: Transformer, weights: Weights, layer: int) -> Tensor:
    """The map from a head's value to centred logits (seed, head, d_head, output), without LayerNorm's scale."""
    written = weights[f"blocks.{layer % model.blocks}.W_O"].unflatten(1, (model.options.heads, -1))
    if model.options.norm == "pre":
        written = written - written.mean(-1, keepdim=True)
        written = written * weights["ln_final_w"][:, None, None]
    logits = written @ weights["W_U"][:, None]
    return logits - logits.mean(-1, keepdim=True)
