"""Forward and backward pass of the 16-node model, against TransformerLens and against matrix products alone.

A HookedTransformer with the same weights on the same batch; and the products that a pass cannot do without,
timed by themselves: what share of that rate the whole pass reaches.
"""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.model.packing import flatten, unflatten, unpack
from interpflow.model.transformer import Transformer, build_model
from interpflow.training.examples import Batch, Examples
from interpflow.training.losses import loss

BATCH, STEPS, REPEATS = 64, 3, 5


class Products:
    """The matrix products of a pass and its backward, on matrices of the same sizes."""

    def __init__(self, model: Transformer, sequences: int, length: int):
        o, rows = model.options, sequences * length
        wide = model.d_head * o.heads
        sizes = [
            (o.d_model, 3 * wide),
            (wide, o.d_model),
            (o.d_model, o.d_mlp),
            (o.d_mlp, o.d_model),
        ]
        self.flat = [
            (torch.randn(rows, a), torch.randn(a, b), torch.randn(rows, b)) for a, b in sizes
        ]
        shape = (sequences * o.heads, length, model.d_head)
        self.q, self.k = torch.randn(shape), torch.randn(shape)
        self.pattern = torch.randn(*shape[:2], length)
        self.layers = o.layers

    def run(self) -> None:
        for _ in range(self.layers):
            for x, weight, upstream in self.flat:
                _ = x @ weight, upstream @ weight.T, x.T @ upstream
            for _ in range(3):  # scores and mixing; the backward has two of each
                _ = self.q @ self.k.transpose(1, 2), self.pattern @ self.k


def ours(
    model: Transformer, theta: Tensor, shapes: dict[str, tuple[int, ...]], batch: Batch
) -> None:
    for _ in range(STEPS):
        logits = model(unflatten(theta, shapes), batch.tokens)
        torch.autograd.grad(loss("cross_entropy", logits, batch).sum(), theta)


def theirs(hooked: torch.nn.Module, batch: Batch) -> None:
    tokens = batch.tokens[0]
    tokens = torch.where(tokens < 0, ~tokens, tokens)  # its padding has no sign
    for _ in range(STEPS):
        logits = hooked(tokens)[batch.scored[0]]
        hooked.zero_grad()
        F.cross_entropy(logits, batch.targets[0][batch.scored[0]].long()).backward()


def main() -> None:
    """One batch of 64 trees of 16 nodes, in float32."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    experiment = study.tree_pathfinding().experiments["nodes16"]
    data = study.data({**experiment.task, "train_size": BATCH, "test_size": 1, "splits": {}})
    model = build_model(experiment.model, data)
    packed = model.init([0])
    theta = flatten(packed).requires_grad_()
    shapes = {name: tuple(weight.shape[1:]) for name, weight in packed.items()}
    batch = Examples(data, "train").take(np.arange(BATCH)[None])
    products = Products(model, BATCH, batch.tokens.shape[-1])
    ways = [
        Way("ours", lambda: ours(model, theta, shapes, batch), STEPS),
        Way("its matrix products alone", products.run),
    ]
    if importlib.util.find_spec("transformer_lens"):
        hooked = hooked_transformer(model, unpack(packed, model.options.heads))
        ways.append(Way("TransformerLens", lambda: theirs(hooked, batch), STEPS))
    else:
        print(
            "TransformerLens is not installed: .venv-crosscheck/bin/python -m benchmarks transformer"
        )
    seconds = compare(
        f"forward and backward, {BATCH} sequences of {batch.tokens.shape[-1]} tokens", ways, REPEATS
    )
    print(
        f"  {BATCH / seconds[0]:.0f} sequences a second; {seconds[1] / seconds[0]:.0%} of the rate of products"
    )


def hooked_transformer(model: Transformer, labelled: dict[str, Tensor]) -> torch.nn.Module:
    """The same model in TransformerLens."""
    import xarray as xr
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    from interpflow.model.transformer_lens import to_transformer_lens
    from interpflow.variables import WEIGHTS

    weights = xr.Dataset({n: (WEIGHTS[n].dims[2:], labelled[n][0].numpy()) for n in model.shapes})
    exported = to_transformer_lens(weights, model.options, model.n_ctx)
    hooked = HookedTransformer(HookedTransformerConfig(**exported.config, device="cpu"))
    state = {name: torch.from_numpy(np.array(value)) for name, value in exported.state.items()}
    hooked.load_state_dict(state, strict=False)
    return hooked  # type: ignore[no-any-return]
