"""Relations of a query, its keys and outputs, over which contributions to logits are averaged.

With `own`, the output of a relation is the one that says a state of the key.  With `only` and `unless`, the
outputs say a state that is in all of `only` and in none of `unless`.  With both, both have to hold:

    child: {keys: [edge_target], match: {query: {variable: at_node}, key: {variable: edge_source}},
            own: {variable: edge_target}}
        what an edge that starts where the path has come to adds to the node it leads to
    leaf: {keys: [edge_target], own: {variable: edge_target}, only: [leaf], unless: [goal]}
        what an edge adds to the node it leads to where this is a leaf, but not the goal
"""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import model_validator

from interpflow.errors import InterpflowError
from interpflow.methods.matching import Bools, Pair
from interpflow.section import Section
from interpflow.selection import Positions, Quantity, SingleState, State, read, state


class Relation(Section):
    """Keys of a query, and outputs."""

    keys: Positions = ["real"]  # names of the positions that are keys
    match: Pair | None = None  # equal states of a key and its query; all keys if not given
    own: SingleState | None = None  # a state of the key: the output is the one that says it
    only: list[Quantity] = []  # states of the query or the example: outputs say a state in all
    unless: list[Quantity] = []  # states of the query or the example: outputs say a state in none

    @model_validator(mode="after")
    def _names_outputs(self) -> Self:
        if self.own is None and not self.only:
            raise ValueError("neither own nor only is given; one of them has to name outputs")
        return self


class Named:
    """The outputs that a relation names, by the states that they say."""

    def __init__(self, data: xr.Dataset, relation: Relation, states: int):
        self._states = np.arange(states)
        self._own = None if relation.own is None else state(data, relation.own)
        self._only = [_held(data, name, states) for name in relation.only]
        self._unless = [_held(data, name, states) for name in relation.unless]

    def of(self, example: NDArray[np.int64], at: NDArray[np.int64], length: int) -> Bools:
        """Whether the relation names a state (query, key, state), for queries at positions `at` of `example`.

        `example` and `at` are (query,); `length` is the number of keys.
        """
        found = np.ones((len(at), length, len(self._states)), dtype=bool)
        if self._own is not None:
            found &= self._own[example, :length][..., None] == self._states
        for held in self._only:
            found &= held[example, at][:, None]
        for held in self._unless:
            found &= ~held[example, at][:, None]
        return found


def _held(data: xr.Dataset, name: str, states: int) -> Bools:
    """Whether the variable `name` names a state (example, position, state).

    A value of the variable is a state; or it has a further dim of states, and its values are 0 and 1.
    """
    values, every = read(data, State(variable=name)), np.arange(states)
    if values.ndim == 2:
        return values.values[..., None] == every
    if values.ndim == 3 and values.isin([0, 1]).all():
        return values.reindex({values.dims[2]: every}, fill_value=0).values == 1
    dims = data[name].dims
    raise InterpflowError(
        f"{name} has dims {dims}: it says neither one state nor of each whether it is named"
    )
