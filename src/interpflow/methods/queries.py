"""Positions run again by themselves, reading other things than they did.

What a position takes from others are their keys and values, and attention is causal: where only its own
reading is changed, keys and values before it stay what they were.  So its row alone is run again on those of
an earlier pass, for a small part of the work of a pass.  Each query is changed by itself: others of its
sequence read as they did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.model.packing import Weights
from interpflow.model.sites import Edit, Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import TOKENS_PER_PASS, Examples

At = tuple[np.ndarray, np.ndarray]  # example and position of every query, each (query,)


class Queries:
    """The positions `at` of sequences `tokens` (batch, pos), after one undisturbed pass.

    logits (seed, query, d_output); of each layer patterns (seed, query, head, key) and values (seed, query,
    head, key, d_head); own (query, key): whether the key is the query itself.
    """

    @torch.no_grad()
    def __init__(self, model: Transformer, weights: Weights, tokens: Tensor, at: At):
        self._model, self._weights = model, weights
        device = tokens.device
        example, position = (torch.from_numpy(part).to(device) for part in at)
        layers = range(model.options.layers)
        names = [
            f"blocks.{layer}.attn.hook_{part}" for layer in layers for part in ("k", "v", "pattern")
        ]
        read = Sites(read=["blocks.0.hook_resid_pre", *names])
        self.logits = model(weights, tokens, read)[:, example, position]
        self._start = read.values["blocks.0.hook_resid_pre"][:, example, position]

        def of_keys(part: str) -> list[Tensor]:
            found = (read.values[f"blocks.{layer}.attn.hook_{part}"] for layer in layers)
            return [value.transpose(2, 3)[:, example] for value in found]

        self.values, self._keys = of_keys("v"), of_keys("k")
        self.patterns = [
            read.values[f"blocks.{layer}.attn.hook_pattern"].transpose(2, 3)[:, example, position]
            for layer in layers
        ]
        key = torch.arange(tokens.shape[1], device=device)
        self._later = key > position[:, None]  # (query, key)
        self.own = key == position[:, None]

    def reading(self, layer: int, keys: Tensor) -> Tensor:
        """What the queries read from `keys` (seed | 1, query, key): a part of z (seed, query, head, d_head)."""
        pattern = self.patterns[layer] * keys[:, :, None]
        return (pattern[..., None, :] @ self.values[layer])[..., 0, :]

    @torch.no_grad()
    def again(self, variants: int, edits: Mapping[str, Edit]) -> Tensor:
        """Logits (seed, query, variant, d_output) of so many `variants` of every query, with `edits` in place.

        There are the sites `blocks.<layer>.attn.hook_attn_scores` (seed, query, variant, head, key) and
        `blocks.<layer>.attn.hook_z` (seed, query, variant, head, d_head).
        """
        count = self._start.shape[1]
        # Each variant is a sequence of one token; what it attends to besides itself comes in at hook_z.
        row = torch.zeros(count * variants, 1, dtype=torch.long, device=self._start.device)
        offered = Sites(edits=edits)
        sites: dict[str, Edit] = {
            "blocks.0.hook_resid_pre": lambda _: self._start.repeat_interleave(variants, 1)[
                :, :, None
            ]
        }
        for layer in range(self._model.options.layers):
            sites |= self._attention(layer, variants, offered)
        logits = self._model(self._weights, row, Sites(edits=sites))
        offered.check()
        return logits[:, :, 0].unflatten(1, (count, variants))

    def _attention(self, layer: int, variants: int, offered: Sites) -> dict[str, Edit]:
        """The edits that let the rows of one layer attend to the keys of the earlier pass and to themselves."""
        prefix = f"blocks.{layer}.attn"
        own: dict[str, Tensor] = {}

        def keep(letter: str) -> Edit:
            def edit(value: Tensor) -> Tensor:  # (seed, query variant, 1, head, d_head)
                own[letter] = value[:, :, 0].unflatten(1, (-1, variants)).transpose(2, 3)
                return value

            return edit

        def attend(z: Tensor) -> Tensor:
            q, k, v = (own[letter] for letter in "qkv")  # (seed, query, head, variant, d_head)
            scores = q @ self._keys[layer].transpose(-1, -2)
            at_own = self.own[:, None, None]
            scores = torch.where(at_own, (q * k).sum(-1, keepdim=True), scores)
            scores = scores / math.sqrt(q.shape[-1])
            scores = scores.masked_fill(self._later[:, None, None], -torch.inf)
            scores = offered(f"{prefix}.hook_attn_scores", scores.transpose(2, 3)).transpose(2, 3)
            pattern = scores.softmax(-1)
            of_own = (pattern * at_own).sum(-1, keepdim=True)
            found = pattern.masked_fill(at_own, 0.0) @ self.values[layer] + of_own * v
            found = offered(f"{prefix}.hook_z", found.transpose(2, 3))
            return found.flatten(1, 2)[:, :, None].reshape(z.shape)

        sites = {f"{prefix}.hook_{letter}": keep(letter) for letter in "qkv"}
        return {**sites, f"{prefix}.hook_z": attend}


def asked(data: xr.Dataset, places: Sequence[str]) -> tuple[At, np.ndarray]:
    """The positions that have one of the names `places`, example by example, and what is right there (query,).

    Raises InterpflowError where there are none, and for a task with several labels a position.
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
    """All queries `at`, a few sequences at a time, each part with the indices (query,) of its queries."""
    example, position = at
    longest = int(position.max()) + 1
    size = max(1, TOKENS_PER_PASS // longest)
    for start in range(0, len(examples), size):
        here = np.flatnonzero((example >= start) & (example < start + size))
        if len(here):
            chosen = np.arange(start, min(start + size, len(examples)))
            tokens = examples.take(chosen, longest).tokens
            yield here, Queries(model, weights, tokens, (example[here] - start, position[here]))
