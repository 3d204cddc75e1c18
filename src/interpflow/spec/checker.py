"""Holds the options of a spec against the classes that take them; each problem names its place in the spec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.spec.layers import Unfolded, unfold
from interpflow.spec.merging import Layer, merge, origin
from interpflow.spec.plugins import Kind, load
from interpflow.spec.problems import KeyPath, Problems, describe, dotted
from interpflow.spec.validation import Complaint, complaints
from interpflow.spec.yaml_text import SpecText


class Checker:
    """Notes in `problems` what is wrong with the spec `source`."""

    def __init__(self, source: SpecText, problems: Problems):
        self._source = source
        self._problems = problems
        self._options: dict[tuple[type, str], tuple[dict[str, Any], list[Complaint]]] = {}
        self._plugins: dict[tuple[Kind, str], ModuleType | str] = {}

    @property
    def problems(self) -> int:
        """The number of problems so far."""
        return len(self._problems)

    def add(self, key: KeyPath, message: str) -> None:
        """Note the problem `message` of the value under `key`."""
        place = self._source.place(key)
        entry = (key[0], *str(key[1]).split(".")) if self._source.borrowed(key) else ()
        aside = f" (in {dotted(entry)})" if entry else ""
        self._problems.add(self._source.line(place), place, message, aside)

    def known(self, names: Iterable[str], allowed: Iterable[str], noun: str, at: KeyPath) -> None:
        """Note each of `names`, keys or values that stand at `at`, that is not `allowed`."""
        words = list(allowed)
        for name in names:
            if name not in words:
                key = (*at, name)
                there = self._source.place(key) in self._source.lines
                self.add(
                    key if there else at,
                    f"no {noun} {describe(name)}; there are: {way_out(name, words)}",
                )

    def options(
        self, model: type[BaseModel], layers: Sequence[Layer], home: KeyPath
    ) -> dict[str, Any]:
        """The merged layers with every default, as plain values; what no layer gives is missing at `home`."""
        return self._checked(model, Unfolded(merge(layers)), layers, home)

    def layer_options(
        self, model: type[BaseModel], layers: Sequence[Layer], home: KeyPath, depth: int
    ) -> dict[str, Any]:
        """The same, with `layers: all` standing for the `depth` layers of a model."""
        unfolded = unfold(merge(layers), depth)
        for complaint in unfolded.complaints:
            self._complain(layers, complaint, home)
        return {} if unfolded.complaints else self._checked(model, unfolded, layers, home)

    def _checked(
        self, model: type[BaseModel], given: Unfolded, layers: Sequence[Layer], home: KeyPath
    ) -> dict[str, Any]:
        # A thousand experiments share few options.
        token = (model, json.dumps(given.values, sort_keys=True))
        if token not in self._options:
            self._options[token] = _validated(model, given.values)
        resolved, found = self._options[token]
        for complaint in found:
            about = tuple(map(given.place, complaint.about))
            placed = replace(complaint, key=given.place(complaint.key), about=about)
            self._complain(layers, placed, home)
        return dict(resolved)

    def plugin(self, kind: Kind, name: str, key: KeyPath) -> ModuleType | None:
        """The module `name`, which the spec names at `key`; None, and a problem, where it cannot be used."""
        if (kind, name) not in self._plugins:
            try:
                self._plugins[kind, name] = load(kind, name)
            except InterpflowError as error:
                self._plugins[kind, name] = str(error)
        module = self._plugins[kind, name]
        if isinstance(module, ModuleType):
            return module
        self.add(key, module)
        return None

    def told(
        self, layers: Sequence[Layer], found: Iterable[Complaint], home: KeyPath, depth: int
    ) -> bool:
        """Note what was `found` wrong with merged layers, for a model of `depth` layers; whether any was."""
        unfolded, any_found = unfold(merge(layers), depth), False
        for complaint in found:
            any_found = True
            about = tuple(map(unfolded.place, complaint.about))
            placed = replace(complaint, key=unfolded.place(complaint.key), about=about)
            self._complain(layers, placed, home)
        return any_found

    def _complain(self, layers: Sequence[Layer], complaint: Complaint, home: KeyPath) -> None:
        """Note a complaint about merged options at the last place that gives one of the options."""
        keys = complaint.about or (complaint.key,)
        places = {key: place for key in keys if (place := origin(layers, key))}
        if not places:
            self.add((*home, *complaint.key), complaint.message)
            return
        _, chosen = max(places.values(), key=lambda place: place[0])
        elsewhere = [
            f"{key[-1]} stands in line {self._source.line(place)}"
            for key, (_, place) in places.items()
            if self._source.line(place) != self._source.line(chosen)
        ]
        self.add(chosen, complaint.message + (f" ({', '.join(elsewhere)})" if elsewhere else ""))


def _validated(
    model: type[BaseModel], values: dict[str, Any]
) -> tuple[dict[str, Any], list[Complaint]]:
    try:
        return model.model_validate(values).model_dump(mode="json"), []
    except ValidationError as error:
        return {}, complaints(error, model, values)
    except Exception as error:  # a check in a stranger's Options that fails by itself
        return {}, [Complaint((), f"cannot be checked: {type(error).__name__}: {error}")]
