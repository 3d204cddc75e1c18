"""Macros for what a paper quotes of a study: a number for each claim, a caption for each figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from interpflow.errors import InterpflowError
from interpflow.paper.latex import escaped, macro_name, number
from interpflow.spec.study import Study


@dataclass(frozen=True)
class Macro:
    """What a macro means in LaTeX, and in words what it is of."""

    name: str
    means: str
    of: str


def numbers(study: Study, scorecard: pd.DataFrame) -> Iterator[Macro]:
    """Of each claim ours, the paper's number, and where it has several seeds their standard deviation."""
    for row in scorecard.to_dict("records"):
        name, of = macro_name(study.name, row["claim"]), f"claim '{row['claim']}'"
        yield Macro(name, number(row["ours"]), of)
        if row["relation"] not in ("below", "above"):  # then it is about two places
            yield Macro(f"{name}Paper", number(row["paper"]), of)
        if not pd.isna(row["sd"]):
            yield Macro(f"{name}Sd", number(row["sd"], digits=2), of)


def captions(study: Study) -> Iterator[Macro]:
    """The caption of each figure."""
    for figure in study.figures.values():
        name = macro_name(study.name, figure.name, "caption")
        yield Macro(name, escaped(figure.caption), f"figure '{figure.name}'")


def by_name(*groups: Sequence[Macro]) -> list[Mapping[str, str]]:
    """What the macros of each group mean, by name.  Raises InterpflowError where two have one name."""
    taken: dict[str, Macro] = {}
    for macro in (macro for group in groups for macro in group):
        if other := taken.get(macro.name):
            raise InterpflowError(
                f"\\{macro.name} would be of {other.of} and of {macro.of}: macros of LaTeX have letters "
                "alone, so rename one of the two in the spec"
            )
        taken[macro.name] = macro
    return [{macro.name: macro.means for macro in group} for group in groups]
