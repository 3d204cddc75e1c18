"""Files, read and written: whole or not at all, and what goes wrong said in words, with the way out.

A retraining is advised only where it would help: not for a file that is there but locked or forbidden.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import glob
import hashlib
import os
import platform
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from interpflow.errors import InterpflowError

# A writer on another machine cannot be asked whether it lives; one that has not written for so long does not.
_SECONDS_UNTIL_STALE = 24 * 3600.0
_PROBE = 1 << 20  # bytes

_FORBIDDEN = (errno.EACCES, errno.EPERM)
_LOCKED = (errno.EAGAIN, errno.EDEADLK, errno.ENOLCK, errno.ETXTBSY)


@contextlib.contextmanager
def reading(path: Path | str) -> Iterator[Path]:
    """The block reads the file at `path`; an OSError in it becomes an InterpflowError that tells."""
    path = Path(path)
    try:
        yield path
    except OSError as error:
        raise InterpflowError(f"{path}: {_unread(error, path)}") from error


def require_readable(path: Path | str) -> bytes:
    """The first bytes of the file at `path`.  Raises InterpflowError where it cannot be read."""
    with reading(path) as found, found.open("rb") as file:
        start = file.read(512)
        file.seek(-1, os.SEEK_END) if start else None
        file.read(1)  # the end too: a file may be there in part
    return start


def _unread(error: OSError, path: Path) -> str:
    said = error.strerror or str(error)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        target = f" (a link to {os.readlink(path)}, which is gone)" if path.is_symlink() else ""
        return f"no such file{target}; {rebuild(path)}"
    if error.errno in _FORBIDDEN:
        return (
            f"{getpass.getuser()} may not read it ({said}){_owner(path)}; "
            f"a reader's right mends it: chmod +r {shlex.quote(str(path))}, and +x for the folders above it"
        )
    if error.errno == errno.EISDIR:
        return f"a folder stands where a file belongs; move it away, then {rebuild(path)}"
    if error.errno in _LOCKED:
        return locked(said)
    return (
        f"the disk or the network does not give it ({said}), which says nothing against the file; "
        "try again, then have the disk looked at"
    )


def locked(said: str) -> str:
    """What to do about a lock."""
    return (
        f"locked by another program, or its file system knows no locks ({said}); close that program, or "
        "go without locks, which files that are replaced whole do not need: HDF5_USE_FILE_LOCKING=FALSE"
    )


def _owner(path: Path) -> str:
    for place in (path, *path.absolute().parents):
        with contextlib.suppress(OSError, KeyError):
            return f"; {'it' if place == path else place} belongs to {place.owner()}"
    return ""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place, flushed to disk, when the block succeeds.

    Its name is of this machine and process, so two writers of one file do not meet in it.  What killed
    writers left is removed.  Raises InterpflowError where nothing can be written; `path` is then as before.
    """
    temporary = path.with_name(f".{path.name}.{_host()}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in leftovers(path.parent, path.name):
            left.unlink(missing_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as RuntimeError
        message = f"{path}: cannot be written: {_unwritten(_cause(error, temporary), path)}"
        raise InterpflowError(f"{message}; the file is as it was") from error
    finally:
        with contextlib.suppress(OSError):  # gone already, or where nothing can be written
            temporary.unlink()


def leftovers(folder: Path, name: str = "*") -> Iterator[Path]:
    """Temporary files in `folder`, of the file `name` or of any, whose writers are dead."""
    pattern = name if name == "*" else glob.escape(name)
    for left in sorted(folder.glob(f".{pattern}.*.part")):
        *_, host, pid, _ = left.name.rsplit(".", 3)
        if host == _host() and pid.isdecimal():
            stale = int(pid) == os.getpid() or not _lives(int(pid))
        else:
            with contextlib.suppress(OSError):
                stale = time.time() - left.stat().st_mtime > _SECONDS_UNTIL_STALE
        if stale:
            yield left


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    try:  # a killed process that nobody has asked about yet has a number, and writes nothing
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return True


def _host() -> str:
    return re.sub("[^A-Za-z0-9-]", "-", platform.node())[:32] or "here"


def _cause(error: Exception, temporary: Path) -> Exception:
    """The operating system's error behind `error`: HDF5 keeps it to itself, so a write is tried."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return error
    try:
        with temporary.open("ab") as probe:
            probe.write(bytes(_PROBE))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as told:
        return told
    return error


def _unwritten(error: Exception, path: Path) -> str:
    number = error.errno if isinstance(error, OSError) else None
    said = (isinstance(error, OSError) and error.strerror) or str(error)
    if number == errno.ENOSPC:
        return f"the disk is full; make room (df -h {shlex.quote(str(_standing(path)))})"
    if number == errno.EDQUOT:
        return "your share of the disk (quota) is used up; make room, or ask for more"
    if number == errno.EFBIG:
        return "no file may grow so large here; raise the limit (ulimit -f)"
    if number == errno.EROFS:
        return "the file system is read-only; work in a folder that can be written"
    if number in _FORBIDDEN:
        place = _standing(path)
        return (
            f"{getpass.getuser()} may not write here ({said}){_owner(place)}; "
            f"a writer's right mends it: chmod +w {shlex.quote(str(place))}"
        )
    if number in (errno.ENOTDIR, errno.EEXIST):
        return f"a file stands where a folder belongs: {_standing(path)}; move it away"
    if number == errno.EISDIR:
        return "a folder stands in its place; move it away"
    if number in _LOCKED:
        return locked(said)
    if number == errno.ENAMETOOLONG:
        return "its name is too long for the file system; shorten it in the spec"
    if number in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT):
        return f"the disk or the network fails ({said}); have it looked at"
    return said


def _standing(path: Path) -> Path:
    """The nearest thing above `path` that exists."""
    return next((place for place in path.parents if os.path.lexists(place)), Path())


def rebuild_command(path: Path | str) -> str:
    """The shell command that makes `path` again, from wherever it is given and whatever state it is in."""
    found = _in_project(Path(path))
    project, shown = found or (Path.cwd(), Path(path))
    # The second part of every path the workflow makes is the scale: results/laptop/...
    scale = shown.parts[1] if len(shown.parts) > 2 else "laptop"
    command = (
        f"snakemake --cores all --config scale={scale} --force {shlex.quote(shown.as_posix())}"
    )
    return command if project == Path.cwd() else f"cd {shlex.quote(str(project))} && {command}"


def rebuild(path: Path) -> str:
    """How to get `path` back, as the end of a sentence."""
    if _in_project(path):
        return f"rebuild it with: {rebuild_command(path)}"
    return "the workflow did not make it"


def _in_project(path: Path) -> tuple[Path, Path] | None:
    """The project folder that `path` is in and the path from there, where the workflow makes such a file."""
    known: list[tuple[Path, Path]] = []
    for whole in dict.fromkeys([Path(os.path.abspath(path)), Path(os.path.realpath(path))]):
        for folder in whole.parents:
            shown = whole.relative_to(folder)
            if shown.parts[0] in ("results", "figures") and len(shown.parts) > 1:
                known.append((folder, shown))
    here = [each for each in known if each[0] == Path.cwd()]
    with_specs = [each for each in known if (each[0] / "specs").is_dir()]
    return next(iter([*here, *with_specs, *known[-1:]]), None)


def require_digest(path: Path, wanted: str, holds: str, without: str) -> None:
    """Raise InterpflowError unless the file at `path`, a part of the project, has the SHA-256 `wanted`.

    `holds` says what it holds, `without` how the spec does without it.
    """
    if not path.is_file():
        raise InterpflowError(
            f"{path}: no such file; it holds {holds} and is part of the project: get it back, or {without}"
        )
    if (found := sha256(path)) != wanted:
        raise InterpflowError(
            f"{path}: not the file that the spec means: its sha256 is {found}, the spec has {wanted}"
        )


def sha256(path: Path | str) -> str:
    """The SHA-256 of the bytes of the file at `path`, as 64 hexadecimal digits.

    Raises InterpflowError where it cannot be read.
    """
    with reading(path) as found, found.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
