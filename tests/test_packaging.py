"""environment.yml, pyproject.toml and requirements.lock name the same packages at versions that agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    pairs = (line.split("==") for line in lines if "==" in line)
    return {plain(name): version.strip() for name, version in pairs}


LOCK = pins((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())


def conda_pins() -> dict[str, str]:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    nested = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    return pins(nested)


def test_every_dependency_is_locked_at_a_version_the_project_allows():
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["dev"], *extras["site"], *extras["slurm"]]
    for requirement in map(Requirement, wanted):
        assert LOCK[plain(requirement.name)] in requirement.specifier, requirement


def test_conda_users_get_the_locked_versions_of_what_the_project_needs():
    needed = {plain(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert conda_pins() == {name: LOCK[name] for name in needed}


def test_no_locked_package_is_given_by_a_path_or_a_local_build():
    assert not [name for name, version in LOCK.items() if "+" in version or "/" in version]
