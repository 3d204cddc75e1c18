"""Attention from queries to the keys whose state equals the query's.

A pair names a state of the query and a state of the key.  A key counts for a query if it stands at or before
the query and has an equal state.  Two examples: a climb through a tree pairs "the node two above the goal" of
the query with "the node that this edge leads to" of the key; attention to the answer pairs `targets` of the
query with `tokens` of the key, where the two have the same numbers.  A query that no key counts for is left
out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow.errors import InterpflowError
from interpflow.methods.grouping import of_positions
from interpflow.methods.matching import Matches, Pair, each_pair
from interpflow.selection import Examples, OneState, Positions, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.model.packing import Weights
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples as Tensors


class Options(Examples):
    """Every head of every layer, for every pair."""

    queries: Positions = ["scored"]  # positions that attend
    keys: Positions = ["real"]  # positions that may be attended to
    pairs: Annotated[dict[str, Pair], Field(min_length=1)]
    by: OneState | None = (
        None  # a state of the query or the example: the same for each of its values
    )
    steps: Steps = "last"


_PLACE, _BEST = ("seed", "step", "layer", "head", "pair"), ("seed", "step", "pair")
_MASS = "mean attention on keys of equal state"
_TOP = "share of queries that attend most to a key of equal state"
_COUNT = "queries with a key of equal state"
VARIABLES = {
    "attention": Variable(_PLACE, "1", _MASS),
    "top": Variable(_PLACE, "1", _TOP),
    "positions": Variable(("seed", "pair"), "1", _COUNT),
    "best_attention": Variable(_BEST, "1", f"{_MASS}, of the head with the most"),
    "any_top": Variable(
        _BEST, "1", "share of queries for which some head attends most to a key of equal state"
    ),
    "best_layer": Variable(_BEST, "1", "layer of the head with the most attention"),
    "group_attention": Variable((*_PLACE, "group"), "1", _MASS),
    "group_top": Variable((*_PLACE, "group"), "1", _TOP),
    "group_positions": Variable(("seed", "pair", "group"), "1", _COUNT),
    "group_best_attention": Variable(
        (*_BEST, "group"), "1", f"{_MASS}, of the group's head with the most"
    ),
    "group_best_layer": Variable((*_BEST, "group"), "1", "layer of that head"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
CAUSAL = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    pairs = each_pair(known.data, options.pairs)
    return {"pair": list(pairs), "group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for.  A pair without any query that has a key is NaN.

    With `by`, `group_` variables are added; they leave out queries that have no value of `by`.
    Raises InterpflowError where no query of any pair has a key.
    """
    data, examples = runs.select(options)
    pairs = each_pair(data, options.pairs)
    queries, keys = runs.mask(data, options.queries), runs.mask(data, options.keys)
    matches = Matches(data, queries, [(keys, pair) for pair in pairs.values()])
    group, groups = of_positions(data, options.by, np.asarray(queries.any(0)))
    steps = runs.kept(options.steps)
    totals = []
    for done, step in enumerate(steps):
        runs.report(done, len(steps))
        totals.append(_totals(runs, runs.weights_at(step), examples, matches, group, len(groups)))
    mass, top, any_top, every_count = (
        np.stack(parts, axis=1) for parts in zip(*totals, strict=True)
    )
    count = every_count[:, 0]  # the same at every step
    if not count.any():
        raise InterpflowError(
            f"pairs: no query at {', '.join(options.queries)} has a key of its state at "
            f"{', '.join(options.keys)} in split '{options.split}'"
        )
    found = _means(mass.sum(-1), top.sum(-1), count.sum(-1))
    found |= _best(found["attention"])
    with np.errstate(invalid="ignore"):
        found["any_top"] = any_top / count.sum(-1)[:, None]
    if options.by is not None:
        by_group = _means(mass, top, count)
        by_group |= _best(by_group["attention"])
        found |= {f"group_{name}": values for name, values in by_group.items()}
    found["checkpoint"] = np.array(runs.names(steps))
    shape = runs.model.options
    coords = {
        "seed": runs.seeds,
        "step": steps,
        "layer": np.arange(shape.layers),
        "head": np.arange(shape.heads),
        "pair": list(pairs),
    }
    if options.by is not None:
        coords["group"] = groups
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()}, coords
    )


def _totals(
    runs: Runs,
    weights: Weights,
    examples: Tensors,
    matches: Matches,
    group: np.ndarray,
    groups: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sums over queries of attention and of hits, (seed, layer, head, pair, group), of hits of any head (seed,
    pair), and the number of queries (seed, pair, group)."""
    import torch
    from torch.nn.functional import one_hot

    from interpflow.model.sites import Sites

    shape = runs.model.options
    sites = [f"blocks.{layer}.attn.hook_pattern" for layer in range(shape.layers)]
    count = np.zeros((len(runs.seeds), matches.number, groups), dtype=np.int64)
    mass = np.zeros((len(count), shape.layers, shape.heads, *count.shape[1:]))
    top, any_top = np.zeros_like(mass), np.zeros(count.shape[:2])
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            row, at = matches.asked(indices)
            if not len(row):
                continue
            length = int(at.max()) + 1  # attention is causal: what follows the last query is idle
            read = Sites(read=sites)
            runs.model(weights, batch.tokens[:, :length], read)
            # (seed, layer, query, head, key)
            found = torch.stack(
                [read.values[site].transpose(2, 3)[:, row, at] for site in sites], 1
            )
            belongs = matches.keys(indices[row], at, length)
            member = group[indices[row], at][:, None] == np.arange(groups)  # (query, group)
            there = torch.from_numpy(belongs).to(found)
            of_group = torch.from_numpy(member).to(found)
            most = one_hot(found.argmax(-1), length).to(found)
            on_keys = torch.einsum("slqhk,spqk,qg->slhpg", found, there, of_group)
            hits = torch.einsum("slqhk,spqk->slhpq", most, there)
            mass += on_keys.double().cpu().numpy()
            top += (hits @ of_group).double().cpu().numpy()
            any_top += (hits.amax((1, 2)) @ of_group).sum(-1).double().cpu().numpy()
            count += np.einsum("spq,qg->spg", belongs.any(-1), member.astype(int))
    return mass, top, any_top, count


def _means(mass: np.ndarray, top: np.ndarray, count: np.ndarray) -> dict[str, np.ndarray]:
    """Means of sums (seed, step, layer, head, pair[, group]) over `count` queries (seed, pair[, group])."""
    number = count[:, None, None, None]
    with np.errstate(invalid="ignore"):  # nothing has no mean: NaN
        return {"attention": mass / number, "top": top / number, "positions": count}


def _best(attention: np.ndarray) -> dict[str, np.ndarray]:
    """The highest `attention` (seed, step, layer, head, pair[, group]) of a head, and that head's layer."""
    heads = attention.shape[3]
    flat = attention.reshape(*attention.shape[:2], -1, *attention.shape[4:])
    most = flat.max(axis=2)
    layer = np.where(np.isnan(flat), -np.inf, flat).argmax(axis=2) // heads
    return {"best_attention": most, "best_layer": np.where(np.isnan(most), np.nan, layer)}
