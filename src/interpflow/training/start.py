"""Weights before the first step: drawn from the seed, taken from another experiment, or given by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import xarray as xr
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.model.packing import pack, unpack
from interpflow.model.parts import Piece, pieces
from interpflow.model.transformer import Transformer
from interpflow.rng import generator
from interpflow.training.named_values import named_value
from interpflow.training.options import Start


def initial(
    model: Transformer, seeds: Sequence[int], start: Start | None, other: xr.Dataset | None
) -> dict[str, Tensor]:
    """Packed weights of `seeds`, as the spec has them start.

    `other` are the weights of the experiment that `start` names, dims (step, seed, …).  Raises InterpflowError
    if they do not fit the model.
    """
    drawn = model.init(seeds)
    if start is None:
        return drawn
    unpacked = unpack(drawn, model.options.heads)
    labelled = {name: unpacked[name] for name in model.shapes}
    if other is not None:
        last = other.isel(step=-1).sel(seed=list(seeds))
        for piece in pieces(start.parts or model.shapes, model.shapes):
            _take(piece, last, labelled, start)
    for name, value in start.values.items():
        given = torch.from_numpy(named_value(value, name, model.shapes[name]))
        labelled[name] = given.expand(len(seeds), *given.shape)
    return pack(labelled)


def _take(piece: Piece, last: xr.Dataset, labelled: dict[str, Tensor], start: Start) -> None:
    """Put a piece of the weights `last` (seed, …) into `labelled`."""
    name, place = piece
    at: tuple[slice | int, ...] = (slice(None), *place)
    ours, theirs = labelled[name][at], torch.from_numpy(last[name].values)[at]
    if theirs.shape != ours.shape:
        raise InterpflowError(
            f"training.start: {name} of '{start.experiment}' has shape {tuple(theirs.shape[1:])}, this model's "
            f"has {tuple(ours.shape[1:])}; name the parts to take"
        )
    if start.shuffled:
        theirs = torch.stack(
            [
                entries.flatten()[_order(piece, int(seed), entries.numel())].view_as(entries)
                for seed, entries in zip(last["seed"].values, theirs, strict=True)
            ]
        )
    ours.copy_(theirs)


def _order(piece: Piece, seed: int, size: int) -> Tensor:
    """A random order of the entries of one piece."""
    name, place = piece
    return torch.from_numpy(generator("shuffled", seed, name, *place).permutation(size))
