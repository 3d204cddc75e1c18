"""Muon over flat parameters of many seeds is torch's Muon and AdamW, matrix by matrix and seed by seed."""

from __future__ import annotations

import pytest
import torch
from small import brackets, recipe
from torch import Tensor

from interpflow.model.packing import flatten, unflatten
from interpflow.model.transformer import build_model
from interpflow.rng import generator
from interpflow.training.muon import Muon, orthogonal

RATE, MOMENTUM, BETAS, DECAY = 0.02, 0.9, (0.8, 0.95), 0.1


def alone(weight: Tensor, gradients: list[Tensor], is_matrix: bool) -> Tensor:
    """`weight` after steps of torch's own optimizers along `gradients`."""
    weight = weight.clone().requires_grad_()
    optimizer: torch.optim.Optimizer = (
        torch.optim.Muon([weight], RATE, DECAY, MOMENTUM, adjust_lr_fn="match_rms_adamw")
        if is_matrix
        else torch.optim.AdamW([weight], RATE, BETAS, weight_decay=DECAY)
    )
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_steps_are_those_of_torchs_muon_and_adamw(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    if dtype == torch.float32:  # torch's Muon orthogonalises in bfloat16 alone
        monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    of = recipe({"layers": 2, "heads": 2, "d_mlp": 24, "positions": "learned"})
    first = build_model(of["model"], brackets()).init([0, 4])
    shapes = {name: tuple(weight.shape[1:]) for name, weight in first.items()}
    theta = flatten(first).requires_grad_()
    start = unflatten(theta.detach().clone(), shapes)
    optimizer = Muon(theta, shapes, MOMENTUM, BETAS, DECAY, dtype)
    random = generator("test muon")
    given = [torch.from_numpy(random.normal(size=theta.shape)).float() for _ in range(3)]
    for gradient in given:
        optimizer.step(theta, gradient.clone(), RATE)
    after, gradients = unflatten(theta.detach(), shapes), [unflatten(g, shapes) for g in given]
    matrices = 0
    for name in shapes:
        is_matrix = name.split(".")[-1] in ("W_QKV", "W_O", "W_in", "W_out")
        parts = 3 if name.endswith("W_QKV") else 1
        for seed in range(2):
            cut = [tensor[seed].chunk(parts, dim=-1) for tensor in (start[name], after[name])]
            along = [g[name][seed].chunk(parts, dim=-1) for g in gradients]
            for part, (before, ours) in enumerate(zip(*cut, strict=True)):
                theirs = alone(before, [g[part] for g in along], is_matrix)
                step = (theirs - before).abs().mean()
                assert (ours - theirs).abs().mean() < (1e-3 if is_matrix else 1e-5) * step, name
                matrices += is_matrix
    assert matrices == 2 * 2 * 6  # seeds, layers, and Q, K, V, O, in and out


@pytest.mark.parametrize("shape", [(5, 8, 8), (2, 3, 6, 20), (4, 20, 6)])
def test_orthogonal_matrices_keep_their_directions_and_lose_their_sizes(
    shape: tuple[int, ...],
) -> None:
    random = generator("test orthogonal", str(shape))
    matrices = torch.from_numpy(random.normal(size=shape)).float()
    found = orthogonal(matrices)
    left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
    inner = left.mT @ found @ right.mT  # diagonal in the same directions
    # The iteration takes what is above a hundredth of the norm to about 1.
    kept = torch.diagonal(inner, dim1=-2, dim2=-1)[sizes > 0.05 * sizes.amax(-1, keepdim=True)]
    assert ((kept > 0.5) & (kept < 1.5)).all()
    torch.testing.assert_close(torch.diag_embed(torch.diagonal(inner, dim1=-2, dim2=-1)), inner,
                               atol=1e-4, rtol=0)  # fmt: skip


def test_a_matrix_of_zeros_stays_one() -> None:
    assert not orthogonal(torch.zeros(2, 4, 6)).any()
