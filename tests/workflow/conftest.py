"""Copies of the project to really run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from edits import forget_code
from workflow.planned import Planned, count_code_of
from workflow.project_copy import Copy, make_copy


@pytest.fixture
def empty(tmp_path: Path) -> Copy:
    """A copy in which nothing has run."""
    return make_copy(tmp_path / "empty")


@pytest.fixture
def planned(empty: Copy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planned]:
    """The same, to be planned in this process."""
    count_code_of(empty, monkeypatch)
    yield Planned(empty.folder)
    forget_code()


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = make_copy(tmp_path_factory.mktemp("finished") / "copy")
    made.snakemake("--cores", "2")
    return made


@pytest.fixture
def finished(_finished: Copy, tmp_path: Path) -> Copy:
    """A copy in which everything has run, with two cores."""
    folder = tmp_path / "finished"
    shutil.copytree(_finished.folder, folder, symlinks=True)  # keeps modification times
    return Copy(folder)
