"""Even pairs and parity: all strings of the letters a and b, each letter a token with its position.  a1 b2 b3

A string has *even pairs* if `ab` and `ba` together come an even number of times, that is, if its first letter
is its last.  Its *parity* is even if b comes an even number of times.  The model says at a letter whether the
string up to there is even (arXiv:2505.00926).

Parity can be told by a chain of even pairs.  From a string of n letters, "is letter i the letter n + i - 1?"
gives letter n + i, a if so and b if not, for i from 1 on.  Letter n + i is then the parity of the letters 1 to
i and n together, so letter 2 n - 1 is that of the string.

The examples of `train` are as long as can be and are scored at each letter: of the strings up to a letter each
comes as often as any other of its length, so every length counts alike in the loss.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from interpflow.section import Section
from interpflow.variables import Variable


class Options(Section):
    """All strings of `shortest` to `longest` letters, and what is asked of them."""

    # parity_cot: from `first` letters on, whether the next letter of the chain is a.
    mode: Literal["even_pairs", "parity", "parity_cot"] = "even_pairs"
    shortest: int = Field(1, ge=1)  # letters of the shortest string that is asked about
    longest: int = Field(6, ge=2, le=12)
    first: int = Field(4, ge=2)  # letters that a chain starts from; parity_cot alone

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} is more than longest {self.longest}")
        asked = 2 * self.first - 2
        if self.mode == "parity_cot" and self.longest != asked:
            raise ValueError(
                f"longest {self.longest}: a chain from first {self.first} letters is asked about up to "
                f"2 first - 2 = {asked}"
            )
        return self


_AT = ("example", "position")
VARIABLES = {
    "targets": Variable((*_AT, "output"), "1", "whether the string up to here is even"),
    "letter": Variable(_AT, "1", "the letter: 0 for a, 1 for b, -1 after the end"),
    "place": Variable(_AT, "1", "the letter's place, counted from 0, and -1 after the end"),
    "compared": Variable(_AT, "1", "place of the letter that even pairs compare this one with"),
    "behind": Variable(_AT, "1", "place behind the compared letter, -1 where none is up to here"),
    "even": Variable(
        _AT, "1", "1 where the answer at this letter is even, 0 where odd, -1 after the end"
    ),
    "parity": Variable(("example",), "1", "1 where the given string has even parity, else 0"),
    "given": Variable(
        ("example",), "token", "letters that the task gave, without those of a chain"
    ),
    "rounds": Variable(
        ("example",), "1", "steps of a chain from the given letters to their parity"
    ),
}


def generate(options: Options) -> xr.Dataset:
    """`train`, the longest strings scored at each letter, and `validation`, every string at its last letter.

    With `parity_cot` both hold every chain, and `validation` is scored from the last given letter on.
    """
    parts = _parts(options)
    sizes = [len(letters) for _, letters, _ in parts]
    letters = np.concatenate([_padded(part, options.longest) for _, part, _ in parts])
    length = np.repeat([part.shape[1] for _, part, _ in parts], sizes)
    given = np.full_like(length, options.first) if options.mode == "parity_cot" else length
    at = np.arange(options.longest)
    there = at < length[:, None]
    compared = _compared(options)
    equal = letters == letters[:, compared]
    even = (letters.cumsum(1) % 2 == 0 if options.mode == "parity" else equal) & there
    return xr.Dataset(
        {
            "tokens": (_AT, np.where(there, 2 * at + letters, 0).astype(np.int16)),
            "length": ("example", length),
            "split": ("example", np.repeat([name for name, _, _ in parts], sizes)),
            "scored": (_AT, np.repeat([scored for _, _, scored in parts], sizes, axis=0)),
            "targets": ((*_AT, "output"), even[..., None].astype(np.int8)),
            "letter": (_AT, letters),
            "place": (_AT, np.where(there, at, -1)),
            "compared": (_AT, np.where(there, compared, -1)),
            "behind": (_AT, np.where(there & (compared < at), compared + 1, -1)),
            "even": (_AT, np.where(there, even, -1)),
            "parity": ("example", ((letters * (at < given[:, None])).sum(1) + 1) % 2),
            "given": ("example", given),
            "rounds": ("example", given - 1),
        },
        {
            "token": [f"{letter}{place + 1}" for place in at for letter in "ab"],
            "output": ["even"],
        },
    )


def _parts(options: Options) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Split, letters (example, length) and scored positions (position,) of strings that are alike in length."""
    longest, at = options.longest, np.arange(options.longest)
    asked = at >= options.shortest - 1
    if options.mode == "parity_cot":
        whole = chains(strings(options.first), longest)
        return [("train", whole, asked), ("validation", whole, at >= options.first - 1)]
    return [("train", strings(longest), asked)] + [
        ("validation", strings(length), at == length - 1)
        for length in range(options.shortest, longest + 1)
    ]


def _compared(options: Options) -> np.ndarray:
    """The place (position,) of the letter that each is compared with: the first; of a chain, the next one."""
    at = np.arange(options.longest)
    return np.maximum(at - options.first + 1, 0) if options.mode == "parity_cot" else 0 * at


def strings(length: int) -> np.ndarray:
    """All strings of `length` letters (2 ** length, length), 0 for a and 1 for b."""
    return (np.arange(2**length)[:, None] >> np.arange(length)[::-1]) & 1


def chains(given: np.ndarray, length: int) -> np.ndarray:
    """The strings `given` (string, n) followed by their chains, (string, length); n of 2 or more."""
    n, letters = given.shape[1], given
    for place in range(length - n):
        following = letters[:, place] ^ letters[:, -1]
        letters = np.concatenate([letters, following[:, None]], axis=1)
    return letters


def _padded(letters: np.ndarray, longest: int) -> np.ndarray:
    return np.pad(letters, ((0, 0), (0, longest - letters.shape[1])), constant_values=-1)
