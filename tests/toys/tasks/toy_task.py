"""The smallest task a spec can name; it is never generated."""

from __future__ import annotations

from typing import Self

from pydantic import PositiveInt, model_validator

from interpflow.section import Section

VARIABLES: dict[str, object] = {}


class Options(Section):
    """Nothing in particular."""

    length: PositiveInt = 10
    alphabet: str = "ab"
    ratio: float = 0.5

    @model_validator(mode="after")
    def _letters_suffice(self) -> Self:
        if len(self.alphabet) > self.length:
            raise ValueError(f"alphabet {self.alphabet} has more letters than length {self.length}")
        return self


def generate(options: Options) -> None:
    raise NotImplementedError
