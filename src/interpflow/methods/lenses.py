"""Lenses: what a model would predict if the residual stream after a layer were that after the last.

The logit lens applies the model's own final LayerNorm and unembedding (nostalgebraist 2020).  The tuned lens
passes the stream through an affine translator first, one for each layer, trained so that the prediction comes
near to the model's own (Belrose et al. 2023, arXiv:2303.08112).

Layer 0 is the stream before the first layer, embeddings; layer l is that after l layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.methods.adam import Adam
from interpflow.model.packing import Weights, flatten, unflatten
from interpflow.model.place import NORM_EPSILON
from interpflow.model.sites import Sites
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.training.examples import Examples
from interpflow.training.losses import right


@dataclass(frozen=True)
class Pass:
    """One pass of the model over a few examples: n pairs of example and position, and what stands there.

    example, position  (n,)
    target             (n,)
    asked              (seed, n) whether the pair is one for this seed; not all seeds need be asked alike
    right              (seed, n) whether the model answers the example right throughout
    states             the residual stream (seed, layer, n, d)
    """

    example: np.ndarray
    position: np.ndarray
    target: Tensor
    asked: Tensor
    right: Tensor
    states: Tensor


@torch.no_grad()
def passes(
    runs: Runs, weights: Weights, data: xr.Dataset, positions: Sequence[str]
) -> Iterator[Pass]:
    """The model on the examples of `data`, which are of one split, at `positions`.

    Raises InterpflowError where no example has such a position.
    """
    layers = range(runs.model.options.layers)
    names = ["blocks.0.hook_resid_pre", *(f"blocks.{layer}.hook_resid_post" for layer in layers)]
    everywhere = runs.mask(data, positions)
    if not everywhere.any():
        raise InterpflowError(f"no example has a position {' or '.join(positions)}")
    examples = Examples(data, str(data["split"].values[0]), runs.device)
    for indices, batch in examples.in_order_of_length():
        asked = everywhere[:, indices, : batch.tokens.shape[-1]]
        row, position = np.nonzero(asked.any(0))
        if not len(row):
            continue
        sites = Sites(read=names)
        logits = runs.model(weights, batch.tokens, sites)
        yield Pass(
            indices[row],
            position,
            batch.targets[row, position].long(),
            torch.from_numpy(asked[:, row, position]).to(logits.device),
            right(runs.loss, logits, batch)[:, row],
            torch.stack([sites.values[name][:, row, position] for name in names], dim=1),
        )


class Unembedding:
    """From the residual stream (seed, layer, n, d) to log-probabilities (seed, layer, n, output)."""

    def __init__(self, weights: Weights):
        self._norm = (
            "ln_final_w" in weights
        )  # a post-norm model has its last norm in its last layer
        matrix = weights["W_U"]
        bias = weights.get("b_U", matrix.new_zeros(matrix.shape[0], matrix.shape[2]))[:, None]
        if self._norm:  # gain and bias of the norm are put into what reads it
            bias = bias + weights["ln_final_b"][:, None] @ matrix
            matrix = matrix * weights["ln_final_w"][..., None]
        self._matrix, self._bias = matrix, bias

    def __call__(self, states: Tensor) -> Tensor:
        normed = F.layer_norm(states, states.shape[-1:], eps=NORM_EPSILON) if self._norm else states
        logits = torch.baddbmm(self._bias, normed.flatten(1, 2), self._matrix)
        return F.log_softmax(logits.unflatten(1, states.shape[1:3]), dim=-1)


@dataclass(frozen=True)
class Translators:
    """h -> h + h A + b for every layer but the last, which needs none.

    matrix (seed, layer, d, d), bias (seed, layer, d)
    """

    matrix: Tensor
    bias: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        """The stream (seed, layer, n, d), each layer translated to the last, which stays as it is."""
        return torch.cat([self.early(states[:, :-1]), states[:, -1:]], dim=1)

    def early(self, states: Tensor) -> Tensor:
        """The stream without the last layer, translated."""
        change = states.flatten(0, 1) @ self.matrix.flatten(0, 1)
        return states + change.view(states.shape) + self.bias[:, :, None]


@dataclass(frozen=True)
class Fit:
    """How translators are trained."""

    steps: int
    batch_size: int  # positions
    learning_rate: float  # of Adam, falling to 0 along a line


def tune(states: Tensor, counts: Tensor, unembed: Unembedding, fit: Fit) -> Translators:
    """Train translators on `states` (seed, layer, n, d), for each seed on the n where `counts` (seed, n).

    The loss is the divergence KL(model's prediction || lens's), mean over positions.  Layers and seeds are
    apart: one sum of their losses trains them all.
    """
    seeds, layers, count, width = states.shape
    shapes = {"matrix": (layers - 1, width, width), "bias": (layers - 1, width)}
    start = {
        name: torch.zeros(seeds, *shape, device=states.device) for name, shape in shapes.items()
    }
    theta = flatten(start).requires_grad_()
    optimizer = Adam(theta)
    order = torch.from_numpy(_order(count, fit.steps * fit.batch_size)).to(states.device)
    for step, chosen in enumerate(order.split(fit.batch_size)):
        batch, weight = states[:, :, chosen].float(), counts[:, chosen].float()
        with torch.no_grad():
            wanted = unembed(batch[:, -1:])
        found = unembed(Translators(**unflatten(theta, shapes)).early(batch[:, :-1]))
        divergence = kl(wanted, found)
        mean = (divergence * weight[:, None]).sum(-1) / weight.sum(-1).clamp(min=1)[:, None]
        (gradient,) = torch.autograd.grad(mean.sum(), theta)
        optimizer.step(gradient, fit.learning_rate * (1 - step / fit.steps))
    return Translators(**unflatten(theta.detach(), shapes))


def kl(wanted: Tensor, found: Tensor) -> Tensor:
    """KL(wanted || found) of log-probabilities (…, output), nat."""
    return (wanted.exp() * (wanted - found)).sum(-1)


def _order(count: int, wanted: int) -> np.ndarray:
    """`wanted` indices into `count`: one random order of all after the other."""
    passes = range(-(-wanted // count))
    orders = [generator("tuned lens order", number).permutation(count) for number in passes]
    return np.concatenate(orders)[:wanted]
