"""Chains of attention: the keys that a position attends to most, layer after layer, from `from_layer` on.

The positions are those that another analysis found (registers, say).  Two states are read at each key: what
the key `holds`, and its `key`.  A step from one layer to the next *climbs* if the next key's `key` equals what
the last key `holds`.  In a tree, a step climbs from the edge A>B to the edge that leads to A.  A chain ends
where the position sees no key that it could climb to.

A chain begins at the first layer whose key holds a state that can be climbed from.  A chain is *valid* if
every step climbs, up to the chain's end or to the last layer.  Heads of a layer count together: the key is the
one that any head gives the most attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.selection import ExamplesAt
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.model.packing import Weights
    from interpflow.model.transformer import Transformer
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """Whose chains, and what makes a step."""

    positions: Annotated[list[str], Field(min_length=1)]  # names, or findings such as a.is_register
    holds: selection.State  # what a chain has found at a key,
    key: selection.State  # and what it looks up there with what it found before
    from_layer: NonNegativeInt = 1  # the layers below gather what is looked up


_BY_POSITION = ("seed", "position")
VARIABLES = {
    "valid": Variable(_BY_POSITION, "1", "share of chains that climb up to their end"),
    "overall_valid": Variable(("seed",), "1", "the same of the chains of all positions together"),
    "length": Variable(_BY_POSITION, "step", "mean number of steps that climb, from the beginning"),
    "chains": Variable(_BY_POSITION, "1", "share of examples in which a chain begins"),
    "moves": Variable(
        ("seed", "layer", "position"), "1", "share of steps into the layer that climb"
    ),
    "chance": Variable(
        ("seed", "layer", "position"),
        "1",
        "share of steps that a random visible key would make climb",
    ),
}

NEEDS = "runs_and_findings"
CAUSAL = True


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Follow the chains of every seed, over examples in which a position has one of the names `positions`."""
    data, examples = runs.select(options)
    depth, weights = runs.model.options.layers, runs.weights(options.checkpoint)
    if options.from_layer > depth - 2:
        raise InterpflowError(f"from_layer {options.from_layer}: no step follows in {depth} layers")
    wanted = runs.mask(data, options.positions)
    holds, key = (selection.state(data, each) for each in (options.holds, options.key))
    shape = (len(runs.seeds), data.sizes["position"])
    sums: dict[str, NDArray[np.float64]] = {}
    for indices, batch in examples.in_order_of_length():
        attended = _attended(runs.model, weights, batch.tokens)
        here = np.arange(batch.tokens.shape[-1])
        there = _chains(
            attended, holds[indices][:, here], key[indices][:, here], options.from_layer
        )
        for name, each in there.items():  # (..., seed, example, position)
            summed = sums.setdefault(name, np.zeros((*each.shape[:-3], *shape)))
            summed[..., here] += (each * wanted[:, indices][:, :, here]).sum(-2)
    seen = wanted.sum(1)
    with np.errstate(invalid="ignore"):  # a position without chains or steps has no mean: NaN
        found = {
            "chains": sums["chain"] / seen,
            "valid": sums["valid"] / sums["chain"],
            "overall_valid": sums["valid"].sum(-1) / sums["chain"].sum(-1),
            "length": sums["length"] / sums["chain"],
            "moves": np.moveaxis(sums["climbs"] / sums["steps"], 0, 1),
            "chance": np.moveaxis(sums["chance"] / sums["steps"], 0, 1),
        }
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()},
        {
            "seed": runs.seeds,
            "layer": np.arange(options.from_layer + 1, depth),
            "position": np.arange(shape[1]),
        },
    )


def _attended(model: Transformer, weights: Weights, tokens: Tensor) -> NDArray[np.int64]:
    """The key with the most attention of any head (layer, seed, example, position)."""
    import torch

    from interpflow.model.sites import Sites

    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(model.options.layers)]
    sites = Sites(read=names)
    with torch.no_grad():
        model(weights, tokens, sites)
    top = [sites.values[name].amax(2).argmax(-1) for name in names]
    return torch.stack(top).cpu().numpy()


def _chains(
    attended: NDArray[np.int64], holds: NDArray[np.int64], key: NDArray[np.int64], first: int
) -> dict[str, NDArray[np.generic]]:
    """Chains of all positions, of keys `attended` (layer, seed, example, position) with the states `holds` and
    `key` (example, position), -1 where there is none.

    chain, valid: whether there is one, and a valid one; length (seed, example, position); of each layer after
    `first` steps: whether there is anything to climb to, climbs, and the chance of it (layer, …).
    """
    values = np.arange(max(holds.max(), key.max()) + 1)
    visible = (key[:, :, None] == values).cumsum(1)  # keys up to a position by `key`
    example = np.arange(len(key))[:, None]
    position = np.arange(key.shape[1])

    held = holds[example, attended[first:]]
    choices = np.where(held >= 0, visible[example, position, held.clip(0)], 0)
    steps = choices[:-1] > 0
    climbs = steps & (key[example, attended[first + 1 :]] == held[:-1])
    chance = choices[:-1] / np.maximum(visible.sum(-1), 1)

    begun = np.zeros(held.shape[1:], dtype=bool)
    chain, alive, broken = begun.copy(), begun.copy(), begun.copy()
    length = np.zeros(held.shape[1:], dtype=np.int64)
    for layer in range(len(steps)):
        begins = ~begun & (held[layer] >= 0)
        begun |= begins
        alive = (alive | begins) & steps[layer]
        chain |= alive
        broken |= alive & ~climbs[layer]
        alive &= climbs[layer]
        length += alive
    found = {"chain": chain, "valid": chain & ~broken, "length": length}
    return {**found, "steps": steps, "climbs": climbs, "chance": chance}
