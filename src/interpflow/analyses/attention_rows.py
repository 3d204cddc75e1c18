"""Where chosen positions of a few examples attend: rows of attention patterns, head by head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.methods.shown import Shown, words
from interpflow.selection import Checkpoint, Positions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(Shown):
    """Which examples, and which of their positions attend."""

    checkpoint: Checkpoint = "last"
    queries: Positions = ["scored"]


VARIABLES = {
    "attention": Variable(
        ("seed", "shown_example", "layer", "head", "query", "key"), "1", "attention"
    ),
    "word": Variable(("shown_example", "key"), "1", "token, empty after the end"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"shown_example": options.labels(known)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Attention of every seed from each of its queries; NaN where a position is none of the example's.

    `query` and `key` are positions.  Raises InterpflowError where no example has such a position.
    """
    import torch

    from interpflow.model.sites import Sites
    from interpflow.training.examples import Examples

    data, names = options.of(runs.data)
    asked = runs.mask(data, options.queries)  # (seed, example, position)
    queries = np.flatnonzero(asked.any((0, 1)))
    if not len(queries):
        raise InterpflowError(f"no example has a position {' or '.join(options.queries)}")
    batch = Examples(data, options.split, runs.device).take(np.arange(len(names)))
    sites = [f"blocks.{layer}.attn.hook_pattern" for layer in range(runs.model.options.layers)]
    read = Sites(read=sites)
    with (
        torch.no_grad()
    ):  # few examples: one pass, and what stands after an end changes nothing before it
        runs.model(runs.weights(options.checkpoint), batch.tokens, read)
    rows = torch.from_numpy(queries).to(batch.tokens.device)
    attention = torch.stack([read.values[site][:, :, :, rows] for site in sites], dim=2)
    is_asked = asked[:, :, None, None, queries, None]
    keys = batch.tokens.shape[-1]
    return xr.Dataset(
        {
            "attention": (
                VARIABLES["attention"].dims,
                np.where(is_asked, attention.cpu().numpy(), np.float32(np.nan)),
            ),
            "word": (VARIABLES["word"].dims, words(data)[:, :keys]),
        },
        {
            "seed": runs.seeds,
            "shown_example": names,
            "layer": np.arange(len(sites)),
            "head": np.arange(runs.model.options.heads),
            "query": queries,
            "key": np.arange(keys),
        },
    )
