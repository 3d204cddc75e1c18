"""Formal languages as automata that count: what may come next, and where a member ends.

A state is a tuple: the number of a control state, then the values of counters.  From a state that a string
leads to, some string leads to a member; a letter that no member goes on with leads nowhere (`None`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from interpflow.nearest import way_out

State = tuple[int, ...]
Target = Literal["next_letters", "membership"]

UNKNOWN = -1
PAIRS = ("()", "[]", "{}", "<>", "+-", "ab")  # Shuffle-k has the first k
OPERATORS = "~+>"  # of one, two and three operands


@dataclass(frozen=True)
class Attributes:
    """What is known of a language: 1 for yes, 0 for no, UNKNOWN where it does not apply or nothing is known.

    star_free         whether a regular language is star-free
    dot_depth         its dot-depth, where it is star-free
    c_rasp            whether a program of C-RASP has the language, without positions (arXiv:2410.02140)
    c_rasp_positions  the same with positions
    """

    star_free: int = UNKNOWN
    dot_depth: int = UNKNOWN
    c_rasp: int = UNKNOWN
    c_rasp_positions: int = UNKNOWN


@dataclass(frozen=True)
class Language:
    """A language over `letters`.

    step      the state after one more letter, None where no member begins so
    accepts   whether a string that leads to the state is a member
    asks      what Bhattamishra et al. (arXiv:2009.11264) ask a model of the language
    counters  the names of the counters in a state
    """

    letters: tuple[str, ...]
    start: State
    step: Callable[[State, str], State | None]
    accepts: Callable[[State], bool]
    asks: Target = "next_letters"
    counters: tuple[str, ...] = ()
    attributes: Attributes = Attributes()


Table = Mapping[int, Mapping[str, int]]  # {state: {letter: state}}


@dataclass(frozen=True)
class _Regular:
    """A regular language by its table, whose first state is the start; every state leads to a member."""

    table: Table
    accept: frozenset[int]
    attributes: Attributes
    asks: Target = "next_letters"


def by_table(
    letters: Sequence[str],
    table: Table,
    accept: frozenset[int],
    start: int = 0,
    asks: Target = "next_letters",
    attributes: Attributes = Attributes(),
) -> Language:
    """The regular language of a table, of which each state leads to a member."""

    def step(state: State, letter: str) -> State | None:
        following = table[state[0]].get(letter)
        return None if following is None else (following,)

    return Language(
        tuple(letters),
        (start,),
        step,
        lambda state: state[0] in accept,
        asks,
        attributes=attributes,
    )


def _star_free(dot_depth: int, c_rasp: int = 1, c_rasp_positions: int = 1) -> Attributes:
    return Attributes(1, dot_depth, c_rasp, c_rasp_positions)


def _not_star_free(c_rasp_positions: int) -> Attributes:
    return Attributes(0, UNKNOWN, 0, c_rasp_positions)


_COUNTED = Attributes(c_rasp=1, c_rasp_positions=1)


_REGULAR: Mapping[str, _Regular] = {
    # 1*, (10)*, no odd run of 0 right behind an odd run of 1, no 000
    "tomita_1": _Regular({0: {"1": 0}}, frozenset({0}), _star_free(1)),
    "tomita_2": _Regular({0: {"1": 1}, 1: {"0": 0}}, frozenset({0}), _star_free(1)),
    "tomita_3": _Regular(
        {0: {"0": 0, "1": 1}, 1: {"0": 3, "1": 0}, 2: {"0": 3, "1": 1}, 3: {"0": 2}},
        frozenset({0, 1, 2}),
        _not_star_free(0),
    ),
    "tomita_4": _Regular(
        {0: {"0": 1, "1": 0}, 1: {"0": 2, "1": 0}, 2: {"1": 0}},
        frozenset({0, 1, 2}),
        _star_free(1, c_rasp=0),
    ),
    # an even number of 0 and of 1; as many 0 as 1 modulo 3; 0*1*0*1*
    "tomita_5": _Regular(
        {0: {"0": 2, "1": 1}, 1: {"0": 3, "1": 0}, 2: {"0": 0, "1": 3}, 3: {"0": 1, "1": 2}},
        frozenset({0}),
        _not_star_free(0),
        "membership",
    ),
    "tomita_6": _Regular(
        {at: {"0": (at + 1) % 3, "1": (at - 1) % 3} for at in range(3)},
        frozenset({0}),
        _not_star_free(0),
        "membership",
    ),
    "tomita_7": _Regular(
        {0: {"0": 0, "1": 1}, 1: {"0": 2, "1": 1}, 2: {"0": 2, "1": 3}, 3: {"1": 3}},
        frozenset({0, 1, 2, 3}),
        _star_free(1),
    ),
    # an even number of 1
    "parity": _Regular(
        {0: {"0": 0, "1": 1}, 1: {"0": 1, "1": 0}},
        frozenset({0}),
        _not_star_free(0),
        "membership",
    ),
    # (aa)*, (aaaa)*, (abab)*
    "aa": _Regular({0: {"a": 1}, 1: {"a": 0}}, frozenset({0}), _not_star_free(1), "membership"),
    "aaaa": _Regular(
        {at: {"a": (at + 1) % 4} for at in range(4)},
        frozenset({0}),
        _not_star_free(1),
        "membership",
    ),
    "abab": _Regular(
        {at: {"ab"[at % 2]: (at + 1) % 4} for at in range(4)},
        frozenset({0}),
        _not_star_free(1),
        "membership",
    ),
    # aa*bb*cc*dd*ee*
    "five_letters": _Regular(
        {
            0: {"a": 1},
            1: {"a": 1, "b": 2},
            2: {"b": 2, "c": 3},
            3: {"c": 3, "d": 4},
            4: {"d": 4, "e": 5},
            5: {"e": 5},
        },
        frozenset({5}),
        _star_free(1),
    ),
    # {a,b}*d{b,c}*
    "ab_d_bc": _Regular(
        {0: {"a": 0, "b": 0, "d": 1}, 1: {"b": 1, "c": 1}}, frozenset({1}), _star_free(1)
    ),
    # {0,1,2}*02*
    "012_0_2": _Regular(
        {0: {"0": 1, "1": 0, "2": 0}, 1: {"0": 1, "1": 0, "2": 1}},
        frozenset({1}),
        _star_free(2, c_rasp=0, c_rasp_positions=0),
        "membership",
    ),
}


def _regular(one: _Regular) -> Language:
    letters = sorted({letter for row in one.table.values() for letter in row})
    return by_table(letters, one.table, one.accept, 0, one.asks, one.attributes)


def _d(n: int) -> Language:
    """D_n = (a D_(n-1) b)*, D_0 being empty: brackets a and b, nested up to n deep."""
    table = {
        at: {**({"a": at + 1} if at < n else {}), **({"b": at - 1} if at else {})}
        for at in range(n + 1)
    }
    return by_table("ab", table, frozenset({0}), attributes=_star_free(n))


def _shuffle(pairs: int) -> Language:
    """Brackets of several types, each type balanced by itself; of one type: Dyck-1."""
    names = PAIRS[:pairs]
    change = {
        letter: (at + 1, 1 if letter == pair[0] else -1)
        for at, pair in enumerate(names)
        for letter in pair
    }

    def step(state: State, letter: str) -> State | None:
        at, by = change[letter]
        after = state[at] + by
        return None if after < 0 else (*state[:at], after, *state[at + 1 :])

    letters = tuple("".join(names))
    return Language(letters, (0,) * (pairs + 1), step, lambda state: not any(state), counters=names,
                    attributes=_COUNTED)  # fmt: skip


def _reset_dyck() -> Language:
    """Brackets that balance behind the last 1."""

    def step(state: State, letter: str) -> State | None:
        depth = 0 if letter == "1" else state[1] + (1 if letter == "(" else -1)
        return None if depth < 0 else (0, depth)

    return Language(("(", ")", "1"), (0, 0), step, lambda state: state[1] == 0, counters=("()",))


def _boolean(arity: int) -> Language:
    """Boolean expressions in prefix order, with operators of up to `arity` operands; it counts open places."""
    takes = {"0": 0, "1": 0, **{OPERATORS[n]: n + 1 for n in range(arity)}}

    def step(state: State, letter: str) -> State | None:
        return None if state[1] == 0 else (0, state[1] - 1 + takes[letter])

    return Language(tuple(takes), (0, 1), step, lambda state: state[1] == 0, "membership", ("open",),
                    attributes=_COUNTED)  # fmt: skip


def _equal_runs(letters: str) -> Language:
    """One run of each letter, in order and of equal length, at least 1; it counts each letter."""

    def step(state: State, letter: str) -> State | None:
        counts, at = state[1:], letters.index(letter)
        if at and (counts[at] == counts[0] or any(count < counts[0] for count in counts[:at])):
            return None
        if any(counts[at + 1 :]):
            return None
        return (0, *counts[:at], counts[at] + 1, *counts[at + 1 :])

    return Language(
        tuple(letters), (0,) * (len(letters) + 1), step,
        lambda state: state[1] > 0 and len({*state[1:]}) == 1, counters=tuple(letters),
        attributes=_COUNTED
    )  # fmt: skip


# Families, with the largest number that may stand in the place of n.
_NUMBERED: Mapping[str, tuple[Callable[[int], Language], int]] = {
    "d": (_d, 99),
    "shuffle": (_shuffle, len(PAIRS)),
    "boolean": (_boolean, len(OPERATORS)),
}
_ONE: Mapping[str, Callable[[], Language]] = {
    "dyck_1": lambda: _shuffle(1),
    "reset_dyck_1": _reset_dyck,
    "anbn": lambda: _equal_runs("ab"),
    "anbncn": lambda: _equal_runs("abc"),
}
NAMES = (*_REGULAR, *_ONE, *(f"{family}_<n>" for family in _NUMBERED))


def family_of(name: str) -> tuple[str, int]:
    """The family of a language and its number: `d_3` is ("d", 3); ("tomita_3", 0) has none."""
    numbered = re.fullmatch(r"([a-z]+)_([1-9]\d?)", name)
    if numbered and numbered[1] in _NUMBERED:
        return numbered[1], int(numbered[2])
    return name, 0


def named(name: str) -> Language:
    """The language of that name.  Raises ValueError, with the nearest, where there is none."""
    family, number = family_of(name)
    if number:
        make, most = _NUMBERED[family]
        if number > most:
            raise ValueError(f"language '{name}': {family}_<n> takes n up to {most}")
        return make(number)
    if name in _REGULAR:
        return _regular(_REGULAR[name])
    if name in _ONE:
        return _ONE[name]()
    raise ValueError(f"no language '{name}'; there are: {way_out(name, NAMES)}")
