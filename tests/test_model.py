"""The model computes what torch's own layers and a slow reading of the definition compute."""

from __future__ import annotations

import cmath
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from small import D_OUTPUT, D_VOCAB, N_CTX, brackets, labelled_weights, model, tokens, weights
from torch import Tensor, nn
from torch_encoder import torch_encoder

from interpflow.errors import InterpflowError
from interpflow.model.packing import flatten, pack, unflatten, unpack
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer, build_model
from interpflow.tasks import list_sorting

BOTH_BLOCKS = {"layers": 2, "d_mlp": 40, "positions": "none"}


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("attention", ["causal", "full"])
@torch.no_grad()
def test_logits_equal_torchs_encoder(
    attention: str, norm: str, biases: bool, heads: int, activation: str
) -> None:
    ours = model(
        attention=attention, norm=norm, biases=biases, heads=heads, activation=activation,
        scale_embedding=True, **BOTH_BLOCKS,
    )  # fmt: skip
    labelled = labelled_weights(ours)
    text = tokens(3, 4, N_CTX)
    padding = torch.arange(N_CTX) >= torch.tensor([5, N_CTX, 1, 9])[:, None]
    logits = ours(pack(labelled), torch.where(padding, ~text, text))
    causal = nn.Transformer.generate_square_subsequent_mask(N_CTX)
    hidden = {"mask": causal} if attention == "causal" else {"src_key_padding_mask": padding}
    for seed in range(3):
        encoder = torch_encoder(ours, labelled, seed)
        embedded = labelled["W_E"][seed][text[seed]] * math.sqrt(ours.options.d_model)
        expected = encoder(embedded, **hidden) @ labelled["W_U"][seed]
        expected = expected + (labelled["b_U"][seed] if biases else 0)
        torch.testing.assert_close(logits[seed], expected, atol=1e-5, rtol=1e-5)


def turned(row: np.ndarray, place: int, base: float) -> np.ndarray:
    """Pairs of numbers as complex ones, each times a power of a root of unity."""
    half = len(row) // 2
    pairs = [complex(row[i], row[i + half]) for i in range(half)]
    pairs = [z * cmath.exp(1j * place / base ** (i / half)) for i, z in enumerate(pairs)]
    return np.array([z.real for z in pairs] + [z.imag for z in pairs])


def slow_logits(ours: Transformer, given: dict[str, np.ndarray], text: np.ndarray) -> np.ndarray:
    """Logits (pos, output) of one sequence and one seed, without norm, one number at a time."""
    o = ours.options
    scale = math.sqrt(o.d_model) if o.scale_embedding else 1.0
    x = np.array([given["W_E"][token] * scale for token in text])
    for place in range(len(text)):
        if o.positions == "learned":
            x[place] += given["W_pos"][place]
        if o.positions == "alternating":
            x[place] += math.cos(math.pi * place)
        for i in range(o.d_model if o.positions == "sinusoidal" else 0):
            angle = place / 10000 ** (2 * (i // 2) / o.d_model)
            x[place, i] += math.cos(angle) if i % 2 else math.sin(angle)

    def bias(name: str, *at: int) -> Any:
        return given[name][at] if o.biases else 0.0

    for layer in range(o.layers):
        out = np.zeros_like(x) + bias("b_O", layer)
        for head in range(o.heads):
            q, k, v = (
                [row @ given[f"W_{n}"][layer, head] + bias(f"b_{n}", layer, head) for row in x]
                for n in "QKV"
            )
            if o.positions == "rotary":
                q, k = (
                    [turned(row, at, o.rotary_base) for at, row in enumerate(x)] for x in (q, k)
                )
            for place in range(len(text)):
                seen = range(place + 1 if o.attention == "causal" else len(text))
                divisor = o.attention_scale or math.sqrt(ours.d_head)
                weight = [math.exp(q[place] @ k[j] / divisor) for j in seen]
                z = sum(w * v[j] for w, j in zip(weight, seen, strict=True)) / sum(weight)
                out[place] += z @ given["W_O"][layer, head]
        x = x + out if o.residual else out
        if o.d_mlp:
            hidden = np.maximum(x @ given["W_in"][layer] + bias("b_in", layer), 0)
            out = hidden @ given["W_out"][layer] + bias("b_out", layer)
            x = x + out if o.residual else out
    return x @ given["W_U"] + bias("b_U")


@pytest.mark.parametrize(
    "options",
    [
        {"positions": "learned"},
        {"positions": "sinusoidal", "layers": 2, "heads": 3},
        {"positions": "none", "heads": 2, "d_head": 7, "biases": False},
        {"positions": "alternating", "layers": 2, "scale_embedding": True},
        {"positions": "learned", "heads": 2, "d_mlp": 9, "scale_embedding": True},
        {"positions": "rotary", "heads": 2, "layers": 2, "d_head": 6},
        {"positions": "rotary", "rotary_base": 7.0, "d_mlp": 9},
        {"positions": "rotary", "attention": "full", "heads": 3},
        {"positions": "none", "attention_scale": 2.0, "heads": 2},
        {"positions": "learned", "residual": False, "layers": 2, "d_mlp": 9},
        {"positions": "none", "residual": False, "layers": 2, "biases": False},
    ],
    ids=str,
)
@torch.no_grad()
def test_logits_without_norm_equal_a_slow_reading_of_the_definition(
    options: dict[str, Any],
) -> None:
    ours = model(norm="none", **options)
    labelled = labelled_weights(ours)
    text = tokens(3, 2, 9)
    logits = ours(pack(labelled), text).numpy()
    for seed in range(3):
        given = {name: weight[seed].double().numpy() for name, weight in labelled.items()}
        for row in range(2):
            expected = slow_logits(ours, given, text[seed, row].numpy())
            np.testing.assert_allclose(logits[seed, row], expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("biases", [True, False])
def test_a_model_computes_alike_with_and_without_sites(biases: bool, heads: int, norm: str) -> None:
    ours = model(norm=norm, d_mlp=16, heads=heads, biases=biases)
    given, text = weights(ours), tokens(3, 4, 9)
    torch.testing.assert_close(ours(given, text), ours(given, text, Sites()), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_tokens_shared_by_all_seeds_need_not_be_repeated() -> None:
    ours = model(norm="pre", **BOTH_BLOCKS)
    given, text = weights(ours), tokens(4, N_CTX)
    assert torch.equal(ours(given, text), ours(given, text.expand(3, -1, -1)))


@pytest.mark.parametrize("positions", ["none", "learned", "sinusoidal", "rotary"])
@torch.no_grad()
def test_groups_of_different_lengths_give_what_each_gives_alone(positions: str) -> None:
    ours = model(norm="post", d_mlp=16, heads=2, positions=positions)
    given = weights(ours)
    groups = [tokens(3, batch, length) for batch, length in ((4, 5), (2, 9), (3, 2))]
    rows = ours.rows(given, groups)
    assert rows.shape == (3, 4 * 5 + 2 * 9 + 3 * 2, D_OUTPUT)
    apart = torch.cat([ours(given, group).flatten(1, 2) for group in groups], dim=1)
    torch.testing.assert_close(rows, apart, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("length", [4, 70])
@torch.no_grad()
def test_full_attention_sees_what_comes_later_and_no_padding(length: int) -> None:
    ours = model(norm="pre", heads=2, attention="full", **BOTH_BLOCKS)
    given, text = weights(ours), tokens(3, 4, length)
    alone = ours(given, text)
    later = text.clone()
    later[..., -1] = (later[..., -1] + 1) % D_VOCAB
    assert (ours(given, later) - alone).abs().amax(-1).min() > 1e-4
    for filled in (tokens(3, 4, 5), tokens(3, 4, 9)):
        padded = ours(given, torch.cat([text, ~filled], -1))
        torch.testing.assert_close(padded[:, :, :length], alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_what_comes_after_a_position_changes_nothing_at_it() -> None:
    ours = model(norm="pre", heads=2, **BOTH_BLOCKS)
    given, text = weights(ours), tokens(3, 4, N_CTX)
    changed = text.clone()
    changed[..., 6:] = (changed[..., 6:] + 1) % D_VOCAB
    before, after = ours(given, text), ours(given, changed)
    torch.testing.assert_close(before[:, :, :6], after[:, :, :6], atol=1e-6, rtol=1e-6)
    assert (before[:, :, 6:] - after[:, :, 6:]).abs().amax(-1).min() > 1e-3


@torch.no_grad()
def test_a_seeds_logits_are_the_same_bits_whatever_seeds_ride_along() -> None:
    ours = model(norm="post", d_mlp=40, heads=2)
    text = tokens(5, 6, N_CTX)
    together = ours(weights(ours, range(5)), text)
    for seed in range(5):
        assert torch.equal(ours(weights(ours, [seed]), text[[seed]])[0], together[seed])
    pair = [4, 1]
    assert torch.equal(ours(weights(ours, pair), text[pair]), together[pair])


@pytest.mark.parametrize(
    "options",
    [
        {"d_model": 9, "d_mlp": 5, "norm": "post"},
        {"d_model": 20, "d_mlp": 11, "activation": "gelu"},
        {"d_model": 15, "d_head": 2, "heads": 3, "positions": "rotary", "biases": False},
        {"d_model": 32, "d_mlp": 29, "layers": 2, "attention": "full"},
        {"d_model": 6, "d_head": 7, "heads": 2, "norm": "none", "positions": "sinusoidal"},
    ],
    ids=str,
)
def test_a_seeds_gradient_is_the_same_bits_whatever_seeds_ride_along(
    options: dict[str, Any],
) -> None:
    """Of sizes that leave a seed's part of a tensor between the vectors of a processor."""
    ours = model(**options)
    groups = [tokens(4, batch, length) for batch, length in ((3, 11), (5, 8), (1, 7))]

    def gradient(seeds: list[int]) -> Tensor:
        given = weights(ours, seeds)
        theta = flatten(given).requires_grad_()
        shapes = {name: tuple(weight.shape[1:]) for name, weight in given.items()}
        logits = ours.rows(unflatten(theta, shapes), [group[seeds] for group in groups])
        return torch.autograd.grad((logits**2).sum(), theta)[0]

    together = gradient([0, 1, 2, 3])
    for seeds in ([2], [1, 2], [3, 0, 2]):
        assert torch.equal(gradient(seeds)[-1], together[2])


def test_a_seeds_initial_weights_depend_on_that_seed_alone() -> None:
    ours = model(norm="pre", **BOTH_BLOCKS)
    many, one = ours.init([0, 3, 1]), ours.init([3])
    for name, weight in one.items():
        assert torch.equal(weight[0], many[name][1])
    assert not torch.equal(many["W_E"][0], many["W_E"][1])


@torch.no_grad()
def test_torch_initialisation_has_the_spread_of_torchs_layers() -> None:
    ours = model(
        d_model=64, d_mlp=128, heads=4, norm="post", init="torch", init_range=0.1, layers=2
    )
    started = unpack(ours.init(range(3)), heads=4)
    torch.manual_seed(0)  # else its weights depend on what ran before
    layer = nn.TransformerEncoderLayer(64, 4, 128)
    attention = layer.self_attn
    assert attention.in_proj_weight is not None
    for name, theirs in {
        "W_Q": attention.in_proj_weight, "W_K": attention.in_proj_weight,
        "W_V": attention.in_proj_weight, "W_O": attention.out_proj.weight,
        "W_in": layer.linear1.weight, "W_out": layer.linear2.weight,
        "b_in": layer.linear1.bias, "b_out": layer.linear2.bias,
    }.items():  # fmt: skip
        for size in (lambda w: w.abs().max(), torch.std):  # a uniform law is known by these two
            assert float(size(started[name])) == pytest.approx(float(size(theirs)), rel=0.1), name
    for name in ("b_Q", "b_K", "b_V", "b_O", "b_U", "ln1_b", "ln2_b"):
        assert not started[name].any(), name
    assert all((started[name] == 1).all() for name in ("ln1_w", "ln2_w"))
    for name in ("W_E", "W_pos", "W_U"):
        assert 0.09 < float(started[name].abs().max()) <= 0.1


def test_normal_initialisation_has_the_spread_asked_for() -> None:
    started = model(d_model=64, d_mlp=128, init="normal", init_range=0.3).init(range(3))
    for name, weight in started.items():
        short = name.rpartition(".")[2]
        if short.startswith("W_"):
            assert float(weight.std()) == pytest.approx(0.3, rel=0.1), name
        elif short.startswith("b_"):
            assert not weight.any(), name


def test_gradients_equal_finite_differences() -> None:
    ours = model(d_model=6, d_mlp=5, heads=2, norm="pre", activation="gelu")
    given = {name: weight.double() for name, weight in weights(ours, [0, 1]).items()}
    shapes = {name: tuple(weight.shape[1:]) for name, weight in given.items()}
    groups = [tokens(2, 2, 3), tokens(2, 1, 4)]

    def total(theta: Tensor) -> Tensor:
        return (ours.rows(unflatten(theta, shapes), groups) ** 2).sum()

    theta = flatten(given).requires_grad_()
    (gradient,) = torch.autograd.grad(total(theta), theta)
    direction = torch.from_numpy(np.random.default_rng(0).normal(size=tuple(theta.shape)))
    with torch.no_grad():
        step = 1e-5 * direction
        slope = (total(theta + step) - total(theta - step)) / 2e-5
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-6, atol=0.0)


@torch.no_grad()
def test_bfloat16_is_near_float32_and_not_it() -> None:
    ours = model(norm="pre", heads=2, d_mlp=40)
    given, text = weights(ours), tokens(3, 4, N_CTX)
    exact = ours(given, text)
    with torch.autocast("cpu", torch.bfloat16):
        rough = ours(given, text)
    assert rough.dtype == torch.bfloat16
    difference = float((rough.float() - exact).std() / exact.std())
    assert 1e-4 < difference < 0.03


def test_packing_and_unpacking_are_inverse() -> None:
    ours = model(layers=2, heads=3, d_mlp=10, norm="pre")
    labelled = labelled_weights(ours)
    again = unpack(pack(labelled), heads=3)
    assert set(again) == set(labelled)
    for name, weight in labelled.items():
        assert torch.equal(again[name], weight), name


def test_flattening_and_unflattening_are_inverse() -> None:
    given = weights(model(d_mlp=10, norm="pre"))
    shapes = {name: tuple(weight.shape[1:]) for name, weight in given.items()}
    again = unflatten(flatten(given), shapes)
    assert all(torch.equal(again[name], weight) for name, weight in given.items())


@pytest.mark.parametrize("d_mlp", [0, 10])
@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_a_model_has_the_weights_it_says_and_uses_each(
    positions: str, norm: str, d_mlp: int
) -> None:
    ours = model(positions=positions, norm=norm, d_mlp=d_mlp, layers=2, heads=2)
    labelled = {name: w.requires_grad_() for name, w in labelled_weights(ours).items()}
    ours(pack(labelled), tokens(3, 2, N_CTX)).square().sum().backward()
    for name, weight in labelled.items():
        if name != "b_K":  # softmax does not see what is added to all scores alike
            assert weight.grad is not None, name
            assert weight.grad.abs().amax() > 1e-3, name


@pytest.mark.parametrize("sites", [None, Sites()])
def test_a_looped_model_is_one_of_equal_layers(sites: Sites | None) -> None:
    looped = model(layers=3, looped=True, norm="pre", d_mlp=16)
    given = weights(looped)
    assert {name.split(".")[1] for name in given if name.startswith("blocks")} == {"0"}
    plain = model(layers=3, norm="pre", d_mlp=16)
    repeated = {name: given[re.sub(r"blocks\.\d", "blocks.0", name)] for name in weights(plain)}
    text = tokens(3, 2, 9)
    torch.testing.assert_close(looped(given, text, sites), plain(repeated, text, sites))


def test_every_layer_of_a_looped_model_has_its_own_sites() -> None:
    looped = model(layers=3, looped=True)
    sites = Sites(read=[f"blocks.{layer}.hook_resid_post" for layer in range(3)])
    looped(weights(looped), tokens(3, 2, 9), sites)
    first, second, third = sites.values.values()
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


def test_full_attention_is_refused_where_it_sees_the_answers() -> None:
    ascending = list_sorting.Options(length=4, vocabulary=9, train_size=20, validation_size=10)
    with pytest.raises(InterpflowError, match="attention: full sees the answers"):
        build_model({"attention": "full"}, list_sorting.generate(ascending))
    assert build_model({"attention": "full"}, brackets()).options.attention == "full"


def test_a_sequence_longer_than_the_learned_positions_is_refused() -> None:
    ours = model(positions="learned")
    with pytest.raises(
        InterpflowError, match=f"{N_CTX + 1} tokens is too long for a model of {N_CTX}"
    ):
        ours(weights(ours), tokens(3, 4, N_CTX + 1))


@torch.no_grad()
def test_long_sequences_have_the_same_attention_scale_as_short_ones() -> None:
    """Beyond some length attention is computed by another function of torch."""
    ours = model(positions="none", attention_scale=0.3)
    given, text = weights(ours), tokens(2, 100)
    plain = Sites(read=["blocks.0.attn.hook_pattern"])
    torch.testing.assert_close(ours(given, text), ours(given, text, plain), atol=1e-5, rtol=1e-5)
