"""Attention patterns of every head, averaged over the examples of a split, position by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.selection import ExamplesAt, Positions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """Which positions attend."""

    queries: Positions = ["scored"]


VARIABLES = {
    "attention": Variable(
        ("seed", "layer", "head", "query", "key"), "1", "mean attention over examples"
    ),
    "count": Variable(("seed", "query"), "1", "number of examples with the query"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"query": int, "key": int}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """The mean pattern of every seed and head; `query` and `key` are positions.

    A query counts in the examples that have it as one of the names; a seed without such an example is NaN.
    Raises InterpflowError where no example has such a position.
    """
    import torch

    from interpflow.model.sites import Sites

    data, examples = runs.select(options)
    weights, shape = runs.weights(options.checkpoint), runs.model.options
    asked = runs.mask(data, options.queries)  # (seed, example, position)
    queries = np.flatnonzero(asked.any((0, 1)))
    if not len(queries):
        raise InterpflowError(f"no example has a position {' or '.join(options.queries)}")
    sites = [f"blocks.{layer}.attn.hook_pattern" for layer in range(shape.layers)]
    keys = int(examples.lengths.max())
    total = np.zeros((len(runs.seeds), shape.layers, shape.heads, len(queries), keys))
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            length = batch.tokens.shape[-1]
            here = queries < length
            read = Sites(read=sites)
            runs.model(weights, batch.tokens, read)
            at = torch.from_numpy(queries[here]).to(batch.tokens.device)
            of = torch.from_numpy(asked[:, indices][:, :, queries[here]]).to(at.device).float()
            for layer, site in enumerate(sites):  # (seed, batch, head, query, key)
                summed = torch.einsum("sbhqk,sbq->shqk", read.values[site][:, :, :, at].float(), of)
                total[:, layer, :, here, :length] += np.moveaxis(summed.cpu().numpy(), 2, 0)
    count = asked[:, :, queries].sum(1)
    with np.errstate(invalid="ignore"):  # nothing has no mean: NaN
        mean = total / count[:, None, None, :, None]
    return xr.Dataset(
        {"attention": (VARIABLES["attention"].dims, mean), "count": (("seed", "query"), count)},
        {
            "seed": runs.seeds,
            "layer": np.arange(shape.layers),
            "head": np.arange(shape.heads),
            "query": queries,
            "key": np.arange(keys),
        },
    )
