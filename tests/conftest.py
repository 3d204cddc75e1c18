"""What several test files start from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import edits
import pytest
from built_study import build
from toys import BASE, add_toys

import interpflow.__main__  # noqa: F401  it tells MKL, as for every command, how to sum
from interpflow.spec.load import Study, load_spec, resolve

_SPECS = Path(__file__).parent.parent / "specs"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest first, that no worker is left with them at the end."""
    items.sort(key=lambda item: (-_jobs(_study(item)), "workflow" not in item.path.parts))


def _study(item: pytest.Item) -> str:
    """The study in specs/ that a test runs, or nothing."""
    called = getattr(item, "callspec", None)
    return str(called.params.get("smoked", "")) if called else ""


def _jobs(study: str) -> int:
    """About how many jobs a study has: a spec has lines for each."""
    return len((_SPECS / f"{study}.yaml").read_text().splitlines()) if study else 0


@pytest.fixture(autouse=True)
def _code_of_the_package() -> Iterator[None]:
    """The code that recipes count, whatever code the test before had edited."""
    yield
    edits.leave_no_code_behind()


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


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Specs can name toy_task, toy_probe and toy_plot."""
    add_toys(monkeypatch)


@pytest.fixture
def study(toys: None, tmp_path: Path) -> Callable[..., Study]:
    """A function: the study that a spec of toys describes at a scale."""

    def resolved(content: str | bytes = BASE, scale: str = "laptop") -> Study:
        path = tmp_path / "toy.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return resolve(load_spec(path), scale)

    return resolved
