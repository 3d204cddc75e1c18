"""The keys of the spec, and the code, that differ between two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interpflow.diff.side import Name, Side
from interpflow.report.differences import Difference
from interpflow.spec.lines import line_of
from interpflow.workflow.changes import changed_code, changed_keys
from interpflow.workflow.layout import STAGES


@dataclass(frozen=True)
class Change:
    """What changed, where it stands (`specs/tiny.yaml:14`, "" for code), and the jobs that it is of."""

    what: str
    where: str
    jobs: tuple[Name, ...]


def keys(before: Side, after: Side) -> list[Change]:
    """The keys whose values differ, each once, where they stand in `after`'s spec or else in `before`'s."""
    about: dict[Difference, list[Name]] = {}
    for name in _in_both(before, after):
        for found in changed_keys(before.recipes[name], after.recipes[name]):
            about.setdefault(found, []).append(name)
    return [
        Change(str(found), _where(after, found, names) or _where(before, found, names), (*names,))
        for found, names in about.items()
    ]


def code(before: Side, after: Side) -> list[Change]:
    """The definitions that differ, each once."""
    about: dict[str, list[Name]] = {}
    for name in _in_both(before, after):
        old, new = before.recipes[name], after.recipes[name]
        if old["code"] != new["code"]:
            parts = before.parts(old["code"]), after.parts(new["code"])
            for what in changed_code(old, new, *parts):
                about.setdefault(what, []).append(name)
    return [Change(what, "", (*names,)) for what, names in about.items()]


def only(one: Side, other: Side) -> list[Name]:
    """The jobs that `one` has and `other` has not; nothing where either has no recipes."""
    return [name for name in one.recipes if name not in other.recipes] if other.recipes else []


def in_words(names: Sequence[Name], most: int = 4) -> str:
    """`train wide/0, wide/1; figure both`: the first few of each stage."""
    stages: dict[str, list[str]] = {}
    for stage, *rest in names:
        stages.setdefault(stage, []).append("/".join(rest))
    return "; ".join(
        f"{stage} {', '.join(labels[:most])}".strip()
        + (f" and {len(labels) - most} more" if len(labels) > most else "")
        for stage, labels in stages.items()
    )


def _in_both(before: Side, after: Side) -> list[Name]:
    return [name for name in after.recipes if name in before.recipes]


def _where(side: Side, found: Difference, names: list[Name]) -> str:
    """The place of a key in the spec of a side, "" where it does not stand there."""
    if side.spec is None:
        return ""
    for stage, *rest in names:
        of = dict(zip(STAGES[stage].names, rest, strict=True))
        if line := line_of(side.spec, side.scale, found.key, of.get("experiment", "")):
            return f"{side.called}:{line}"
    return ""
