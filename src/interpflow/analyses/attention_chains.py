"""Chains of attention: the keys that a position attends to most, layer after layer, from `from_layer` on.

The positions are those that another analysis found (registers, say).  Two states are read at each key: what
the key `holds`, and its `key`.  A step from one layer to the next *climbs* if the next key's `key` equals what
the last key `holds`.  In a tree, a step climbs from the edge A>B to the edge that leads to A.  A chain ends
where the position sees no key that it could climb to.

A chain begins at the first layer whose key holds a state that can be climbed from.  A chain is *valid* if
every step climbs, up to the chain's end or to `to_layer`.  Heads of a layer count together: the key is the
one that any head gives the most attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.selection import ExamplesAt
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.packing import Weights
    from interpflow.model.transformer import Transformer
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples


class Options(ExamplesAt):
    """Whose chains, and what makes a step."""

    positions: selection.SomePositions  # names, or findings such as a.is_register
    holds: selection.SingleState  # what a chain has found at a key,
    key: selection.SingleState  # and what it looks up there with what it found before
    from_layer: selection.Layer = 1  # the layers below gather what is looked up
    to_layer: selection.AnyLayer = -1  # up to which a chain is followed; negative: from the last


_SUMMED = ("chain", "valid", "length", "steps", "climbs", "chance")
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


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    depth = known.model.layers
    last = options.to_layer + (depth if options.to_layer < 0 else 0)
    if options.from_layer >= last:
        yield (
            ("from_layer",),
            f"no step lies between it and to_layer {options.to_layer} in {depth} layers",
        )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    last = options.to_layer + (known.model.layers if options.to_layer < 0 else 0)
    return {"layer": range(options.from_layer + 1, last + 1)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Follow the chains of every seed, over examples in which a position has one of the names `positions`."""
    data, examples = runs.select(options)
    wanted = runs.mask(data, options.positions)
    shape = (len(runs.seeds), data.sizes["position"])
    sums: dict[str, NDArray[np.float64]] = {}
    for indices, there in followed(runs, data, examples, options):
        here = np.arange(there["chain"].shape[-1])
        for name in _SUMMED:
            each = there[name]  # (..., seed, example, position)
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
            "layer": np.arange(options.from_layer + 1, _last(runs, options) + 1),
            "position": np.arange(shape[1]),
        },
    )


def followed(
    runs: Runs, data: xr.Dataset, examples: Examples, options: Options
) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[np.generic]]]]:
    """The chains of all positions of some examples (batch,) at a time, see `_chains`."""
    last, weights = _last(runs, options), runs.weights(options.checkpoint)
    holds, key = (selection.state(data, each) for each in (options.holds, options.key))
    for indices, batch in examples.in_order_of_length():
        attended = _attended(runs.model, weights, batch.tokens)[: last + 1]
        here = np.arange(batch.tokens.shape[-1])
        held, looked_up = (each[indices][:, here] for each in (holds, key))
        yield indices, _chains(attended, held, looked_up, options.from_layer)


def _last(runs: Runs, options: Options) -> int:
    """The layer up to which chains are followed."""
    depth = runs.model.options.layers
    last = options.to_layer if options.to_layer >= 0 else depth + options.to_layer
    if not options.from_layer < last < depth:
        raise InterpflowError(
            f"from_layer {options.from_layer}, to_layer {options.to_layer}: no step lies between in "
            f"{depth} layers"
        )
    return last


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
    `first` steps: whether there is anything to climb to, climbs, and the chance of it (layer, …); of each layer
    from `first` on links: what the chain holds there, -1 where it is not (layer, …).
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
    links = np.full_like(held, -1)
    for layer in range(len(steps)):
        begins = ~begun & (held[layer] >= 0)
        begun |= begins
        links[layer] = np.where(alive | begins, held[layer], -1)
        alive = (alive | begins) & steps[layer]
        chain |= alive
        broken |= alive & ~climbs[layer]
        alive &= climbs[layer]
        length += alive
    links[-1] = np.where(alive, held[-1], -1)
    found = {"chain": chain, "valid": chain & ~broken, "length": length}
    found["links"] = np.where(chain, links, -1)
    return {**found, "steps": steps, "climbs": climbs, "chance": chance}
