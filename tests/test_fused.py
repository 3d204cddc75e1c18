"""The pieces with a backward pass of their own equal the plain expressions, in value and gradient."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from small import model, tokens, weights
from torch import Tensor

from interpflow.model import fused
from interpflow.model.sites import Sites
from interpflow.rng import generator

SEEDS, D_MODEL = 3, 6


def random(*shape: int) -> Tensor:
    found = generator("test fused", *shape).normal(0.1, 0.7, shape)
    return torch.from_numpy(found).requires_grad_()


def assert_same(
    ours: Callable[..., Tensor], plain: Callable[..., Tensor], inputs: list[Tensor | None]
) -> None:
    value, expected = ours(*inputs), plain(*inputs)
    torch.testing.assert_close(value, expected)
    upstream = torch.from_numpy(generator("upstream").normal(size=tuple(value.shape)))
    given = [tensor for tensor in inputs if tensor is not None]
    gradients = (torch.autograd.grad(out, given, upstream) for out in (value, expected))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return x @ weight if bias is None else x @ weight + bias[:, None]


def hidden(batch: int, length: int, heads: int, kind: str) -> Tensor:
    """What a group's scores are given: the future hidden, and for each sequence something else besides."""
    later = torch.full((length, length), -torch.inf, dtype=torch.float64).triu(1)
    if kind == "alike":
        return later
    drawn = generator("hidden", batch, length).random((SEEDS * batch * heads, length, length))
    return later.masked_fill(torch.from_numpy(drawn < 0.3).tril(-1), -torch.inf)


@pytest.mark.parametrize("kind", ["alike", "each its own"])
@pytest.mark.parametrize("cached", [1, 50, 100_000])
@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize(
    "groups", [[(2, 5)], [(4, 1)], [(3, 4), (1, 1), (2, 7)], [(2, 3), (1, 70)]], ids=str
)
def test_attention_is_torchs(
    groups: list[tuple[int, int]],
    heads: int,
    biases: bool,
    cached: int,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fused, "_CACHED", cached)
    width = heads * 4
    unseen = [hidden(batch, length, heads, kind) for batch, length in groups]

    def plain(
        x: Tensor, w_qkv: Tensor, b_qkv: Tensor | None, w_o: Tensor, b_o: Tensor | None
    ) -> Tensor:
        parts = []
        for rows, (batch, length), mask in zip(
            affine(x, w_qkv, b_qkv).split([b * n for b, n in groups], 1),
            groups,
            unseen,
            strict=True,
        ):
            q, k, v = rows.view(SEEDS, batch, length, 3, heads, 4).permute(3, 0, 1, 4, 2, 5)
            mask = mask.expand(SEEDS * batch * heads, length, length).unflatten(
                0, (SEEDS, batch, heads)
            )
            z = F.scaled_dot_product_attention(q, k, v, mask, scale=1 / math.sqrt(4))
            parts.append(z.transpose(2, 3).flatten(3).flatten(1, 2))
        return affine(torch.cat(parts, 1), w_o, b_o)

    inputs = [
        random(SEEDS, sum(b * n for b, n in groups), D_MODEL),
        random(SEEDS, D_MODEL, 3 * width),
        random(SEEDS, 3 * width) if biases else None,
        random(SEEDS, width, D_MODEL),
        random(SEEDS, D_MODEL) if biases else None,
    ]
    assert_same(lambda *given: fused.attention(*given, heads, groups, unseen), plain, inputs)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("biases", [True, False])
def test_mlp_is_torchs(biases: bool, activation: str) -> None:
    def plain(
        x: Tensor, w_in: Tensor, b_in: Tensor | None, w_out: Tensor, b_out: Tensor | None
    ) -> Tensor:
        return affine(getattr(F, activation)(affine(x, w_in, b_in)), w_out, b_out)

    inputs = [
        random(SEEDS, 11, D_MODEL),
        random(SEEDS, D_MODEL, 9),
        random(SEEDS, 9) if biases else None,
        random(SEEDS, 9, D_MODEL),
        random(SEEDS, D_MODEL) if biases else None,
    ]
    assert_same(lambda *given: fused.mlp(*given, activation), plain, inputs)


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("biases", [True, False])
def test_a_model_computes_alike_with_and_without_sites(biases: bool, heads: int, norm: str) -> None:
    ours = model(norm=norm, d_mlp=16, heads=heads, biases=biases)
    given, text = weights(ours), tokens(3, 4, 9)
    torch.testing.assert_close(ours(given, text), ours(given, text, Sites()), atol=1e-5, rtol=1e-5)
