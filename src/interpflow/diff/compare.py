"""All that differs between two sides, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interpflow.diff import claims, distances, keys
from interpflow.diff.claims import Moved
from interpflow.diff.distances import Apart
from interpflow.diff.keys import Change, in_words
from interpflow.diff.side import Name, Side
from interpflow.errors import InterpflowError
from interpflow.nearest import listed


@dataclass(frozen=True)
class Pair:
    """A figure on both sides; `same` where their bytes are."""

    name: str
    before: Path | None
    after: Path | None

    @property
    def same(self) -> bool:
        if self.before is None or self.after is None:
            return False
        return self.before.read_bytes() == self.after.read_bytes()


@dataclass(frozen=True)
class Compared:
    """What differs between two sides; `notes` say what could not be compared."""

    before: Side
    after: Side
    keys: list[Change]
    code: list[Change]
    new: list[Name]
    gone: list[Name]
    claims: list[Moved]
    variables: list[Apart]
    figures: list[Pair]
    notes: list[str]

    @property
    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """What is not the same, by heading."""
        for heading, changes in (("keys", self.keys), ("code", self.code)):
            yield (
                heading,
                [
                    line
                    for each in changes
                    for line in (
                        f"{each.where}: " * bool(each.where) + each.what,
                        f"  {in_words(each.jobs)}",
                    )
                ],
            )
        yield "new jobs", [in_words(self.new)] * bool(self.new)
        yield "jobs that are gone", [in_words(self.gone)] * bool(self.gone)
        yield "claims that moved", [*map(str, self.claims)]
        yield (
            "variables, by the largest absolute and relative difference",
            [*map(str, self.variables)],
        )
        drawn = [pair.name for pair in self.figures if pair.before and pair.after and not pair.same]
        yield "figures that look different", [", ".join(drawn)] * bool(drawn)
        yield "not compared", self.notes


def compare(before: Side, after: Side) -> Compared:
    """What differs from `before` to `after`."""
    pairs = [
        Pair(name, before.figures.get(name), after.figures.get(name))
        for name in {**before.figures, **after.figures}
    ]
    return Compared(
        before,
        after,
        keys.keys(before, after),
        keys.code(before, after),
        keys.only(after, before),
        keys.only(before, after),
        claims.moved(before, after),
        distances.apart(before, after),
        pairs,
        [*_notes(before, "before"), *_notes(after, "after")],
    )


def _notes(side: Side, which: str) -> Iterator[str]:
    if not side.recipes:
        yield f"keys and code: {which} is a manifest, which has none"
    if side.scorecard is None:
        yield f"claims: there is no scorecard {which}"
    if side.lacking:
        command = f"interpflow run {side.study} --scale {side.scale}"
        yield f"{which}, {listed(side.lacking, 4)}; make all with: {command}"


def pairs(before: list[Side], after: list[Side]) -> list[tuple[Side, Side]]:
    """The sides that belong together: of one study, or the only ones there are."""
    if len(before) == len(after) == 1:
        return [(before[0], after[0])]
    named = {side.study: side for side in after}
    found = [(side, named[side.study]) for side in before if side.study in named]
    if not found:
        studies = [sorted({side.study for side in each}) for each in (before, after)]
        raise InterpflowError(
            f"no study is on both sides: {listed(studies[0])} before, {listed(studies[1])} after"
        )
    return found


def lines(compared: Compared) -> Iterator[str]:
    """What differs, for a terminal."""
    told = [(heading, each) for heading, each in compared.sections if each]
    if not any(heading != "not compared" for heading, _ in told):
        yield "nothing differs"
    for heading, each in told:
        yield f"{heading}:"
        yield from (f"  {line}" for line in each)
