"""`diff` names the key that was edited, with its line, or the function, and nothing else: by two plans."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflow.planned import Planned
from workflow.test_reruns import CHANGES, SPEC, Change
from workflow.test_why import NAMED

from interpflow.diff import keys
from interpflow.diff.side import Side
from interpflow.diff.side import planned as side_of
from interpflow.workflow import code_parts


def side(planned: Planned) -> Side:
    found = side_of(planned.plan(), planned.folder / SPEC, SPEC)
    for name in found.recipes:
        found.parts(found.recipes[name]["code"])  # now: the code is edited between the sides
    return found


def line_of(path: Path, text: str) -> int:
    """The slow truth: the line of a text that stands once."""
    (at,) = [number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line]
    return at


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_the_edited_key_is_named_with_its_line_and_nothing_else(planned: Planned, change: Change):
    before = side(planned)
    planned.edit(change.path, change.old, change.new)
    after = side(planned)
    named = [NAMED[change.id]] * bool(NAMED[change.id])
    of_spec = change.path == SPEC
    changed, code = keys.keys(before, after), keys.code(before, after)
    assert [each.what for each in changed] == named * of_spec
    assert [each.what for each in code] == named * (not of_spec)
    at = f"{SPEC}:{line_of(planned.folder / SPEC, change.new)}" if of_spec else ""
    assert {each.where for each in changed} <= {at}
    assert keys.only(after, before) == keys.only(before, after) == []


def test_a_key_that_is_gone_has_the_line_where_it_stood(planned: Planned):
    before = side(planned)
    old = line_of(planned.folder / SPEC, "source: nowhere")
    planned.edit(SPEC, "claims:\n", "")
    planned.edit(SPEC, "  norm: {data: norms", "# norm: {data: norms")
    (changed,) = keys.keys(before, side(planned))
    assert changed.what == "claims.norm is gone"
    assert changed.where == f"{SPEC}:{old}"


def test_a_further_experiment_is_its_jobs(planned: Planned):
    before = side(planned)
    planned.edit(SPEC, "  narrow: {}", "  narrow: {}\n  third: {model: {d_mlp: 16}}")
    after = side(planned)
    assert keys.keys(before, after) == []
    assert keys.in_words(keys.only(after, before)) == "train third/0, third/1"


def test_code_that_was_not_kept_is_said_to_have_changed(planned: Planned, monkeypatch):
    monkeypatch.setattr(code_parts, "kept", lambda digest: None)
    before = side(planned)
    planned.edit("src/interpflow/plots/dots.py", "axes.legend()", "axes.legend(loc=1)")
    lost = Side("tiny", "laptop", before.recipes, parts=lambda digest: None)
    (changed,) = keys.code(lost, side(planned))
    assert changed.what == "its code; which part of it was not kept"
