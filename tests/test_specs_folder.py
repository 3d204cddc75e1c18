"""What else lies in specs/ stops no study that does not need it, and is not passed over in silence."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from built_study import SPEC
from rights import nobody, without_rights

from interpflow.__main__ import main, start
from interpflow.errors import InterpflowError
from interpflow.workflow.cost import at_base
from interpflow.workflow.specs_folder import misnamed, plan_good, require_known

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def specs(tmp_path, monkeypatch) -> Path:
    """The folder specs/ of the current folder, with one good spec."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "small.yaml").write_text(SPEC)
    return folder


def test_hidden_files_are_no_specs(specs, capsys):
    (specs / ".#small.yaml").symlink_to("nobody@nowhere")  # Emacs
    (specs / "._small.yaml").write_bytes(b"\0\5\26\7")  # macOS
    assert main(["check"]) == 0
    assert "small" in capsys.readouterr().out
    assert plan_good("laptop")[1] == {}


def test_a_broken_draft_is_reported_and_the_others_are_planned(specs):
    (specs / "draft.yaml").write_text("study: draft\ntitle: [\n")
    shutil.copy(specs / "small.yaml", specs / "small copy.yaml")
    plans, broken = plan_good("laptop")
    assert list(plans) == ["small"]
    assert sorted(broken) == ["draft", "small copy"]
    assert "specs/draft.yaml:" in broken["draft"]


def test_a_spec_with_another_ending_is_to_be_renamed(specs, capsys):
    (specs / "mine.yml").write_text(SPEC)
    assert misnamed() == [
        "specs/mine.yml: not read, since specs end in .yaml: rename it to mine.yaml"
    ]
    assert main(["check"]) == 2
    assert "rename it to mine.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("named", ["small", "specs/small.yaml"])
def test_a_study_is_checked_by_its_name_or_its_file(specs, capsys, named):
    (specs / "draft.yaml").write_text("study: draft\ntitle: [\n")
    assert main(["check", named]) == 0
    assert "specs/small.yaml: in order" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "smal.yaml"],
        ["status", "smal"],
        ["status", ""],
        ["status", "specs/smal.yaml"],
        ["why", "smal"],
        ["why", ""],
        ["why", "."],
        ["verify", "smal"],
        ["verify", "sm*"],
        ["verify", "sm\0ll"],
        ["export", "paper", "smal"],
        ["keep", "before", "smal"],
        ["run", "smal", "-S", "seeds=1", "--as", "fewer"],
    ],
)
def test_every_command_names_the_studies_that_there_are(specs, capsys, arguments):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "no such spec; there are: small" in said
    assert "snakemake" not in said  # which could not make it


def test_a_file_of_a_spec_is_found_by_its_name_alone(specs, capsys):
    assert main(["check", "small.yaml"]) == 0
    assert "specs/small.yaml: in order" in capsys.readouterr().out


@pytest.mark.parametrize("shut", ["specs", "specs/small.yaml", "logs"])
@pytest.mark.parametrize(
    "command", [["check"], ["status"], ["why"], ["run", "--one-process"], ["keep", "before"]]
)
def test_what_may_not_be_looked_at_is_neither_missing_nor_a_traceback(capsys, shut, command):
    with nobody() as folder, contextlib.chdir(folder):
        (folder / "specs").mkdir()
        (folder / "specs/small.yaml").write_text(SPEC)
        (folder / "logs").mkdir()
        (folder / shut).chmod(0)
        without_rights()
        assert main(command) == 2
        said = capsys.readouterr().err
        assert shut in said and "Permission denied" in said
        assert "no specs" not in said


def test_a_disk_that_is_full_under_the_output_is_said(specs, capsys, monkeypatch):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["check"]) == 2
        with contextlib.suppress(OSError):
            full.close()
    assert "the output: cannot be written (No space left" in capsys.readouterr().err


def test_a_folder_that_is_gone_is_said(specs, capsys):
    with pytest.MonkeyPatch.context() as patched:
        gone = specs.parent / "gone"
        gone.mkdir()
        patched.chdir(gone)
        gone.rmdir()
        with pytest.raises(SystemExit, match="2"):
            start()
    assert "the current folder is gone" in capsys.readouterr().err


def test_a_study_that_is_not_there_is_named_with_the_nearest(specs, capsys):
    assert main(["check", "smal"]) == 2
    assert "no such spec; there are: small; did you mean 'small'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "report"])
def test_a_folder_without_specs_is_not_in_order(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 2
    assert f"no specs in {tmp_path}/specs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_key_of_config_is_refused():
    require_known({"scale": "smoke"})
    with pytest.raises(InterpflowError, match="--config steps=100: the only key is scale"):
        require_known({"steps": 100})


def test_a_study_without_the_scale_says_that_it_runs_at_its_base_and_how_long(specs):
    other = SPEC.replace("study: small", "study: other").partition("scales:")[0]
    (specs / "other.yaml").write_text(other)
    plans, _ = plan_good("smoke")
    (notice,) = at_base(plans.values())
    assert notice.startswith("other: scale smoke changes nothing here: runs at its base, about ")
    assert list(at_base(plan_good("laptop")[0].values())) == []


def copy_of_the_project(folder: Path) -> Path:
    for name in ("src", "specs"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Makefile", folder / "Makefile")
    return folder


def test_a_copied_project_runs_its_own_code_with_the_environment_of_the_original(tmp_path):
    copy = copy_of_the_project(tmp_path / "copy")
    with (copy / "src/interpflow/commands/check.py").open("a") as code:
        code.write('\n\ndef run(arguments):\n    print("of the copy")\n')
    done = subprocess.run(
        [sys.executable, "-m", "interpflow", "check"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "of the copy\n"


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
def test_a_moved_project_is_installed_again(tmp_path):
    copy = copy_of_the_project(tmp_path / "copy")

    def would_do() -> str:
        done = subprocess.run(
            ["make", "-n", "report"], cwd=copy, capture_output=True, text=True, check=True
        )
        return done.stdout

    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy2(PROJECT / name, copy / name)
    assert "-m venv" in would_do()
    (stamp,) = re.findall(r"touch (\S+)", would_do())
    (copy / stamp).parent.mkdir()
    (copy / stamp).touch()
    assert "-m venv" not in would_do()
    moved = copy.rename(tmp_path / "moved")
    copy = moved
    assert "-m venv" in would_do()
