"""The transformer, ensemble-first: every weight has a leading `seed` dim, and one pass runs all seeds.

The model is a computation that holds no weights: `Transformer(options, ...)` knows the shapes, `init`
draws weights, calling it on packed weights and tokens gives logits.  A single model is an ensemble of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.model import fused
from interpflow.model.options import ModelOptions
from interpflow.model.packing import Weights, pack
from interpflow.model.rows import Rows, look_up
from interpflow.model.sites import Sites
from interpflow.rng import generator

_NORM_EPSILON = 1e-5  # the default of torch.nn.LayerNorm and of TransformerLens
# torch's fused attention is slower than plain products below this length, and saves memory above.
_FLASH_FROM = 64
# Attention of interpflow.model.fused saves its patterns, and loses its lead over torch's above this length.
_FUSED_UP_TO = 128
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class Transformer:
    """A causal transformer of shape `options` over `d_vocab` tokens, `n_ctx` positions, `d_output` logits.

    `shapes` maps each labelled weight to its shape without the seed dim.
    """

    def __init__(self, options: ModelOptions, d_vocab: int, n_ctx: int, d_output: int):
        self.options = options
        self.d_vocab, self.n_ctx, self.d_output = d_vocab, n_ctx, d_output
        self.d_head = options.d_head or options.d_model // options.heads
        self.blocks = 1 if options.looped else options.layers  # that have weights of their own
        self.shapes = self._shapes()
        self._activation = _ACTIVATIONS[options.activation]

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        o, d_head = self.options, self.d_head
        block: dict[str, tuple[int, ...]] = {}
        biases: dict[str, tuple[int, ...]] = {}
        for letter in "QKV":
            block[f"W_{letter}"] = (o.heads, o.d_model, d_head)
            biases[f"b_{letter}"] = (o.heads, d_head)
        block["W_O"], biases["b_O"] = (o.heads, d_head, o.d_model), (o.d_model,)
        if o.d_mlp:
            block |= {"W_in": (o.d_model, o.d_mlp), "W_out": (o.d_mlp, o.d_model)}
            biases |= {"b_in": (o.d_mlp,), "b_out": (o.d_model,)}
        block |= biases if o.biases else {}
        if o.norm != "none":
            names = ("ln1_w", "ln1_b", "ln2_w", "ln2_b") if o.d_mlp else ("ln1_w", "ln1_b")
            block |= dict.fromkeys(names, (o.d_model,))

        shapes: dict[str, tuple[int, ...]] = {"W_E": (self.d_vocab, o.d_model)}
        if o.positions == "learned":
            shapes["W_pos"] = (self.n_ctx, o.d_model)
        shapes |= {name: (self.blocks, *shape) for name, shape in block.items()}
        if o.norm == "pre":
            shapes |= {"ln_final_w": (o.d_model,), "ln_final_b": (o.d_model,)}
        shapes["W_U"] = (o.d_model, self.d_output)
        if o.biases:
            shapes["b_U"] = (self.d_output,)
        return shapes

    def init(self, seeds: Sequence[int]) -> dict[str, Tensor]:
        """Initial packed weights.  A seed's weights depend on that seed alone."""
        return pack(
            {
                name: torch.stack([self._init_one(name, shape, seed) for seed in seeds])
                for name, shape in self.shapes.items()
            }
        )

    def _init_one(self, name: str, shape: tuple[int, ...], seed: int) -> Tensor:
        if name.startswith("ln"):
            return torch.full(shape, 1.0 if name.endswith("_w") else 0.0)
        random = generator("init", seed, name)
        if self.options.init == "normal":
            if name.startswith("b_"):
                return torch.zeros(shape)
            return _tensor(random.normal(0.0, self.options.init_range, shape))
        bound = self._uniform_bound(name)
        return _tensor(random.uniform(-bound, bound, shape)) if bound else torch.zeros(shape)

    def _uniform_bound(self, name: str) -> float:
        """Half-width of the uniform start of torch.nn.TransformerEncoderLayer; 0 means zeros."""
        o = self.options
        if name in ("W_E", "W_pos", "W_U"):
            return o.init_range
        if name in ("W_Q", "W_K", "W_V"):  # Xavier over the packed projection
            return math.sqrt(6.0 / (o.d_model + 3 * o.heads * self.d_head))
        fan_in = {"W_O": o.heads * self.d_head, "W_in": o.d_model, "b_in": o.d_model}
        fan_in |= {"W_out": o.d_mlp, "b_out": o.d_mlp}
        return 1.0 / math.sqrt(fan_in[name]) if name in fan_in else 0.0

    def __call__(self, weights: Weights, tokens: Tensor, sites: Sites | None = None) -> Tensor:
        """Logits (seed, batch, pos, d_output) for `tokens` (seed, batch, pos) or (batch, pos).

        Attention is causal, so padding at the end of a sequence changes nothing before it.
        """
        if tokens.dim() == 2:
            tokens = tokens.expand(len(weights["W_E"]), *tokens.shape)
        return self.rows(weights, [tokens], sites).unflatten(1, tokens.shape[1:])

    def rows(
        self,
        weights: Weights,
        groups: Sequence[Tensor],
        sites: Sites | None = None,
        branch: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Logits (seed, row, d_output) for `groups` of sequences, each (seed, batch, pos).

        Rows are the positions of the first group, sequence after sequence, then those of the next.  Groups
        of different lengths cost no padding, since attention is all that looks from position to position.
        Sites need the form (batch, pos), so they go with one group only.  With `branch`, of the shapes of
        `groups`, a sequence holds several that share a prefix, see `interpflow.model.branches`.

        Raises InterpflowError for a sequence that has more tokens than there are learned positions.
        """
        shape = Rows(groups, branch, self.options.heads, weights["W_E"])
        # Several that share a prefix may together have more: each counts its own positions.
        if self.options.positions == "learned" and shape.causal and shape.longest > self.n_ctx:
            raise InterpflowError(
                f"a sequence of {shape.longest} tokens is too long for a model of {self.n_ctx} positions"
            )
        pre_norm = self.options.norm == "pre"
        at = _Place(weights, sites, shape, "", pre_norm)
        tokens = torch.cat([group.flatten(1) for group in groups], dim=1)
        residual = at.site("hook_embed", self._embed(weights["W_E"], tokens))
        if self.options.positions != "none":
            positions = shape.tile(self._positions(weights, shape.longest))
            residual = residual + at.site("hook_pos_embed", positions)
        for layer in range(self.options.layers):
            own = f"blocks.{layer % self.blocks}."
            block = _Place(weights, sites, shape, own, pre_norm, site_prefix=f"blocks.{layer}.")
            residual = self._block(block, residual)
        normed = at.norm("ln_final", residual) if pre_norm else residual
        logits = _linear(normed, *at.reading("ln_final", "W_U", "b_U"))
        if sites is not None:
            sites.check()
        return logits

    def _embed(self, table: Tensor, tokens: Tensor) -> Tensor:
        scale = math.sqrt(self.options.d_model) if self.options.scale_embedding else 1.0
        return look_up(table * scale, tokens)

    def _positions(self, weights: Weights, length: int) -> Tensor:
        """Position embeddings (seed, pos, d_model)."""
        if self.options.positions == "learned":
            return weights["W_pos"][:, :length]
        table = weights["W_E"]
        return sinusoids(length, self.options.d_model).to(table).expand(len(table), -1, -1)

    def _block(self, at: _Place, residual: Tensor) -> Tensor:
        norm = self.options.norm
        residual = at.site("hook_resid_pre", residual)
        normed = at.norm("ln1", residual) if norm == "pre" else residual
        residual = residual + at.site("hook_attn_out", self._attention(at, normed))
        if norm == "post":
            residual = at.norm("ln1", residual)
        if self.options.d_mlp:
            residual = at.site("hook_resid_mid", residual)
            normed = at.norm("ln2", residual) if norm == "pre" else residual
            residual = residual + at.site("hook_mlp_out", self._mlp(at, normed))
            if norm == "post":
                residual = at.norm("ln2", residual)
        return at.site("hook_resid_post", residual)

    def _mlp(self, at: _Place, x: Tensor) -> Tensor:
        into = at.reading("ln2", "W_in", "b_in")
        if at.fused:
            return fused.mlp(x, *into, at["W_out"], at.get("b_out"), self.options.activation)
        hidden = at.site("mlp.hook_pre", _linear(x, *into))
        hidden = at.site("mlp.hook_post", self._activation(hidden))
        return _linear(hidden, at["W_out"], at.get("b_out"))

    def _attention(self, at: _Place, x: Tensor) -> Tensor:
        heads = self.options.heads
        into = at.reading("ln1", "W_QKV", "b_QKV")
        if at.fused:
            out_of = at["W_O"], at.get("b_O")
            return fused.attention(x, *into, *out_of, heads, at.shape.groups, at.shape.mask)
        qkv = _linear(x, *into)
        q, k, v = (
            at.site(f"attn.hook_{letter}", part)
            for letter, part in zip(
                "qkv", qkv.unflatten(2, (3, heads, self.d_head)).unbind(2), strict=True
            )
        )
        parts = zip(at.shape.of(q, k, v), at.shape.mask, strict=True)
        z = torch.cat([self._attend(at, mask, *qkv) for qkv, mask in parts], dim=1)
        z = at.site("attn.hook_z", z)
        if not at.wants("attn.hook_result"):
            return _linear(z.flatten(2), at["W_O"], at.get("b_O"))
        per_head = at["W_O"].unflatten(1, (heads, self.d_head))
        result = at.site("attn.hook_result", torch.einsum("srhd,shdm->srhm", z, per_head))
        return result.sum(2) + (at["b_O"][:, None] if self.options.biases else 0.0)

    def _attend(self, at: _Place, mask: Tensor, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v (seed, batch, pos, head, d_head) -> rows of z (seed, row, head, d_head); see `Rows`."""
        seeds, batch, length = q.shape[:3]
        # Seeds, batch and heads are alike to a batched product.
        q, k, v = (part.transpose(2, 3).flatten(0, 2) for part in (q, k, v))
        asked = at.wants("attn.hook_attn_scores") or at.wants("attn.hook_pattern")
        if length > _FLASH_FROM and at.shape.causal and not asked:
            z = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], is_causal=True)
        else:
            scale = 1.0 / math.sqrt(self.d_head)
            scores = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scale)
            scores = self._pattern_site(at, "attn.hook_attn_scores", scores, seeds, batch)
            pattern = self._pattern_site(at, "attn.hook_pattern", scores.softmax(-1), seeds, batch)
            z = pattern @ v
        return z.view(seeds, batch, -1, length, self.d_head).transpose(2, 3).flatten(1, 2)

    @staticmethod
    def _pattern_site(at: _Place, name: str, value: Tensor, seeds: int, batch: int) -> Tensor:
        """Offer `value` (seed batch head, query, key) in the form (seed, batch, head, query, key)."""
        if not at.wants(name):
            return value
        return at.plain_site(name, value.unflatten(0, (seeds, batch, -1))).flatten(0, 2)


class _Place:
    """Weights and sites of one layer, named without its prefix, and the shape of its rows."""

    def __init__(
        self, weights: Weights, sites: Sites | None, shape: Rows, prefix: str, pre_norm: bool,
        site_prefix: str = "",
    ):  # fmt: skip
        if sites is not None and len(shape.groups) > 1:
            raise ValueError("sites go with one group of sequences")
        self._weights, self._prefix = weights, prefix
        self._sites, self._site_prefix = sites, site_prefix
        self.shape = shape
        # Where nobody looks at sites, gain and bias of a pre-norm are put into the weights that read it: a
        # pass over a matrix instead of one over all rows.
        self._folds = sites is None and pre_norm
        # The fused pieces show no sites, compute in the precision of the weights, and save patterns.
        on_cpu = weights["W_E"].device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        self.fused = sites is None and on_cpu and shape.longest <= _FUSED_UP_TO

    def __getitem__(self, name: str) -> Tensor:
        return self._weights[self._prefix + name]

    def get(self, name: str) -> Tensor | None:
        return self._weights.get(self._prefix + name)

    def wants(self, name: str) -> bool:
        return self._sites is not None and self._sites.wants(self._site_prefix + name)

    def site(self, name: str, rows: Tensor) -> Tensor:
        """Offer `rows` (seed, row, …) as the site `name`, in the form (seed, batch, pos, …)."""
        if self._sites is None:
            return rows
        return self.plain_site(name, rows.unflatten(1, self.shape.groups[0])).flatten(1, 2)

    def plain_site(self, name: str, value: Tensor) -> Tensor:
        """Offer `value` as the site `name`, as it is."""
        return value if self._sites is None else self._sites(self._site_prefix + name, value)

    def norm(self, name: str, x: Tensor) -> Tensor:
        """LayerNorm with a gain and a bias per seed; `<name>.hook_normalized` is before these two.

        Without them where `reading` has them.
        """
        # torch's kernel is vectorized only where it is given a gain and a bias.
        one, zero = x.new_ones(x.shape[-1]), x.new_zeros(x.shape[-1])
        normalized = F.layer_norm(x, x.shape[-1:], one, zero, eps=_NORM_EPSILON)
        if self._folds:
            return normalized
        normalized = self.site(f"{name}.hook_normalized", normalized)
        gain, bias = self[f"{name}_w"][:, None], self[f"{name}_b"][:, None]
        return torch.addcmul(bias, normalized, gain)

    def reading(self, norm: str, weight: str, bias: str) -> tuple[Tensor, Tensor | None]:
        """Weight (seed, in, out) and bias (seed, out) of what reads the LayerNorm `norm`."""
        matrix, offset = self[weight], self.get(bias)
        if not self._folds:
            return matrix, offset
        gain, shift = self[f"{norm}_w"], self[f"{norm}_b"]
        shifted = (shift[:, None] @ matrix)[:, 0]
        return matrix * gain[..., None], shifted if offset is None else offset + shifted


def build_model(options: Mapping[str, Any], data: xr.Dataset) -> Transformer:
    """The transformer of `options` for the vocabulary, outputs and longest sequence of `data`."""
    sizes = data.sizes
    return Transformer(ModelOptions(**options), sizes["token"], sizes["position"], sizes["output"])


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (seed, row, in), weight (seed, in, out), bias (seed, out) -> (seed, row, out)."""
    product = x @ weight
    return product if bias is None else product.add_(bias[:, None])


def sinusoids(length: int, d_model: int) -> Tensor:
    """Sinusoidal positions (pos, d_model) of Vaswani et al. 2017, section 3.5."""
    frequency = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(length)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
