"""Sites can be read and edited, and looking at one changes nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from small import N_CTX, brackets, model, recipe, runs_of, tokens, weights
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.model.site_names import STREAM as STREAM_DIMS
from interpflow.model.site_names import site_names
from interpflow.model.sites import Sites

S, B, T, M, H, D, F = 3, 4, N_CTX, 24, 2, 12, 40  # seed, batch, pos, d_model, head, d_head, d_mlp
STREAM, PER_HEAD, SQUARE = (S, B, T, M), (S, B, T, H, D), (S, B, H, T, T)
SITES = {
    "hook_embed": STREAM,
    "hook_pos_embed": STREAM,
    "blocks.1.hook_resid_pre": STREAM,
    "blocks.1.ln1.hook_normalized": STREAM,
    "blocks.1.attn.hook_q": PER_HEAD,
    "blocks.1.attn.hook_k": PER_HEAD,
    "blocks.1.attn.hook_v": PER_HEAD,
    "blocks.1.attn.hook_attn_scores": SQUARE,
    "blocks.1.attn.hook_pattern": SQUARE,
    "blocks.1.attn.hook_z": PER_HEAD,
    "blocks.1.attn.hook_result": (S, B, T, H, M),
    "blocks.1.hook_attn_out": STREAM,
    "blocks.1.hook_resid_mid": STREAM,
    "blocks.1.ln2.hook_normalized": STREAM,
    "blocks.1.mlp.hook_pre": (S, B, T, F),
    "blocks.1.mlp.hook_post": (S, B, T, F),
    "blocks.1.hook_mlp_out": STREAM,
    "blocks.1.hook_resid_post": STREAM,
    "ln_final.hook_normalized": STREAM,
}
ATTENTION = "blocks.0.attn.hook_"


@pytest.fixture(autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


def run(sites: Sites | None = None, **options: Any) -> Tensor:
    ours = model(**{"layers": 2, "heads": H, "d_mlp": F, "norm": "pre", **options})
    return ours(weights(ours), tokens(S, B, T), sites)


def read(*names: str, **options: Any) -> dict[str, Tensor]:
    sites = Sites(read=names)
    run(sites, **options)
    return sites.values


@pytest.mark.parametrize("name", SITES)
def test_a_site_has_the_shape_of_transformerlens_with_a_seed_before_it(name: str) -> None:
    assert read(name)[name].shape == SITES[name]


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_reading_every_site_leaves_the_logits_as_they_are(norm: str) -> None:
    names = SITES if norm == "pre" else [name for name in SITES if name[:3] != "ln_"]
    torch.testing.assert_close(
        run(Sites(read=names), norm=norm), run(norm=norm), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("name", SITES)
def test_an_edit_of_any_site_reaches_the_logits_and_is_what_is_read(name: str) -> None:
    before = read(name)[name]
    factor = torch.linspace(0.5, 1.5, before.shape[-1])
    sites = Sites(read=[name], edits={name: lambda value: factor * value})
    assert (run(sites) - run()).abs().max() > 1e-3
    torch.testing.assert_close(sites.values[name], factor * before)


def test_attention_written_out_equals_the_fused_kernel() -> None:
    written_out = run(Sites(read=[f"{ATTENTION}pattern"]))
    torch.testing.assert_close(written_out, run(), atol=1e-5, rtol=1e-5)


def test_pattern_rows_sum_to_one_and_look_at_nothing_later() -> None:
    pattern = read(f"{ATTENTION}pattern")[f"{ATTENTION}pattern"]
    torch.testing.assert_close(pattern.sum(-1), torch.ones(S, B, H, T))
    assert not pattern.triu(1).any()
    assert (pattern[..., 1:, 0] < 1).all()


def test_attention_sites_fit_together() -> None:
    names = ("q", "k", "v", "attn_scores", "pattern", "z", "result")
    found = read(*(ATTENTION + name for name in names), "blocks.0.hook_attn_out")
    q, k, v, scores, pattern, z, result = (found[ATTENTION + name] for name in names)
    allowed = torch.ones(T, T, dtype=torch.bool).tril()
    products = torch.einsum("sbqhd,sbkhd->sbhqk", q, k) / math.sqrt(D)
    torch.testing.assert_close(scores[..., allowed], products[..., allowed])
    assert torch.isneginf(scores[..., ~allowed]).all()
    torch.testing.assert_close(pattern, scores.softmax(-1))
    torch.testing.assert_close(z, torch.einsum("sbhqk,sbkhd->sbqhd", pattern, v))
    ours = model(layers=2, heads=H, d_mlp=F, norm="pre")
    bias = weights(ours)["blocks.0.b_O"][:, None, None]
    torch.testing.assert_close(
        result.sum(-2) + bias, found["blocks.0.hook_attn_out"], atol=1e-5, rtol=1e-5
    )


def test_a_head_silenced_at_its_output_is_a_head_without_output_weights() -> None:
    ours = model(heads=H, norm="post", d_mlp=F)
    given, text = weights(ours), tokens(S, B, T)

    def silence(z: Tensor) -> Tensor:
        return z * torch.tensor([1.0, 0.0])[:, None]

    edited = ours(given, text, Sites(edits={f"{ATTENTION}z": silence}))
    without = given["blocks.0.W_O"].clone()
    without[:, D:] = 0  # rows of the second head
    expected = ours(given | {"blocks.0.W_O": without}, text)
    torch.testing.assert_close(edited, expected, atol=1e-6, rtol=1e-6)


def test_residual_sites_add_up() -> None:
    names = ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")
    pre, attention, mid, mlp, post = read(*(f"blocks.0.hook_{name}" for name in names)).values()
    torch.testing.assert_close(mid, pre + attention)
    torch.testing.assert_close(post, mid + mlp)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("blocks.0.hook_resid_pst", {}),
        ("blocks.2.hook_resid_post", {}),
        ("ln_final.hook_normalized", {"norm": "post"}),
        ("blocks.0.mlp.hook_post", {"d_mlp": 0}),
    ],
)
@pytest.mark.parametrize("how", ["read", "edits"])
def test_a_site_that_the_model_lacks_is_named_with_those_it_has(
    how: str, name: str, options: dict[str, Any]
) -> None:
    sites = Sites(read=[name]) if how == "read" else Sites(edits={name: torch.zeros_like})
    with pytest.raises(InterpflowError, match=rf"no site \['{name}'\].*blocks\.0\.hook_resid_post"):
        run(sites, **options)


@pytest.mark.parametrize("attention", ["causal", "full"])
def test_activations_are_those_of_each_example_alone(attention: str) -> None:
    data = brackets()
    with torch.enable_grad():
        runs = runs_of(data, recipe({"attention": attention, "positions": "rotary"}, steps=2))
    weights, examples = runs.weights("last"), runs.examples("validation")
    example = np.arange(len(examples)).repeat(2)
    position = np.tile([0, 1], len(examples))
    found = runs.activations(weights, examples, "blocks.0.hook_resid_post", (example, position))
    for index in range(len(examples)):
        read = Sites(read=["blocks.0.hook_resid_post"])
        runs.model(weights, examples.take(np.array([index])).tokens, read)
        expected = read.values["blocks.0.hook_resid_post"][:, 0, :2]
        torch.testing.assert_close(found[:, example == index], expected, atol=1e-5, rtol=1e-5)


def test_sites_and_groups_of_different_lengths_do_not_go_together() -> None:
    ours = model()
    groups = [tokens(S, 2, 3), tokens(S, 1, 4)]
    with pytest.raises(ValueError, match="one group"):
        ours.rows(weights(ours), groups, Sites(read=["hook_embed"]))


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "alternating", "rotary", "none"])
@pytest.mark.parametrize("d_mlp", [0, F])
def test_the_names_of_sites_are_known_without_a_pass(norm: str, positions: str, d_mlp: int) -> None:
    ours = model(layers=2, heads=H, d_mlp=d_mlp, norm=norm, positions=positions)
    names = site_names(ours.options)
    sites = Sites(read=names)
    ours(weights(ours), tokens(S, B, T), sites)
    assert sites._seen == {*names}
    for name, dims in names.items():
        assert sites.values[name].ndim == 1 + len(dims), name
    assert names["blocks.1.hook_resid_post"] == STREAM_DIMS
