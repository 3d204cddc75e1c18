"""Activation patching: the sites and positions that hold the difference between two examples.

Two examples are paired if they have the same values of `pair_by` and different answers.  The *clean* run's
activations at one site, at the positions of one name, replace the activations of the *corrupted* run.  The
effect is measured at the first position at which the two answers differ; up to there the model has been given
the same answers.  With d the logit of the clean answer minus the logit of the corrupted answer,

    recovered = mean(d patched - d corrupted) / mean(d clean - d corrupted)

is 0 if the site holds nothing of the difference at these positions, and 1 if it holds all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import PositiveInt

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.methods.pairing import partners
from interpflow.nearest import way_out
from interpflow.section import EachOnce, Names, Some
from interpflow.selection import ExamplesAt, Quantity, SomePositions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.packing import Weights
    from interpflow.model.sites import Sites
    from interpflow.model.transformer import Transformer
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples


class Options(ExamplesAt):
    """Which examples are paired, and what is patched."""

    pair_by: Annotated[list[Quantity], Some, EachOnce]  # variables that both of a pair have alike
    positions: SomePositions  # names, those of each patched by themselves
    # In every layer, in the form (batch, pos, ...).
    site: Annotated[str, Names("site of positions")] = "blocks.{layer}.hook_resid_pre"
    pairs: PositiveInt = 200  # the first so many


_BY_PLACE = ("seed", "layer", "place")
VARIABLES = {
    "recovered": Variable(_BY_PLACE, "1", "logit difference recovered"),
    "flipped": Variable(_BY_PLACE, "1", "share of pairs given the clean answer"),
    "clean_difference": Variable(("seed",), "1", "mean logit difference, clean"),
    "corrupted_difference": Variable(("seed",), "1", "mean logit difference, corrupted"),
    "pairs": Variable((), "1", "number of pairs"),
}

ONE_ANSWER = True
NEEDS = "runs"
CAUSAL = True

_BATCH = 64  # pairs in a pass: two runs of it are read at every layer


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    for at, name in enumerate(options.pair_by):
        if known.data[name].dims[0] != "example":
            yield ("pair_by", at), f"'{name}' runs along {known.data[name].dims[0]} before examples"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"place": options.positions}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Patch every layer and every name of positions, one at a time.

    Raises InterpflowError where there are no pairs, and for a task with several labels a position.
    """
    data, examples = runs.select(options)
    every = pairs(data, options)
    masks = [selection.mask(data, [name])[0][every.corrupted] for name in options.positions]
    depth, count = runs.model.options.layers, len(every.position)
    weights = runs.weights(options.checkpoint)
    sites = [options.site.format(layer=layer) for layer in range(depth)]
    parts = []
    for start in range(0, count, _BATCH):
        here = slice(start, start + _BATCH)
        some, some_masks = Pairs(*(part[here] for part in every)), [mask[here] for mask in masks]
        parts.append(_patched(runs.model, weights, examples, some, sites, some_masks))
        runs.report(min(start + _BATCH, count), count)
    clean, corrupted, patched, flipped = (
        np.concatenate(part, -1).mean(-1) for part in zip(*parts, strict=True)
    )
    gap = (clean - corrupted)[:, None, None]
    found = {
        "recovered": (patched - corrupted[:, None, None]) / gap,
        "flipped": flipped,
        "clean_difference": clean,
        "corrupted_difference": corrupted,
        "pairs": count,
    }
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()},
        {"seed": runs.seeds, "layer": np.arange(depth), "place": options.positions},
    )


class Pairs(NamedTuple):
    """Examples to corrupt and their clean partners, the first position at which their answers differ, and the
    answers there; each (pair,)."""

    corrupted: NDArray[np.int64]
    clean: NDArray[np.int64]
    position: NDArray[np.int64]
    corrupted_answer: NDArray[np.int64]
    clean_answer: NDArray[np.int64]


def pairs(data: xr.Dataset, options: Options) -> Pairs:
    """The pairs of examples in `data`."""
    if data["targets"].ndim > 2:
        raise InterpflowError("patching: the task has no single answer at a position")
    fit = [str(name) for name in data if data[name].dims[:1] == ("example",)]
    for name in options.pair_by:
        if name not in fit:
            raise InterpflowError(
                f"pair_by: no '{name}' of the examples; there are {way_out(name, fit)}"
            )
    alike = [data[name].values.reshape(data.sizes["example"], -1) for name in options.pair_by]
    _, state = np.unique(np.concatenate(alike, 1), axis=0, return_inverse=True)
    partner = partners(state.ravel(), "patching")
    scored, targets = data["scored"].values, data["targets"].values.astype(np.int64)
    differ = scored & scored[partner] & (targets != targets[partner])
    corrupted = np.flatnonzero((partner >= 0) & differ.any(1))[: options.pairs]
    if not len(corrupted):
        raise InterpflowError(f"no two examples have the same {options.pair_by} and other answers")
    clean, position = partner[corrupted], differ[corrupted].argmax(1)
    answers = targets[corrupted, position], targets[clean, position]
    return Pairs(corrupted, clean, position, *answers)


def _patched(
    model: Transformer, weights: Weights, examples: Examples, of: Pairs, sites: list[str],
    masks: list[NDArray[np.bool_]],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_]]:  # fmt: skip
    """Differences of logits, clean and corrupted (seed, pair) and with each of `masks` (pair, position) patched
    at each of `sites` (seed, site, mask, pair), and whether that gives the clean answer."""
    import torch

    from interpflow.model.sites import Sites

    longest = int(of.position.max()) + 1
    pair = torch.arange(len(of.position))
    places = [torch.from_numpy(mask[:, :longest]) for mask in masks]

    @torch.no_grad()
    def run(
        of_pair: NDArray[np.int64], sites: Sites
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        tokens = examples.take(of_pair, longest).tokens
        logits = model(weights, tokens, sites)[:, pair, of.position]
        difference = logits[:, pair, of.clean_answer] - logits[:, pair, of.corrupted_answer]
        given = logits.argmax(-1).cpu().numpy() == of.clean_answer
        return difference.cpu().numpy(), given

    read = Sites(read=sites)
    clean, _ = run(of.clean, read)
    corrupted, _ = run(of.corrupted, Sites())  # of the same rounding as with edits
    patched = np.zeros((len(clean), len(sites), len(masks), len(pair)))
    flipped = np.zeros(patched.shape, dtype=bool)
    for (i, site), (j, place) in product(enumerate(sites), enumerate(places)):

        def put(value: Tensor, site: str = site, place: Tensor = place) -> Tensor:
            here = place.to(value.device).view(*place.shape, *[1] * (value.dim() - 3))
            return torch.where(here, read.values[site], value)

        patched[:, i, j], flipped[:, i, j] = run(of.corrupted, Sites(edits={site: put}))
    return clean, corrupted, patched, flipped
