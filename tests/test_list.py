"""`list` says what there is, one line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from built_study import SPEC

from interpflow.__main__ import main
from interpflow.spec.plugins import ANALYSIS, PLOT, TASK, available


def lines(capsys: pytest.CaptureFixture[str], what: str) -> list[tuple[str, str, str]]:
    """The mark, the name and the text of each line."""
    assert main(["list", what]) == 0
    printed = capsys.readouterr().out.splitlines()
    return [(line[0], *line[2:].split(maxsplit=1)) for line in printed if line[1:2] == " "]


@pytest.mark.parametrize("kind", [TASK, ANALYSIS, PLOT], ids=lambda kind: kind.folder)
def test_every_plugin_has_a_line_that_says_what_it_is(capsys, kind):
    found = lines(capsys, kind.folder)
    assert [name for _, name, _ in found] == [*available(kind)]
    assert {mark for mark, _, _ in found} == {" "}
    assert all(len(text) > 20 for *_, text in found)


def test_methods_are_what_analyses_import(capsys):
    assert {"probing", "erasure"} <= {name for _, name, _ in lines(capsys, "methods")}


def test_plugins_of_the_project_are_marked_and_those_that_are_no_python_too(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("tasks").mkdir()
    Path("tasks/mine.py").write_text('"""Mine:\nof two lines."""\n')
    Path("tasks/wrong.py").write_text("def\n")
    Path("tasks/_helper.py").write_text("")
    found = {name: (mark, text) for mark, name, text in lines(capsys, "tasks")}
    assert found["mine"] == ("*", "Mine: of two lines.")
    assert found["wrong"][1].startswith("(not Python: line 1")
    assert found["list_sorting"][0] == " "
    assert "_helper" not in found


def test_studies_are_listed_by_their_titles_and_broken_ones_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/small.yaml").write_text(SPEC)
    Path("specs/draft.yaml").write_text("title: [\n")
    (_, draft, said), (_, small, title) = lines(capsys, "studies")
    assert (draft, small, title) == ("draft", "small", 'A <small> study & its "report"')
    assert said == "(not in order: interpflow check specs/draft.yaml)"
