"""Numbers of a page of docs/, taken from the reference scorecard of its study.

A number names its row in a comment behind it, which readers do not see:

    All heads split in 0.60<!--modes.splitting--> of seeds (sd 0.55<!--modes.splitting sd-->).

It is the row's `ours`, or another of its columns, with as many decimals as are written, or in percent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from interpflow.errors import InterpflowError
from interpflow.files import replacing
from interpflow.nearest import way_out

SCORECARD = "reference/{study}.csv"
PAGE = "docs/{study}.md"

_UNKNOWN = "not measured"
_NUMBER = re.compile(
    rf"(?P<number>{_UNKNOWN}|-?\d[\d,]*(?:\.\d+)?%?)"
    r"<!--(?P<claim>[^\s\[]+(?:\[[^\]]*\])?)(?: (?P<column>\w+))?-->"  # in [ ] a label, which may have spaces
)
_COLUMNS = ("ours", "sd", "seeds", "missing", "holding")


def keep(study: str, scorecard: Path) -> list[Path]:
    """Make `scorecard` the reference of `study`, and its numbers those of the page; the files written."""
    reference = Path(SCORECARD.format(study=study))
    _write(reference, scorecard.read_text(encoding="utf-8"))
    page = Path(PAGE.format(study=study))
    if not page.is_file():
        return [reference]
    _write(page, refreshed(page.read_text(encoding="utf-8"), _read(reference)))
    return [reference, page]


def pages() -> Iterator[tuple[Path, pd.DataFrame]]:
    """Each page with the reference scorecard of its study, where both are there."""
    for path in sorted(Path().glob(SCORECARD.format(study="*"))):
        page = Path(PAGE.format(study=path.stem))
        if page.is_file():
            yield page, _read(path)


def refreshed(text: str, scorecard: pd.DataFrame) -> str:
    """`text` with every named number as `scorecard` has it.

    Raises InterpflowError for a row or a column that there is not.
    """
    rows = scorecard.set_index("claim")

    def number(match: re.Match[str]) -> str:
        claim, column = match["claim"], match["column"] or "ours"
        if claim not in rows.index:
            raise InterpflowError(f"no claim '{claim}'; there are: {way_out(claim, rows.index)}")
        if column not in _COLUMNS:
            raise InterpflowError(
                f"{claim}: no column '{column}'; there are: {way_out(column, _COLUMNS)}"
            )
        shown = _like(match["number"], float(rows[column].loc[claim]))
        return match[0].replace(match["number"], shown, 1)

    return _NUMBER.sub(number, text)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _like(written: str, value: float) -> str:
    """`value` in the form in which a number is `written`."""
    if math.isnan(value):
        return _UNKNOWN
    if written.endswith("%"):
        return f"{_like(written[:-1], 100 * value)}%"
    decimals = 2 if written == _UNKNOWN else len(written.partition(".")[2])
    shown = f"{value:,.{decimals}f}"
    return shown.removeprefix("-") if not float(shown.replace(",", "")) else shown
