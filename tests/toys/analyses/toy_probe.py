"""The smallest analysis a spec can name; it is never run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Literal

from pydantic import PositiveInt

from interpflow.section import Section

VARIABLES = {
    "accuracy": SimpleNamespace(dims=("seed", "depths")),
    "loss": SimpleNamespace(dims=("seed",)),
}
NEEDS = "runs"


class Options(Section):
    """Nothing in particular."""

    depths: tuple[int, ...] = (0,)
    width: PositiveInt | Literal["auto"] = 8


def analyse(runs: object, options: Options) -> None:
    raise NotImplementedError
