"""`new` makes a folder for studies of one's own, whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import guide
import pytest

from interpflow.__main__ import main
from interpflow.spec import schema


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which projects are made, now the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_project_has_its_folders_and_says_what_comes_next(here, capsys, monkeypatch):
    assert main(["new", "mine"]) == 0
    assert "cd mine" in capsys.readouterr().out
    there = {str(path.relative_to("mine")) for path in Path("mine").rglob("*") if path.is_file()}
    assert there == {
        ".ci/run", ".gitignore", "README.md", "Snakefile", "analyses/README.md",
        "docs/at-the-python-prompt.md", "docs/cluster.md", "docs/write-your-own-study.md", "plots/README.md",
        "profiles/default/config.yaml", "profiles/gpu/config.yaml",
        "profiles/slurm/config.yaml", "specs/README.md", "specs/schema.json", "tasks/README.md",
    }  # fmt: skip
    assert os.access("mine/.ci/run", os.X_OK)
    assert Path("mine/README.md").read_text().startswith("# mine\n")
    monkeypatch.chdir("mine")
    for command in (["check"], ["run"], ["list", "studies"]):
        assert main(command) == 2
        assert "step by step in docs/write-your-own-study.md" in capsys.readouterr().err


def test_the_links_of_a_new_project_lead_to_its_files(here):
    assert main(["new", "mine"]) == 0
    pages = [*Path("mine").rglob("*.md")]
    links = [
        (page.parent / target).resolve()
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ]
    assert len(links) > 4
    assert [link for link in links if not link.is_file()] == []
    headings = re.findall("^#+ (.*)$", guide.GUIDE.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w ]", "", title).lower().replace(" ", "-") for title in headings}
    wanted = {
        name for page in pages for name in re.findall(r"study\.md#([^)]+)\)", page.read_text())
    }
    assert wanted <= anchors


def test_an_empty_folder_becomes_a_project_and_one_with_a_file_stays_as_it_is(here, capsys):
    Path("empty").mkdir()
    assert main(["new", "empty"]) == 0
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    for taken in ("full", "full/notes.txt", "empty"):
        before = sorted(here.rglob("*"))
        assert main(["new", taken]) == 2
        assert f"{taken}: is there already, and not empty" in capsys.readouterr().err
        assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my papers", "did you mean 'my-papers'?"),
        ("-x", "'-x' is no name"),
        (".", "'' is no name"),
        ("..", "'..' is no name"),
        ("nowhere/mine", "there is no folder nowhere"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(here, capsys, name: str, said: str):
    assert main(["new", "--", name]) == 2
    assert said in capsys.readouterr().err
    assert [*here.iterdir()] == []


def test_a_project_that_breaks_off_while_it_is_made_leaves_nothing(here, monkeypatch):
    def break_off() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "written", break_off)
    assert main(["new", "mine"]) == 130
    assert [*here.iterdir()] == []
