"""Counter languages: strings of balanced brackets, and the letters that may come next.

    string          (     [     ]     (     )     )
    depth of ()     1     1     1     2     1     0
    depth of []     0     1     0     0     0     0
    may come next   ( [)  ( [)] ( [)  ( [)  ( [)  ( [

Strings come from the grammar  S -> open S close | S S | empty  of Bhattamishra et al. 2020
(arXiv:2009.11264), whose data arXiv:2502.01432 follows.  A part that grows longer than the maximum
becomes empty and the derivation around it goes on; to reject the whole string instead makes
Shuffle-4 strings four letters shorter on average.

The authors' code draws derivations and throws most of them away.  Here the length of a string is
drawn first and a derivation of that length second (the recursive method of Flajolet, Zimmermann and
Van Cutsem 1994), for all strings at once: the same strings with the same probabilities, no waste.
One rule of theirs is left out: a derivation also ends when nested deeper than half the maximum.  It
moves the distribution of lengths by 0.00004 (total variation) at a maximum of 50, less above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.section import Section, Size
from interpflow.tasks._windows import require_in_order
from interpflow.variables import Variable

PAIRS = ("()", "[]", "{}", "<>", "+-", "ab")  # in the paper's order: Shuffle-k has the first k
VARIABLES = {
    "targets": Variable(("example", "position", "output"), "1", "whether the letter may come next"),
    "stack_depth": Variable(("stack", "example", "position"), "1", "stack depth after the token"),
    "nested": Variable(("example",), "1", "whether the types of bracket nest properly"),
    "bin_low": Variable(("bin",), "token", "shortest length of the split"),
    "bin_high": Variable(("bin",), "token", "longest length of the split"),
}

# Token 2i opens pair i and 2i + 1 closes it; the last token is padding, after the end of a string.
Words = NDArray[np.uint8]  # (string, position)
Floats = NDArray[np.float64]

# A balanced string has an even length, and up to 510 letters its depth fits one byte.
Length = Annotated[int, Field(ge=2, le=510, multiple_of=2)]

_BATCH = 2048  # strings per random address; fixed, so that a smaller split begins a larger one


class Options(Section):
    """Balanced brackets.  ( [ ] ( ) )"""

    pairs: int = Field(default=1, ge=1, le=len(PAIRS))  # 1: Dyck-1, k: Shuffle-k
    # The paper's strings nest all types properly, even in Shuffle-k.  `shuffled` is Shuffle-k as it
    # is defined: the pairs of each such string interleaved anew, the same letters in another order.
    strings: Literal["nested", "shuffled"] = "nested"
    min_length: Length = 2
    max_length: Length = 50  # Dyck-1 and Shuffle-2; 100 for Shuffle-4 and Shuffle-6
    train_size: Size = 10_000
    validation_size: Size = 2_000  # of validation and of each bin
    bins: tuple[tuple[Length, Length], ...] = ()  # lengths of bin1, bin2, ...; above max_length
    overlap: bool = False  # whether validation may repeat training strings, as the paper's does
    # Of S -> open S close; below 0.1 the longest strings would be rarer than a float can say.
    open_probability: float = Field(default=0.5, ge=0.1, lt=1)
    concatenate_probability: float = Field(default=0.25, ge=0)  # of S -> S S
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _consistent(self) -> Options:
        require_in_order(self.min_length, self.max_length, self.bins)
        if self.open_probability + 2 * self.concatenate_probability > 1:
            raise ValueError(
                "open_probability + 2 * concatenate_probability is above 1: derivations do not end"
            )
        return self


def generate(options: Options) -> xr.Dataset:
    """All splits: train, validation (of the training lengths), then bin1, bin2, ... of longer ones.

    `stack_depth` has the stacks of all pairs and, where there are several, their sum `total`.
    Raises InterpflowError where a split asks for more different strings than its lengths allow.
    """
    lengths = dict.fromkeys(("train", "validation"), (options.min_length, options.max_length))
    lengths |= {f"bin{i}": bounds for i, bounds in enumerate(options.bins, start=1)}
    strings = _all_different(lengths, options)

    padding, longest = 2 * options.pairs, max(high for _, high in lengths.values())
    tokens = np.concatenate(
        [
            np.pad(words, ((0, 0), (0, longest - words.shape[1])), constant_values=padding)
            for words in strings.values()
        ]
    )
    scored = tokens != padding
    depth = _depth(tokens, options.pairs)
    total = depth.sum(axis=0, keepdims=True, dtype=np.uint8)
    targets = np.zeros((*tokens.shape, padding), np.int8)
    targets[..., 0::2] = scored[..., None]  # any bracket may open
    targets[..., 1::2] = np.moveaxis(depth > 0, 0, -1)  # one may close if one of its type is open

    names = PAIRS[: options.pairs]
    several = options.pairs > 1
    return xr.Dataset(
        {
            "tokens": (("example", "position"), tokens),
            "length": ("example", scored.sum(axis=1)),
            "split": ("example", np.repeat(list(strings), [*map(len, strings.values())])),
            "scored": (("example", "position"), scored),
            "targets": (("example", "position", "output"), targets),
            "stack_depth": (
                ("stack", "example", "position"),
                np.concatenate([depth, total]) if several else depth,
            ),
            "nested": ("example", _nested(tokens, total[0])),
            "bin_low": ("bin", [low for low, _ in lengths.values()]),
            "bin_high": ("bin", [high for _, high in lengths.values()]),
        },
        coords={
            "token": [*"".join(names), "<pad>"],
            "output": [*"".join(names)],
            "stack": [*names, "total"] if several else [*names],
            "bin": list(lengths),
        },
    )


def _all_different(lengths: Mapping[str, tuple[int, int]], options: Options) -> dict[str, Words]:
    """The strings of each split, different within it, and those of validation not in train."""
    nested: dict[str, Words] = {}
    shuffled: dict[str, Words] = {}
    for split, bounds in lengths.items():
        apart = ["train"] if split == "validation" and not options.overlap else []
        nested[split] = _draw(split, bounds, [nested[name] for name in apart], options)
        if options.strings == "shuffled":
            taken = [shuffled[name] for name in apart]
            shuffled[split] = _shuffle(split, nested[split], taken, options)
    return shuffled or nested


def _draw(split: str, lengths: tuple[int, int], taken: Sequence[Words], options: Options) -> Words:
    """The first strings of `split` that are neither repeated nor `taken`."""
    low, high = lengths
    size = options.train_size if split == "train" else options.validation_size
    seen = dict.fromkeys(key for words in taken for key in _keys(words))  # keeps the order
    before, drawn = len(seen), 0
    while (found := len(seen) - before) < size:
        rng = generator("bracket_language", options.seed, split, "derive", drawn)
        seen.update(dict.fromkeys(_keys(_derive(_BATCH, low // 2, high // 2, options, rng))))
        drawn += _BATCH
        if len(seen) - before == found:
            raise InterpflowError(
                f"bracket_language: {split} asks for {size} different strings of length {low} to "
                f"{high}, but {drawn} draws gave only {found}"
                f"{' that are not in train' if before else ''}; ask for fewer or for longer strings"
            )
    kept = list(seen)[before : before + size]
    return np.frombuffer(bytearray().join(kept), np.uint8).reshape(size, high)


def _shuffle(split: str, nested: Words, taken: Sequence[Words], options: Options) -> Words:
    """An interleaving of each string, drawn again while it repeats one before it or one `taken`.

    One is always free: the same words can be interleaved in at least as many ways as nested.
    """
    shuffled, repeated, attempt = nested.copy(), np.arange(len(nested)), 0
    while repeated.size:
        rng = generator("bracket_language", options.seed, split, "interleave", attempt)
        shuffled[repeated] = _interleave(nested[repeated], options.pairs, rng)
        keys = np.concatenate([_keys(words) for words in (*taken, shuffled)])
        first = np.unique(keys, return_index=True)[1] - (len(keys) - len(shuffled))
        repeated = np.setdiff1d(np.arange(len(shuffled)), first)
        attempt += 1
    return shuffled


def _keys(words: Words) -> list[bytes]:
    """Each string as bytes, to tell strings apart."""
    keys: list[bytes] = words.view(f"S{words.shape[1]}")[:, 0].tolist()
    return keys


def _derive(
    count: int, fewest: int, most: int, options: Options, rng: np.random.Generator
) -> Words:
    """`count` strings of the grammar with `fewest` to `most` pairs of brackets."""
    law, steps = _grammar(most, options.open_probability, options.concatenate_probability)
    words = np.full((count, 2 * most), 2 * options.pairs, np.uint8)
    # All parts not yet written: of which string, starting at which position, of how many pairs.
    string, start = np.arange(count), np.zeros(count, np.int64)
    size = rng.choice(np.arange(fewest, most + 1), count, p=law[fewest:] / law[fewest:].sum())
    while size.size:
        left = np.searchsorted(steps, size + rng.random(size.size), side="right") - size * most
        left = np.minimum(left, size - 1)  # where rounding passed the last choice
        opens, splits = left == 0, left > 0
        letter = 2 * rng.integers(options.pairs, size=opens.sum(), dtype=np.uint8)
        words[string[opens], start[opens]] = letter
        words[string[opens], (start + 2 * size - 1)[opens]] = letter + 1
        inner = opens & (size > 1)
        string = np.concatenate([string[inner], string[splits], string[splits]])
        start = np.concatenate([start[inner] + 1, start[splits], (start + 2 * left)[splits]])
        size = np.concatenate([size[inner] - 1, left[splits], (size - left)[splits]])
    return words


@cache
def _grammar(most: int, p: float, q: float) -> tuple[Floats, Floats]:
    """The law of lengths, and the steps that derive a string of given length.

    law[h] is the probability that S gives h pairs.  For h = 1, ..., `most` it obeys
        law[h] = p law[h - 1] + q (law[0] law[h] + law[1] law[h - 1] + ... + law[h] law[0]),
    and law[0] is the rest: all that became empty.
    `steps` says how h pairs come about: 0 is  open S close,  m = 1, ..., h - 1 is  S S  with m of
    the pairs on the left.  Row h has their cumulative probabilities, raised by h so that one sorted
    array serves all h.
    """

    def given(empty: float) -> Floats:
        law = np.zeros(most + 1)
        law[0] = empty
        for h in range(1, most + 1):
            both = law[1:h] @ law[h - 1 : 0 : -1]  # neither part empty
            law[h] = (p * law[h - 1] + q * both) / (1 - 2 * q * empty)
        return law

    low, high = 0.0, 1.0  # the sum grows with law[0]
    for _ in range(60):  # finer than a float can tell apart
        middle = (low + high) / 2
        low, high = (middle, high) if given(middle).sum() < 1 else (low, middle)
    law = given(low)

    steps = np.ones((most + 1, most))
    for h in range(1, most + 1):
        weights = np.append(p * law[h - 1], q * law[1:h] * law[h - 1 : 0 : -1])
        steps[h, :h] = weights.cumsum() / weights.sum()
    return law, (steps + np.arange(most + 1)[:, None]).ravel()


def _interleave(words: Words, pairs: int, rng: np.random.Generator) -> Words:
    """The same letters, each pair's in their order, the pairs interleaved uniformly at random."""
    types = words // 2  # padding is the last type
    order = np.where(types == pairs, 1.0, rng.random(words.shape)).argsort(axis=1)
    places = np.take_along_axis(types, order, axis=1).argsort(axis=1, kind="stable")
    letters = np.take_along_axis(words, types.argsort(axis=1, kind="stable"), axis=1)
    interleaved: Words = np.empty_like(words)
    np.put_along_axis(interleaved, places, letters, axis=1)
    return interleaved


def _depth(words: Words, pairs: int) -> NDArray[np.uint8]:
    """How many brackets of each pair are open after each token: (pair, string, position)."""
    opens = 2 * np.arange(pairs)[:, None, None]
    steps = (words == opens).astype(np.int16) - (words == opens + 1)
    depth: NDArray[np.uint8] = steps.cumsum(axis=-1, dtype=np.int16).astype(np.uint8)
    return depth


def _nested(words: Words, total: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each bracket closes on its own type, by string; `total` is the depth of all pairs."""
    # In order of the level they stand on, an opening bracket comes right before what closes it.
    level = total + words % 2
    types = np.take_along_axis(words, level.argsort(axis=1, kind="stable"), axis=1) // 2
    nested: NDArray[np.bool_] = (types[:, 0::2] == types[:, 1::2]).all(axis=1)
    return nested
