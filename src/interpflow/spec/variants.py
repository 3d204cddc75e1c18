"""Variants of a study: its spec with other values at some keys, kept as `variants/<name>.yaml`.

    study: list_sorting
    set:
      model.heads: 2
    sweep:
      training.learning_rate: [1e-3, 3e-3]

A key is written as it stands in the spec, with dots; `task`, `model` and `training` are those of `defaults`.
A sweep makes a point of each combination of its values: a study of its own, called `<variant>.<values>`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ValidationError

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import Section
from interpflow.spec.document import Defaults, Document, Name, Options, OrNothing, Values
from interpflow.spec.problems import Problems, dotted, parts
from interpflow.spec.study import coordinate_names
from interpflow.spec.sweeps import slug
from interpflow.spec.validation import complaints
from interpflow.spec.yaml_text import SpecText, read_spec_text

_SECTIONS = tuple(Defaults.model_fields)  # task, model, training
_LONGEST_POINT = 128  # characters; it becomes a path
_NAMED = (
    "experiments",
    "analyses",
    "figures",
    "claims",
    "scales",
)  # sections whose entries have names


class _Written(Section):
    """A variant, as its file has it."""

    study: Name
    set: Options = {}
    sweep: Annotated[dict[str, Values], OrNothing] = {}


@dataclass(frozen=True)
class Point:
    """One study that a variant makes: the values at the keys where it differs from the spec of `study`."""

    name: str
    study: str
    changes: Mapping[str, Any]

    @property
    def said(self) -> str:
        """The changes in words."""
        return ", ".join(f"{key}={value}" for key, value in self.changes.items())


@dataclass(frozen=True)
class Variant:
    """The file of a variant, read: values that hold in all of its points, and those that it sweeps."""

    name: str
    study: str
    set: Mapping[str, Any]
    sweep: Mapping[str, Any]

    def points(self) -> list[Point]:
        """Its studies, the last swept key running fastest; itself where it sweeps nothing."""
        called = coordinate_names(self.sweep, ())
        found = []
        for values in itertools.product(*self.sweep.values()):
            swept = dict(zip(self.sweep, values, strict=True))
            words = [f"{slug(called[key])}_{slug(value)}" for key, value in swept.items()]
            name = ".".join([self.name, *(["_".join(words)] if words else [])])
            found.append(Point(name, self.study, {**self.set, **swept}))
        return found


def read(path: Path) -> Variant:
    """The variant in the file at `path`.  Raises InterpflowError for one with mistakes."""
    return said(read_spec_text(path))


def said(source: SpecText) -> Variant:
    """The variant that a file says; raises as `read` does."""
    problems = Problems(source.path)
    try:
        written = _Written.model_validate(source.content)
    except ValidationError as error:
        for complaint in complaints(error, _Written, source.content):
            problems.add(source.line(complaint.key), complaint.key, complaint.message)
        problems.raise_if_any()
        raise  # not reached
    beside = source.path.with_name(f"{written.study}.yaml")
    if beside.name == source.path.name or beside.is_file():
        message = f"'{written.study}' is a variant; a variant is of a study in specs/"
        problems.add(source.line(("study",)), ("study",), message)
    for key in written.set.keys() & written.sweep.keys():
        problems.add(source.line(("sweep", key)), ("sweep", key), "is set as well; keep one")
    variant = Variant(source.path.stem, written.study, written.set, written.sweep)
    called = Counter(point.name for point in variant.points())
    for name, count in called.items():
        if count > 1:
            problems.add(source.line(("sweep",)), ("sweep",), f"makes {count} points '{name}'")
        if len(name) > _LONGEST_POINT:
            problems.add(
                source.line(("sweep",)),
                ("sweep",),
                f"'{name}' is longer than {_LONGEST_POINT} characters",
            )
    problems.raise_if_any()
    return variant


def key_path(key: str, content: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the key `model.heads` stands, or would stand, in the spec `content`.

    Raises InterpflowError for a section, or for the name of an entry, that is not there.
    """
    words = key.split(".")
    known = [*Document.model_fields, *_SECTIONS]
    if words[0] not in known:
        raise InterpflowError(f"{key}: a spec has no such key; it has: {way_out(words[0], known)}")
    if words[0] in _SECTIONS:
        words = ["defaults", *words]
    path: tuple[str, ...] = ()
    here: Any = content
    while words:
        if here is not None and not isinstance(here, dict):
            raise InterpflowError(f"{key}: {dotted(path)} is no mapping; give it as a whole")
        # A key may hold dots itself: `model.heads` in a sweep.
        joined = (".".join(words[:end]) for end in range(len(words), 0, -1))
        word = next((each for each in joined if each in parts(here)), words[0])
        if len(path) == 1 and path[0] in _NAMED and word not in parts(here):
            raise InterpflowError(
                f"{key}: no '{word}' in {path[0]}; there are: {way_out(word, here or ())}"
            )
        words = words[word.count(".") + 1 :]
        path, here = (*path, word), here.get(word) if here else None
    return path


def value_at(key: str, content: Mapping[str, Any]) -> Any:
    """The value of `key` in the spec `content`; None where the spec does not give it."""
    here: Any = content
    for word in key_path(key, content):
        here = here.get(word) if isinstance(here, dict) else None
    return here


def changed(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The spec `content` with the values of `changes` at their keys."""
    result = dict(content)
    for key, value in changes.items():
        *above, last = key_path(key, result)
        here = result
        for word in above:
            here[word] = dict(here.get(word) or {})
            here = here[word]
        here[last] = value
    return result
