"""Queries run again by themselves, with edits to their attention.

A position reads other positions through keys and values alone.  Attention is causal, so an edit of one query
leaves the keys and values before it unchanged.  The row of the query alone is run again, on keys and values of
an earlier pass, which is a small part of the work of a pass.  Each query is edited by itself: the other queries
of its sequence are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.model.packing import Weights
from interpflow.model.positions import key_site
from interpflow.model.rows import Past, Rows, mask
from interpflow.model.sites import Edit, Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import TOKENS_PER_PASS, Examples

At = tuple[np.ndarray, np.ndarray]  # example and position of every query, each (query,)


class Queries:
    """The queries `at` of the sequences `tokens` (batch, pos), after one pass without edits.

    logits    (seed, query, d_output)
    patterns  of each layer (seed, query, head, key)
    values    of each layer (seed, query, key, head, d_head)
    own       (query, key) whether the key is the query itself

    Raises InterpflowError for a model whose attention is not causal.
    """

    @torch.no_grad()
    def __init__(self, model: Transformer, weights: Weights, tokens: Tensor, at: At):
        if model.options.attention != "causal":
            raise InterpflowError(
                "a query is run again on keys that do not look at it: attention must be causal"
            )
        self._model, self._weights = model, weights
        device = tokens.device
        example, self._position = (torch.from_numpy(part).to(device) for part in at)
        self._tokens = tokens[example, self._position]

        def names(site: str) -> list[str]:
            return [f"blocks.{layer}.{site}" for layer in range(model.options.layers)]

        keys, values, patterns = (
            names(site) for site in (key_site(model.options), "attn.hook_v", "attn.hook_pattern")
        )
        read = Sites(read=[*keys, *values, *patterns])
        self.logits = model(weights, tokens, read)[:, example, self._position]
        self._keys, self.values = (
            [read.values[name][:, example] for name in each] for each in (keys, values)
        )
        self.patterns = [
            read.values[name].transpose(2, 3)[:, example, self._position] for name in patterns
        ]
        self.own = torch.arange(tokens.shape[1], device=device) == self._position[:, None]

    def reading(self, layer: int, keys: Tensor) -> Tensor:
        """The part of z (seed, query, head, d_head) that queries read from `keys` (seed or 1, query, key)."""
        pattern = self.patterns[layer] * keys[:, :, None]
        return (pattern[..., None, :] @ self.values[layer].transpose(2, 3))[..., 0, :]

    @torch.no_grad()
    def again(self, variants: int, edits: Mapping[str, Edit]) -> Tensor:
        """The logits (seed, query, variant, d_output) of `variants` copies of each query, with `edits` by site.

        An edit sees activations (seed, query, variant, …), and scores and patterns (seed, query, head, variant,
        key).
        """
        seeds, (count, keys) = len(self.logits), self.own.shape
        place = torch.stack([self._tokens, self._position]).repeat_interleave(variants, 1)
        tokens, position = place[:, None].expand(-1, seeds, -1)
        seen = torch.arange(keys, device=tokens.device) <= self._position[:, None]
        rows = Rows(
            groups=[(count, variants)],
            masks=[
                mask(seen.expand(seeds, -1, -1)[:, :, None], self._model.options.heads, self.logits)
            ],
            positions=keys,
            position=position,
            past=Past(self._keys, self.values, self.own),
        )
        logits = self._model.run(self._weights, tokens, rows, Sites(edits=edits))
        return logits.unflatten(1, (count, variants))


def asked(data: xr.Dataset, places: Sequence[str]) -> tuple[At, np.ndarray]:
    """The positions with one of the names `places`, in the order of examples, and their targets (query,).

    Raises InterpflowError if there are none, and for a task with several labels a position.
    """
    if data["targets"].ndim > 2:
        raise InterpflowError("queries: the task has no single answer at a position")
    example, position = np.nonzero(selection.mask(data, places)[0])
    if not len(example):
        raise InterpflowError(f"queries: no position of these examples is called {list(places)}")
    return (example, position), data["targets"].values[example, position].astype(np.int64)


def passes(
    model: Transformer, weights: Weights, examples: Examples, at: At
) -> Iterator[tuple[np.ndarray, Queries]]:
    """The queries `at`, a few sequences at a time, each part with the indices of its queries into `at`."""
    example, position = at
    longest = int(position.max()) + 1
    size = max(1, TOKENS_PER_PASS // longest)
    for start in range(0, len(examples), size):
        here = np.flatnonzero((example >= start) & (example < start + size))
        if len(here):
            chosen = np.arange(start, min(start + size, len(examples)))
            tokens = examples.take(chosen, longest).tokens
            yield here, Queries(model, weights, tokens, (example[here] - start, position[here]))
