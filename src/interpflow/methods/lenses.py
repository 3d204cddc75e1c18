"""Lenses: predictions from the residual stream of every layer.

The logit lens applies the model's own final LayerNorm and unembedding (nostalgebraist 2020).  The tuned lens
passes the residual stream through an affine translator first, one for each layer, trained to bring the
prediction near to the model's own (Belrose et al. 2023, arXiv:2303.08112).

Layer 0 is the residual stream before the first layer; layer l is the residual stream after l layers.
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
from interpflow.model.layer import NORM_EPSILON
from interpflow.model.packing import Weights, flatten, unflatten
from interpflow.model.sites import Sites
from interpflow.rng import generator
from interpflow.runs import Runs
from interpflow.training.examples import Examples
from interpflow.training.losses import right


@dataclass(frozen=True)
class Pass:
    """One pass of the model over a few examples, at n pairs of an example and a position.

    example, position  (n,)
    target             (n,) class ids
    asked              (seed, n) whether the pair counts for the seed
    right              (seed, n) whether the model is right at every scored position of the example
    states             (seed, layer, n, d) the residual stream
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
    """Passes of the model over the examples of `data`, all of one split, at the positions named `positions`.

    Raises InterpflowError if no example has a position of these names.
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
        # The last norm of a post-norm model is part of the last layer.
        self._norm = "ln_final_w" in weights
        matrix = weights["W_U"]
        bias = weights.get("b_U", matrix.new_zeros(matrix.shape[0], matrix.shape[2]))[:, None]
        if self._norm:  # gain and bias of the norm are folded into the unembedding
            bias = bias + weights["ln_final_b"][:, None] @ matrix
            matrix = matrix * weights["ln_final_w"][..., None]
        self._matrix, self._bias = matrix, bias

    def __call__(self, states: Tensor) -> Tensor:
        normed = F.layer_norm(states, states.shape[-1:], eps=NORM_EPSILON) if self._norm else states
        logits = torch.baddbmm(self._bias, normed.flatten(1, 2), self._matrix)
        return F.log_softmax(logits.unflatten(1, states.shape[1:3]), dim=-1)


@dataclass(frozen=True)
class Translators:
    """The maps h -> h + h matrix + bias of every layer but the last.

    matrix (seed, layer, d, d), bias (seed, layer, d)
    """

    matrix: Tensor
    bias: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        """The residual stream `states` (seed, layer, n, d), every layer but the last translated."""
        return torch.cat([self.early(states[:, :-1]), states[:, -1:]], dim=1)

    def early(self, states: Tensor) -> Tensor:
        """The translated residual stream, of `states` (seed, layer, n, d) without the last layer."""
        change = states.flatten(0, 1) @ self.matrix.flatten(0, 1)
        return states + change.view(states.shape) + self.bias[:, :, None]


@dataclass(frozen=True)
class Fit:
    """How translators are trained."""

    steps: int
    batch_size: int  # positions
    learning_rate: float  # of Adam, falling linearly to 0


def tune(states: Tensor, counts: Tensor, unembed: Unembedding, fit: Fit) -> Translators:
    """Train translators on `states` (seed, layer, n, d), for each seed on the n where `counts` (seed, n).

    The loss is KL(prediction of the model || prediction of the lens), the mean over positions.  Layers and
    seeds share no parameters, so the gradient of the sum of their losses trains each by itself.
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
    """`wanted` indices below `count`: random permutations, one after the other."""
    passes = range(-(-wanted // count))
    orders = [generator("tuned lens order", number).permutation(count) for number in passes]
    return np.concatenate(orders)[:wanted]
