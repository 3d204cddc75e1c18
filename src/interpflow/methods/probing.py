"""Probes: small classifiers on hidden states, a whole grid of them trained together.

The probes of a grid share positions and batches.  The probes of one set of hidden states are trained in
stacks: a batch is gathered once for a stack, and each layer of a stack is one batched product.
Alain & Bengio 2016 (arXiv:1610.01644) for the method, Hewitt & Liang 2019 (arXiv:1909.03368) for controls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from interpflow.methods.adam import Adam
from interpflow.model.packing import flatten, unflatten
from interpflow.rng import generator

Layers = list[tuple[Tensor, Tensor]]  # weight (p, in, out) and bias (p, out) of each layer

# Activations of one layer beyond this size fall out of the second-level cache, and cost more than a step.
_BYTES_PER_STACK = 1 << 19
# Products and softmax of rows that do not fill a processor's vectors take up to ten times as long.
_VECTORS = 16  # floats
_ROWS = 4096  # whose classes are predicted at once


@dataclass(frozen=True)
class ProbeFit:
    """How a probe is trained."""

    widths: tuple[int, ...]  # of the hidden ReLU layers; none: a linear probe
    epochs: int
    batch_size: int
    learning_rate: float  # of Adam
    schedule: Literal["constant", "linear"] = "constant"  # linear: down to 0 over all steps


@dataclass(frozen=True)
class ProbeGrid:
    """P probes on F sets of hidden states, N positions each.

    features    (F, N, d), standardised here with the mean and deviation of the training part
    source      (P,) the set, an index into F, that each probe reads
    labels      (P, N) int64 class ids
    classes     (P,) number of classes of each probe
    address     (P,) the address at which the initial weights of each probe are drawn
    train, test indices into N
    """

    features: Tensor
    source: Sequence[int]
    labels: Tensor
    classes: Sequence[int]
    address: Sequence[tuple[str | int, ...]]
    train: np.ndarray
    test: np.ndarray

    def fit(self, options: ProbeFit) -> Probes:
        """Train all probes."""
        train, layers = torch.from_numpy(self.train), {}
        for source in sorted({*self.source}):
            x = self.standardised(source, train)
            for members in self._stacks(source, options):
                labels = self.labels[members].index_select(1, train)
                start = _initial_layers(
                    [x.shape[1], *options.widths],
                    [(self.address[member], self.classes[member]) for member in members],
                )
                trained = _fit(x, labels, start, options)
                for place, member in enumerate(members):
                    layers[member] = _one(trained, place, self.classes[member])
        return Probes(self, [layers[member] for member in range(len(self.source))])

    def standardised(self, source: int, at: Tensor) -> Tensor:
        """Features (n, d) of one source at indices `at` (n,)."""
        mean, spread = self._moments[source]
        return self.features[source].index_select(0, at).sub_(mean).div_(spread)

    @cached_property
    def _moments(self) -> dict[int, tuple[Tensor, Tensor]]:
        """Mean and deviation (d,) of the training part, by source; a deviation of 0 counts as 1."""
        moments = {}
        for source in {*self.source}:
            known = self.features[source].index_select(0, torch.from_numpy(self.train))
            deviation = known.std(0, correction=0)
            moments[source] = known.mean(0), torch.where(deviation > 0, deviation, 1.0)
        return moments

    def _stacks(self, source: int, options: ProbeFit) -> Iterator[list[int]]:
        """The probes of one source, in stacks of the size that trains fastest."""
        members = [member for member, of in enumerate(self.source) if of == source]
        widest = max(self.features.shape[-1], *options.widths, *self.classes)
        together = max(1, _BYTES_PER_STACK // (4 * options.batch_size * widest))
        for start in range(0, len(members), together):
            yield members[start : start + together]


@dataclass(frozen=True)
class Probes:
    """The trained probes of a grid: for each its layers, weight (in, out) and bias (out,)."""

    grid: ProbeGrid
    layers: list[Layers]

    @torch.no_grad()
    def predict(self, at: np.ndarray) -> np.ndarray:
        """Predicted class ids (P, n) at indices `at` into the grid's positions."""
        predicted = np.empty((len(self.layers), len(at)), dtype=np.int64)
        for source in sorted({*self.grid.source}):
            x = self.grid.standardised(source, torch.from_numpy(at))
            for probe in np.flatnonzero(np.array(self.grid.source) == source):
                rows = [_forward(self.layers[probe], part).argmax(-1) for part in x.split(_ROWS)]
                predicted[probe] = torch.cat(rows).numpy()
        return predicted

    def directions(self) -> Tensor:
        """The weights (P, d, class) of linear probes on standardised features, all of one number of classes.

        Raises ValueError for probes with hidden layers, which have no single set of directions.
        """
        if any(len(layers) > 1 for layers in self.layers):
            raise ValueError("only a linear probe has directions")
        return torch.stack([weight for ((weight, _),) in self.layers])


def _fit(x: Tensor, labels: Tensor, start: dict[str, Tensor], options: ProbeFit) -> Layers:
    """Train p probes that start from `start` on features x (n, d) and labels (p, n)."""
    shapes = {name: tuple(value.shape[1:]) for name, value in start.items()}
    theta = flatten(start)
    gradient = torch.zeros_like(theta)
    layers, gradients = _pairs(unflatten(theta, shapes)), _pairs(unflatten(gradient, shapes))
    optimizer = Adam(theta)
    done, steps = 0, options.epochs * math.ceil(len(x) / options.batch_size)
    for epoch in range(options.epochs):
        order = torch.from_numpy(generator("probe order", epoch).permutation(len(x)))
        for chosen in order.split(options.batch_size):
            rows = x.index_select(0, chosen).expand(len(labels), -1, -1)
            _backward(layers, gradients, rows, labels.index_select(1, chosen))
            left = 1.0 if options.schedule == "constant" else 1 - done / steps
            optimizer.step(gradient, left * options.learning_rate)
            done += 1
    return layers


def _backward(layers: Layers, gradients: Layers, x: Tensor, labels: Tensor) -> None:
    """Write the gradient of each probe's mean cross-entropy on x (p, n, d), labels (p, n) to `gradients`.

    By hand: at these sizes autograd's book-keeping costs several times the arithmetic.
    """
    inputs = [x]
    for weight, bias in layers[:-1]:
        inputs.append(torch.baddbmm(bias[:, None], inputs[-1], weight).relu_())
    weight, bias = layers[-1]
    upstream = torch.baddbmm(bias[:, None], inputs[-1], weight).softmax(-1)
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
    """x (n, d) -> logits (n, class)."""
    for weight, bias in layers[:-1]:
        x = torch.addmm(bias, x, weight).relu_()
    weight, bias = layers[-1]
    return torch.addmm(bias, x, weight)


def _one(layers: Layers, place: int, classes: int) -> Layers:
    """The layers of the probe `place` of a stack, cut to its number of classes."""
    *hidden, (weight, bias) = layers
    last = weight[place, :, :classes], bias[place, :classes]
    return [*((weight[place], bias[place]) for weight, bias in hidden), last]


def _pairs(weights: dict[str, Tensor]) -> Layers:
    values = list(weights.values())
    return list(zip(values[0::2], values[1::2], strict=True))


def _initial_layers(
    sizes: list[int], probes: Sequence[tuple[tuple[str | int, ...], int]]
) -> dict[str, Tensor]:
    """Initial layers of `probes`, each an address and a number of classes, drawn as torch.nn.Linear draws them.

    Uniform in ±1/sqrt(fan in).  The last layer is as wide as the most classes, rounded up to whole vectors.
    A class that a probe lacks has the bias -inf: it is never predicted, and its gradient is zero.
    """
    most = -(-max(classes for _, classes in probes) // _VECTORS) * _VECTORS
    layers = {}
    for depth, (fan_in, fan_out) in enumerate(pairwise([*sizes, most])):
        last = depth == len(sizes) - 1
        for name, shape, beyond in (("weight", (fan_in,), 0.0), ("bias", (), -np.inf)):
            drawn = np.full((len(probes), *shape, fan_out), beyond, dtype=np.float32)
            for own, (address, classes) in zip(drawn, probes, strict=True):
                wide = classes if last else fan_out
                random = generator("probe", *address, len(sizes) + 1, depth, name)
                own[..., :wide] = random.uniform(-1, 1, (*shape, wide)) / math.sqrt(fan_in)
            layers[f"{depth}.{name}"] = torch.from_numpy(drawn)
    return layers
