"""Interventions one example, one seed and one place at a time: slow and plain, to hold batched ones against.

Weights are packed ones of a single seed, tokens (pos,) those of one example.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs


def seed(weights: Weights, at: int) -> dict[str, Tensor]:
    """The weights of one seed."""
    return {name: value[at : at + 1] for name, value in weights.items()}


def tokens(data: xr.Dataset, example: int) -> Tensor:
    """The tokens of one example."""
    return torch.from_numpy(data["tokens"].values[example].astype(np.int64))


@torch.no_grad()
def run(model: Transformer, weights: Weights, given: Tensor, **sites: Any) -> Tensor:
    """Logits (pos, d_output), with the `read` and `edits` of Sites."""
    return model(weights, given[None], Sites(**sites))[0, 0]


@torch.no_grad()
def values(
    model: Transformer, weights: Weights, given: Tensor, names: Sequence[str]
) -> list[Tensor]:
    """The values at sites in one undisturbed run, without the dims of seed and example."""
    sites = Sites(read=names)
    model(weights, given[None], sites)
    return [sites.values[name][0, 0] for name in names]


def knocked_out(
    model: Transformer, weights: Weights, given: Tensor, query: int, keys: Sequence[int],
    layers: Sequence[int],
) -> Tensor:  # fmt: skip
    """Logits (d_output,) at `query`, which cannot attend to `keys` in `layers`."""

    def cut(scores: Tensor) -> Tensor:
        scores = scores.clone()
        for key in keys:
            scores[0, 0, :, query, key] = -torch.inf
        return scores

    edits = {f"blocks.{layer}.attn.hook_attn_scores": cut for layer in layers}
    return run(model, weights, given, edits=edits)[query]


def scrubbed(
    model: Transformer, weights: Weights, given: Tensor, donor: Tensor, query: int, layer: int,
    clean: np.ndarray, donor_clean: np.ndarray,
) -> Tensor:  # fmt: skip
    """Logits (d_output,) at `query`, its attention output in `layer` put together from two runs.

    From the example's own come the contributions of keys where `clean` (pos,), from the donor's those where not
    `donor_clean`.
    """
    prefix = f"blocks.{layer}.attn"
    output = torch.zeros(model.options.d_model)
    if model.options.biases:
        output = output + weights[f"blocks.{layer}.b_O"][0]
    of_heads = weights[f"blocks.{layer}.W_O"][0].unflatten(0, (model.options.heads, -1))
    for source, keys in ((given, clean), (donor, ~donor_clean)):
        pattern, value = values(
            model, weights, source, [f"{prefix}.hook_pattern", f"{prefix}.hook_v"]
        )
        for head, matrix in enumerate(of_heads):
            read = (pattern[head, query] * torch.from_numpy(keys)) @ value[:, head]
            output = output + read @ matrix

    def put(outputs: Tensor) -> Tensor:
        outputs = outputs.clone()
        outputs[0, 0, query] = output
        return outputs

    edits = {f"blocks.{layer}.hook_attn_out": put}
    return run(model, weights, given, edits=edits)[query]


def scrubbed_losses(
    runs: Runs, data: xr.Dataset, pool: xr.Dataset, weights: Weights, example: int, query: int,
    donors: np.ndarray, clean: Sequence[Sequence[np.ndarray]],
) -> tuple[float, np.ndarray]:  # fmt: skip
    """Losses of its own answer at `query` of one example, intact and scrubbed (hypothesis, layer).

    `donors` (hypothesis, layer) are examples of `pool`, `clean` masks of keys (example, pos) of each hypothesis
    in `data` and in `pool`.
    """
    found = np.zeros(donors.shape)
    intact = run(runs.model, weights, tokens(data, example))[query].log_softmax(-1)
    for hypothesis, layer in np.ndindex(donors.shape):
        donor, (mask, of_donors) = int(donors[hypothesis, layer]), clean[hypothesis]
        logits = scrubbed(
            runs.model, weights, tokens(data, example), tokens(pool, donor), query, layer,
            mask[example], of_donors[donor],
        )  # fmt: skip
        found[hypothesis, layer] = -float(logits.log_softmax(-1)[intact.argmax()])
    return -float(intact.max()), found


def patched(
    model: Transformer, weights: Weights, corrupted: Tensor, clean: Tensor, site: str,
    positions: Sequence[int],
) -> Tensor:  # fmt: skip
    """Logits (pos, d_output) of the corrupted run with the clean run's values at `positions` of one site."""
    (value,) = values(model, weights, clean, [site])

    def put(old: Tensor) -> Tensor:
        old = old.clone()
        for position in positions:
            old[0, 0, position] = value[position]
        return old

    return run(model, weights, corrupted, edits={site: put})
