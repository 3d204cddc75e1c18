"""Which keys belong to a query: those at or before it that have a state in common with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.section import Section
from interpflow.selection import SingleState, State, each, state

Bools = NDArray[np.bool_]


class Pair(Section):
    """What has to be equal for a key to belong to a query; a position without the state belongs to none."""

    query: State  # with `along` the pair stands for several, which have the names of its states
    key: SingleState


def each_pair(data: xr.Dataset, wanted: Mapping[str, Pair]) -> dict[str, Pair]:
    """The pairs by name, and in the place of one whose query is several states a pair for each of them.

    Raises InterpflowError for states that the data does not have, and for a name that comes twice.
    """
    queries = each(data, {name: pair.query for name, pair in wanted.items()})
    keys = [pair.key for pair in wanted.values() for _ in each(data, {"": pair.query})]
    pairs = zip(queries.items(), keys, strict=True)
    return {name: Pair(query=query, key=key) for (name, query), key in pairs}


class Matches:
    """The keys of every query of `data`, by several rules.

    A rule says which positions may be keys, (seed, example, position), and the pair that has to be equal;
    without a pair every such position at or before a query is a key of it.  `queries` (seed, example,
    position) says which positions are queries.
    """

    def __init__(
        self, data: xr.Dataset, queries: Bools, rules: Sequence[tuple[Bools, Pair | None]]
    ):
        self._queries = queries
        self._keys = [keys for keys, _ in rules]
        self._states = [
            None if pair is None else (state(data, pair.query), state(data, pair.key))
            for _, pair in rules
        ]
        self.number = len(rules)

    def asked(self, examples: np.ndarray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The queries among `examples` (batch,): their place in the batch and their position, each (query,).

        Queries of any seed: `keys` leaves a seed's others without keys.
        """
        row, at = np.nonzero(self._queries[:, examples].any(0))
        return row, at

    def keys(self, example: np.ndarray, at: np.ndarray, length: int) -> Bools:
        """Whether a key belongs to the query at position `at` of `example`, (seed, rule, query, key).

        `length` is the number of keys: no query stands behind them.
        """
        before = np.arange(length) <= at[:, None]
        open_to = self._queries[:, example, at][..., None] & before
        found = np.empty((len(open_to), self.number, *before.shape), dtype=bool)
        for rule, (keys, states) in enumerate(zip(self._keys, self._states, strict=True)):
            found[:, rule] = open_to & keys[:, example, :length]
            if states is not None:
                own, other = states[0][example, at][:, None], states[1][example, :length]
                found[:, rule] &= (own >= 0) & (own == other)
        return found
