"""Factual recall: a subject and a relation among noise words, and the answer to both.  n3 s5 n1 r2 n0 EOS

A table says for each subject and relation which of the relation's answers is right: at EOS, `a2.6` is number 6
of relation 2 (arXiv:2412.06538).  No other relation has it, so a model that knows the relation alone guesses
among the answers of this relation.  Subject and relation stand anywhere before EOS, in either order.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from interpflow.rng import generator
from interpflow.section import Section, Size
from interpflow.variables import Variable

Ints = NDArray[np.int64]
Table = Literal["random", "structured"]


class Options(Section):
    """A fact for each of `subjects` and each of `relations`."""

    subjects: PositiveInt = 32
    relations: PositiveInt = 32
    noise: PositiveInt = 64  # different noise words
    # In the place of these three: so many subjects, so many relations, and twice as many noise words.
    size: PositiveInt | None = None
    answers: Annotated[int, Field(ge=2)] = 8  # of each relation
    length: Annotated[int, Field(ge=3)] = 32  # tokens, EOS among them
    # random: each answer of a relation as likely; structured: subject j of S has answer floor(j answers / S).
    table: Table = "random"
    drawn: NonNegativeInt = 0  # which of the random tables
    zipf: NonNegativeFloat = 0.0  # subject j is asked for in proportion to 1 / (j + 1) ** zipf
    train_size: Size = 256  # sequences for analyses; training draws its own
    validation_size: Size = 1024

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        if self.drawn and self.table == "structured":
            raise ValueError(f"drawn {self.drawn}: there is one structured table")
        return self


_AT = ("example", "position")
VARIABLES = {
    "targets": Variable(_AT, "1", "the answer, at EOS"),
    "role": Variable(_AT, "1", "what stands at the position, see `role_name`"),
    "named_subject": Variable(_AT, "1", "the subject that stands here, -1 for none"),
    "named_relation": Variable(_AT, "1", "the relation that stands here, -1 for none"),
    "subject": Variable(("example",), "1", "the subject asked for"),
    "relation": Variable(("example",), "1", "the relation asked for"),
    "number": Variable(("example",), "1", "which of the relation's answers is right"),
    "answer_relation": Variable(("output",), "1", "the relation whose answer the output is"),
    "answer_number": Variable(("output",), "1", "which of the relation's answers the output is"),
}
ROLES = ("subject", "relation", "noise", "end")


def values(options: Options) -> dict[str, range]:
    """The values that states can have."""
    subjects, relations, _ = _words(options)
    return {
        "subject": range(subjects),
        "relation": range(relations),
        "number": range(options.answers),
        "named_subject": range(subjects),
        "named_relation": range(relations),
    }


def generate(options: Options) -> xr.Dataset:
    """`train` and `validation`, sequences as training draws them, and `facts`, with each fact once."""
    subjects, relations, _ = _words(options)
    every = np.stack(np.divmod(np.arange(subjects * relations), relations))
    parts = {
        name: (random := generator("fact_recall", name), _asked_for(options, random, size))
        for name, size in (
            ("train", options.train_size),
            ("validation", options.validation_size),
        )
    }
    parts["facts"] = generator("fact_recall", "facts"), every
    joined = np.concatenate([facts for _, facts in parts.values()], axis=1)
    drawn = [_sequences(options, random, facts) for random, facts in parts.values()]
    tokens = np.concatenate([each["tokens"] for each in drawn])
    role = _roles(options, tokens)
    answer = np.arange(relations * options.answers)
    return xr.Dataset(
        {
            **{name: (_AT, np.concatenate([each[name] for each in drawn])) for name in drawn[0]},
            "length": ("example", np.full(len(tokens), options.length)),
            "split": (
                "example",
                np.repeat([*parts], [each.shape[1] for _, each in parts.values()]),
            ),
            "role": (_AT, role.astype(np.int8)),
            "named_subject": (_AT, np.where(role == 0, tokens, -1)),
            "named_relation": (_AT, np.where(role == 1, tokens - subjects, -1)),
            "subject": ("example", joined[0]),
            "relation": ("example", joined[1]),
            "number": ("example", facts_of(options)[*joined]),
            "answer_relation": ("output", answer // options.answers),
            "answer_number": ("output", answer % options.answers),
        },
        {**_vocabulary(options), "role_name": [*ROLES]},
    )


def validation(options: Options) -> xr.Dataset:
    """The split `validation`, without states."""
    random = generator("fact_recall", "validation")
    drawn = _sequences(options, random, _asked_for(options, random, options.validation_size))
    return xr.Dataset(
        {
            **{name: (("example", "position"), given) for name, given in drawn.items()},
            "length": ("example", np.full(options.validation_size, options.length)),
        },
        _vocabulary(options),
    )


def sample(
    options: Options, random: np.random.Generator, size: int, step: int
) -> dict[str, NDArray[np.generic]]:
    """`size` sequences as tokens, targets and scored, each (example, position); the same kind at every step."""
    return _sequences(options, random, _asked_for(options, random, size))


def facts_of(options: Options) -> Ints:
    """The table (subject, relation): which of the relation's answers is that of the subject."""
    subjects, relations, _ = _words(options)
    return _table(options.table, subjects, relations, options.answers, options.drawn)


@cache
def _table(kind: Table, subjects: int, relations: int, answers: int, drawn: int) -> Ints:
    if kind == "structured":
        of_subject = np.arange(subjects)[:, None] * answers // subjects
        return np.repeat(of_subject, relations, axis=1)
    return generator("fact_recall", "table", drawn).integers(answers, size=(subjects, relations))


def _words(options: Options) -> tuple[int, int, int]:
    """The numbers of subjects, relations and noise words, whose tokens come in this order."""
    if options.size is not None:
        return options.size, options.size, 2 * options.size
    return options.subjects, options.relations, options.noise


def _vocabulary(options: Options) -> dict[str, list[str]]:
    """The words of tokens and of outputs."""
    counts = _words(options)
    named = [
        f"{kind}{at}" for kind, count in zip("srn", counts, strict=True) for at in range(count)
    ]
    return {
        "token": [*named, "EOS"],
        "output": [f"a{r}.{k}" for r in range(counts[1]) for k in range(options.answers)],
    }


def _asked_for(options: Options, random: np.random.Generator, size: int) -> Ints:
    """Random subjects and relations (2, example)."""
    subjects, relations, _ = _words(options)
    share = np.arange(1, subjects + 1) ** -options.zipf
    return np.stack(
        [
            random.choice(subjects, size, p=share / share.sum()),
            random.integers(relations, size=size),
        ]
    )


def _sequences(
    options: Options, random: np.random.Generator, asked: Ints
) -> dict[str, NDArray[np.generic]]:
    """Tokens, targets and scored, each (example, position), of subjects and relations `asked` (2, example)."""
    subjects, relations, noise = _words(options)
    size, end = asked.shape[1], options.length - 1
    tokens = np.empty((size, options.length), dtype=np.int64)
    tokens[:, :end] = subjects + relations + random.integers(noise, size=(size, end))
    tokens[:, end] = subjects + relations + noise
    one = random.integers(end, size=size)
    other = (one + random.integers(1, end, size=size)) % end  # anywhere else
    row = np.arange(size)
    tokens[row, one], tokens[row, other] = asked[0], subjects + asked[1]
    targets = np.zeros_like(tokens)
    targets[:, end] = asked[1] * options.answers + facts_of(options)[*asked]
    scored = np.zeros(tokens.shape, dtype=bool)
    scored[:, end] = True
    return {
        "tokens": tokens.astype(np.int16),
        "targets": targets.astype(np.int16),
        "scored": scored,
    }


def _roles(options: Options, tokens: NDArray[np.generic]) -> Ints:
    """Which of ROLES each token has."""
    return np.searchsorted(np.cumsum(_words(options)), tokens, side="right")
