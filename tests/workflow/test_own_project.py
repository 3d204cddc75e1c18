"""The wheel alone makes a project of one's own, in which the study of the guide runs as it does in a clone."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import guide
import pytest
from workflow.project_copy import PROJECT, Copy, environment

_BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "src", "rules", "profiles", "docs")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")
SMOKE = ("--scale", "smoke")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the project, built without a network."""
    source = tmp_path_factory.mktemp("source")
    for name in _BUILT_FROM:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, source / name, symlinks=True, ignore=_LEFT_OUT)
        else:
            shutil.copy(PROJECT / name, source / name)
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-index", "--no-deps", "--no-build-isolation")
    done(sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("interpflow-*.whl")
    return built


def done(*command: str, at: Path | None = None, **variables: str) -> str:
    """What `command` prints, run to its good end in the folder `at`."""
    ran = subprocess.run(
        command,
        cwd=at,
        env=environment() | variables,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1800,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_the_wheel_has_the_rules_and_the_folder_of_a_project_and_no_studies(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        there = {name: archive.read(name) for name in archive.namelist()}
    for kept, inside in (
        ("rules", "workflow/rules"),
        ("profiles", "project/profiles"),
        ("src/interpflow/project", "project"),
    ):
        for file in (path for path in (PROJECT / kept).rglob("*") if path.is_file()):
            name = f"interpflow/{inside}/{file.relative_to(PROJECT / kept)}"
            assert there[name] == file.read_bytes(), name
    tops = {name.partition("/")[0] for name in there}
    assert tops == {"interpflow", wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"}
    assert not [
        name for name in there if name.endswith((".yaml", ".nc")) and "profiles" not in name
    ]


def test_the_study_of_the_guide_runs_in_a_project_of_the_unpacked_wheel(
    wheel: Path, tmp_path: Path
):
    code = tmp_path / "code"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(code)
    interpflow = (sys.executable, "-m", "interpflow")
    done(*interpflow, "new", "mine", at=tmp_path, PYTHONPATH=str(code))
    mine = tmp_path / "mine"
    guide.write(mine)
    done(*interpflow, "run", "--one-process", *SMOKE, at=mine, PYTHONPATH=str(code))
    assert "<svg" in (mine / "figures/smoke/running_parity/count_probes.svg").read_text()
    snakemake = (sys.executable, "-m", "snakemake", "--dry-run", "--config", "scale=smoke")
    said = done(*snakemake, at=mine, PYTHONPATH=str(code))
    assert "Nothing to be done" in said


@pytest.mark.nightly
def test_a_run_in_a_project_of_the_installed_wheel_is_killed_and_ends_with_the_same_bytes(
    wheel: Path, tmp_path: Path
):
    interpflow = install(wheel, tmp_path / "environment")
    for name in ("undisturbed", "killed"):
        done(interpflow, "new", name, at=tmp_path)
        guide.write(tmp_path / name)
    done(interpflow, "run", "running_parity", "--cores", "2", *SMOKE, at=tmp_path / "undisturbed")
    run = subprocess.Popen(
        [interpflow, "run", "--cores", "1", *SMOKE],
        cwd=tmp_path / "killed",
        env=environment(),
        start_new_session=True,
    )
    weights = tmp_path / "killed/results/smoke/running_parity/experiments"
    while run.poll() is None and not [*weights.glob("*/weights_0.nc")]:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=0.1)
    os.killpg(run.pid, 9)
    run.wait()
    undisturbed, killed = Copy(tmp_path / "undisturbed"), Copy(tmp_path / "killed")
    assert 0 < len(killed.digests()) < len(undisturbed.digests())
    done(interpflow, "run", *SMOKE, at=killed.folder)
    assert killed.digests() == undisturbed.digests()
    for command in (("check",), ("verify", *SMOKE), ("report", *SMOKE), ("list", "tasks")):
        done(interpflow, *command, at=killed.folder)
    path = os.pathsep.join([str(Path(interpflow).parent), os.environ["PATH"]])
    done(".ci/run", at=killed.folder, PATH=path)


def install(wheel: Path, folder: Path) -> str:
    """The command `interpflow` of a new environment that has `wheel`, and all else from the present one."""
    done(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = folder / "bin/python"
    words = ("--python", str(python), "install", "--no-index", "--no-deps", str(wheel))
    done(sys.executable, "-m", "pip", *words)
    site = done(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(site, "others.pth").write_text(sysconfig.get_path("purelib"))
    return str(folder / "bin/interpflow")
