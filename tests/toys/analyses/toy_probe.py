"""The smallest analysis a spec can name; it is never run."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from interpflow.section import Section
from interpflow.variables import Variable

VARIABLES = {
    "accuracy": Variable(("seed", "depths"), "1", "share right"),
    "loss": Variable(("seed",), "1", "mean loss"),
}
NEEDS = "runs"


class Options(Section):
    """Nothing in particular."""

    depths: tuple[int, ...] = (0,)
    width: PositiveInt | Literal["auto"] = 8


def analyse(runs: object, options: Options) -> None:
    raise NotImplementedError
