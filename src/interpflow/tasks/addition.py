"""Addition: two numbers and their sum, the highest digit first.  3 3 3 5 7 + 8 2 2 4 3 = 1 1 5 6 0 0

The numbers have n digits and the sum has n + 1; the model is asked for it from `=` on, and its lowest digit A0
is never read.  Column k holds the digits of 10^k: their *base* is their sum modulo 10, and their *class* says
whether they make a carry (a sum of 10 or more), are a nine (a sum of 9, which passes a carry on), or neither.
At the answer digit A_k the column is one of three cases (arXiv:2310.13121):

    base add      no carry comes in
    use carry     a carry comes in, and the two digits are no nine
    use sum 9     a carry comes in, and the two digits are a nine: the carry goes on, in a cascade

Of the rules in `said`, `one_nine` is the algorithm that the paper describes: a carry from the column below, or
from two below through a nine, and from no further.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow.rng import generator
from interpflow.section import Section, Size
from interpflow.variables import Variable

Ints = NDArray[np.int64]

Share = Annotated[float, Field(ge=0, le=1)]

NEITHER, NINE, CARRY = range(3)  # the classes of a column
# The pairs of digits of each class, (pair, 2), and the share of random pairs that each class has.
_PAIRS = [
    np.argwhere(np.sign(np.add.outer(range(10), range(10)) - 9) == sign) for sign in (-1, 0, 1)
]
_SHARES = np.array([len(pairs) for pairs in _PAIRS]) / 100
LAGS = range(3)
RULES = ("base_add", "one_carry", "one_nine", "exact")


class Fresh(Section):
    """Training questions that have more nines than random ones."""

    batches: Share = 0.2  # the share of batches that have more nines
    columns: Share = 0.2  # of the columns of such a batch, those that are made nines


class Options(Section):
    """Questions of random digits."""

    digits: int = Field(5, ge=2, le=10)  # of each of the two numbers
    train_size: Size = 2000  # questions for analyses; training draws its own
    validation_size: Size = 1000
    test_size: Size = 10000
    graded_size: Size = 500  # of each value of `hardest`
    fresh: Fresh = Fresh()


_AT = ("example", "position")
_LAGGED = ("lag", *_AT)
VARIABLES = {
    "targets": Variable(_AT, "1", "the digit of the sum that is asked for"),
    "role": Variable(_AT, "1", "what stands at the position, see `role_name`"),
    "question": Variable(_AT, "1", "whether a digit of the two numbers stands here"),
    "column": Variable(_AT, "1", "column of a digit of the two numbers, -1 elsewhere"),
    "digit": Variable(_AT, "1", "k where the answer digit A_k is asked for, -1 elsewhere"),
    "asks": Variable(_LAGGED, "1", "column so many below that of the digit asked for, -1 for none"),
    "base": Variable(_LAGGED, "1", "sum modulo 10 of the digits of column `asks`, -1 for none"),
    "tri": Variable(
        _LAGGED,
        "1",
        "class of the column `asks`: 0 neither, 1 a nine, 2 makes a carry, -1 for none",
    ),
    "nine": Variable(_LAGGED, "1", "1 where the column `asks` is a nine, else 0, -1 for none"),
    "carry_in": Variable(_AT, "1", "carry into the column asked for, -1 elsewhere"),
    "case": Variable(
        _AT,
        "1",
        "0 base add, 1 use carry, 2 use sum 9; -1 at the highest digit and where none is asked",
    ),
    "said": Variable(("rule", *_AT), "1", "digit that a rule says, -1 where none is asked for"),
    "cascade": Variable(("example",), "column", "most columns in a row that are use sum 9"),
    "hardest": Variable(
        ("example",), "1", "0: no carry into any column of two digits; else 1 more than `cascade`"
    ),
}


def values(options: Options) -> dict[str, range]:
    """The values that states can have."""
    n = options.digits
    return {
        "digit": range(n + 1),
        "column": range(n),
        "asks": range(n + 1),
        "base": range(10),
        "tri": range(3),
        "nine": range(2),
        "carry_in": range(2),
        "case": range(3),
        "cascade": range(n),
        "hardest": range(n + 1),
    }


def generate(options: Options) -> xr.Dataset:
    """`train`, `validation` and `test` of random questions, and `graded`: as many of each `hardest`."""
    parts = {
        name: _uniform(options, generator("addition", name), size)
        for name, size in (
            ("train", options.train_size),
            ("validation", options.validation_size),
            ("test", options.test_size),
        )
    }
    parts["graded"] = _graded(options, generator("addition", "graded"))
    digits = np.concatenate([*parts.values()], axis=1)
    n, examples = options.digits, digits.shape[1]
    words = [*map(str, range(10)), "+", "="]
    role = np.arange(3 * n + 2)
    states = _states(digits)
    return xr.Dataset(
        {
            **{name: (_AT, given) for name, given in _asked(digits).items()},
            **{name: (VARIABLES[name].dims, given) for name, given in states.items()},
            "length": ("example", np.full(examples, 3 * n + 2)),
            "role": (_AT, np.broadcast_to(role, (examples, len(role))).astype(np.int8)),
            "split": ("example", np.repeat([*parts], [part.shape[1] for part in parts.values()])),
        },
        {
            "token": words,
            "output": words,
            "role_name": [
                *(f"D{k}" for k in reversed(range(n))),
                "+",
                *(f"D'{k}" for k in reversed(range(n))),
                *(f"asks A{k}" for k in reversed(range(n + 1))),
            ],
            "lag": [*LAGS],
            "rule": [*RULES],
        },
    )


def validation(options: Options) -> xr.Dataset:
    """The split `validation`, without states."""
    digits = _uniform(options, generator("addition", "validation"), options.validation_size)
    words = [*map(str, range(10)), "+", "="]
    return xr.Dataset(
        {
            **{name: (_AT, given) for name, given in _asked(digits).items()},
            "length": ("example", np.full(digits.shape[1], 3 * options.digits + 2)),
        },
        {"token": words, "output": words},
    )


def sample(
    options: Options, random: np.random.Generator, size: int, step: int
) -> dict[str, NDArray[np.generic]]:
    """`size` questions as tokens, targets and scored, each (example, position); the same kind at every step.

    In a batch with more nines, digits of one of the two numbers become 9 less the digit beside them.
    """
    digits, fresh = _uniform(options, random, size), options.fresh
    if random.random() < fresh.batches:
        number = random.integers(2)
        chosen = random.random(digits.shape[1:]) < fresh.columns
        digits[number] = np.where(chosen, 9 - digits[1 - number], digits[number])
    return _asked(digits)


def _uniform(options: Options, random: np.random.Generator, size: int) -> Ints:
    """Random digits (2, example, column), the lowest column first."""
    return random.integers(10, size=(2, size, options.digits))


def _graded(options: Options, random: np.random.Generator) -> Ints:
    """Random digits (2, example, column) given `hardest`, as many questions of each value."""
    n, size = options.digits, options.graded_size
    every = np.stack(np.meshgrid(*[range(3)] * n, indexing="ij"), -1).reshape(-1, n)
    share, hardest = _SHARES[every].prod(1), _hardest(every)
    rows = [
        random.choice(len(every), size, p=here / here.sum())
        for here in (np.where(hardest == value, share, 0) for value in range(n + 1))
    ]
    classes = every[np.concatenate(rows)]
    digits = np.empty((2, *classes.shape), dtype=np.int64)
    for kind, pairs in enumerate(_PAIRS):
        here = classes == kind
        digits[:, here] = pairs[random.integers(len(pairs), size=here.sum())].T
    return digits


def _asked(digits: Ints) -> dict[str, NDArray[np.generic]]:
    """Tokens, targets and scored positions, each (example, position), of `digits` (2, example, column)."""
    _, size, n = digits.shape
    answer = _answers(digits, carries(classes(digits)))
    signs = np.full((2, size, 1), 10) + np.arange(2)[:, None, None]  # + and =
    first, second = digits[..., ::-1]
    tokens = np.concatenate([first, signs[0], second, signs[1], answer[:, :0:-1]], axis=1)
    targets = _where_asked(answer, 0)
    scored = np.broadcast_to(np.arange(3 * n + 2) > 2 * n, targets.shape)
    return {
        "tokens": tokens.astype(np.int16),
        "targets": targets.astype(np.int16),
        "scored": scored,
    }


def _states(digits: Ints) -> dict[str, NDArray[np.generic]]:
    """The states behind `digits` (2, example, column), by the names of VARIABLES."""
    _, size, n = digits.shape
    kinds = classes(digits)
    carry = carries(kinds)
    places = np.broadcast_to(np.arange(n), (size, n))
    column = np.full((size, 3 * n + 2), -1)
    column[:, :n] = column[:, n + 1 : 2 * n + 1] = places[:, ::-1]
    case = np.where(carry[:, :n] == 0, 0, np.where(kinds == NINE, 2, 1))
    return {
        "question": column >= 0,
        "column": column.astype(np.int8),
        "digit": _where_asked(np.broadcast_to(np.arange(n + 1), (size, n + 1))).astype(np.int8),
        "asks": _lagged(places),
        "base": _lagged(digits.sum(0) % 10),
        "tri": _lagged(kinds),
        "nine": _lagged(kinds == NINE),
        "carry_in": _where_asked(carry).astype(np.int8),
        "case": _where_asked(np.pad(case, ((0, 0), (0, 1)), constant_values=-1)).astype(np.int8),
        "said": np.stack([_where_asked(_answers(digits, into)) for into in _by_rule(kinds)]).astype(
            np.int8
        ),
        "cascade": _longest_run(case == 2),
        "hardest": _hardest(kinds),
    }


def classes(digits: Ints) -> Ints:
    """The class of each column (example, column) of `digits` (2, example, column)."""
    return np.sign(digits.sum(0) - 9) + 1


def carries(kinds: Ints) -> Ints:
    """The carry into each column and into the highest digit (example, n + 1), of classes (example, n)."""
    into = np.zeros((len(kinds), kinds.shape[1] + 1), dtype=np.int64)
    for k in range(kinds.shape[1]):
        into[:, k + 1] = (kinds[:, k] == CARRY) | ((kinds[:, k] == NINE) & (into[:, k] == 1))
    return into


def _by_rule(kinds: Ints) -> list[Ints]:
    """The carry into each column (example, n + 1) as each of RULES has it."""
    below, two_below = (
        np.pad(kinds, ((0, 0), (lag, 0)))[:, : kinds.shape[1] + 1] for lag in (1, 2)
    )
    one = (below == CARRY).astype(np.int64)
    return [0 * one, one, one | ((below == NINE) & (two_below == CARRY)), carries(kinds)]


def _answers(digits: Ints, into: Ints) -> Ints:
    """The digits of the sum (example, n + 1), lowest first, with carries `into` columns (example, n + 1)."""
    return (np.pad(digits.sum(0), ((0, 0), (0, 1))) + into) % 10


def _longest_run(true: NDArray[np.bool_]) -> Ints:
    """The most true values in a row (example,) along the columns of `true` (example, column)."""
    run, longest = np.zeros((2, len(true)), dtype=np.int64)
    for here in true.T:
        run = np.where(here, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def _hardest(kinds: Ints) -> Ints:
    """`hardest` (example,) of classes (example, column)."""
    into = carries(kinds)[:, : kinds.shape[1]] == 1
    return np.where(into.any(1), 1 + _longest_run(into & (kinds == NINE)), 0)


def _where_asked(by_column: NDArray[np.generic], otherwise: int = -1) -> Ints:
    """Values of columns (example, n + 1) at the positions that ask for them (example, position)."""
    before = 2 * by_column.shape[1] - 1
    return np.pad(by_column[:, ::-1], ((0, 0), (before, 0)), constant_values=otherwise)


def _lagged(by_column: NDArray[np.generic]) -> NDArray[np.int8]:
    """Values of columns (example, n) at the positions that ask for them or for a digit above (lag, …)."""
    n, there = by_column.shape[1], by_column.astype(np.int8)
    moved = [np.pad(there, ((0, 0), (lag, 1)), constant_values=-1)[:, : n + 1] for lag in LAGS]
    return np.stack([_where_asked(each) for each in moved])
