"""Tests as somebody who has no rights of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def nobody() -> Iterator[Path]:
    """A folder that everybody may read, and until the block ends no rights beyond those of everybody."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    before = os.geteuid()
    try:
        yield folder
    finally:
        os.seteuid(before)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(folder)


def without_rights() -> None:
    """Have no more rights than everybody, until the block of `nobody` ends."""
    if os.geteuid() == 0:
        os.seteuid(65534)
