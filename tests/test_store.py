"""A dataset is written whole or not at all, always with the same bytes, and damage is named."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.rng import generator

ATTRS = {"study": "toy", "recipe": '{"stage":"data"}'}


def dataset() -> xr.Dataset:
    """Every kind of variable that the project writes: large and small, floats, ids, words, bools."""
    random = generator("test store")
    return xr.Dataset(
        {
            "weights": (("seed", "x", "y"), random.normal(size=(2, 50, 40)).astype(np.float32)),
            "tokens": (("example", "position"), random.integers(0, 7, (300, 20), dtype=np.uint8)),
            "scored": (("example", "position"), random.random((300, 20)) < 0.5),
            "loss": ("seed", np.array([0.25, np.nan])),
            "share": 0.5,
        },
        {"seed": [0, 1], "split": ("example", ["train", "bin1", "validation"] * 100)},
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with the path of a dataset as the workflow names them."""
    monkeypatch.chdir(tmp_path)
    return Path("results/smoke/toy/experiments/a/data.nc")


def command(path: Path) -> str:
    return f"snakemake --cores all --config scale=smoke --force {path}"


def test_what_is_written_is_read_back(project: Path) -> None:
    store.write(dataset(), project, ATTRS)
    found = store.read(project)
    xr.testing.assert_equal(found, dataset())
    assert {name: found[name].dtype for name in found.data_vars} == {
        name: variable.dtype for name, variable in dataset().data_vars.items()
    }
    assert found.attrs == {**ATTRS, "format": "interpflow 1"}


def test_any_netcdf_reader_opens_it(project: Path) -> None:
    store.write(dataset(), project)
    with xr.open_dataset(project) as opened:
        assert float(opened["share"]) == 0.5


def test_the_same_content_is_the_same_bytes_in_any_process(project: Path) -> None:
    store.write(dataset(), project, ATTRS)
    first = project.read_bytes()
    store.write(dataset(), project, ATTRS)
    assert project.read_bytes() == first
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_store as t; from pathlib import Path;"
        "t.store.write(t.dataset(), Path(sys.argv[2]), t.ATTRS)"
    )
    for hash_seed in ("1", "2"):
        other = Path(f"other{hash_seed}.nc")
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(other)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
        )
        assert other.read_bytes() == first


def test_a_dataset_cut_anywhere_is_named_with_the_command_that_rebuilds_it(project: Path) -> None:
    store.write(dataset(), project, ATTRS)
    whole = project.read_bytes()
    for cut in np.linspace(0, len(whole) - 1, 50).astype(int):
        project.write_bytes(whole[:cut])
        with pytest.raises(InterpflowError) as refused:
            store.read(project)
        assert str(refused.value).startswith(f"{project}: damaged or not netCDF"), cut
        assert str(refused.value).endswith(f"rebuild it with: {command(project)}"), cut


@pytest.mark.parametrize("size", [0, 1, 8, 100, 10_000])
@pytest.mark.parametrize("start", [b"", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"<html>"])
def test_garbage_is_named_with_the_command_that_rebuilds_it(
    project: Path, start: bytes, size: int
) -> None:
    project.parent.mkdir(parents=True)
    project.write_bytes(start + generator("garbage", size).bytes(size))
    with pytest.raises(InterpflowError) as refused:
        store.read(project)
    assert str(project) in str(refused.value)
    assert str(refused.value).endswith(f"rebuild it with: {command(project)}")


def test_a_flipped_byte_in_a_large_variable_is_an_error_and_not_another_number(
    project: Path,
) -> None:
    # Random bytes do not compress, so nearly the whole file is the variable.
    noise = generator("noise").integers(0, 256, (100, 1000), dtype=np.uint8)
    store.write(xr.Dataset({"noise": (("x", "y"), noise)}), project)
    whole = project.read_bytes()
    for at in np.linspace(len(whole) // 4, len(whole) * 3 // 4, 10).astype(int):
        project.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(InterpflowError, match="damaged"):
            store.read(project)


def test_a_missing_dataset_is_named_with_the_command_that_makes_it(project: Path) -> None:
    with pytest.raises(InterpflowError) as refused:
        store.read(project)
    assert str(refused.value) == f"{project}: no such file; rebuild it with: {command(project)}"


def test_a_dataset_of_another_program_is_refused(project: Path) -> None:
    project.parent.mkdir(parents=True)
    dataset().to_netcdf(project)
    with pytest.raises(InterpflowError, match=r"not a dataset of interpflow.*rebuild it with"):
        store.read(project)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow beyond 4 kB: writing fails as on a full disk.

    Over before the test ends, since pytest's own output may go to a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_leaves_no_half_written_file(project: Path) -> None:
    store.write(dataset(), project, ATTRS)
    whole = project.read_bytes()
    for path in (project, Path("results/smoke/toy/new.nc")):
        with full_disk(), pytest.raises(InterpflowError, match=rf"^{path}: cannot be written"):
            store.write(dataset(), path)
    assert project.read_bytes() == whole
    assert [path for path in Path().rglob("*") if path.is_file()] == [project]


def test_a_folder_that_cannot_be_made_is_said(project: Path) -> None:
    Path("results").write_text("a file where a folder belongs")
    with pytest.raises(InterpflowError, match="cannot be written"):
        store.write(dataset(), project)


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(project: Path) -> None:
    store.write(dataset(), project, ATTRS)
    whole = project.read_bytes()

    def fail_half_way() -> None:
        with store.replacing(project) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert project.read_bytes() == whole
    assert list(project.parent.iterdir()) == [project]


def test_what_a_killed_writer_left_is_overwritten(project: Path) -> None:
    with store.replacing(project) as temporary:
        temporary.write_bytes(b"")
    temporary.write_bytes(b"left by a killed process")
    store.write(dataset(), project)
    assert list(project.parent.iterdir()) == [project]
    store.read(project)


def test_a_damaged_file_from_elsewhere_has_no_command_that_rebuilds_it(tmp_path: Path) -> None:
    path = tmp_path / "copy.nc"
    path.write_bytes(b"CDF")
    with pytest.raises(InterpflowError, match="the workflow did not make it"):
        store.read(path)
