"""Which examples, positions, states and checkpoints an analysis looks at, by the names that a spec uses.

A task names its positions with the variable `role` (example, position) and the words of the coordinate
`role_name`.  Beside these, its variables (example, position) of true and false are names, `scored` in every
task, and so are `real` (not padding) and `padded` (up to the end of the longest of these examples).

A state is what a variable of the task says of a position or an example, a number from 0 on, and -1 where it
says nothing.  `read` is the one way to it; `state`, `each` and `labels` are its three forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import EachOnce, Names, Section, Some

# Before training; with the highest validation accuracy; at the end.
Checkpoint = Literal["first", "best", "last"]

# The last; all; or so many of them, evenly among those kept, the first and the last included.
Steps = Literal["last", "all"] | Annotated[int, Field(ge=2)]

Split = Annotated[str, Names("split")]
Position = Annotated[str, Names("position")]  # or `analysis.variable`, positions that were found
OfExamples = Annotated[str, Names("variable of examples")]  # with one value an example
OneState = Annotated[str, Names("state")]  # with one value a position, or an example
Quantity = Annotated[
    str, Names("variable")
]  # of examples or positions, whatever further dims it has
Layer = Annotated[NonNegativeInt, Names("layer")]
AnyLayer = Annotated[int, Names("layer")]  # negative: from the last
Site = Annotated[str, Names("site")]  # a TransformerLens name, in the form (batch, pos, d)
# In findings: where an option called `data` names one of the analyses, they are that one's.
Analysis = Annotated[str, Names("analysis")]
Experiment = Annotated[str, Names("experiment")]  # may end in *
FoundVariable = Annotated[str, Names("found variable")]
Coordinate = Annotated[str, Names("coordinate")]
Seed = Annotated[NonNegativeInt, Names("seed")]

Splits = Annotated[list[Split], EachOnce]
Positions = Annotated[list[Position], EachOnce]
SomePositions = Annotated[list[Position], Some, EachOnce]

Value = str | int | bool
Label = str | int | float | bool
Labels = Annotated[dict[str, Label | list[Label]], Names("labels")]  # {coordinate: label or labels}
Where = dict[OfExamples, Value | list[Value]]


class Examples(Section):
    """Which examples are looked at."""

    split: Split = "validation"
    where: Where = {}  # which of the split, {variable: value or values}


class ExamplesAt(Examples):
    """Which examples are looked at, and when."""

    checkpoint: Checkpoint = "last"


class State(Section):
    """A labelled state of the task's data, of every position or of the whole example; several with `along`."""

    variable: Quantity
    # The value of each further dim: {distance: 2}.
    select: Annotated[dict[str, Value | list[Value]], Names("place of a state")] = {}
    # A further dim: one state for each of its values, or for each of those in the list that `select` has of it.
    along: Annotated[str, Names("further dim")] | None = None
    # What these states are called, the last word for all that follow: [goal, "{} above"].
    words: list[str] = []

    @model_validator(mode="after")
    def _one_value_of_each_dim(self) -> Self:
        if self.words and self.along is None:
            raise ValueError("words name the states along a dim; along says which")
        for dim, value in self.select.items():
            if isinstance(value, list) and dim != self.along:
                raise ValueError(f"select takes one value of {dim}; `along: {dim}` takes a list")
            if dim == self.along and not isinstance(value, list):
                raise ValueError(f"along: select takes a list of values of {dim}")
        return self


# A state that is one, without `along`; and one or, by a further dim that `select` leaves, several labels.
SingleState = Annotated[State, Names("one state")]
Labelled = Annotated[State, Names("labelled state")]


class Held(Section):
    """A position whose `state` is one of the values that the variable `among` has in its example."""

    state: SingleState
    among: Annotated[str, Names("variable with one further dim")]


def kept(every: Sequence[int], steps: Steps) -> list[int]:
    """Those of the training steps `every`, ascending, that `steps` says."""
    if steps == "last":
        return [every[-1]]
    if steps == "all" or steps >= len(every):
        return [*every]
    return [every[round(i * (len(every) - 1) / (steps - 1))] for i in range(steps)]


def select(data: xr.Dataset, examples: Examples) -> xr.Dataset:
    """The data of `examples`.

    Raises InterpflowError where the data has no such split or variable, and where no example is left.
    """
    split, where = examples.split, examples.where
    found = data.isel(example=data["split"].values == split)
    if not found.sizes["example"]:
        known = np.unique(data["split"].values).tolist()
        raise InterpflowError(f"no split '{split}' in the data; it has {way_out(split, known)}")
    for name, wanted in where.items():
        found = found.isel(example=np.isin(of_example(found, name, "where"), wanted))
    if not found.sizes["example"]:
        raise InterpflowError(f"no example of split '{split}' has {where}")
    return found


def of_example(data: xr.Dataset, name: str, option: str) -> NDArray[np.generic]:
    """The values (example,) of a variable that has one for each example.

    Raises InterpflowError, naming the `option` that asks for it, for any other.
    """
    fit = [str(known) for known in data.data_vars if data[known].dims == ("example",)]
    if name not in fit:
        raise InterpflowError(
            f"{option}: no variable '{name}' of examples; there are {way_out(name, fit)}"
        )
    return data[name].values


def mask(
    data: xr.Dataset,
    places: Sequence[str],
    seeds: Sequence[int] = (0,),
    findings: Mapping[str, xr.Dataset] | None = None,
) -> NDArray[np.bool_]:
    """Whether a position has one of the names `places`, (seed, example, position).

    A name `analysis.variable` stands for positions that an analysis found: a variable (seed, position) of
    true and false in `findings`.  Raises InterpflowError for a name that there is not.
    """
    shape = (len(seeds), *data["tokens"].shape)
    found = np.zeros(shape, dtype=bool)
    for place in places:
        analysis, dot, variable = place.partition(".")
        if dot:
            found |= _found(findings or {}, analysis, variable, seeds)[:, None, : shape[2]]
        else:
            found |= _named(data, place)
    return found


def read(data: xr.Dataset, wanted: State) -> xr.DataArray:
    """What the data says of the state, (example, position, …) with the further dims that `select` leaves.

    A state of the whole example is that of all its positions.  Raises InterpflowError for a variable or a
    value that the data does not have.
    """
    if wanted.variable not in data:
        known = way_out(wanted.variable, list(map(str, data)))
        raise InterpflowError(f"no variable '{wanted.variable}' in the data; it has {known}")
    values = data[wanted.variable]
    for dim, value in wanted.select.items():
        known_values = _values(values, wanted.variable, dim)
        for one in value if isinstance(value, list) else [value]:
            if one not in known_values:
                there = way_out(str(one), map(str, known_values))
                raise InterpflowError(f"{wanted.variable}: no {dim} {one}; there is: {there}")
        values = values.sel({dim: value})
    further = [dim for dim in values.dims if dim not in ("example", "position")]
    # Transposed after it is broadcast, which puts the new dims last.
    return values.broadcast_like(data["tokens"]).transpose("example", "position", *further)


def state(data: xr.Dataset, wanted: State) -> NDArray[np.int64]:
    """The state of every position (example, position).

    Raises InterpflowError where `wanted` is not one state.
    """
    values = read(data, wanted)
    if values.ndim > 2:
        raise InterpflowError(
            f"{wanted.variable} has dims {data[wanted.variable].dims}; select says one value of each "
            "further one"
        )
    return values.values.astype(np.int64)


def each(data: xr.Dataset, wanted: Mapping[str, State]) -> dict[str, State]:
    """The states by name, and in the place of one with `along` those that it stands for, by its `words`.

    Raises InterpflowError for a dim or a value that the data does not have, and for a name that comes twice.
    """
    found: dict[str, State] = {}
    for name, one in wanted.items():
        for word, single in _along(data, name, one):
            if word in found:
                raise InterpflowError(
                    f"two states are called '{word}'; `words` can tell them apart"
                )
            found[word] = single
    return found


def labels(data: xr.Dataset, wanted: State) -> NDArray[np.int64]:
    """The state of every position (1, example, position), or all its labels (label, example, position).

    It has several labels where its variable has one further dim that `select` leaves: each is 1 where it
    holds and 0 where not.  Raises InterpflowError for labels of other values.
    """
    values = read(data, wanted)
    if values.ndim != 3:
        return state(data, wanted)[None]
    if values.max() > 1:
        dim = values.dims[2]
        raise InterpflowError(
            f"{wanted.variable} has values other than 0 and 1, so these are no labels by {dim}; "
            f"select says one value of {dim}"
        )
    return np.moveaxis(values.values, 2, 0).astype(np.int64)


def held(data: xr.Dataset, wanted: Held) -> NDArray[np.bool_]:
    """Where a position is as `wanted` (example, position).

    Raises InterpflowError for a variable that the data does not have, or has with one value an example.
    """
    values = read(data, State(variable=wanted.among))
    if values.ndim != 3:
        dims = data[wanted.among].dims
        raise InterpflowError(f"'{wanted.among}' has dims {dims}; it takes example and one more")
    there = state(data, wanted.state)[:, :, None]
    return ((there >= 0) & (there == values.values)).any(-1)


def names(data: xr.Dataset) -> NDArray[np.str_]:
    """What each position is called in most examples (position,), "" in a task without names."""
    if "role_name" not in data.coords:
        return np.full(data.sizes["position"], "")
    words = data["role_name"].values.astype(str)
    counts = [(data["role"].values == role).sum(0) for role in range(len(words))]
    return words[np.argmax(counts, 0)]


def _along(data: xr.Dataset, name: str, wanted: State) -> Iterator[tuple[str, State]]:
    """The states that one stands for, each with its name."""
    dim = wanted.along
    if dim is None:
        yield name, wanted
        return
    values = read(data, wanted)
    words = wanted.words or ["{}"]
    for at, value in enumerate(_values(values, wanted.variable, dim)):
        word = words[min(at, len(words) - 1)].replace("{}", str(value))
        yield word, State(variable=wanted.variable, select={**wanted.select, dim: value})


def _values(values: xr.DataArray, variable: str, dim: str) -> list[Value]:
    """The values of a further dim."""
    if dim not in values.dims or dim not in values.coords:
        further = [str(known) for known in values.dims if known not in ("example", "position")]
        there = way_out(dim, further) if further else "none"
        raise InterpflowError(f"{variable} has no further dim {dim}; there is: {there}")
    return values[dim].values.tolist()


def position_names(data: xr.Dataset) -> list[str]:
    """What positions can be called."""
    return [*_roles(data), *_true(data), "real", "padded"]


def _roles(data: xr.Dataset) -> list[str]:
    return data["role_name"].values.tolist() if "role_name" in data.coords else []


def _true(data: xr.Dataset) -> list[str]:
    """The variables of positions that are true or false."""
    at = ("example", "position")
    return [
        str(name) for name, values in data.items() if values.dims == at and values.dtype == bool
    ]


def _named(data: xr.Dataset, place: str) -> NDArray[np.bool_]:
    """The positions of one name (example, position)."""
    if place in ("real", "padded"):
        length = data["length"].values[:, None]
        end = length if place == "real" else np.full_like(length, length.max())
        return np.arange(data.sizes["position"]) < end
    if place not in (there := position_names(data)):
        known = way_out(place, there)
        raise InterpflowError(f"no position is called '{place}'; there are {known}")
    if place in _true(data):
        return data[place].values
    return data["role"].values == _roles(data).index(place)


def _found(
    findings: Mapping[str, xr.Dataset], analysis: str, variable: str, seeds: Sequence[int]
) -> NDArray[np.bool_]:
    """Positions that an analysis found (seed, position)."""
    if analysis not in findings:
        raise InterpflowError(
            f"no findings of '{analysis}'; there are {way_out(analysis, findings)}"
        )
    found = findings[analysis]
    if variable not in found or {*found[variable].dims} != {"seed", "position"}:
        fit = [str(name) for name in found if {*found[name].dims} == {"seed", "position"}]
        raise InterpflowError(
            f"{analysis} has no positions '{variable}'; it has {way_out(variable, fit)}"
        )
    return found[variable].sel(seed=list(seeds)).transpose("seed", "position").values.astype(bool)
