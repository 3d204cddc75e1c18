"""Names in the options of figures and of analyses of findings, held against what the analyses find."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel

from interpflow.known import Foreseen
from interpflow.nearest import way_out
from interpflow.spec.found_names import Found, no_label, unlike
from interpflow.spec.named import Named, fields, names, sections
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.validation import Complaint

Findings = Mapping[str, Mapping[str, Found]]  # by analysis and experiment


# Options that say for a section, and for those within it, where all else is looked up.
NARROWING = {"data": "analysis", "experiment": "pattern"}


@dataclass(frozen=True)
class _Place:
    """Where names are looked up: in some of the analyses, in the experiments of a pattern."""

    findings: Findings
    analysis: str | None = None  # all if not given
    pattern: str = "*"

    @property
    def analyses(self) -> list[str]:
        return [*self.findings] if self.analysis is None else [self.analysis]

    @property
    def experiments(self) -> list[str]:
        return list(dict.fromkeys(each for name in self.analyses for each in self.findings[name]))

    @property
    def found(self) -> Iterator[Found]:
        for name in self.analyses:
            for experiment, found in self.findings[name].items():
                if fnmatchcase(experiment, self.pattern):
                    yield found


def complaints(options: BaseModel, findings: Findings) -> Iterator[Complaint]:
    """The names in `options` that none of the analyses has, each with the nearest.

    `data` of a section says in which analysis its names are looked up, `experiment` in which experiments.  Both
    hold for the sections within it too, unless a section has its own.
    """
    yield from _within(options, (), _Place(findings))


def undrawable(draws: Sequence[str], findings: Findings) -> str:
    """What the analyses of a figure lack of the variables that its plot draws; "" where one has all of them."""
    lacking: dict[str, list[str]] = {}
    for analysis, by_experiment in findings.items():
        for found in by_experiment.values():
            lacks = [name for name in draws if name not in found.coordinates]
            if not lacks:
                return ""
            lacking[analysis] = lacks
    return "; ".join(f"'{name}' has no {', '.join(lacks)}" for name, lacks in lacking.items())


def _within(section: BaseModel, at: KeyPath, place: _Place) -> Iterator[Complaint]:
    own = [
        each for name, kind, value in fields(section) for each in names(kind, value, (*at, name))
    ]
    narrowed = [(*at, option) for option in NARROWING]
    shown = [
        value for key, noun, value in own if noun == "found variable" and len(key) == len(at) + 1
    ]
    for key in narrowed:
        for name in (each for each in own if each[0] == key):
            if wrong := list(_not_there(name, place)):
                yield from wrong
                return
            place = replace(place, **{NARROWING[str(key[-1])]: name[2]})
    for name in own:
        if name[0] not in narrowed:
            yield from _not_there(name, place, shown)
    for field, _, value in fields(section):
        for key, inner in sections(value, (*at, field)):
            yield from _within(inner, key, place)


def _not_there(name: Named, place: _Place, variables: Sequence[str] = ()) -> Iterator[Complaint]:
    """Where a section names one of `variables`, a coordinate of its own is one of theirs."""
    key, noun, value = name
    match noun:
        case "analysis":
            yield from _among(key, noun, value, place.findings)
        case "experiment":
            if not any(fnmatchcase(each, value) for each in place.experiments):
                yield from _among(key, noun, value, place.experiments)
        case "found variable":
            there = (each for found in place.found for each in found.coordinates)
            yield from _among(key, "variable", value, there)
        case "coordinate":
            yield from _among(key, noun, value, _coordinates(place, variables))
        case "labels":
            for coordinate, wanted in value.items():
                here = (*key, coordinate)
                wrong = list(_among(here, "coordinate", coordinate, _coordinates(place)))
                yield from wrong or _labels(here, coordinate, wanted, place)
        case "label":
            yield from _any_label(key, value, place, variables)
        case _:
            yield from _labels(key, noun, value, place)


def _among(key: KeyPath, noun: str, value: str, there: Iterable[str]) -> Iterator[Complaint]:
    known = list(dict.fromkeys(there))
    if value not in known:
        yield Complaint(key, f"no {noun} {describe(value)}; there are: {way_out(value, known)}")


def _coordinates(place: _Place, variables: Sequence[str] = ()) -> Iterator[str]:
    yield "experiment"
    for found in place.found:
        yield from found.coordinates_of(variables) if variables else found.coordinates


def _any_label(
    key: KeyPath, value: str, place: _Place, variables: Sequence[str]
) -> Iterator[Complaint]:
    """A label of no dim of `variables`, or of any where there are none, as text.

    Nothing where the labels of a dim are known when it has run.
    """
    there: list[str] = []
    for found in place.found:
        there += map(str, found.swept.values())
        for dim in (each for name in variables or found.dims for each in found.dims.get(name, ())):
            labels = found.labels.get(dim)
            if not isinstance(labels, Collection):
                return
            there += map(str, labels)
            heads = found.labels.get(dim.replace("layer", "head"))
            if dim.endswith("layer") and isinstance(heads, Collection):
                there += (f"{layer}.{head}" for layer in labels for head in heads)
    yield from _among(key, "label", value, [*there, *place.experiments])


def _labels(key: KeyPath, coordinate: str, wanted: Any, place: _Place) -> Iterator[Complaint]:
    there: list[Foreseen] = []
    if coordinate == "experiment":
        there.append(place.experiments)
    for found in place.found:
        if coordinate in found.swept:
            there.append([found.swept[coordinate]])
        elif coordinate in found.labels:
            there.append(found.labels[coordinate])
        elif coordinate in found.coordinates:
            return  # known when it has run
    for at, value in enumerate(wanted if isinstance(wanted, list) else [wanted]):
        if has := unlike(value, there):
            where = (*key, at) if isinstance(wanted, list) else key
            yield Complaint(where, no_label(coordinate, value, has))
