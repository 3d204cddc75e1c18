"""A sweep as labelled points."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interpflow.spec.merging import Layer
from interpflow.spec.problems import KeyPath
from interpflow.spec.study import Scalar
from interpflow.spec.validation import section_at


@dataclass(frozen=True)
class Axis:
    """One swept option: `key` is such as ("model", "heads"), `at` is where the spec gives its values."""

    key: tuple[str, ...]
    values: Sequence[Scalar]
    at: KeyPath

    @property
    def coordinate(self) -> str:
        """The name of the swept option in names of points, and in datasets unless the name is taken."""
        return self.key[-1]


@dataclass(frozen=True)
class Point:
    """One combination of swept values; `layers` holds them by section (task, model, training)."""

    name: str
    layers: Mapping[str, list[Layer]]


def points(experiment: str, axes: Sequence[Axis]) -> Iterator[Point]:
    """All points of a sweep, the last axis running fastest; `experiment` itself where there is no axis."""
    for indices in itertools.product(*(range(len(axis.values)) for axis in axes)):
        name, layers = experiment, dict[str, list[Layer]]()
        for axis, index in zip(axes, indices, strict=True):
            value = axis.values[index]
            name += f"_{axis.coordinate}_{slug(value)}"
            section, *inner = axis.key
            layer = Layer((*axis.at, index), _nest(inner, value), whole=True)
            layers.setdefault(section, []).append(layer)
        yield Point(name, layers)


def count(axes: Sequence[Axis]) -> int:
    """How many points the sweep over `axes` has."""
    return math.prod(len(axis.values) for axis in axes)


def sweepable(sections: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every option of `sections` (name: model), as a sweep names it: `training.checkpoints.log`."""
    for name, kind in sections.items():
        below = section_at(kind)
        if below is None:
            yield prefix + name
        else:
            fields = {field: info.annotation for field, info in below.model_fields.items()}
            yield from sweepable(fields, f"{prefix}{name}.")


def slug(value: Scalar) -> str:
    """`value` as a part of a name.

    >>> [slug(value) for value in (0.005, -1, 1e-5, True, "GELU new")]
    ['0p005', 'm1', '1em05', 'true', 'gelu_new']
    """
    text = str(value).lower()
    if not isinstance(value, str):
        text = text.replace("-", "m").replace(".", "p").replace("+", "")
    return re.sub("[^a-z0-9]+", "_", text).strip("_")


def _nest(keys: Sequence[str], value: Scalar) -> dict[str, Any]:
    first, *rest = keys
    return {first: _nest(rest, value) if rest else value}
