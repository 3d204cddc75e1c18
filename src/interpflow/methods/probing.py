"""Probes: small classifiers on hidden states, a whole grid of them trained as one ensemble.

The probes of a grid share hidden states, examples and batches, and differ in labels and initial weights.
Alain & Bengio 2016 (arXiv:1610.01644) for the method, Hewitt & Liang 2019 (arXiv:1909.03368) for controls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow.methods.adam import Adam
from interpflow.model.packing import flatten, unflatten
from interpflow.rng import generator

Layers = list[tuple[Tensor, Tensor]]  # weight and bias of each layer

# Activations of one pass beyond this size fall out of the second-level cache, and cost more than a pass.
_BYTES_PER_PASS = 1 << 20
_VECTOR = 16  # floats


@dataclass(frozen=True)
class ProbeFit:
    """How a probe is trained."""

    widths: tuple[int, ...]  # of the hidden ReLU layers; none: a linear probe
    epochs: int
    batch_size: int
    learning_rate: float  # of Adam


@dataclass(frozen=True)
class ProbeGrid:
    """P probes on F sets of hidden states, N positions each.

    features    (F, N, d), standardised here with the mean and deviation of the training part
    source      (P,) which of the F each probe reads
    labels      (P, N) int64 class ids;  classes (P,) how many there are of them
    address     (P,) a name for each probe, from which its initial weights are drawn
    train, test indices into N
    """

    features: Tensor
    source: Sequence[int]
    labels: Tensor
    classes: Sequence[int]
    address: Sequence[tuple[str | int, ...]]
    train: np.ndarray
    test: np.ndarray

    def fit(self, options: ProbeFit) -> list[Probes]:
        """Train all probes; they come back in passes of as many as are fastest together."""
        widest = max((self.features.shape[-1], *options.widths))
        together = max(1, _BYTES_PER_PASS // (4 * options.batch_size * widest))
        starts = range(0, len(self.source), together)
        return [_fit(self, range(s, min(s + together, len(self.source))), options) for s in starts]

    def standardisation(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation (F, 1, d) of the training part; a dimension without spread is left as is."""
        part = self.features[:, torch.from_numpy(self.train)]
        deviation = part.std(1, keepdim=True, correction=0)
        return part.mean(1, keepdim=True), torch.where(deviation > 0, deviation, 1.0)


@dataclass(frozen=True)
class Probes:
    """Trained probes `members` of a grid: weights per layer (p, in, out), biases (p, out)."""

    grid: ProbeGrid
    members: range
    layers: Layers

    @torch.no_grad()
    def predict(self, at: np.ndarray) -> np.ndarray:
        """Predicted class ids (p, n) at indices `at` into the grid's positions."""
        mean, deviation = self.grid.standardisation()
        source = torch.tensor([self.grid.source[p] for p in self.members])
        penalty = _class_penalty([self.grid.classes[p] for p in self.members])
        predicted = []
        for part in np.array_split(at, math.ceil(len(at) / 4096)):
            x = ((self.grid.features[:, torch.from_numpy(part)] - mean) / deviation)[source]
            predicted.append((_forward(self.layers, x) + penalty).argmax(-1))
        return torch.cat(predicted, dim=1).numpy()

    def directions(self) -> Tensor:
        """The class weights (p, d, class) of linear probes, on standardised features.

        Raises ValueError for probes with hidden layers, which have no single set of directions.
        """
        if len(self.layers) > 1:
            raise ValueError("only a linear probe has directions")
        return self.layers[0][0]


def _fit(grid: ProbeGrid, members: range, options: ProbeFit) -> Probes:
    mean, deviation = grid.standardisation()
    train = torch.from_numpy(grid.train)
    features = (grid.features[:, train] - mean) / deviation
    labels = grid.labels[members.start : members.stop, train]
    source = torch.tensor([grid.source[p] for p in members])
    classes = [grid.classes[p] for p in members]
    penalty = _class_penalty(classes)

    sizes = [features.shape[-1], *options.widths, max(classes)]
    start = _initial_layers(sizes, [grid.address[p] for p in members])
    shapes = {name: tuple(value.shape[1:]) for name, value in start.items()}
    theta = flatten(start)
    gradient = torch.zeros_like(theta)
    layers, gradients = _pairs(unflatten(theta, shapes)), _pairs(unflatten(gradient, shapes))
    optimizer = Adam(theta)
    for epoch in range(options.epochs):
        order = torch.from_numpy(generator("probe order", epoch).permutation(len(train)))
        for chosen in order.split(options.batch_size):
            _backward(layers, gradients, features[:, chosen][source], labels[:, chosen], penalty)
            optimizer.step(gradient, options.learning_rate)
    return Probes(grid, members, layers)


def _backward(
    layers: Layers, gradients: Layers, x: Tensor, labels: Tensor, penalty: Tensor
) -> None:
    """Write the gradient of each probe's mean cross-entropy on x (p, n, d), labels (p, n) to `gradients`.

    By hand: at these sizes autograd's book-keeping costs several times the arithmetic.
    """
    inputs = [x]
    for weight, bias in layers[:-1]:
        inputs.append(torch.baddbmm(bias[:, None], inputs[-1], weight).relu_())
    weight, bias = layers[-1]
    logits = torch.baddbmm(bias[:, None], inputs[-1], weight).add_(penalty)
    classes = logits.shape[-1]
    # torch's softmax takes ten times as long for rows that do not fill a processor's vector.
    padded = F.pad(logits, (0, max(0, _VECTOR - classes)), value=-torch.inf)
    upstream = padded.softmax(-1)[..., :classes]
    upstream.scatter_add_(2, labels[..., None], torch.full_like(upstream[..., :1], -1.0))
    upstream.div_(x.shape[1])
    for depth in reversed(range(len(layers))):
        weight_gradient, bias_gradient = gradients[depth]
        torch.bmm(inputs[depth].transpose(1, 2), upstream, out=weight_gradient)
        torch.sum(upstream, 1, out=bias_gradient)
        if depth:
            upstream = upstream @ layers[depth][0].transpose(1, 2)
            # A ReLU's output is zero just where its gradient is.
            upstream = torch.ops.aten.threshold_backward(upstream, inputs[depth], 0)


def _forward(layers: Layers, x: Tensor) -> Tensor:
    """x (p, n, d) -> logits (p, n, class)."""
    for weight, bias in layers[:-1]:
        x = torch.baddbmm(bias[:, None], x, weight).relu_()
    weight, bias = layers[-1]
    return torch.baddbmm(bias[:, None], x, weight)


def _pairs(weights: dict[str, Tensor]) -> Layers:
    values = list(weights.values())
    return list(zip(values[0::2], values[1::2], strict=True))


def _initial_layers(
    sizes: list[int], addresses: Sequence[tuple[str | int, ...]]
) -> dict[str, Tensor]:
    """Uniform in ±1/sqrt(fan in), as torch.nn.Linear starts."""
    layers = {}
    for depth, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        for name, shape in (("weight", (fan_in, fan_out)), ("bias", (fan_out,))):
            drawn = [
                generator("probe", *address, len(sizes), depth, name).uniform(-1, 1, shape)
                for address in addresses
            ]
            layers[f"{depth}.{name}"] = torch.from_numpy(
                (np.stack(drawn) / math.sqrt(fan_in)).astype(np.float32)
            )
    return layers


def _class_penalty(classes: Sequence[int]) -> Tensor:
    """(p, 1, class): -inf on classes that a probe does not have, where others of the grid do."""
    impossible = torch.arange(max(classes)) >= torch.tensor(classes)[:, None]
    return torch.zeros(impossible.shape).masked_fill(impossible, -torch.inf)[:, None]
