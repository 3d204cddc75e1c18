"""The findings of an analysis before it runs: its variables, their dims, and the labels that are known."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from interpflow.known import Foreseen, Known
from interpflow.nearest import way_out
from interpflow.section import Section
from interpflow.spec.problems import describe
from interpflow.spec.study import STEP, Experiment, Scalar, coordinate_names

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Found:
    """The findings of an analysis on one experiment.

    dims    the dims of each variable
    labels  the known labels of each coordinate, and of each variable that holds labels such as "last"
    swept   the options that the experiment sweeps, by the names of their coordinates
    """

    dims: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, Foreseen]
    swept: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def coordinates(self) -> list[str]:
        """What a `select` can name."""
        dims = (dim for dims in self.dims.values() for dim in dims)
        return list(dict.fromkeys([*self.swept, *dims, *self.dims]))

    def coordinates_of(self, variables: Iterable[str]) -> list[str]:
        """What tells the values of `variables` apart."""
        dims = (dim for name in variables for dim in self.dims.get(name, ()))
        return list(dict.fromkeys([*self.swept, *dims]))


def foresee(module: ModuleType, known: Known, options: Section) -> Found:
    """What the analysis `module` finds on the experiment that is `known`."""
    table: Mapping[str, Any] = getattr(module, "VARIABLES", {})
    if hasattr(module, "variables"):
        table = {**table, **module.variables(known.data, options)}
    dims = {name: tuple(variable.dims) for name, variable in table.items()}
    own: Mapping[str, Foreseen | None] = {}
    if hasattr(module, "coordinates"):
        own = module.coordinates(known, options)
    there = {*(dim for each in dims.values() for dim in each), *dims}
    labels = {**_usual(known, options), **own}
    return Found(
        dims,
        {
            name: them if isinstance(them, re.Pattern) or callable(them) else list(them)
            for name, them in labels.items()
            if name in there and them is not None
        },
    )


def joined(found: Mapping[str, Found], experiments: Mapping[str, Experiment]) -> dict[str, Found]:
    """The findings on several experiments as they are joined, with swept options as coordinates."""
    taken = {name for each in found.values() for name in each.coordinates}
    called = coordinate_names(
        {option for name in found for option in experiments[name].coords}, taken
    )
    return {
        name: replace(
            each, swept={called[key]: value for key, value in experiments[name].coords.items()}
        )
        for name, each in found.items()
    }


def _usual(known: Known, options: Section) -> dict[str, Foreseen]:
    """The labels of dims that mean the same in every analysis."""
    data, model = known.data, known.model
    words = {str(name): values.values.tolist() for name, values in data.coords.items()}
    steps = getattr(options, "steps", "all")
    return words | {
        "seed": known.seeds,
        "layer": range(model.layers),
        "head": range(model.heads),
        "position": range(data.sizes["position"]),
        "split": known.splits,
        STEP: known.checkpoints(steps),
        CHECKPOINT: ["last"] if steps == "last" else ["first", "between", "last"],
    }


def unlike(value: Any, labels: Iterable[Foreseen]) -> str | None:
    """The labels instead of `value` among the `labels` of several places; None if it is one of them."""
    every: list[Any] = []
    for them in labels:
        if callable(them) and not isinstance(them, type):
            them = them(value)
        if isinstance(them, re.Pattern):
            if isinstance(value, str) and them.fullmatch(value):
                return None
            every.append(f"such as '{them.pattern.replace(chr(92), '').replace('d+', '0')}'")
        elif isinstance(them, type):
            if isinstance(value, int | them) and not isinstance(value, bool):
                return None
            every.append("whole numbers" if them is int else "numbers")
        else:
            if is_among(value, there := list(them)):
                return None
            every += there
    return way_out(str(value), dict.fromkeys(map(str, every)))


def is_among(value: Any, labels: Collection[Any]) -> bool:
    """Whether `value` is one of `labels`; true is no 1, which it equals."""
    truths = any(label is True or label is False for label in labels)
    return value in labels and isinstance(value, bool) == truths


def no_label(coordinate: str, value: Any, has: str) -> str:
    """The message for a value that a coordinate does not have."""
    return f"no {coordinate} {describe(value)}; there are: {has}"
