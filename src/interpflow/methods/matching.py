"""Keys that belong to a query: keys at or before the query with the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.section import Section
from interpflow.selection import SingleState, State, each, state

Bools = NDArray[np.bool_]


class Pair(Section):
    """A key belongs to a query if these states are equal; a position without the state belongs to none."""

    query: State  # with `along`: a pair for each of its states, named like the state
    key: SingleState


def each_pair(data: xr.Dataset, wanted: Mapping[str, Pair]) -> dict[str, Pair]:
    """The pairs by name; a pair with several states of the query becomes a pair for each state.

    Raises InterpflowError for a state that the data lacks, and for a name that comes twice.
    """
    queries = each(data, {name: pair.query for name, pair in wanted.items()})
    keys = [pair.key for pair in wanted.values() for _ in each(data, {"": pair.query})]
    pairs = zip(queries.items(), keys, strict=True)
    return {name: Pair(query=query, key=key) for (name, query), key in pairs}


class Matches:
    """The keys of every query of `data`, by several rules.

    `queries` (seed, example, position) says which positions are queries.  A rule says which positions are
    keys (seed, example, position), and by which pair they belong to a query; without a pair, every key at or
    before a query belongs to the query.
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
        """The queries of `examples` (batch,): the index in the batch and the position, each (query,).

        A position counts if it is a query of any seed; for the other seeds `keys` gives it no keys.
        """
        row, at = np.nonzero(self._queries[:, examples].any(0))
        return row, at

    def keys(self, example: np.ndarray, at: np.ndarray, length: int) -> Bools:
        """Whether a key belongs to the query at position `at` of `example`, (seed, rule, query, key).

        `example` and `at` are (query,); `length` is the number of keys, above every `at`.
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
