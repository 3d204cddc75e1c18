"""Strings through an automaton: the state after each letter, and strings drawn uniformly by their length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpflow.errors import InterpflowError
from interpflow.tasks._languages import Language, State

DEAD = -1
# States for which strings are counted: more would not fit into memory with a count for each length.
_MOST_STATES = 20_000


@dataclass(frozen=True)
class Graph:
    """States of a language in the order in which they were met, the start first.

    following  the number of the state after each letter (state, letter), DEAD where no member goes on so
    accepts    whether a state ends a member (state,)
    """

    states: list[State]
    following: NDArray[np.int64]
    accepts: NDArray[np.bool_]


def reached(language: Language, longest: int, most: int | None = None) -> Graph:
    """The states that strings of fewer than `longest` letters lead to, and those one letter further.

    Raises InterpflowError where there are more than `most`.
    """
    number: dict[State, int] = {language.start: 0}
    rows: list[list[int]] = []
    layer = [language.start]
    for _ in range(longest):
        ahead: list[State] = []
        for state in layer:
            row = []
            for letter in language.letters:
                after = language.step(state, letter)
                if after is not None and after not in number:
                    number[after] = len(number)
                    ahead.append(after)
                row.append(DEAD if after is None else number[after])
            rows.append(row)
        if most is not None and len(number) > most:
            raise InterpflowError(
                f"automaton: strings of {longest} letters lead to more than {most} states, too many to count "
                "strings; take `strings: authors`, or shorter ones"
            )
        layer = ahead
    rows += [[DEAD] * len(language.letters)] * len(layer)
    states = list(number)
    return Graph(states, np.array(rows), np.array([language.accepts(state) for state in states]))


class Uniform:
    """Draws a length, uniformly among those that members have, and then a member, uniformly among these."""

    def __init__(self, language: Language, longest: int):
        self._graph = graph = reached(language, longest, _MOST_STATES)
        # How many strings of so many letters lead from a state to a member, each row over its largest number:
        # only ratios within a row are asked for, and the numbers themselves are beyond a float.
        ahead = np.append(graph.accepts, False).astype(np.float64)
        rows = [ahead]
        for _ in range(longest):
            ahead = np.append(ahead[graph.following].sum(1), 0.0)
            ahead /= max(ahead.max(), 1.0)
            rows.append(ahead)
        self._ways = np.stack(rows)  # (letters left, state); the last state is DEAD

    def lengths(self, low: int, high: int) -> list[int]:
        """The lengths from `low` to `high` that members have."""
        return [length for length in range(low, high + 1) if self._ways[length, 0] > 0]

    def draw(
        self, random: np.random.Generator, lengths: Sequence[int], size: int
    ) -> list[list[int]]:
        """`size` members, each a list of letters by their number."""
        chosen = np.array(lengths)[random.integers(len(lengths), size=size)]
        letters = np.zeros((size, chosen.max()), dtype=np.int64)
        state = np.zeros(size, dtype=np.int64)
        for at in range(chosen.max()):
            left = chosen - at
            here = np.flatnonzero(left > 0)
            after = self._graph.following[state[here]]
            ways = self._ways[left[here, None] - 1, after].cumsum(1)
            pick = (ways <= random.random(len(here))[:, None] * ways[:, -1:]).sum(1)
            letters[here, at] = pick
            state[here] = after[np.arange(len(here)), pick]
        return [row[:length].tolist() for row, length in zip(letters, chosen.tolist(), strict=True)]


def walk(
    language: Language, tokens: NDArray[np.int64], real: NDArray[np.bool_]
) -> tuple[list[State], NDArray[np.int64]]:
    """The state after each letter of `tokens` (string, position) where it is `real`, as numbers of a list.

    DEAD after the end of a string, and from the first letter on that no member has there.
    """
    number: dict[State, int] = {language.start: 0}
    states = [language.start]
    after: dict[tuple[int, int], int] = {}
    found = np.full(tokens.shape, DEAD)
    now = np.zeros(len(tokens), dtype=np.int64)
    width = len(language.letters)
    for at in range(tokens.shape[1]):
        here = np.flatnonzero(real[:, at])
        pairs, place = np.unique(now[here] * width + tokens[here, at], return_inverse=True)
        for pair in pairs.tolist():
            before = divmod(pair, width)
            if before not in after:
                after[before] = DEAD
                if before[0] != DEAD:
                    state = language.step(states[before[0]], language.letters[before[1]])
                    if state is not None and state not in number:
                        number[state] = len(states)
                        states.append(state)
                    after[before] = DEAD if state is None else number[state]
        following = np.array(
            [after[divmod(pair, width)] for pair in pairs.tolist()], dtype=np.int64
        )
        now[here] = following[place] if len(here) else now[here]
        found[here, at] = now[here]
    return states, found
