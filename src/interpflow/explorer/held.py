"""What a page holds of the datasets that it is given, so that it does not grow beyond its room."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from interpflow.explorer.quantised import encoded

ROOM = 6_900_000  # bytes after compression; as text they are a third more
_LIMITS = tuple(round(2 ** (half / 2)) for half in range(44, 23, -1))  # values of one variable
_FEWEST = {"seed": 1, "shown_example": 1, "step": 2}  # dims that are cut, and to how many at least


@dataclass(frozen=True)
class Dataset:
    """A dataset as the page knows it.

    kind        findings: of an analysis, with a dim `experiment`; else of one experiment: examples, history,
                activations, circuits
    experiment  "" for findings
    method      of the analysis, "" for examples and history
    """

    name: str
    kind: str
    experiment: str
    method: str
    content: xr.Dataset


@dataclass(frozen=True)
class Held:
    """What is held: the index, as JSON takes it, and the blocks of bytes that it names by number."""

    index: list[dict[str, Any]]
    blocks: list[bytes]


def hold(datasets: Sequence[Dataset]) -> Held:
    """As many values of each variable as fit, all variables under the same limit."""
    for limit in _LIMITS:
        held = _within(datasets, limit)
        if sum(map(len, held.blocks)) <= ROOM:
            break
    return held


def _within(datasets: Iterable[Dataset], limit: int) -> Held:
    index: list[dict[str, Any]] = []
    blocks: list[bytes] = []
    for each in datasets:
        variables, left_out = [], []
        for name, values in each.content.data_vars.items():
            at = _kept(values, limit)
            if at is None:
                left_out.append(str(name))
                continue
            here = values.isel(at)
            said, content = encoded(here.values)
            variables.append(
                {
                    "name": str(name),
                    "dims": [*map(str, here.dims)],
                    "at": at,
                    "units": str(values.attrs.get("units", "1")),
                    "long_name": str(values.attrs.get("long_name", name)),
                    "block": len(blocks),
                    **said,
                }
            )
            blocks.append(zlib.compress(content, 6))
        index.append(
            {
                "name": each.name,
                "kind": each.kind,
                "experiment": each.experiment,
                "method": each.method,
                "labels": _labels(each.content),
                "variables": variables,
                "left_out": left_out,
            }
        )
    return Held(index, blocks)


def _kept(values: xr.DataArray, limit: int) -> dict[str, list[int]] | None:
    """Which places of the dims that are cut; None where the variable is too large even so.

    One place after the other of the longest of these dims is left out: of steps so that the others are spread
    evenly, of seeds and examples the last.
    """
    sizes = {str(dim): size for dim, size in values.sizes.items()}
    least = {dim: min(size, _FEWEST.get(dim, size)) for dim, size in sizes.items()}
    if np.prod([*least.values()]) > limit:
        return None
    whole = dict(sizes)
    while np.prod([*sizes.values()]) > limit:
        sizes[max((dim for dim in sizes if sizes[dim] > least[dim]), key=sizes.__getitem__)] -= 1
    return {dim: _places(dim, size, whole[dim]) for dim, size in sizes.items() if size < whole[dim]}


def _places(dim: str, size: int, whole: int) -> list[int]:
    if dim != "step":
        return list(range(size))
    return [round(i * (whole - 1) / (size - 1)) for i in range(size)]


def _labels(content: xr.Dataset) -> dict[str, list[Any]]:
    """The labels of every dim: those of its coordinate, or numbers from 0."""
    return {
        str(dim): [_plain(label) for label in content[dim].values.tolist()] for dim in content.sizes
    }


def _plain(label: Any) -> Any:
    return None if isinstance(label, float) and not np.isfinite(label) else label
