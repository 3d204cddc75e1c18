"""Findings as `ship` writes them: of one analysis, with all that made them, perhaps from several machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain, count, pairwise
from pathlib import Path
from typing import Any

import xarray as xr

from interpflow import store
from interpflow.collecting.frame import DIM, collect
from interpflow.errors import InterpflowError
from interpflow.record import divergence, provenance
from interpflow.record.given import SHIPPED


def read(path: Path) -> xr.Dataset | None:
    """The findings on experiments at `path`, shipped or as they were collected; None where it has none.

    Raises InterpflowError where it cannot be told how they were made.
    """
    found = store.read(path)
    if DIM not in found.dims or found.attrs.get("stage") not in ("collect", SHIPPED):
        return None
    if found.attrs["stage"] == SHIPPED:
        return found
    made: dict[str, Any] = {}
    for link in provenance.chain(path):
        if link.origin is None:
            raise InterpflowError(
                f"{path}: how it was made cannot be told: {link.paths[0]}: {link.problem}"
            )
        _note(made, f"{link.origin.stage} {link.origin.label}", link.origin.read)
    analysis = json.loads(found.attrs["recipe"])["analysis"]
    recipe = {"study": found.attrs["study"], "analysis": analysis, "made_by": made}
    return found.assign_attrs(stage=SHIPPED, recipe=json.dumps(recipe))


def joined(parts: Sequence[xr.Dataset], paths: Sequence[Path]) -> xr.Dataset:
    """The findings `parts`, read at `paths`, as one dataset: each is on experiments of its own.

    Raises InterpflowError where they are of several analyses, have an experiment twice, or differ in what
    a name stands for or in what they rest on together.
    """
    names = ", ".join(map(str, paths))
    recipes = [json.loads(part.attrs["recipe"]) for part in parts]
    for one, other in pairwise(recipes):
        if (one["study"], one["analysis"]) != (other["study"], other["analysis"]):
            raise InterpflowError(f"{names}: are not findings of one analysis of one study")
    alone: dict[str, xr.Dataset] = {}
    for part in parts:
        for name in part[DIM].values.tolist():
            if name in alone:
                raise InterpflowError(f"{names}: have findings on '{name}' twice")
            alone[name] = part.sel({DIM: name}).reset_coords(drop=True)
    made_by, swept = _made_by(recipes, names)
    seeds = {name: of for part in parts for name, of in json.loads(part.attrs["seeds"]).items()}
    return collect(alone, swept).assign_attrs(
        parts[0].attrs,
        recipe=json.dumps(recipes[0] | {"made_by": made_by}),
        seeds=json.dumps(seeds),
        inputs=json.dumps([each for part in parts for each in json.loads(part.attrs["inputs"])]),
        **divergence.attrs(divergence.joined(parts)),
    )


def _made_by(
    recipes: Sequence[dict[str, Any]], names: str
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What each job behind the findings read of the spec, and what each experiment sweeps."""
    made: dict[str, Any] = {}
    swept: dict[str, dict[str, Any]] = {}
    for label, slice_ in chain.from_iterable(recipe["made_by"].items() for recipe in recipes):
        if label.startswith("collect "):
            swept |= slice_["coords"]
            made[label] = {"coords": swept}
        elif not _note(made, label, slice_):
            raise InterpflowError(f"{names}: rest on '{label}', which was made in several ways")
    return made, swept


def _note(made: dict[str, Any], label: str, slice_: dict[str, Any]) -> bool:
    """Note in `made` what the job `label` read of the spec; return whether it says nothing else of this job.

    Data belong to all experiments of their task and have no name of their own: those of a second task are
    called `data <study> 2`.
    """
    if not label.startswith("data "):
        return bool(made.setdefault(label, slice_) == slice_)
    study = " ".join(label.split()[:2])
    names = (study if number == 1 else f"{study} {number}" for number in count(1))
    return any(made.setdefault(name, slice_) == slice_ for name in names)
