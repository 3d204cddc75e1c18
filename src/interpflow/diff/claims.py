"""The claims whose value or verdict moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from interpflow.diff.side import Side

Outcome = tuple[float, str]  # ours, and the verdict


@dataclass(frozen=True)
class Moved:
    """A claim on both sides; None where a side does not make it."""

    claim: str
    before: Outcome | None
    after: Outcome | None

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            there = self.after or self.before
            assert there is not None
            return f"{self.claim}: is {'gone' if self.after is None else 'new'}: {_words(there)}"
        (old, was), (new, now) = self.before, self.after
        verdict = now if was == now else f"{was} → {now}"
        return f"{self.claim}: {_value(old)} → {_value(new)}, {verdict}"


def moved(before: Side, after: Side) -> list[Moved]:
    """The claims that have another value or verdict, or that one side alone makes, by two scorecards."""
    if before.scorecard is None or after.scorecard is None:
        return []
    old, new = _outcomes(before.scorecard), _outcomes(after.scorecard)
    return [
        Moved(claim, old.get(claim), new.get(claim))
        for claim in {**old, **new}
        if not _same(old.get(claim), new.get(claim))
    ]


def _outcomes(scorecard: pd.DataFrame) -> dict[str, Outcome]:
    rows = scorecard.to_dict("records")
    return {str(row["claim"]): (float(row["ours"]), str(row["verdict"])) for row in rows}


def _same(one: Outcome | None, other: Outcome | None) -> bool:
    if one is None or other is None:
        return one is other
    both_nan = math.isnan(one[0]) and math.isnan(other[0])
    return one[1] == other[1] and (both_nan or one[0] == other[0])


def _value(ours: float) -> str:
    return "no value" if math.isnan(ours) else f"{ours:.6g}"


def _words(outcome: Outcome) -> str:
    return f"{_value(outcome[0])}, {outcome[1]}"
