"""What several test files start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from built_study import build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest first, that no worker is left with them at the end."""
    items.sort(
        key=lambda item: (item.path.stem != "test_studies", "workflow" not in item.path.parts)
    )


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture
def built(_built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, now the current one, of the study in built_study.py after a run."""
    folder = shutil.copytree(_built, tmp_path / "built")
    monkeypatch.chdir(folder)
    return folder
