"""The transformer, ensemble-first: every weight has a leading `seed` dim, and one pass runs all seeds.

A `Transformer` holds no weights: it knows their shapes, `init` draws them, and a call with packed weights and
tokens gives logits.  A single model is an ensemble of one.
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
from interpflow.model import positions
from interpflow.model.attention import attention
from interpflow.model.layer import Layer, linear
from interpflow.model.options import ModelOptions
from interpflow.model.packing import Weights, pack
from interpflow.model.rows import Rows, lay_out, look_up
from interpflow.model.shapes import weight_shapes
from interpflow.model.sites import Sites
from interpflow.rng import generator

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class Transformer:
    """A transformer of shape `options` over `d_vocab` tokens, `n_ctx` positions, `d_output` logits.

    `shapes` maps each labelled weight to its shape without the seed dim.
    """

    def __init__(self, options: ModelOptions, d_vocab: int, n_ctx: int, d_output: int):
        self.options = options
        self.d_vocab, self.n_ctx, self.d_output = d_vocab, n_ctx, d_output
        self.d_head, self.blocks = options.head_width, options.blocks
        self.shapes = weight_shapes(options, d_vocab, n_ctx, d_output)
        self._activation = _ACTIVATIONS[options.activation]

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

        Padding at the end of a sequence changes nothing before it: causal attention does not look there, and
        full attention knows it by its negative numbers, see `rows`.
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
        begins: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Logits (seed, row, d_output) for `groups` of sequences, each (seed, batch, pos).

        Rows are the positions of the first group, sequence after sequence, then those of the next.  Groups
        of different lengths cost no padding, since attention is all that looks from position to position.
        A negative token is padding, and stands for the token `~token`.  Sites need the form (batch, pos), so
        they go with one group only.  With `branch`, of the shapes of `groups`, a sequence holds several that
        share a prefix, see `interpflow.model.branches`.  With `begins`, each (seed, batch), a sequence begins
        at that position instead of 0.

        Raises InterpflowError for a sequence that has more tokens than there are learned positions, and where
        sequences share a prefix and attention is full.
        """
        laid = lay_out(groups, branch, self.options, weights["W_E"], begins)
        # Several that share a prefix may together have more: each counts its own positions.
        too_long = branch is None and laid.positions > self.n_ctx
        if self.options.positions == "learned" and too_long:
            raise InterpflowError(
                f"a sequence of {laid.positions} tokens is too long for a model of {self.n_ctx} positions"
            )
        tokens = torch.cat([group.flatten(1) for group in groups], dim=1)
        return self.run(weights, tokens, laid, sites)

    def run(self, weights: Weights, tokens: Tensor, rows: Rows, sites: Sites | None) -> Tensor:
        """Logits (seed, row, d_output) for `tokens` (seed, row), which lie as `rows` says."""
        o = self.options
        pre_norm = o.norm == "pre"
        at = Layer(weights, sites, rows, pre_norm)
        ids = torch.where(tokens < 0, ~tokens, tokens)
        residual = at.site("hook_embed", self._embed(weights["W_E"], ids))
        added = positions.embeddings(o, weights, rows.positions)
        if added is not None:
            residual = residual + at.site("hook_pos_embed", rows.tile(added))
        for layer in range(o.layers):
            own = f"blocks.{layer % self.blocks}."
            block = Layer(weights, sites, rows, pre_norm, own, f"blocks.{layer}.", layer)
            residual = self._block(block, residual)
        normed = at.norm("ln_final", residual) if pre_norm else residual
        logits = linear(normed, *at.reading("ln_final", "W_U", "b_U"))
        if sites is not None:
            sites.check()
        return logits

    def _embed(self, table: Tensor, tokens: Tensor) -> Tensor:
        scale = math.sqrt(self.options.d_model) if self.options.scale_embedding else 1.0
        return look_up(table * scale, tokens)

    def _block(self, at: Layer, residual: Tensor) -> Tensor:
        norm = self.options.norm
        residual = at.site("hook_resid_pre", residual)
        normed = at.norm("ln1", residual) if norm == "pre" else residual
        residual = self._joined(
            residual, at.site("hook_attn_out", attention(at, self.options, normed))
        )
        if norm == "post":
            residual = at.norm("ln1", residual)
        if self.options.d_mlp:
            residual = at.site("hook_resid_mid", residual)
            normed = at.norm("ln2", residual) if norm == "pre" else residual
            residual = self._joined(residual, at.site("hook_mlp_out", self._mlp(at, normed)))
            if norm == "post":
                residual = at.norm("ln2", residual)
        return at.site("hook_resid_post", residual)

    def _joined(self, residual: Tensor, written: Tensor) -> Tensor:
        return residual + written if self.options.residual else written

    def _mlp(self, at: Layer, x: Tensor) -> Tensor:
        hidden = at.site("mlp.hook_pre", linear(x, *at.reading("ln2", "W_in", "b_in")))
        hidden = at.site("mlp.hook_post", self._activation(hidden))
        return linear(hidden, at["W_out"], at.get("b_out"))


def build_model(options: Mapping[str, Any], data: xr.Dataset) -> Transformer:
    """The transformer of `options` for the vocabulary, outputs and longest sequence of `data`.

    Raises InterpflowError for full attention in a task whose every target is the next token of the sequence.
    """
    o, sizes = ModelOptions(**options), data.sizes
    if o.attention == "full" and _predicts_the_next_token(data):
        raise InterpflowError(
            "attention: full sees the answers: the task asks for the next token of each sequence"
        )
    return Transformer(o, sizes["token"], sizes["position"], sizes["output"])


def _predicts_the_next_token(data: xr.Dataset) -> bool:
    """Whether every target that a token follows is this token, by their words."""
    if data["targets"].ndim > 2:
        return False
    place = {word: token for token, word in enumerate(data["token"].values.tolist())}
    token_of = np.array([place.get(word, -1) for word in data["output"].values.tolist()])
    followed = np.arange(1, data.sizes["position"]) < data["length"].values[:, None]
    asked = data["scored"].values[:, :-1] & followed
    given, answers = data["tokens"].values[:, 1:], data["targets"].values[:, :-1]
    return bool(asked.any()) and bool((given[asked] == token_of[answers[asked]]).all())


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
