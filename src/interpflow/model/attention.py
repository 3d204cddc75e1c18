"""Attention: from queries and keys to scores, to a pattern, and to a mean of values."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow.model import positions
from interpflow.model.layer import Layer, linear
from interpflow.model.options import ModelOptions

# torch's fused attention is slower than plain products below this length, and saves memory above.
_FLASH_FROM = 64


def attention(at: Layer, options: ModelOptions, x: Tensor) -> Tensor:
    """The output (seed, row, d_model) of the heads of a layer that reads the rows `x` (seed, row, d_model)."""
    qkv = linear(x, *at.reading("ln1", "W_QKV", "b_QKV"))
    q, k, v = (
        at.site(f"attn.hook_{letter}", part)
        for letter, part in zip(
            "qkv", qkv.unflatten(2, (3, options.heads, -1)).unbind(2), strict=True
        )
    )
    if options.positions == "rotary":
        q, k = (
            at.site(f"attn.hook_rot_{letter}", positions.rotated(options, at.rows, part))
            for letter, part in (("q", q), ("k", k))
        )
    parts = zip(at.rows.of(q, k, v), at.rows.masks, strict=True)
    z = torch.cat([_read(at, options, mask, *qkv) for qkv, mask in parts], dim=1)
    z = at.site("attn.hook_z", z)
    if not at.wants("attn.hook_result"):
        return linear(z.flatten(2), at["W_O"], at.get("b_O"))
    per_head = at["W_O"].unflatten(1, (options.heads, -1))
    result = at.site("attn.hook_result", torch.einsum("srhd,shdm->srhm", z, per_head))
    return result.sum(2) + (at["b_O"][:, None] if options.biases else 0.0)


def _read(
    at: Layer, options: ModelOptions, mask: Tensor, q: Tensor, k: Tensor, v: Tensor
) -> Tensor:
    """q, k, v (seed, batch, pos, head, d_head) -> rows of z (seed, row, head, d_head); see `Rows`."""
    seeds, batch, length, heads, d_head = q.shape
    q, k, v = map(_apart, (q, k, v))
    asked = at.wants("attn.hook_attn_scores") or at.wants("attn.hook_pattern")
    scale = 1.0 / options.score_divisor
    if length > _FLASH_FROM and at.rows.causal and not asked:
        z = F.scaled_dot_product_attention(
            q[:, None], k[:, None], v[:, None], is_causal=True, scale=scale
        )
    else:
        keys, values, past = k, v, at.rows.past
        if past is not None:
            own = past.own[None, :, None].expand(seeds, -1, heads, -1).flatten(0, 2)[:, None]
            keys = _apart(past.keys[at.layer])
            values = _apart(past.values[at.layer]).masked_fill(own.transpose(1, 2), 0.0)
        scores = torch.baddbmm(mask, q, keys.transpose(1, 2), alpha=scale)
        if past is not None:
            scores = torch.where(own, scale * (q * k).sum(-1, keepdim=True), scores)
        scores = _pattern_site(at, "attn.hook_attn_scores", scores, seeds, batch)
        pattern = _pattern_site(at, "attn.hook_pattern", scores.softmax(-1), seeds, batch)
        z = pattern @ values
        if past is not None:
            z = z + (pattern * own).sum(-1, keepdim=True) * v
    return z.view(seeds, batch, heads, length, d_head).transpose(2, 3).flatten(1, 2)


def _apart(part: Tensor) -> Tensor:
    """(seed, batch, pos, head, d) as (seed batch head, pos, d), the form of a batched product."""
    return part.transpose(2, 3).flatten(0, 2)


def _pattern_site(at: Layer, name: str, value: Tensor, seeds: int, batch: int) -> Tensor:
    """Offer `value` (seed batch head, query, key) in the form (seed, batch, head, query, key)."""
    if not at.wants(name):
        return value
    return at.plain_site(name, value.unflatten(0, (seeds, batch, -1))).flatten(0, 2)
