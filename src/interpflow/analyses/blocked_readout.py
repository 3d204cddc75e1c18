"""What probes read while some positions cannot be looked at: `readout` with attention cut in every layer.

What is still read then did not come by way of these positions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow.analyses import readout
from interpflow.section import Section
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor


class Block(Section):
    """Attention that is cut; a position always sees itself."""

    queries: Annotated[list[str], Field(min_length=1)]  # by the names that the task gives positions
    keys: Annotated[list[str], Field(min_length=1)]  # and `analysis.variable` for found ones


class Options(readout.Options):
    """As those of `readout`, and what is blocked."""

    block: Block


VARIABLES = {
    **readout.VARIABLES,
    "blocked": Variable(("seed",), "1", "mean number of positions of an example that are blocked"),
}

NEEDS = "runs_and_findings"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """The readout of every seed with its own positions blocked; NaN for a seed in which there are none."""
    import torch

    layers = range(runs.model.options.layers)
    sites = [f"blocks.{layer}.attn.hook_attn_scores" for layer in layers]

    def edits(data: xr.Dataset) -> Callable[[np.ndarray], dict[str, Callable[[Tensor], Tensor]]]:
        queries = runs.mask(data, options.block.queries)  # (seed, example, position)
        keys = runs.mask(data, options.block.keys)

        def of(indices: np.ndarray) -> dict[str, Callable[[Tensor], Tensor]]:
            def cut(scores: Tensor) -> Tensor:  # (seed, batch, head, query, key)
                length = scores.shape[-1]
                hidden = queries[:, indices, :length, None] & keys[:, indices, None, :length]
                hidden &= ~np.eye(length, dtype=bool)
                there = torch.from_numpy(hidden).to(scores.device)
                return scores.masked_fill(there[:, :, None], -torch.inf)

            return dict.fromkeys(sites, cut)

        return of

    found = readout.measure(runs, options, edits)
    keys = runs.mask(runs.select(options.split, options.where)[0], options.block.keys)
    blocked = xr.DataArray(keys.sum(2).mean(1), dims="seed")
    # Nothing blocked is the ordinary readout, which answers another question.
    measured = found[["f1", "accuracy"]].where(blocked > 0)
    return found.assign({**measured, "blocked": blocked})
