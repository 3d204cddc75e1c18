"""Specs are checked in several processes where there are cores; what is said is what one process says."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from built_study import SPEC

from interpflow.errors import InterpflowError
from interpflow.workflow import kept_plans, specs_folder
from interpflow.workflow.ahead import done_ahead


def write(item: int) -> None:
    if item == 2:
        raise OSError("of a stranger")
    print("said by nobody")
    Path(f"{item}.txt").write_text(str(os.getpid()))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # those of pytest look on


def test_other_processes_do_what_they_can_and_say_nothing(capfd):
    done_ahead(write, [1, 2, 3])
    assert sorted(path.name for path in Path().iterdir()) == ["1.txt", "3.txt"]
    assert str(os.getpid()) not in {path.read_text() for path in Path().iterdir()}
    assert capfd.readouterr() == ("", "")


def test_a_process_with_threads_or_one_core_does_nothing_ahead(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    done_ahead(write, [1, 3])
    monkeypatch.undo()
    assert not [*Path.cwd().glob("[0-9].txt")]


def test_the_plans_of_good_specs_are_kept_and_problems_are_told_once_with_their_lines():
    Path("specs").mkdir()
    for name in ("one", "two", "wrong"):
        Path(f"specs/{name}.yaml").write_text(SPEC.replace("study: small", f"study: {name}"))
    path = Path("specs/wrong.yaml")
    path.write_text(path.read_text().replace("variable: accuracy", "variable: acuracy"))
    paths = sorted(Path("specs").glob("*.yaml"))
    with pytest.raises(InterpflowError) as refused:
        specs_folder.plan_checked("laptop", paths)
    assert str(refused.value).count("acuracy") == 1
    assert str(refused.value).startswith("specs/wrong.yaml:")
    kept = [kept_plans.read(each, "laptop", checked=True) for each in paths]
    assert [plan is not None for plan in kept] == [True, True, False]
    good = specs_folder.plan_checked("laptop", paths[:2])
    alone, _ = specs_folder._worked_out(paths[:2], "laptop", True, True)
    assert [job.sha for job in good["one"]] == [job.sha for job in alone[paths[0]]]
