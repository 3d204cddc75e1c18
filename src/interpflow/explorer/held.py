"""What a page holds of the datasets that it is given, so that it does not grow beyond its room."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
                activations, attention_map, circuits
    experiment  "" for findings
    method      of the analysis, "" for examples and history
    sources     what a spec says to have the same, by the label of what an analysis takes one at a time
    """

    name: str
    kind: str
    experiment: str
    method: str
    content: xr.Dataset
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """An analysis of a spec, and what the spec still has to say for it, by name."""

    data: str
    analyses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
            units = str(values.attrs.get("units", "1"))
            long_name = str(values.attrs.get("long_name", name))
            variables.append(
                {
                    "name": str(name),
                    "dims": [*map(str, here.dims)],
                    "at": at,
                    "long_name": long_name,
                    "axis": long_name if units == "1" else f"{long_name} ({units})",
                    "axes": _axes(here),
                    "once": _once(here),
                    "exact": _exact(said, at, values),
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
                "sources": {label: asdict(source) for label, source in each.sources.items()},
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


def _axes(values: xr.DataArray) -> dict[str, str]:
    """Which dims the page shows at first along x, and down (`y`, a map) or in colours (`hue`, curves)."""
    long = [str(dim) for dim, size in values.sizes.items() if size > 1 and dim != _once(values)]
    free = [dim for dim in long if dim not in ("seed", "step", "experiment")]
    order = list(dict.fromkeys([*(["step"] if "step" in long else []), *reversed(free), *long]))
    x, other = [*order, "", ""][:2]
    square = x != "step" and len(free) > 1
    return {"x": x, "y": other if square else "", "hue": other}


def _once(values: xr.DataArray) -> str:
    """`step` where all is measured at one step, though at another one for each experiment or seed; else ""."""
    several = "step" in values.dims and int(values.notnull().sum("step").max()) > 1
    return "step" if "step" in values.dims and not several else ""


def _exact(said: Mapping[str, Any], at: Mapping[str, Sequence[int]], values: xr.DataArray) -> str:
    """How exact the values are, and what is held where that is not all, in a sentence."""
    maps = "1/508 of the range of their map, at most " if said.get("maps", 0) > 1 else ""
    exact = f"held to {maps}± {said['off']:.3g}" if said.get("off") else "exact"
    parts = [f"{len(places)} of {values.sizes[dim]} along {dim}" for dim, places in at.items()]
    return f"Values are {', of '.join([exact, *parts]).replace('_', ' ')}."


def _labels(content: xr.Dataset) -> dict[str, list[Any]]:
    """The labels of every dim: those of its coordinate, or numbers from 0."""
    return {
        str(dim): [_plain(label) for label in content[dim].values.tolist()] for dim in content.sizes
    }


def _plain(label: Any) -> Any:
    return None if isinstance(label, float) and not np.isfinite(label) else label
