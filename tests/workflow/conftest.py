"""Copies of the project to really run."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest
from workflow.planned import Planned, count_code_of
from workflow.project_copy import Copy, make_copy


@pytest.fixture
def empty(tmp_path: Path) -> Copy:
    """A copy in which nothing has run."""
    return make_copy(tmp_path / "empty")


@pytest.fixture
def planned(empty: Copy, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """The same, to be planned in this process."""
    count_code_of(empty, monkeypatch)
    return Planned(empty.folder)


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Copy:
    """Made once, by whichever process of the tests comes first."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Copy(folder / "copy")
        if not (done := folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            made = make_copy(folder / "copy")
            made.snakemake("--cores", "2")
            shutil.rmtree(made.folder / "cache")  # so that what is gone is made again
            done.touch()
    return made


@pytest.fixture
def finished(_finished: Copy, tmp_path: Path) -> Copy:
    """A copy in which everything has run, with two cores."""
    folder = tmp_path / "finished"
    shutil.copytree(_finished.folder, folder, symlinks=True)  # keeps modification times
    return Copy(folder)
