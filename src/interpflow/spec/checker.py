"""Holds what a spec says against who takes it, and notes each problem where the spec says it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.spec.merging import Layer, merge, origin
from interpflow.spec.plugins import Kind, load
from interpflow.spec.problems import KeyPath, Problems, describe
from interpflow.spec.validation import Complaint, complaints
from interpflow.spec.yaml_text import Source


class Checker:
    """Notes in `problems` what is wrong with the spec `source`."""

    def __init__(self, source: Source, problems: Problems):
        self._source = source
        self._problems = problems
        self._options: dict[tuple[type, str], tuple[dict[str, Any], list[Complaint]]] = {}
        self._plugins: dict[tuple[Kind, str], ModuleType | str] = {}

    @property
    def problems(self) -> int:
        """How many there are so far."""
        return len(self._problems)

    def add(self, key: KeyPath, message: str) -> None:
        """Note that `message` holds for what stands under `key`."""
        self._problems.add(self._source.line(key), key, message)

    def known(self, names: Iterable[str], allowed: Iterable[str], noun: str, at: KeyPath) -> None:
        """Note each of `names`, keys or values that stand at `at`, that is not `allowed`."""
        words = list(allowed)
        for name in names:
            if name not in words:
                key = (*at, name) if (*at, name) in self._source.lines else at
                self.add(key, f"no {noun} {describe(name)}; there are: {way_out(name, words)}")

    def options(
        self, model: type[BaseModel], layers: Sequence[Layer], home: KeyPath
    ) -> dict[str, Any]:
        """The merged layers with every default, as plain values; what no layer gives is missing at `home`."""
        values = merge(layers)
        token = (
            model,
            json.dumps(values, sort_keys=True),
        )  # a thousand experiments share few options
        if token not in self._options:
            self._options[token] = _validated(model, values)
        resolved, found = self._options[token]
        for complaint in found:
            self._complain(layers, complaint, home)
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
