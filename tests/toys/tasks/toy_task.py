"""The smallest task a spec can name: one string in each split."""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from pydantic import PositiveInt, model_validator

from interpflow.section import Section
from interpflow.variables import Variable

VARIABLES = {"targets": Variable(("example", "position"), "1", "the token itself")}


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


def generate(options: Options) -> xr.Dataset:
    """The first letter, so many times."""
    at, letters = ("example", "position"), np.zeros((2, options.length), dtype=np.uint8)
    return xr.Dataset(
        {
            "tokens": (at, letters),
            "targets": (at, letters),
            "scored": (at, letters == 0),
            "length": ("example", [options.length] * 2),
            "split": ("example", ["train", "validation"]),
        },
        {"token": [*options.alphabet], "output": [*options.alphabet]},
    )
