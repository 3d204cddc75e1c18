"""Which keys of a query, and which outputs, a statement about contributions to logits is made for.

An output of a relation is the one that says a state of the key (`own`), or any that says a state that is in
`only` and not in `unless`, or both:

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

    keys: Positions = ["real"]  # positions
    match: Pair | None = None  # of these only keys of the query's state
    own: SingleState | None = None  # a state of the key: its output alone
    only: list[Quantity] = []  # states of the query or the example: outputs that all of them name
    unless: list[Quantity] = []  # and none of these

    @model_validator(mode="after")
    def _names_outputs(self) -> Self:
        if self.own is None and not self.only:
            raise ValueError("neither own nor only is given; one of them has to name outputs")
        return self


class Named:
    """Which outputs a relation names, by the states that they say."""

    def __init__(self, data: xr.Dataset, relation: Relation, states: int):
        self._states = np.arange(states)
        self._own = None if relation.own is None else state(data, relation.own)
        self._only = [_held(data, name, states) for name in relation.only]
        self._unless = [_held(data, name, states) for name in relation.unless]

    def of(self, example: NDArray[np.int64], at: NDArray[np.int64], length: int) -> Bools:
        """For the queries at positions `at` of `example`, (query, key, state)."""
        found = np.ones((len(at), length, len(self._states)), dtype=bool)
        if self._own is not None:
            found &= self._own[example, :length][..., None] == self._states
        for held in self._only:
            found &= held[example, at][:, None]
        for held in self._unless:
            found &= ~held[example, at][:, None]
        return found


def _held(data: xr.Dataset, name: str, states: int) -> Bools:
    """Which states a variable names at each position, (example, position, state).

    The variable has one state a value, or says of each state along a further dim whether it is named.
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
