"""The scorecard as a table of LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from interpflow.paper.latex import escaped, number

_RELATIONS = {"equals": "", "at least": r"\geq", "at most": r"\leq", "below": "<", "above": ">"}
_HEAD = ("Claim", "Source", "Paper", "Ours", "Seeds", "Verdict")
# Claims and their sources are sentences, and the table may run over several pages.
_COLUMNS = r">{\raggedright}p{0.24\linewidth}>{\raggedright}p{0.24\linewidth}llll"


def table(scorecard: pd.DataFrame) -> str:
    r"""A `longtable` with the rules of `booktabs`, a row a claim; it takes `array` too.

    Ours is the mean over seeds ± their standard deviation.  Seeds are those in which the claim holds, of all.
    """
    rows = [rf"{' & '.join(cells)} \\" for cells in map(_cells, scorecard.to_dict("records"))]
    lines = [
        rf"\begin{{longtable}}{{@{{}}{_COLUMNS}@{{}}}}",
        r"\toprule",
        rf"{' & '.join(_HEAD)} \\",
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *rows,
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"


def _cells(row: dict[Any, Any]) -> Iterator[str]:
    yield escaped(row["claim"]).replace(r"\_", r"\_\allowbreak{}").replace(".", r".\allowbreak{}")
    yield escaped(row["source"])
    relation = _RELATIONS[row["relation"]]
    paper = rf"\ensuremath{{{relation}}}~" * bool(relation) + number(row["paper"])
    yield paper + _spread(row["tolerance"])
    yield number(row["ours"]) + _spread(row["sd"])
    yield "" if pd.isna(row["seeds"]) else f"{row['holding']}/{row['seeds'] + row['missing']}"
    yield row["verdict"]


def _spread(value: float) -> str:
    return "" if pd.isna(value) else rf"~\ensuremath{{\pm}}~{number(value, digits=2)}"
