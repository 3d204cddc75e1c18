"""Formal languages: after each letter, which letters may come next, or whether the string so far is a member.

    D_2             a   b   a   a   b   b        parity       0   1   1   0
    may come next   ab  a   ab  b   ab  a        is a member  1   0   1   1
    state           1   0   1   2   1   0        state        0   1   0   0

A language has a name, or stands in the spec as states and transitions.  All strings are members.  They come
from the sampler of Bhattamishra et al. 2020 (arXiv:2009.11264), or uniformly: first a length, among those that
members have, then a member of that length, each with the same probability.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.rng import generator
from interpflow.section import EachOnce, Section, Size, Some
from interpflow.tasks._language_samplers import sampler
from interpflow.tasks._language_walk import DEAD, Uniform, walk
from interpflow.tasks._languages import Language, Target, by_table, named
from interpflow.tasks._windows import require_in_order
from interpflow.variables import Variable

_IN_VAIN = 3000  # draws without a new string, after which there are taken to be no more


class Automaton(Section):
    """States and transitions; what no member begins with is left out of what may come next."""

    start: str
    accept: Annotated[list[str], Some, EachOnce]
    transitions: Annotated[dict[str, dict[str, str]], Some]  # state: {letter: state}

    @model_validator(mode="after")
    def _names_states(self) -> Self:
        named = {"start": [self.start], "accept": self.accept} | {
            f"transitions.{state}": [*row.values()] for state, row in self.transitions.items()
        }
        for place, states in named.items():
            for state in states:
                if state not in self.transitions:
                    there = way_out(state, self.transitions)
                    raise ValueError(f"{place} names no state: '{state}'; transitions has: {there}")
        if self.start not in self._alive():
            raise ValueError(
                f"accept: no string leads from start '{self.start}' to one of {self.accept}"
            )
        return self

    def language(self) -> Language:
        """The language, over the letters of its members in alphabetical order."""
        alive = self._alive()
        number = {state: at for at, state in enumerate(self.transitions)}
        table = {
            number[state]: {letter: number[to] for letter, to in row.items() if to in alive}
            for state, row in self.transitions.items()
            if state in alive
        }
        letters = sorted({letter for row in table.values() for letter in row})
        accept = frozenset(number[state] for state in self.accept)
        return by_table(letters, table, accept, number[self.start])

    def _alive(self) -> set[str]:
        """The states from which a string leads to a member."""
        alive, before = {*self.accept}, 0
        while len(alive) > before:
            before = len(alive)
            alive |= {
                s for s, row in self.transitions.items() if not alive.isdisjoint(row.values())
            }
        return alive


class Options(Section):
    """Members of a formal language, and what is asked after each letter."""

    # By name: tomita_1 to tomita_7, parity, aa, aaaa, abab, five_letters (aa*bb*cc*dd*ee*), ab_d_bc
    # ({a,b}*d{b,c}*), 012_0_2 ({0,1,2}*02*), d_<n>, dyck_1, shuffle_<n>, reset_dyck_1, boolean_<n>,
    # anbn, anbncn.
    language: str | None = None
    automaton: Automaton | None = None  # in the place of a name
    target: Target | None = (
        None  # if not given, what the authors ask of the language; else next_letters
    )
    strings: Literal["authors", "uniform"] = "authors"
    min_length: PositiveInt = 2
    max_length: PositiveInt = 50
    train_size: Size = 10_000
    validation_size: Size = 2_000  # of validation and of each bin
    bins: tuple[
        tuple[PositiveInt, Annotated[int, Field(le=1000)]], ...
    ] = ()  # lengths, above max_length
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _one_language(self) -> Self:
        if (self.language is None) == (self.automaton is None):
            raise ValueError("language or automaton: give exactly one")
        if self.language is not None:
            named(self.language)
        elif self.strings == "authors":
            raise ValueError(
                "strings: authors draw languages with a name; an automaton takes uniform"
            )
        return self

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        require_in_order(self.min_length, self.max_length, self.bins)
        return self


_AT = ("example", "position")
_OF_LANGUAGE = {
    "star_free": "whether the language is star-free: 1 or 0, -1 where it is not regular or not known",
    "dot_depth": "dot-depth of the language, -1 where it has none or it is not known",
    "c_rasp": "whether C-RASP without positions has the language: 1 or 0, -1 where it is not known",
    "c_rasp_positions": "whether C-RASP with positions has it: 1 or 0, -1 where it is not known",
}
VARIABLES = {
    "targets": Variable((*_AT, "output"), "1", "whether the letter may come next, or the prefix is a member"),
    "state": Variable(_AT, "1", "control state after the letter, -1 after the end"),
    "count": Variable(("counter", *_AT), "1", "a counter after the letter, -1 after the end"),
    "member": Variable(_AT, "1", "1 where the string so far is a member, 0 where not, -1 after the end"),
    "letters": Variable(_AT, "token", "letters so far, -1 after the end"),
    **{name: Variable(("example",), "1", says) for name, says in _OF_LANGUAGE.items()},
}  # fmt: skip


def generate(options: Options) -> xr.Dataset:
    """All splits: train, validation (of the training lengths), then bin1, bin2, ... of longer strings.

    A string may stand in several splits, and in one several times where there are few.  Raises InterpflowError
    where no member has a length that is asked for.
    """
    language = options.automaton.language() if options.automaton else named(str(options.language))
    windows = dict.fromkeys(("train", "validation"), (options.min_length, options.max_length))
    windows |= {f"bin{at}": window for at, window in enumerate(options.bins, start=1)}
    draw = _drawing(options, language, max(high for _, high in windows.values()))
    strings: list[list[int]] = []
    split: list[str] = []
    for name, window in windows.items():
        size = options.train_size if name == "train" else options.validation_size
        strings += draw(name, window, size)
        split += [name] * size
    length = np.array([len(string) for string in strings])
    real = np.arange(length.max()) < length[:, None]
    tokens = np.full(real.shape, len(language.letters))
    tokens[real] = np.concatenate(strings)
    return xr.Dataset(
        {
            "tokens": (_AT, tokens.astype(np.int16)),
            "length": ("example", length),
            "split": ("example", split),
            "scored": (_AT, real),
            **_states(language, options.target or language.asks, tokens, real),
            **{
                name: (
                    "example",
                    np.full(len(length), getattr(language.attributes, name), dtype=np.int8),
                )
                for name in _OF_LANGUAGE
            },
        },
        {
            "token": [*language.letters, "<pad>"],
            "output": _outputs(language, options.target or language.asks),
            **({"counter": list(language.counters)} if language.counters else {}),
        },
    )


def _outputs(language: Language, target: Target) -> list[str]:
    return list(language.letters) if target == "next_letters" else ["member"]


def _states(
    language: Language, target: Target, tokens: np.ndarray, real: np.ndarray
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """What holds after each letter of `tokens` (example, position), by the names in `VARIABLES`."""
    states, after = walk(language, tokens, real)
    table = np.array([*states, (DEAD,) * len(language.start)], dtype=np.int16)[after]
    member = np.array([*map(language.accepts, states), False])[after]
    following = member[..., None]
    if target == "next_letters":
        allowed = [
            [language.step(at, letter) is not None for letter in language.letters] for at in states
        ]
        following = np.array([*allowed, [False] * len(language.letters)])[after]
    counts = {"count": (("counter", *_AT), np.moveaxis(table[..., 1:], -1, 0))}
    return {
        "targets": ((*_AT, "output"), following.astype(np.int8)),
        "state": (_AT, table[..., 0]),
        **(counts if language.counters else {}),
        "member": (_AT, np.where(real, member, -1).astype(np.int8)),
        "letters": (_AT, np.where(real, np.arange(1, real.shape[1] + 1), -1)),
    }  # fmt: skip


def _drawing(
    options: Options, language: Language, longest: int
) -> Callable[[str, tuple[int, int], int], list[list[int]]]:
    """What draws the strings of a split, of a window of lengths, so many, as letters by their number."""
    uniform = Uniform(language, longest) if options.strings == "uniform" else None

    def draw(split: str, window: tuple[int, int], size: int) -> list[list[int]]:
        if uniform is None:
            return _by_authors(str(options.language), options.seed, split, window, size)
        random = generator("automaton", options.seed, split)
        lengths = uniform.lengths(*window)
        if not lengths:
            raise InterpflowError(
                f"automaton: {split}: no member has {window[0]} to {window[1]} letters"
            )
        return uniform.draw(random, lengths, size)

    return draw


@functools.lru_cache(
    maxsize=256
)  # scales of a study that differ in the model alone ask for the same
def _by_authors(
    name: str, seed: int, split: str, window: tuple[int, int], size: int
) -> list[list[int]]:
    """Members that the sampler of the language gives, all different while it gives new ones.

    Where it has given no new one for long, those that were found come again, in their order.
    """
    draw, language, random = sampler(name), named(name), generator("automaton", seed, split)
    number: Mapping[str, int] = {letter: at for at, letter in enumerate(language.letters)}
    found: dict[str, list[int]] = {}
    low, high = window
    in_vain = 0
    while len(found) < size and in_vain < _IN_VAIN:
        string = draw(random, low, high)
        in_vain += 1
        if (
            string
            and low <= len(string) <= high
            and string not in found
            and _is_member(language, string)
        ):
            found[string] = [number[letter] for letter in string]
            in_vain = 0
    if not found:
        raise InterpflowError(
            f"automaton: {split}: of {_IN_VAIN} strings of {name} none has {low} to {high} letters"
        )
    return list(itertools.islice(itertools.cycle(found.values()), size))


def _is_member(language: Language, string: str) -> bool:
    state = language.start
    for letter in string:
        following = language.step(state, letter)
        if following is None:
            return False
        state = following
    return language.accepts(state)
