"""The smallest plot a spec can name; it is never drawn."""

from __future__ import annotations

from typing import Literal

from interpflow.section import Section


class Options(Section):
    """Nothing in particular."""

    marks: bool = True
    scale: Literal["linear", "logarithmic"] = "linear"


def plot(data: object, options: Options, claims: object) -> None:
    raise NotImplementedError
