"""The only reader and writer of datasets.

Written whole or not at all, with the same bytes for the same content; read back with an error that says
how to rebuild the file where it is damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import xarray as xr

from interpflow.errors import InterpflowError

# Files carry this attribute, which tells a dataset of ours from any other netCDF file.
_FORMAT = "interpflow 1"
# Level 1 is within a few percent of level 9 on these arrays, and several times faster.
# Fletcher32 makes a flipped byte an error instead of another number.
_COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
# Arrays smaller than this gain nothing from compression.
_COMPRESS_FROM_BYTES = 4096


def write(dataset: xr.Dataset, path: Path | str, attrs: Mapping[str, str] | None = None) -> None:
    """Write `dataset` to `path` as netCDF4, atomically, with `attrs` added to its attributes.

    Raises InterpflowError where the disk is full or the folder cannot be written; `path` is then as before.
    """
    # Variables remember how the file they came from held them, down to the width of its text: a longer
    # label that has joined them since would be cut.
    stamped = dataset.drop_encoding().assign_attrs({**(attrs or {}), "format": _FORMAT})
    encoding: dict[str, dict[str, bool | int | float]] = {
        str(name): dict(_COMPRESSION)
        for name, array in stamped.variables.items()
        if array.dtype.kind in "biuf" and array.nbytes >= _COMPRESS_FROM_BYTES
    }
    for name, array in stamped.variables.items():
        if array.dtype.kind == "f":
            encoding.setdefault(str(name), {})["_FillValue"] = float("nan")
    with replacing(Path(path)) as temporary:
        stamped.to_netcdf(temporary, engine="netcdf4", format="NETCDF4", encoding=encoding)


def read(path: Path | str) -> xr.Dataset:
    """The dataset at `path`, whole in memory.

    Raises InterpflowError, naming the file and the command that rebuilds it, where the file is missing,
    truncated, or was not written by `write`.
    """
    with _opened(Path(path)) as dataset:
        return dataset.load()


def read_attributes(path: Path | str) -> dict[str, str]:
    """The attributes of the dataset at `path` alone; raises InterpflowError as `read` does."""
    with _opened(Path(path)) as dataset:
        return {str(name): str(value) for name, value in dataset.attrs.items()}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[xr.Dataset]:
    """The dataset at `path`; what goes wrong in the block counts as damage of the file."""
    if not path.exists():
        raise InterpflowError(f"{path}: no such file; {_rebuild(path)}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            found = opened.attrs.get("format", "none")
            if found != _FORMAT:
                raise InterpflowError(
                    f"{path}: not a dataset of interpflow (format '{found}', wanted '{_FORMAT}'); "
                    f"{_rebuild(path)}"
                )
            yield opened
    except (MemoryError, InterpflowError):
        raise
    except (
        Exception
    ) as error:  # netCDF4 and HDF5 raise OSError, RuntimeError, ValueError and others
        raise InterpflowError(
            f"{path}: damaged or not netCDF ({type(error).__name__}: {error}); {_rebuild(path)}"
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place, flushed to disk, when the block succeeds.

    The temporary name is fixed, so that what a killed process leaves is overwritten by the next.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as RuntimeError
        raise InterpflowError(
            f"{path}: cannot be written ({error}); the file is as it was"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # gone already, or where nothing can be written
            temporary.unlink()


def rebuild_command(path: Path | str) -> str:
    """The shell command that makes `path` again, whatever state it is in."""
    try:
        shown = Path(path).resolve().relative_to(Path.cwd())
    except ValueError:
        shown = Path(path)
    # The second part of every path the workflow makes is the scale: results/laptop/...
    scale = shown.parts[1] if len(shown.parts) > 2 else "laptop"
    return f"snakemake --cores all --config scale={scale} --force {shown.as_posix()}"


def _rebuild(path: Path) -> str:
    made = {"results", "figures"} & set(path.resolve().parts)
    return f"rebuild it with: {rebuild_command(path)}" if made else "the workflow did not make it"


def sha256(path: Path | str) -> str:
    """The SHA-256 of the bytes of the file at `path`, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
