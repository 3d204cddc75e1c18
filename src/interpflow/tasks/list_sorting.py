"""List sorting: distinct numbers, a separator, and the same numbers ascending.  5 1 3 | 1 3 5

The model is asked at the separator and at every sorted number but the last: the next sorted number.

Numbers are uniform subsets of the vocabulary, unless a mean gap is wanted.  A gap is the distance of two
neighbours in the sorted list, so a list's mean gap is its span / (length - 1).  Lists are then drawn with
weights exp(tilt * span): of all distributions with that mean gap, the one nearest to uniform.
"""

from __future__ import annotations

from functools import cache
from typing import Self

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from interpflow.rng import generator
from interpflow.section import Section, Size
from interpflow.variables import Variable


class Options(Section):
    """Lists of `length` different numbers below `vocabulary`."""

    length: int = Field(10, ge=2)  # chosen: the paper's baseline is not known here
    vocabulary: PositiveInt = 64  # chosen
    mean_gap: PositiveFloat | None = None  # wanted mean gap; that of uniform subsets if not given
    train_size: Size = 4096  # lists for analyses, and for training unless that draws its own
    validation_size: Size = 1024

    @model_validator(mode="after")
    def _lists_exist(self) -> Self:
        if self.length > self.vocabulary:
            raise ValueError(
                f"length {self.length} is more than the vocabulary of {self.vocabulary} numbers"
            )
        widest = (self.vocabulary - 1) / (self.length - 1)
        if self.mean_gap is not None and not 1 < self.mean_gap < widest:
            raise ValueError(
                f"mean_gap {self.mean_gap} cannot be had; with length {self.length} and vocabulary "
                f"{self.vocabulary} it lies above 1 and below {widest:.3g}"
            )
        return self


VARIABLES = {
    "targets": Variable(("example", "position"), "1", "the next sorted number"),
    "gap": Variable(("example",), "1", "mean gap between neighbours in the sorted list"),
}


def generate(options: Options) -> xr.Dataset:
    """Two splits of lists, `train` and `validation`."""
    sizes = {"train": options.train_size, "validation": options.validation_size}
    drawn = [_lists(options, generator("list_sorting", split), n) for split, n in sizes.items()]
    joined = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    at = ("example", "position")
    numbers = joined["targets"][:, options.length :]
    return xr.Dataset(
        {
            **{name: (at, values) for name, values in joined.items()},
            "length": ("example", np.full(len(numbers), 2 * options.length)),
            "gap": ("example", np.diff(numbers).mean(axis=1)),
            "split": ("example", np.repeat(list(sizes), list(sizes.values()))),
        },
        {
            "token": [*map(str, range(options.vocabulary)), "|"],
            "output": [*map(str, range(options.vocabulary))],
        },
    )


def validation(options: Options) -> xr.Dataset:
    """The split `validation`, without what it is beside the lists."""
    drawn = _lists(options, generator("list_sorting", "validation"), options.validation_size)
    words = [*map(str, range(options.vocabulary))]
    return xr.Dataset(
        {
            **{name: (("example", "position"), values) for name, values in drawn.items()},
            "length": ("example", np.full(options.validation_size, 2 * options.length)),
        },
        {"token": [*words, "|"], "output": words},
    )


def sample(
    options: Options, random: np.random.Generator, size: int, step: int
) -> dict[str, np.ndarray]:
    """`size` lists as tokens, targets and scored, each (example, position); the same kind at every step."""
    return _lists(options, random, size)


def _lists(options: Options, random: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    numbers = _draw_sorted(options, random, size)
    shuffled = random.permuted(numbers, axis=1)
    separator = np.full((size, 1), options.vocabulary)
    tokens = np.concatenate([shuffled, separator, numbers[:, :-1]], axis=1)
    asked = np.arange(tokens.shape[1]) >= options.length
    targets = np.concatenate([np.zeros_like(numbers), numbers], axis=1)
    return {
        "tokens": tokens.astype(np.int16),
        "targets": targets.astype(np.int16),
        "scored": np.broadcast_to(asked, tokens.shape),
    }


def _draw_sorted(options: Options, random: np.random.Generator, size: int) -> np.ndarray:
    """Ascending lists (example, length): first the span, then where it lies, then what lies inside."""
    n, vocabulary = options.length, options.vocabulary
    spans, share = _spans(n, vocabulary, options.mean_gap)
    span = random.choice(spans, size, p=share)
    lowest = random.integers(0, vocabulary - span)
    # The n - 2 smallest of random keys are a uniform subset of the numbers inside the span.
    keys = random.random((size, vocabulary), dtype=np.float32)
    keys[np.arange(1, vocabulary + 1) >= span[:, None]] = 2.0
    inside = np.argpartition(keys, n - 2, axis=1)[:, : n - 2] + 1 if n > 2 else np.empty((size, 0))
    numbers = np.concatenate([np.zeros((size, 1)), inside, span[:, None]], axis=1).astype(np.int64)
    return lowest[:, None] + np.sort(numbers, axis=1)


@cache
def _spans(n: int, vocabulary: int, mean_gap: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The spans that lists of length `n` can have, and the share of lists that has each."""
    spans = np.arange(n - 1, vocabulary)
    # Lists of one span: where they begin, times what can lie inside, (vocabulary - s) C(s - 1, n - 2).
    log_factorial = np.concatenate([[0.0], np.log(np.arange(1, vocabulary + 1)).cumsum()])
    inside = log_factorial[spans - 1] - log_factorial[n - 2] - log_factorial[spans + 1 - n]
    log_count = np.log(vocabulary - spans) + inside

    def tilted(tilt: float) -> np.ndarray:
        weight = log_count + tilt * spans
        weight = np.exp(weight - weight.max())
        return weight / weight.sum()

    if mean_gap is None:
        return spans, tilted(0.0)
    low, high = -50.0, 50.0
    for _ in range(100):  # the mean span grows with the tilt, so halving finds it
        middle = (low + high) / 2
        if tilted(middle) @ spans < mean_gap * (n - 1):
            low = middle
        else:
            high = middle
    return spans, tilted((low + high) / 2)
