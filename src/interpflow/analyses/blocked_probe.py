"""Probes of hidden states while attention to some positions is cut in every layer; otherwise as `probe`.

A state that probes still read did not come by way of the positions that are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.analyses import probe
from interpflow.section import Section
from interpflow.selection import SomePositions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.runs import Edits, Runs


class Block(Section):
    """Attention that is cut; a position always sees itself."""

    queries: SomePositions  # by the names that the task gives positions
    keys: SomePositions  # and `analysis.variable` for found ones


class Options(probe.Options):
    """The options of `probe`, and which attention is cut."""

    block: Block


VARIABLES = {
    **probe.VARIABLES,
    "blocked": Variable(("seed",), "1", "mean number of positions of an example that are blocked"),
}

NEEDS = "runs_and_findings"


coordinates = probe.coordinates


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Probe every seed with its own positions cut.  A seed without such positions is NaN."""
    import torch

    runs = runs.only(runs.seeds[: options.seeds])
    data, _ = runs.select(options)
    queries, keys = (runs.mask(data, each) for each in (options.block.queries, options.block.keys))
    layers = range(runs.model.options.layers)
    sites = [f"blocks.{layer}.attn.hook_attn_scores" for layer in layers]

    def edits(indices: NDArray[np.int64]) -> Edits:
        def cut(scores: Tensor) -> Tensor:  # (seed, batch, head, query, key)
            length = scores.shape[-1]
            hidden = queries[:, indices, :length, None] & keys[:, indices, None, :length]
            hidden &= ~np.eye(length, dtype=bool)
            there = torch.from_numpy(hidden).to(scores.device)
            return scores.masked_fill(there[:, :, None], -torch.inf)

        return dict.fromkeys(sites, cut)

    found = probe.measure(runs, options, edits)
    blocked = xr.DataArray(keys.sum(2).mean(1), {"seed": runs.seeds}, dims="seed")
    # Nothing blocked is the ordinary probe, which answers another question.
    measured = [name for name in ("f1", "accuracy", "selectivity") if name in found]
    cut_off = {name: found[name].where(blocked > 0) for name in measured}
    return found.assign({**cut_off, "blocked": blocked})
