"""The only reader and writer of datasets.

Written whole or not at all, with the same bytes for the same content on one machine; read back as they
were, or with an error that says what is wrong with the file and the way out.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Files are replaced whole, so a reader needs no lock, and some shared file systems have none.  HDF5 reads
# this when it is first loaded.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.files import locked, rebuild
from interpflow.files import rebuild_command as rebuild_command
from interpflow.files import replacing as replacing
from interpflow.files import require_readable as require_readable
from interpflow.files import sha256 as sha256
from interpflow.record.machine import made_with

# Files carry this attribute, which tells a dataset of ours from any other netCDF file.
_FORMAT = "interpflow 1"
# Level 1 is within a few percent of level 9 on these arrays, and several times faster.
# Fletcher32 makes a flipped byte an error instead of another number.
_COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
# Arrays smaller than this gain nothing from compression.
_COMPRESS_FROM_BYTES = 4096
# Readers take these attributes of a variable for the way that its values are stored, and change the values.
_NOT_FOR_ATTRIBUTES = frozenset(
    {
        "_FillValue",
        "missing_value",
        "scale_factor",
        "add_offset",
        "dtype",
        "_Unsigned",
        "coordinates",
    }
)
# Readers make times of a variable whose `units` hold "since"; in the file such a unit is called otherwise.
_UNITS_IN_WORDS = "units_in_words"
_LONGEST_NAME = 255  # bytes
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def write(dataset: xr.Dataset, path: Path | str, attrs: Mapping[str, str] | None = None) -> None:
    """Write `dataset` to `path` as netCDF4, atomically, with `attrs` and `made_with` added to its attributes.

    Raises InterpflowError where the disk is full or the folder cannot be written, and for a variable that a
    reader would not get back as it is; `path` is then as before.
    """
    # Variables remember how the file they came from held them, down to the width of its text: a longer
    # label that has joined them since would be cut.
    stamped = dataset.drop_encoding().assign_attrs(
        {**(attrs or {}), "format": _FORMAT, "made_with": made_with()}
    )
    try:
        stamped = _as_held(stamped)
    except InterpflowError as error:
        raise InterpflowError(f"{path}: cannot be written: {error}") from None
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

    Raises InterpflowError, naming the file and the way out, where the file is gone, locked, forbidden,
    unreadable, cut off, damaged, or was not written by `write`.
    """
    with opened(Path(path)) as dataset:
        return dataset.load()


def read_attributes(path: Path | str) -> dict[str, str]:
    """The attributes of the dataset at `path` alone; raises InterpflowError as `read` does."""
    with opened(Path(path)) as dataset:
        return {str(name): str(value) for name, value in dataset.attrs.items()}


def read_coordinates(path: Path | str) -> xr.Dataset:
    """The dataset at `path` without its variables: coordinates and attributes; raises as `read` does."""
    with opened(Path(path)) as dataset:
        return dataset.drop_vars(list(dataset.data_vars)).load()


def read_shapes(path: Path | str) -> dict[str, tuple[int, ...]]:
    """The shape of each variable of the dataset at `path`, whose values are not read; raises as `read` does."""
    with opened(Path(path)) as dataset:
        return {str(name): values.shape for name, values in dataset.data_vars.items()}


def read_dims(path: Path | str) -> dict[str, tuple[str, ...]]:
    """The dims of each variable and coordinate of the dataset at `path`; raises as `read` does."""
    with opened(Path(path)) as dataset:
        return {str(name): tuple(map(str, array.dims)) for name, array in dataset.variables.items()}


def is_whole(path: Path, start: bytes) -> bool:
    """Whether the file at `path`, which begins with `start`, is netCDF4 and as long as it says."""
    return start.startswith(_SIGNATURE) and path.stat().st_size == _whole_size(start)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[xr.Dataset]:
    """The dataset at `path`, whose values are read when they are looked at, within the block.

    What goes wrong in the block counts as damage of the file.
    """
    start = require_readable(path)
    if not start.startswith(_SIGNATURE):
        raise InterpflowError(f"{path}: {_what_it_is(start)}; {rebuild(path)}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            found = dataset.attrs.get("format", "none")
            if found != _FORMAT:
                raise InterpflowError(
                    f"{path}: not a dataset of interpflow (format '{found}', wanted '{_FORMAT}'); "
                    f"{rebuild(path)}"
                )
            for array in dataset.variables.values():
                if _UNITS_IN_WORDS in array.attrs:
                    array.attrs["units"] = array.attrs.pop(_UNITS_IN_WORDS)
            yield dataset
    except (MemoryError, InterpflowError):
        raise
    except (
        Exception
    ) as error:  # netCDF4 and HDF5 raise OSError, RuntimeError, ValueError and others
        raise InterpflowError(f"{path}: {_damage(path, start, error)}") from error


def _what_it_is(start: bytes) -> str:
    """What a file is that begins so, and not as ours do."""
    if not start:
        return "damaged: it is empty, 0 bytes"
    if start.startswith(b"CDF"):
        return "not a dataset of interpflow, but netCDF 3 of another program"
    if _SIGNATURE.startswith(start):
        return f"damaged: cut off after {len(start)} bytes"
    text = start[:40].decode("utf-8", errors="replace")
    if text.isprintable() or text.isascii():
        return f"damaged or not netCDF: it begins with {text.splitlines()[0][:40]!r}"
    return "damaged or not netCDF: it begins with other bytes"


def _damage(path: Path, start: bytes, error: Exception) -> str:
    if _is_locked(path, error):
        return locked(str(error))
    size, whole = path.stat().st_size, _whole_size(start)
    if whole is not None and size < whole:
        return f"damaged: cut off after {size} of {whole} bytes; {rebuild(path)}"
    return f"damaged ({type(error).__name__}: {error}); {rebuild(path)}"


def _is_locked(path: Path, error: Exception) -> bool:
    """Whether HDF5, which says that as any other error, met a lock: those that ask for none do not."""
    if os.environ["HDF5_USE_FILE_LOCKING"].upper() in ("FALSE", "0"):
        return False
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return isinstance(error, BlockingIOError)


def _whole_size(start: bytes) -> int | None:
    """How long an HDF5 file that begins with `start` says it is; None where it does not say.

    The superblock of the HDF5 file format specification: the end-of-file address, as long as an address is.
    """
    if len(start) < 64:
        return 64
    version = start[8]
    if version in (0, 1):
        width, at = start[13], 24 + 4 * version
        at += 2 * start[13]  # behind the base address and that of free space
    elif version in (2, 3):
        width, at = start[9], 12
        at += 2 * width  # behind the base address and that of the extension
    else:
        return None
    return int.from_bytes(start[at : at + width], "little") if width in (4, 8) else None


def _as_held(dataset: xr.Dataset) -> xr.Dataset:
    """`dataset` as a file holds it, so that a reader gets it back.

    Raises InterpflowError where that is not possible.
    """
    held = dataset.copy()
    for name in (*dataset.dims, *dataset.variables):
        _check_name(name)
    for name, array in dataset.variables.items():
        values = _plain(str(name), array.values)
        attrs = dict(array.attrs)
        for key in attrs:
            _check_attribute(str(name), key, attrs[key])
        if "since" in str(attrs.get("units", "")):
            attrs[_UNITS_IN_WORDS] = attrs.pop("units")
        if values is not array.values or attrs != array.attrs:
            held[name] = xr.Variable(array.dims, values, attrs)
    for key, value in dataset.attrs.items():
        _check_attribute("the dataset", key, value)
    return held


def _check_name(name: Any) -> None:
    good = (
        isinstance(name, str)
        and 0 < len(name.encode()) <= _LONGEST_NAME
        and name == unicodedata.normalize("NFC", name)
        and name.isprintable()
        and not any(character == "/" or character.isspace() for character in name)
    )
    if not good:
        raise InterpflowError(
            f"{name!r} is no name of a variable or dim: it takes up to {_LONGEST_NAME} printable characters, "
            "no spaces, no '/', accents not apart from their letters"
        )


def _check_attribute(of: str, key: Any, value: Any) -> None:
    if key in _NOT_FOR_ATTRIBUTES:
        raise InterpflowError(
            f"{of} has an attribute '{key}', by which readers would change its values; call it otherwise"
        )
    fits = isinstance(value, (str, int, float, np.number, np.ndarray, list, tuple))
    if not fits or isinstance(value, bool):
        raise InterpflowError(
            f"{of} has an attribute '{key}' of {value!r}; it takes text or numbers"
        )


def _plain(name: str, values: np.ndarray) -> np.ndarray:
    """`values` as numbers, true and false, or text."""
    if values.dtype.kind in "OT":
        kinds = {type(value) for value in values.ravel().tolist()}
        if len(kinds) > 1 or not kinds <= {str, bool, int, float}:
            found = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise InterpflowError(
                f"'{name}' holds values of several types or of none that netCDF has ({found}); "
                "a variable is numbers, true and false, or text"
            )
        values = np.array(values.tolist(), dtype=kinds.pop() if kinds else str).reshape(
            values.shape
        )
    if values.dtype.kind not in "biufUS" or values.dtype == np.float16:
        raise InterpflowError(
            f"'{name}' holds {values.dtype}, for which netCDF has no type; "
            "a variable is numbers of 4 or 8 bytes, whole numbers, true and false, or text"
        )
    if values.dtype.kind == "U" and any("\0" in text for text in values.ravel().tolist()):
        raise InterpflowError(
            f"'{name}' holds text with a NUL character, at which a file cuts it off"
        )
    return values
