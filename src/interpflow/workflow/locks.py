"""What to say where no lock is to be had: on a file system that knows none, in somebody else's folder."""

from __future__ import annotations

import functools
import getpass
import sys
from pathlib import Path


def none_known(path: Path, error: OSError) -> str:
    """That the file system of `path` knows no locks, as `error` says: the beginning of a sentence."""
    return f"{path.resolve()}: its file system knows no locks ({error.strerror})"


@functools.cache
def warn(message: str) -> None:
    """Say `message` on standard error, once in a process."""
    print(f"interpflow: {message}", file=sys.stderr)


def not_ours(path: Path, error: OSError) -> str:
    """That this user may not write the file or folder at `path`, and whose it is."""
    place = next(place for place in (path, *path.absolute().parents) if place.exists())
    try:
        owner = f"; {place} belongs to {place.owner()}"
    except (OSError, KeyError):
        owner = ""
    return (
        f"{path}: {getpass.getuser()} may not write it ({error.strerror}){owner}: run in a folder of your own, "
        "or have the right to write in this one"
    )
