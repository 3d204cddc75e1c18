"""The recipes of containers bring all that `make install` needs, and install as `make` does everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKER, APPTAINER = (
    (ROOT / "container" / name).read_text(encoding="utf-8")
    for name in ("Dockerfile", "interpflow.def")
)


def brought_by_docker() -> set[str]:
    lines = re.findall(r"^COPY (.*)$", DOCKER, re.MULTILINE)
    return {name for line in lines for name in line.split()[:-1]}


def brought_by_apptainer() -> set[str]:
    section = APPTAINER.partition("%files")[2].partition("%post")[0]
    return {line.split()[0] for line in section.splitlines() if line.strip()}


def test_both_containers_are_made_of_the_same_by_the_same_steps():
    assert brought_by_docker() == brought_by_apptainer()
    for step in ("make install", "install --yes --no-install-recommends make"):
        assert DOCKER.count(step) == APPTAINER.count(step) == 1
    assert "From: python:3.11-slim" in APPTAINER and "FROM python:3.11-slim" in DOCKER


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """The folder as it is in a container before the installation."""
    for name in brought_by_docker():
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(
                source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(source, target)
    return tmp_path


def test_no_file_of_the_package_leads_to_what_a_container_lacks(inside: Path):
    links = [path for path in inside.rglob("*") if path.is_symlink()]
    assert links
    assert [path for path in links if not path.exists()] == []


def test_make_finds_what_it_installs_from(inside: Path):
    asked = subprocess.run(
        ["make", "--dry-run", "install"], cwd=inside, capture_output=True, text=True, check=True
    )
    assert "--constraint requirements.lock --editable ." in asked.stdout
