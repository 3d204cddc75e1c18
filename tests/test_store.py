"""A dataset is written whole or not at all, always with the same bytes, and damage is named."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rights import nobody, without_rights

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.record.machine import made_with
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
    assert found.attrs == {**ATTRS, "format": "interpflow 1", "made_with": made_with()}


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
        assert str(refused.value).startswith(f"{project}: damaged: "), cut
        assert f"cut off after {cut} of {len(whole)} bytes" in str(refused.value) or cut < 64
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


def test_what_killed_writers_left_is_removed_and_what_living_ones_write_is_not(
    project: Path,
) -> None:
    with store.replacing(project) as own:
        own.write_bytes(b"")
    dead, unasked = (subprocess.Popen([sys.executable, "-c", ""]) for _ in range(2))
    dead.wait()
    os.waitid(os.P_PID, unasked.pid, os.WEXITED | os.WNOWAIT)  # ended, and still has its number
    name, host, pid, _ = own.name.rsplit(".", 3)
    assert pid == str(os.getpid())
    of_dead = own.with_name(f"{name}.{host}.{dead.pid}.part")
    of_living = own.with_name(f"{name}.{host}.{os.getppid()}.part")
    of_unasked = own.with_name(f"{name}.{host}.{unasked.pid}.part")
    elsewhere, long_ago = (own.with_name(f"{name}.other{n}.7.part") for n in (1, 2))
    for left in (own, of_dead, of_unasked, of_living, elsewhere, long_ago):
        left.write_bytes(b"half a file")
    os.utime(long_ago, (0, 0))
    store.write(dataset(), project)
    assert {*project.parent.iterdir()} == {project, of_living, elsewhere}
    store.read(project)
    unasked.wait()


def refusal(path: Path) -> str:
    with pytest.raises(InterpflowError) as refused:
        store.read(path)
    return str(refused.value)


def test_a_forbidden_file_is_not_rebuilt_but_permitted() -> None:
    with nobody() as folder:
        path = folder / "results/smoke/toy/a.nc"
        store.write(dataset(), path)
        path.chmod(0)
        (folder / "shut").mkdir()
        store.write(dataset(), folder / "shut/b.nc")
        (folder / "shut").chmod(0)
        without_rights()
        for found in (refusal(path), refusal(folder / "shut/b.nc")):
            assert "may not read it (Permission denied)" in found
            assert "chmod +r" in found
            assert "snakemake" not in found


def test_a_folder_that_may_not_be_written_is_said_with_its_owner() -> None:
    with nobody() as folder:
        folder.chmod(0o555)
        without_rights()
        with pytest.raises(
            InterpflowError, match=f"may not write here.*belongs to.*chmod .w {folder}"
        ):
            store.write(dataset(), folder / "results/a.nc")


def test_a_folder_in_place_of_a_file_is_said(project: Path) -> None:
    project.mkdir(parents=True)
    found = refusal(project)
    assert "a folder stands where a file belongs; move it away, then rebuild it with" in found
    with pytest.raises(InterpflowError, match="a folder stands in its place; move it away"):
        store.write(dataset(), project)


def test_a_disk_that_does_not_answer_says_nothing_against_the_file(project: Path) -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("no file here that cannot be read")
    project.parent.mkdir(parents=True)
    project.symlink_to("/proc/self/mem")
    assert "the disk or the network does not give it (Input/output error)" in refusal(project)
    assert "snakemake" not in refusal(project)


def test_a_link_to_nothing_is_said(project: Path) -> None:
    project.parent.mkdir(parents=True)
    project.symlink_to("/gone/away.nc")
    assert "no such file (a link to /gone/away.nc, which is gone); rebuild it with" in refusal(
        project
    )


def test_text_netcdf_3_and_an_empty_file_are_told_apart(project: Path) -> None:
    project.parent.mkdir(parents=True)
    for content, said in (
        (b"<html>not found</html>", "it begins with '<html>not found</html>'"),
        (b"", "it is empty, 0 bytes"),
        (b"CDF\x01" + bytes(100), "netCDF 3 of another program"),
    ):
        project.write_bytes(content)
        assert said in refusal(project)


@pytest.mark.parametrize("locking", ["", "TRUE"])
def test_a_lock_of_another_program_is_passed_by_and_where_one_asks_for_locks_told(
    project: Path, locking: str
) -> None:
    store.write(dataset(), project)
    code = (
        "import fcntl, sys; from interpflow import store; from interpflow.errors import InterpflowError\n"
        "try: store.read(sys.argv[1]); print('read')\n"
        "except InterpflowError as error: print(error)"
    )
    environment = {name: value for name, value in os.environ.items() if "HDF5" not in name}
    with project.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", code, str(project)],
            env={**environment, **({"HDF5_USE_FILE_LOCKING": locking} if locking else {})},
            check=True, text=True, stdout=subprocess.PIPE,
        )  # fmt: skip
    if not locking:
        assert done.stdout == "read\n"
    else:
        assert "locked by another program" in done.stdout
        assert "HDF5_USE_FILE_LOCKING=FALSE" in done.stdout
        assert "snakemake" not in done.stdout


def test_a_full_disk_a_limit_and_a_file_for_a_folder_are_different_sentences(project: Path) -> None:
    with full_disk(), pytest.raises(InterpflowError, match="no file may grow so large here"):
        store.write(dataset(), project)

    def fill() -> None:
        with store.replacing(project), Path("/dev/full").open("wb") as full:
            full.write(b"x")

    with pytest.raises(InterpflowError, match="the disk is full; make room"):
        fill()
    Path("results/smoke/file").write_text("")
    with pytest.raises(
        InterpflowError, match=r"a file stands where a folder belongs: results/smoke/file"
    ):
        store.write(dataset(), "results/smoke/file/toy.nc")


def test_the_command_to_rebuild_works_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "my study"
    (project / "specs").mkdir(parents=True)
    path = project / "results/smoke/results/figures/a.nc"
    monkeypatch.chdir(tmp_path)
    told = "snakemake --cores all --config scale=smoke --force results/smoke/results/figures/a.nc"
    assert refusal(path).endswith(f"rebuild it with: cd '{project}' && {told}")
    monkeypatch.chdir(project)
    assert refusal(path).endswith(f"rebuild it with: {told}")


@pytest.mark.parametrize(
    "units", ["days since 2000-01-01", "steps since the start", "seconds", "hours", "", "1", "µs"]
)
@pytest.mark.parametrize("values", [[1, 2], [1.0, np.nan], [True, False]])
def test_units_of_any_wording_leave_the_values_alone_for_any_reader(
    project: Path, units: str, values: list[float]
) -> None:
    written = xr.Dataset({"x": ("i", values, {"units": units, "long_name": "x"})})
    store.write(written, project)
    xr.testing.assert_identical(store.read(project).drop_attrs(deep=False), written)
    with xr.open_dataset(project, decode_timedelta=False) as opened:
        assert opened["x"].dtype == written["x"].dtype


@pytest.mark.parametrize(
    "values",
    [
        [True, False], ["", "nan"], ["n/a", "NaN"], ["", ""], np.zeros(0, dtype=bool), np.zeros(0, "U3"),
        np.array(["a", "bcd"], dtype=object), np.array([True, False], dtype=object), [2**63 - 1, -(2**63)],
        np.array([0, 2**64 - 1], np.uint64), np.array([-128, 127], np.int8), [np.inf, np.nan],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("name", ["x", "model.heads", "été", "1a", "i"])
def test_values_and_names_come_back_as_what_they_were(project: Path, values, name: str) -> None:
    written = xr.Dataset({name: ("i", values), "other": ("j", [1])})
    store.write(written, project)
    found = store.read(project)[name]
    assert found.values.tolist() == np.asarray(values).tolist() or np.isnan(values).any()
    kind = np.asarray(np.asarray(values).tolist()).dtype.kind if len(values) else values.dtype.kind
    assert found.dtype.kind == np.asarray(values).dtype.kind or found.dtype.kind == kind


def test_a_variable_called_as_a_dim_of_others_stays_what_it_is(project: Path) -> None:
    written = xr.Dataset({"heads": (("a", "b"), np.eye(2)), "y": ("heads", [1, 2, 3])})
    store.write(written, project)
    xr.testing.assert_identical(store.read(project).drop_attrs(deep=False), written)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"a b": ("i", [1])}, "no name of a variable"),
        ({"a/b": ("i", [1])}, "no name of a variable"),
        ({"e\u0301": ("i", [1])}, "no name of a variable"),
        ({"": ("i", [1])}, "no name of a variable"),
        ({"x": ("a b", [1])}, "no name of a variable"),
        ({"x": ("i", np.array(["a", np.nan], dtype=object))}, "'x' holds values of several types"),
        ({"x": ("i", np.array([True, None], dtype=object))}, "'x' holds values of several types"),
        ({"x": ("i", [1j])}, "'x' holds complex128"),
        ({"x": ("i", np.ones(1, np.float16))}, "'x' holds float16"),
        ({"x": ("i", ["a\0b"])}, "NUL"),
        ({"x": ("i", [1], {"scale_factor": 2.0})}, "attribute 'scale_factor'"),
        ({"x": ("i", [1], {"dtype": "bool"})}, "attribute 'dtype'"),
        ({"x": ("i", [1], {"note": None})}, "attribute 'note' of None"),
    ],
    ids=str,
)  # fmt: skip
def test_what_would_come_back_as_something_else_is_not_written(
    project: Path, variables, said: str
) -> None:
    with pytest.raises(InterpflowError, match=said):
        store.write(xr.Dataset(variables), project)
    assert not project.exists()


def test_a_damaged_file_from_elsewhere_has_no_command_that_rebuilds_it(tmp_path: Path) -> None:
    path = tmp_path / "copy.nc"
    path.write_bytes(b"CDF")
    with pytest.raises(InterpflowError, match="the workflow did not make it"):
        store.read(path)
