"""Names in the options of analyses, held against the task and the model of an experiment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import xarray as xr
from pydantic import BaseModel

from interpflow import selection
from interpflow.known import Known
from interpflow.model.site_names import STREAM, site_names
from interpflow.nearest import way_out
from interpflow.section import Section
from interpflow.spec.found_names import unlike
from interpflow.spec.named import Named, every
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.validation import Complaint

_VARIABLES = {
    "variable",
    "state",
    "variable of examples",
    "variable of outputs",
    "variable with one further dim",
}


def complaints(options: Section, known: Known) -> Iterator[Complaint]:
    """The names in `options` that the experiment lacks, each with the nearest."""
    for at, section, names in every(options):
        wrong = False
        for key, noun, name in names:
            if message := _not_there(noun, name, known):
                wrong = True
                yield Complaint(key, message)
        if not wrong:
            yield from _further(section, names, known)
        if isinstance(section, selection.Examples) or "where" in type(section).model_fields:
            yield from _where(section, at, known)


def _not_there(noun: str, name: Any, known: Known) -> str | None:
    """Why there is no `noun` of that name."""
    if noun.startswith("site"):
        return _no_site(noun, name, known)
    if noun == "layer":
        depth = known.model.layers
        if -depth <= name < depth:
            return None
        return f"no layer {name}; the model has {depth}, counted from 0"
    there = _there(noun, known)
    if there is None or name in there:
        return None
    return f"no {noun} {describe(name)}; there are: {way_out(str(name), there)}"


@cache
def _there(noun: str, known: Known) -> list[str] | None:
    """The names of every `noun` of the experiment; None for a word that is not of tasks."""
    data = known.data
    if noun == "split":
        return known.splits
    if noun == "position":
        found = [f"{name}.{each}" for name, them in known.findings.items() for each in them]
        return [*selection.position_names(data), *found]
    if noun not in _VARIABLES:
        return None
    return [str(name) for name in data.data_vars if _fits(noun, data[name])]


def _fits(noun: str, values: xr.DataArray) -> bool:
    """Whether a variable of the task is a `noun`."""
    if noun in ("variable of examples", "variable of outputs"):
        return values.dims == (noun.rpartition(" ")[2].removesuffix("s"),)
    further = further_dims(values)
    numbers = values.dtype.kind in "biuf" and "example" in values.dims
    wanted = {"state": [0], "variable with one further dim": [1]}.get(noun)
    return numbers and (wanted is None or len(further) in wanted)


def further_dims(values: xr.DataArray) -> list[str]:
    """The dims of a variable of the task beyond those of every task."""
    return [str(dim) for dim in values.dims if dim not in ("example", "position")]


def _no_site(noun: str, name: str, known: Known) -> str | None:
    sites = site_names(known.model)
    if noun == "site of positions":  # one that there is in every layer, or in one place alone
        for own, dims in list(sites.items()):
            sites[re.sub(r"^blocks\.\d+\.", "blocks.{layer}.", own)] = dims
        fit = [own for own, dims in sites.items() if dims[1] == "pos"]
    else:
        fit = [own for own, dims in sites.items() if dims == STREAM]
    if name in fit:
        return None
    # Nearest first: a layer has many sites, and the way out is among those of a like layer.
    if name in sites:
        has, takes = ", ".join(sites[name]), ", ".join(STREAM)
        return f"{describe(name)} has dims ({has}); it takes ({takes}): {way_out(name, fit)}"
    return f"no site {describe(name)}; the model has: {way_out(name, fit)}"


def _further(section: BaseModel, names: Iterable[Named], known: Known) -> Iterator[Complaint]:
    """Problems with further dims of the variable that a section names."""
    for key, noun, value in names:
        if noun in ("one state", "labelled state"):
            yield from _left_over(key, noun, value, known)
        if noun == "further dim":
            yield from _no_dim(key, _variable_of(section), value, known)
        if noun == "place of a state":
            for dim, wanted in value.items():
                yield from _no_dim((*key, dim), _variable_of(section), dim, known)
                yield from _no_value((*key, dim), _variable_of(section), dim, wanted, known)


def _variable_of(section: BaseModel) -> str:
    return str(getattr(section, "variable", ""))


def _no_dim(key: KeyPath, variable: str, dim: str, known: Known) -> Iterator[Complaint]:
    further = further_dims(known.data[variable])
    if dim not in further:
        there = way_out(dim, further) if further else "none"
        yield Complaint(key, f"'{variable}' has no further dim {describe(dim)}; there is: {there}")


def _no_value(
    key: KeyPath, variable: str, dim: str, wanted: Any, known: Known
) -> Iterator[Complaint]:
    values = known.data[variable]
    if dim not in values.coords:
        return
    there = values[dim].values.tolist()
    for at, value in enumerate(wanted if isinstance(wanted, list) else [wanted]):
        if value not in there:
            place = (*key, at) if isinstance(wanted, list) else key
            has = way_out(str(value), map(str, there))
            yield Complaint(place, f"'{variable}' has no {dim} {describe(value)}; there is: {has}")


def _left_over(
    key: KeyPath, noun: str, state: selection.State, known: Known
) -> Iterator[Complaint]:
    """Problems of states that are several: along a further dim, or because `select` leaves several."""
    if state.variable not in known.data:
        return  # which is a problem already
    if state.along is not None and noun == "one state":
        yield Complaint((*key, "along"), "takes one state here; let `select` say one value")
        return
    further = further_dims(known.data[state.variable])
    left = [dim for dim in further if dim not in state.select and dim != state.along]
    if len(left) > (noun == "labelled state"):
        yield Complaint(
            (*key, "variable"),
            f"'{state.variable}' runs along {', '.join(left)}; let `select` say one value",
        )


def _where(section: BaseModel, at: KeyPath, known: Known) -> Iterator[Complaint]:
    """Values that a variable of examples cannot have."""
    where: dict[str, Any] = getattr(section, "where", {})
    for name, wanted in where.items():
        if name not in known.data or known.data[name].dims != ("example",):
            continue  # which is a problem already
        for index, value in enumerate(wanted if isinstance(wanted, list) else [wanted]):
            key = (*at, "where", name, *([index] if isinstance(wanted, list) else []))
            if has := unlike(value, [known.values_of(name)]):
                yield Complaint(key, f"'{name}' is never {describe(value)}; it is: {has}")
