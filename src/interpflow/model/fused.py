"""Pieces of the forward pass with a backward pass of their own, for training on a processor without sites.

Beside their matrix products small models spend their time on memory and on the number of operations.  So
these work in place and leave out the copies that autograd makes of parts of tensors.  They have no second
derivative, and treat every seed alike whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Sequences go through attention so many scores at a time, which then stay in a cache of 2 MB.
_CACHED = 100_000


def attention(
    x: Tensor, w_qkv: Tensor, b_qkv: Tensor | None, w_o: Tensor, b_o: Tensor | None,
    heads: int, groups: Sequence[tuple[int, int]], mask: Sequence[Tensor],
) -> Tensor:  # fmt: skip
    """Attention with its projections: softmax(q k^T / sqrt(d_head) + mask) v w_o + b_o.

    x (seed, row, d_model) are the rows of `groups` (batch, pos) of sequences one after another, `mask` for
    each group (query, key), or for each sequence and head of it (seed batch head, query, key),
    [q k v] = x w_qkv + b_qkv (seed, row, 3 head d_head), w_o (seed, head d_head, d_model).
    With one head q, k and v are used as they stand in the product, without a copy.
    """
    return _Attention.apply(x, w_qkv, b_qkv, w_o, b_o, heads, groups, mask)


def mlp(
    x: Tensor, w_in: Tensor, b_in: Tensor | None, w_out: Tensor, b_out: Tensor | None,
    activation: str,
) -> Tensor:  # fmt: skip
    """activation(x w_in + b_in) w_out + b_out, for x (seed, row, d_model), w_in (seed, d_model, d_mlp).

    `activation` is "relu" or "gelu".
    """
    return _Mlp.apply(x, w_in, b_in, w_out, b_out, activation)


class _Attention(Function):
    """See `attention`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_qkv: Tensor, b_qkv: Tensor | None, w_o: Tensor, b_o: Tensor | None,
        heads: int, groups: Sequence[tuple[int, int]], mask: Sequence[Tensor],
    ) -> Tensor:  # fmt: skip
        ctx.heads, ctx.groups, ctx.scale = heads, groups, math.sqrt(heads / w_o.shape[1])
        z = x.new_empty(*x.shape[:2], w_o.shape[1])
        saved = []
        for (here, batch, _), added in zip(_places(groups), mask, strict=True):
            parts = _sequences(_affine(x[:, here], w_qkv, b_qkv), 3, heads, batch)
            pattern, mixed = _attend(parts, ctx.scale, added)
            _to_rows(mixed, z[:, here], heads, batch)
            saved += [parts, pattern]
        ctx.save_for_backward(x, w_qkv, w_o, z, *saved)
        ctx.biases = b_qkv is not None, b_o is not None
        return _affine(z, w_o, b_o)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        x, w_qkv, w_o, z, *saved = ctx.saved_tensors
        d_qkv = x.new_empty(*x.shape[:2], w_qkv.shape[2])
        places = _places(ctx.groups)
        for parts, pattern, (here, batch, _) in zip(saved[::2], saved[1::2], places, strict=True):
            d_z = torch.bmm(d_out[:, here], w_o.transpose(1, 2))
            d_mixed = _sequences(d_z, 1, ctx.heads, batch)[0]
            d_parts = _attend_backward(parts, pattern, d_mixed, ctx.scale)
            _to_rows(d_parts, d_qkv[:, here], ctx.heads, batch)
        d_w_o = torch.bmm(z.transpose(1, 2), d_out)
        d_w_qkv = torch.bmm(x.transpose(1, 2), d_qkv)
        d_x = torch.bmm(d_qkv, w_qkv.transpose(1, 2))
        d_b_qkv, d_b_o = _d_biases(ctx, d_qkv, d_out)
        return d_x, d_w_qkv, d_b_qkv, d_w_o, d_b_o, None, None, None


def _attend(qkv: Tensor, scale: float, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Patterns (sequence, query, key) and their mixes of v, for qkv (3, sequence, pos, d_head)."""
    _, count, length, _ = qkv.shape
    pattern, mixed = qkv.new_empty(count, length, length), qkv.new_empty(qkv.shape[1:])
    each = *qkv, mask.expand(pattern.shape), pattern, mixed
    for q, k, v, added, part, out in _runs(length * length, *each):
        scores = torch.bmm(q, k.transpose(1, 2))
        torch.add(added, scores, alpha=scale, out=scores)
        torch.softmax(scores, -1, out=part)
        torch.bmm(part, v, out=out)
    return pattern, mixed[None]


def _attend_backward(qkv: Tensor, pattern: Tensor, d_mixed: Tensor, scale: float) -> Tensor:
    """The gradient of qkv (3, sequence, pos, d_head), from that of pattern @ v."""
    d_qkv = torch.empty(qkv.shape, dtype=qkv.dtype)  # contiguous, which qkv need not be
    parts = *qkv, *d_qkv, pattern, d_mixed
    for q, k, v, d_q, d_k, d_v, part, d_out in _runs(pattern[0].numel(), *parts):
        torch.bmm(part.transpose(1, 2), d_out, out=d_v)
        d_scores = torch.bmm(d_out, v.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_scores, part, -1, q.dtype).mul_(scale)
        torch.bmm(d_scores, k, out=d_q)
        torch.bmm(d_scores.transpose(1, 2), q, out=d_k)
    return d_qkv


def _runs(scores: int, *parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """`parts` (sequence, …) cut alike into runs that fit the cache, for so many `scores` a sequence."""
    run = max(1, _CACHED // scores)
    if run >= len(parts[0]):
        return iter([parts])  # cutting takes time, too
    return zip(*(part.split(run) for part in parts), strict=True)


def _affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (seed, row, in), weight (seed, in, out), bias (seed, out) -> (seed, row, out)."""
    out = torch.bmm(x, weight)
    return out if bias is None else out.add_(bias[:, None])


def _places(groups: Sequence[tuple[int, int]]) -> Iterator[tuple[slice, int, int]]:
    """The rows of each group, its batch and its length."""
    start = 0
    for batch, length in groups:
        yield slice(start, start := start + batch * length), batch, length


def _sequences(rows: Tensor, parts: int, heads: int, batch: int) -> Tensor:
    """rows (seed, row, part head d_head) -> (part, seed batch head, pos, d_head), a view if it can be."""
    seeds, count, width = rows.shape
    apart = rows.view(seeds, batch, count // batch, parts, heads, width // parts // heads)
    return apart.permute(3, 0, 1, 4, 2, 5).flatten(1, 3)


def _to_rows(parts: Tensor, rows: Tensor, heads: int, batch: int) -> None:
    """Write `parts` (part, seed batch head, pos, d_head) to `rows` (seed, row, part head d_head)."""
    count, _, length, d_head = parts.shape
    apart = rows.view(len(rows), batch, length, count, heads, d_head).permute(3, 0, 1, 4, 2, 5)
    apart.copy_(parts.view(count, len(rows), batch, heads, length, d_head))


class _Mlp(Function):
    """See `mlp`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_in: Tensor, b_in: Tensor | None, w_out: Tensor, b_out: Tensor | None,
        activation: str,
    ) -> Tensor:  # fmt: skip
        before = _affine(x, w_in, b_in)
        # A ReLU's output is zero just where its gradient is, so that one of the two is enough.
        hidden = before.relu_() if activation == "relu" else F.gelu(before)
        ctx.save_for_backward(x, w_in, w_out, hidden, before)
        ctx.biases = b_in is not None, b_out is not None
        ctx.activation = activation
        return _affine(hidden, w_out, b_out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        x, w_in, w_out, hidden, before = ctx.saved_tensors
        d_w_out = torch.bmm(hidden.transpose(1, 2), d_out)
        d_hidden = torch.bmm(d_out, w_out.transpose(1, 2))
        if ctx.activation == "relu":
            torch.ops.aten.threshold_backward.grad_input(d_hidden, before, 0, grad_input=d_hidden)
        else:
            torch.ops.aten.gelu_backward.grad_input(d_hidden, before, grad_input=d_hidden)
        d_w_in = torch.bmm(x.transpose(1, 2), d_hidden)
        d_x = torch.bmm(d_hidden, w_in.transpose(1, 2))
        d_b_in, d_b_out = _d_biases(ctx, d_hidden, d_out)
        return d_x, d_w_in, d_b_in, d_w_out, d_b_out, None


def _d_biases(ctx: Any, *upstream: Tensor) -> list[Tensor | None]:
    """The gradient of each bias that there is, from that of the rows it was added to."""
    return [rows.sum(1) if had else None for rows, had in zip(upstream, ctx.biases, strict=True)]
