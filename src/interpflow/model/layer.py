"""One layer in one pass: its weights, its sites and its rows; names are without the prefix of the layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow.model.packing import Weights
from interpflow.model.rows import Rows
from interpflow.model.sites import Sites

NORM_EPSILON = 1e-5  # the default of torch.nn.LayerNorm and of TransformerLens


class Layer:
    """Layer `layer`, whose weights are called `<prefix>…`; its sites are called `<site_prefix>…`.

    Raises ValueError where there are sites and several groups of sequences: sites have the form (batch, pos).
    """

    def __init__(
        self, weights: Weights, sites: Sites | None, rows: Rows, pre_norm: bool,
        prefix: str = "", site_prefix: str = "", layer: int = 0,
    ):  # fmt: skip
        if sites is not None and len(rows.groups) > 1:
            raise ValueError("sites go with one group of sequences")
        self.rows, self.layer = rows, layer
        self._weights, self._prefix = weights, prefix
        self._sites, self._site_prefix = sites, site_prefix
        # Without sites, gain and bias of a pre-norm are folded into the weights that read the norm, which is
        # work on a matrix instead of on all rows.
        self._folds = sites is None and pre_norm

    def __getitem__(self, name: str) -> Tensor:
        return self._weights[self._prefix + name]

    def get(self, name: str) -> Tensor | None:
        """The weight `name`, None where the model has none of this name."""
        return self._weights.get(self._prefix + name)

    def wants(self, name: str) -> bool:
        """Whether the site `name` is read or edited."""
        return self._sites is not None and self._sites.wants(self._site_prefix + name)

    def site(self, name: str, rows: Tensor) -> Tensor:
        """Offer `rows` (seed, row, …) as the site `name`, in the form (seed, batch, pos, …)."""
        if self._sites is None:
            return rows
        return self.plain_site(name, rows.unflatten(1, self.rows.groups[0])).flatten(1, 2)

    def plain_site(self, name: str, value: Tensor) -> Tensor:
        """Offer `value` as the site `name`, as it is."""
        return value if self._sites is None else self._sites(self._site_prefix + name, value)

    def norm(self, name: str, x: Tensor) -> Tensor:
        """LayerNorm with a gain and a bias for each seed; the site `<name>.hook_normalized` is before both.

        Gain and bias are left out if `reading` folds them into weights.
        """
        # torch's kernel is vectorized only where it is given a gain and a bias.
        one, zero = x.new_ones(x.shape[-1]), x.new_zeros(x.shape[-1])
        normalized = F.layer_norm(x, x.shape[-1:], one, zero, eps=NORM_EPSILON)
        if self._folds:
            return normalized
        normalized = self.site(f"{name}.hook_normalized", normalized)
        gain, bias = self[f"{name}_w"][:, None], self[f"{name}_b"][:, None]
        return torch.addcmul(bias, normalized, gain)

    def reading(self, norm: str, weight: str, bias: str) -> tuple[Tensor, Tensor | None]:
        """The weight (seed, in, out) and the bias (seed, out) that read the LayerNorm `norm`, None without."""
        matrix, offset = self[weight], self.get(bias)
        if not self._folds:
            return matrix, offset
        gain, shift = self[f"{norm}_w"], self[f"{norm}_b"]
        shifted = (shift[:, None] @ matrix)[:, 0]
        return matrix * gain[..., None], shifted if offset is None else offset + shifted


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (seed, row, in), weight (seed, in, out), bias (seed, out) -> (seed, row, out)."""
    product = x @ weight
    return product if bias is None else product.add_(bias[:, None])
