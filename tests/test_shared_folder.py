"""In a folder that several machines and users share, nothing meets unnoticed."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from interpflow import files, store
from interpflow.errors import InterpflowError
from interpflow.workflow import cache, locks, run_lock

NOBODY = 65534


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system is one that knows no locks."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_a_run_says_that_nothing_keeps_a_second_one_out_and_goes_on(no_locks, tmp_path, capsys):
    lock = tmp_path / "interpflow.lock"
    locks.warn.cache_clear()
    assert run_lock.take(lock) is None
    said = capsys.readouterr().err
    assert said.startswith(
        f"interpflow: {lock}: its file system knows no locks (No locks available)"
    )
    assert "start none before this one has ended" in said
    with run_lock.held(lock):
        pass
    assert run_lock.holder(lock) == ""


def test_the_cache_says_so_once(no_locks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    locks.warn.cache_clear()
    for _ in range(2):
        with cache.locked():
            pass
    assert capsys.readouterr().err.count("knows no locks") == 1


def test_writers_of_one_file_on_two_machines_do_not_meet(tmp_path: Path, monkeypatch):
    path, names = tmp_path / "weights.nc", []
    for machine in ("node1", "node2.cluster"):
        monkeypatch.setattr(files.platform, "node", lambda machine=machine: machine)
        writing = files.replacing(path)
        temporary = writing.__enter__()
        temporary.write_text(machine)
        names.append((temporary, writing))
    assert names[0][0] != names[1][0]
    assert [temporary.read_text() for temporary, _ in names] == ["node1", "node2.cluster"]
    names[0][1].__exit__(None, None, None)
    assert path.read_text() == "node1"
    names[1][1].__exit__(None, None, None)
    assert path.read_text() == "node2.cluster"


def test_a_dataset_that_another_program_holds_locked_is_read_and_replaced(tmp_path: Path):
    path = tmp_path / "data.nc"
    store.write(xr.Dataset({"a": ("x", [1.0])}), path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert store.read(path)["a"].values.tolist() == [1.0]
        store.write(xr.Dataset({"a": ("x", [2.0])}), path)
    assert store.read(path)["a"].values.tolist() == [2.0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("what", ["read", "write"])
def test_a_file_of_another_user_is_told_with_its_owner_and_the_way_out(tmp_path: Path, what: str):
    folder = tmp_path / "results"
    path = folder / "data.nc"
    store.write(xr.Dataset({"a": ("x", [1.0])}), path)
    path.chmod(0o600)
    lines = f"""
import os
from pathlib import Path
from interpflow import files
os.setuid({NOBODY})
path = Path({str(path)!r})
try:
    if {what == "read"}:
        files.require_readable(path)
    with files.replacing(path) as temporary:
        temporary.touch()
except files.InterpflowError as error:
    print(error)
"""
    for above in [folder, *folder.parents][:5]:  # up to the folder of this user's tests
        above.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    right = f"chmod +r {path}" if what == "read" else f"chmod +w {folder}"
    assert f"nobody may not {what}" in done.stdout
    assert "belongs to root" in done.stdout and right in done.stdout


def test_a_lock_of_another_user_is_told(tmp_path: Path, monkeypatch):
    """Some file systems let nobody but its owner open a file to write."""
    lock = tmp_path / "interpflow.lock"
    really = os.open

    def refuse(path, *more):
        if str(path) == str(lock):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(path, *more)

    lock.touch()
    monkeypatch.setattr(run_lock.os, "open", refuse)
    with pytest.raises(InterpflowError, match=r"may not write .*belongs to"):
        run_lock.take(lock)
