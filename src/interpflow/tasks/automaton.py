"""Formal languages: after each letter, which letters may come next, or whether the string so far is a member.

    D_2             a   b   a   a   b   b        parity       0   1   1   0
    may come next   ab  a   ab  b   ab  a        is a member  1   0   1   1
    state           1   0   1   2   1   0        state        0   1   0   0

A language has a name, or stands in the spec as states and transitions.  Strings are members.  They come
from the sampler of Bhattamishra et al. 2020 (arXiv:2009.11264), or uniformly: first a length, among those that
members have, then a member of that length, each with the same probability.

A near-member is a member with one letter changed, `abaabb` to `abbabb`.  It is asked about once: at the letter
before the first that cannot stand there, `a b>b<a b b`, or, where membership is asked, at the last letter.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.rng import generator
from interpflow.section import EachOnce, FewWillDo, Section, Size, Some
from interpflow.tasks._language_samplers import sampler
from interpflow.tasks._language_walk import DEAD, Uniform, walk
from interpflow.tasks._languages import Language, Target, by_table, named
from interpflow.tasks._windows import require_in_order
from interpflow.variables import Variable

# Draws without a new string, after which there are taken to be no more: for each string that is asked for, so
# that a few are drawn fast, and at most.
_IN_VAIN_EACH, _IN_VAIN = 10, 3000


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
    # Of near-members: split `near` holds members of the training lengths with one letter changed, and
    # near1, near2, ... those of each bin.
    near_size: Annotated[NonNegativeInt, FewWillDo()] = 0
    # A token before the first letter, about which nothing is asked.  Without it and without positions a model
    # cannot tell `a` from `aa`: attention to equal tokens is attention to one.
    begin: bool = False
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
    "state": Variable(_AT, "1", "control state after the letter, -1 after the end and where none is left"),
    "count": Variable(("counter", *_AT), "1", "a counter after the letter, -1 likewise"),
    "member": Variable(_AT, "1", "1 where the string so far is a member, 0 where not, -1 after the end"),
    "letters": Variable(_AT, "token", "letters so far, -1 after the end"),
    **{name: Variable(("example",), "1", says) for name, says in _OF_LANGUAGE.items()},
}  # fmt: skip


def generate(options: Options) -> xr.Dataset:
    """All splits: train, validation (of the training lengths), then bin1, bin2, ... of longer strings.

    Behind them, where they are asked for, near-members of the same lengths: near, then near1, near2, ...
    A string may stand in several splits, and in one several times where there are few.  Raises InterpflowError
    where no member has a length that is asked for, or where no change of a letter leads out of the language.
    """
    language = options.automaton.language() if options.automaton else named(str(options.language))
    target = options.target or language.asks
    windows = dict.fromkeys(("train", "validation"), (options.min_length, options.max_length))
    windows |= {f"bin{at}": window for at, window in enumerate(options.bins, start=1)}
    draw = _drawing(options, language, max(high for _, high in windows.values()))
    splits = {
        name: draw(name, window, options.train_size if name == "train" else options.validation_size)
        for name, window in windows.items()
    }
    nears = _nears(options, language, target, splits) if options.near_size else {}
    splits |= {name: [near.string for near in found] for name, found in nears.items()}
    strings = [string for found in splits.values() for string in found]
    length = np.array([len(string) for string in strings])
    real = np.arange(length.max()) < length[:, None]
    tokens = np.full(real.shape, len(language.letters))
    tokens[real] = np.concatenate(strings)
    states = _states(language, target, tokens, real, options.begin)
    asked = real.copy()
    if nears:
        at = np.array([near.asked for found in nears.values() for near in found])
        asked[-len(at) :] = np.arange(real.shape[1]) == at[:, None]
    words = [*language.letters]
    if options.begin:
        words.append("<begin>")
        tokens = np.where(real, tokens, len(language.letters) + 1)
        tokens = np.insert(tokens, 0, len(language.letters), axis=1)
        asked = np.insert(asked, 0, False, axis=1)
    return xr.Dataset(
        {
            "tokens": (_AT, tokens.astype(np.int16)),
            "length": ("example", length + options.begin),
            "split": ("example", [name for name, found in splits.items() for _ in found]),
            "scored": (_AT, asked),
            **states,
            **{
                name: (
                    "example",
                    np.full(len(length), getattr(language.attributes, name), dtype=np.int8),
                )
                for name in _OF_LANGUAGE
            },
        },
        {
            "token": [*words, "<pad>"],
            "output": _outputs(language, target),
            **({"counter": list(language.counters)} if language.counters else {}),
        },
    )


def _outputs(language: Language, target: Target) -> list[str]:
    return list(language.letters) if target == "next_letters" else ["member"]


def _states(
    language: Language, target: Target, tokens: np.ndarray, real: np.ndarray, begin: bool
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """What holds after each letter of `tokens` (example, position), by the names in `VARIABLES`.

    With `begin` also what holds before the first letter, as a first position.
    """
    states, after = walk(language, tokens, real)
    letters = np.where(real, np.arange(1, real.shape[1] + 1), -1)
    if begin:
        after, real, letters = (
            np.insert(values, 0, first, axis=1)
            for values, first in ((after, 0), (real, True), (letters, 0))
        )
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
        "letters": (_AT, letters),
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


@dataclass(frozen=True)
class _Near:
    """A near-member, as letters by their number, and the position about which is asked."""

    string: list[int]
    asked: int


def _nears(
    options: Options, language: Language, target: Target, splits: Mapping[str, list[list[int]]]
) -> dict[str, list[_Near]]:
    """Near-members of the strings of each split but train, by the name of their split."""
    found: dict[str, list[_Near]] = {}
    for name, members in splits.items():
        if name == "train":
            continue
        split = name.replace("validation", "near").replace("bin", "near")
        random = generator("automaton", options.seed, split)
        nears, in_vain = found.setdefault(split, []), 0
        for member in itertools.cycle(members):
            if len(nears) == options.near_size:
                break
            string = [*member]
            string[int(random.integers(len(string)))] = int(random.integers(len(language.letters)))
            asked = _asked(language, target, string)
            in_vain = 0 if asked is not None else in_vain + 1
            if asked is not None:
                nears.append(_Near(string, asked))
            elif in_vain == _IN_VAIN:
                raise InterpflowError(
                    f"automaton: near_size: of {_IN_VAIN} members with a letter changed none can be asked "
                    "about before a letter that leads out; set near_size: 0 for this language"
                )
    return found


def _asked(language: Language, target: Target, string: Sequence[int]) -> int | None:
    """The position at which a string is asked about as a near-member, None where it is none."""
    outside = _leaves(language, string)
    if target == "membership":
        return None if outside is None else len(string) - 1
    return outside - 1 if outside and outside < len(string) else None


def _leaves(language: Language, string: Sequence[int]) -> int | None:
    """The position of the first letter that no member has there, the length where a member lacks more letters.

    None of a member.
    """
    state = language.start
    for at, letter in enumerate(string):
        following = language.step(state, language.letters[letter])
        if following is None:
            return at
        state = following
    return None if language.accepts(state) else len(string)


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
    while len(found) < size and in_vain < (
        min(_IN_VAIN, _IN_VAIN_EACH * size) if found else _IN_VAIN
    ):
        string = draw(random, low, high)
        in_vain += 1
        if not string or not low <= len(string) <= high or string in found:
            continue
        letters = [number[letter] for letter in string]
        if _leaves(language, letters) is None:
            found[string] = letters
            in_vain = 0
    if not found:
        raise InterpflowError(
            f"automaton: {split}: of {_IN_VAIN} strings of {name} none has {low} to {high} letters"
        )
    return list(itertools.islice(itertools.cycle(found.values()), size))
