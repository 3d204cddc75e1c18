"""How Bhattamishra et al. 2020 (arXiv:2009.11264) draw the members of each language.

The rules are those of the authors' code; a string is drawn again where its length lies outside the window.  Of
brackets, `bracket_language` has the authors' own rule for parts that grow too long.  {a,b}*d{b,c}* and
{0,1,2}*02*, which the code lacks, follow arXiv:2410.02140.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from interpflow.tasks._languages import OPERATORS, PAIRS, family_of

# A string for a window of lengths [low, high]; None where it came out too long.
Sampler = Callable[[np.random.Generator, int, int], str | None]

_OPEN, _JOIN = 0.5, 0.25  # S -> open S close; S -> S S; else empty


def sampler(name: str) -> Sampler:
    """The sampler of a language with a name."""
    family, number = family_of(name)
    if family == "d":
        return lambda random, low, high: _d(random, number, _share(random, high), high)
    if family == "shuffle":
        return lambda random, low, high: _brackets(random, number, high)
    if family == "boolean":
        return lambda random, low, high: _boolean(random, number, high)
    return _BY_NAME[name]


def _length(random: np.random.Generator, low: int, high: int) -> int:
    return int(random.integers(low, high + 1))


def _upto(random: np.random.Generator, most: int) -> int:
    """0 to `most`."""
    return int(random.integers(most + 1))


def _share(random: np.random.Generator, length: int) -> int:
    """About three quarters of `length`."""
    return int(0.75 * length * (1 + 0.1 * random.standard_normal()))


def _d(random: np.random.Generator, n: int, length: int, room: int) -> str | None:
    """Blocks `a … b` until there are `length` letters, each filled to about three quarters of that.

    None where there would be more letters than there is `room` for.
    """
    if n == 0 or length <= 0:
        return ""
    found = ""
    while len(found) < length <= room:
        inner = _d(random, n - 1, _share(random, length), room - len(found) - 2)
        if inner is None:
            return None
        found += f"a{inner}b"
    return found if max(len(found), length) <= room else None


def _brackets(random: np.random.Generator, pairs: int, most: int) -> str | None:
    """A derivation; the pairs of Shuffle-k nest in each other, as the authors' do."""
    found, letters, todo = [], 0, [""]
    while todo:
        item = todo.pop()
        if item:
            found.append(item)
            continue
        draw = random.random()
        if draw < _OPEN:
            pair = PAIRS[int(random.integers(pairs)) if pairs > 1 else 0]
            found.append(pair[0])
            todo += [pair[1], ""]
            letters += 2
        elif draw < _OPEN + _JOIN:
            todo += ["", ""]
        if letters > most or len(todo) > 4 * most:
            return None
    return "".join(found)


def _reset_dyck(random: np.random.Generator, low: int, high: int) -> str | None:
    first, second = (_brackets(random, 1, high) for _ in range(2))
    if first is None or second is None:
        return None
    return f"{first[: _upto(random, len(first))]}1{second}"


def _boolean(random: np.random.Generator, arity: int, most: int) -> str | None:
    found, places = "", 1
    while places:
        if random.random() < 0.5:
            takes = 1 + int(random.integers(arity))
            found, places = found + OPERATORS[takes - 1], places - 1 + takes
        else:
            found, places = found + "01"[int(random.integers(2))], places - 1
        if len(found) + places > most:
            return None
    return found


def _equal_runs(letters: str) -> Sampler:
    def draw(random: np.random.Generator, low: int, high: int) -> str:
        width = len(letters)
        run = _length(random, max(1, -(-low // width)), max(1, high // width))
        return "".join(letter * run for letter in letters)

    return draw


def _periodic(period: str) -> Sampler:
    def draw(random: np.random.Generator, low: int, high: int) -> str:
        return period * (_length(random, low, high) // len(period))

    return draw


def _tomita_2(random: np.random.Generator, low: int, high: int) -> str:
    return "10" * -(-_length(random, low, high) // 2)


def _tomita_3(random: np.random.Generator, low: int, high: int) -> str:
    left, letter, odd, found = _length(random, low, high), "01"[int(random.integers(2))], False, ""
    while left:
        run = 1 + _upto(random, left - 1)
        if letter == "0" and odd:
            if left == 1:
                break
            run = 2 * (1 + _upto(random, left // 2 - 1))
        found, left, odd = found + letter * run, left - run, letter == "1" and run % 2 == 1
        letter = "10"[int(letter)]
    return found


def _tomita_4(random: np.random.Generator, low: int, high: int) -> str:
    found = ""
    for bit in random.integers(2, size=_length(random, low, high)).tolist():
        found += "1" if found.endswith("00") else "01"[bit]
    return found


def _tomita_7(random: np.random.Generator, low: int, high: int) -> str:
    found = ""
    for letter in "0101":
        found += letter * _upto(random, high - len(found))
    return found


def _geometric(random: np.random.Generator, low: int, high: int) -> str:
    """Letters 0 and 1 with equal chance and a stop; as long in the mean as the middle of the window."""
    mean = (low + high) / 2
    length = min(high, int(random.geometric(1 / (1 + mean))) - 1)
    return "".join("01"[bit] for bit in random.integers(2, size=length).tolist())


def _parity(random: np.random.Generator, low: int, high: int) -> str:
    found = _geometric(random, low, high)
    return found + "1" if found.count("1") % 2 and len(found) < high else found


def _five_letters(random: np.random.Generator, low: int, high: int) -> str | None:
    found, left = "", high
    for letter in "abcde":
        if left < 1:
            return None
        run = 1 + _upto(random, left - 1)
        found, left = found + letter * run, left - run
    return found


def _around(before: str, middle: str, after: str) -> Sampler:
    """Letters of `before`, one `middle`, letters of `after`."""

    def draw(random: np.random.Generator, low: int, high: int) -> str:
        first = _upto(random, high - 2)
        second = _upto(random, high - first - 1)
        return (
            "".join(before[at] for at in random.integers(len(before), size=first).tolist())
            + middle
            + "".join(after[at] for at in random.integers(len(after), size=second).tolist())
        )

    return draw


_BY_NAME: dict[str, Sampler] = {
    "dyck_1": lambda random, low, high: _brackets(random, 1, high),
    "reset_dyck_1": _reset_dyck,
    "anbn": _equal_runs("ab"),
    "anbncn": _equal_runs("abc"),
    "tomita_1": _periodic("1"),
    "tomita_2": _tomita_2,
    "tomita_3": _tomita_3,
    "tomita_4": _tomita_4,
    "tomita_5": _geometric,
    "tomita_6": _geometric,
    "tomita_7": _tomita_7,
    "parity": _parity,
    "aa": _periodic("aa"),
    "aaaa": _periodic("aaaa"),
    "abab": _periodic("abab"),
    "five_letters": _five_letters,
    "ab_d_bc": _around("ab", "d", "bc"),
    "012_0_2": _around("012", "0", "2"),
}
