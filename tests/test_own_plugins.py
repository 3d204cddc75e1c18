"""Tasks, analyses and plots beside specs/ are found first, count in recipes, and have names of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import edits
import guide
import pytest

from interpflow.__main__ import main
from interpflow.spec import plugins
from interpflow.workflow import beside
from interpflow.workflow.plan import Plan
from interpflow.workflow.recipe import code_digest
from interpflow.workflow.specs_folder import plan_study

ODD = "bits.cumsum(axis=1) % 2"  # in the task of the guide


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the study of the guide."""
    monkeypatch.chdir(tmp_path)
    guide.write(tmp_path)
    yield tmp_path
    for name in ("interpflow.tasks.running_parity", "interpflow.tasks._bits", "helpers"):
        sys.modules.pop(name, None)


def test_recipes_look_beside_specs_for_every_kind_of_plugin():
    kinds = (plugins.TASK, plugins.ANALYSIS, plugins.PLOT)
    assert tuple(kind.folder for kind in kinds) == beside.FOLDERS


def planned() -> Plan:
    edits.forget_code()
    return plan_study("running_parity", "laptop")


def replace(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert text.count(old) == 1
    Path(path).write_text(text.replace(old, new))


def test_a_task_beside_specs_is_in_order_and_one_more_is_told_with_the_nearest(project, capsys):
    assert main(["check"]) == 0
    replace(guide.SPEC, "task: {name: running_parity}", "task: {name: running_party}")
    assert main(["check"]) == 2
    assert "no task 'running_party' in tasks/" in (said := capsys.readouterr().err)
    assert "did you mean 'running_parity'?" in said


def test_an_edit_of_the_task_retrains_and_a_comment_does_not(project):
    plan = planned()
    before = edits.recipes(plan)
    replace(guide.TASK, ODD, f"1 - {ODD}")
    data = [path for job in plan.jobs["data"].values() for path in job.outputs.values()]
    assert edits.stale(before, planned()) == edits.following(plan, data)
    assert "train short 0" in edits.following(plan, data)
    before = edits.recipes(planned())
    replace(guide.TASK, ODD, f"{ODD}  # of the ones so far")
    assert edits.stale(before, planned()) == set()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("helpers.py", "from helpers import turned"),
        ("tasks/_bits.py", "from interpflow.tasks._bits import turned"),
        ("tasks/_bits.py", "from ._bits import turned"),
    ],
)
def test_an_edit_of_what_a_task_imports_of_the_project_retrains(project, path: str, line: str):
    Path(path).write_text("def turned(bits):\n    return 1 - bits\n")
    replace(guide.TASK, "import xarray as xr", f"import xarray as xr\n{line}")
    replace(guide.TASK, ODD, f"turned({ODD})")
    assert main(["check"]) == 0
    before = edits.recipes(planned())
    replace(path, "1 - bits", "1 - bits  # the other way round")
    assert edits.stale(before, planned()) == set()
    replace(path, "1 - bits", "bits ^ 1")
    assert {"data short", "train short 0"} <= edits.stale(before, planned())


def test_code_that_moves_from_the_project_into_the_package_means_the_same(project, monkeypatch):
    edits.forget_code()
    before = code_digest("interpflow.tasks.running_parity")
    edits.read_code_in(edits.copy_of_code(project / "src"), monkeypatch)
    (project / guide.TASK).rename(project / "src/interpflow" / guide.TASK)
    assert code_digest("interpflow.tasks.running_parity") == before


@pytest.mark.parametrize("path", ["tasks/list_sorting.py", "plots/_cells.py", "analyses/base.py"])
def test_a_name_that_the_package_has_is_refused_before_anything_runs(project, capsys, path: str):
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text("")
    assert main(["check"]) == 2
    assert f"{path}: interpflow has a {path} too" in capsys.readouterr().err
    assert main(["run", "--one-process"]) == 2
    assert not Path("results").exists()


def test_one_process_does_not_take_a_plugin_of_another_project_for_its_own(project, monkeypatch):
    assert main(["check"]) == 0
    other = project / "other"
    other.mkdir()
    guide.write(other)
    monkeypatch.chdir(other)
    with pytest.raises(Exception, match="start another for this project"):
        plugins.load(plugins.TASK, "running_parity")


def test_in_a_folder_without_plugins_there_are_those_of_the_package_alone(project, monkeypatch):
    assert "running_parity" in plugins.available(plugins.TASK)
    monkeypatch.chdir(project.parent)
    assert "running_parity" not in plugins.available(plugins.TASK)
