"""One run at a time in a folder, and no job that outlives its run.

Snakemake's own lock is a file that a killed run leaves behind.  This one is held by the kernel for as long as
the process lives: nothing is left to clear by hand.  Each job waits for the lock in a thread; it gets it the
moment the run that started it dies, and ends before it can write beside the next run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.workflow import locks

PATH = Path(".snakemake/interpflow.lock")  # of the project folder

_VARIABLE = "INTERPFLOW_RUN_LOCK"
# A killed process is a moment in dying.
_SECONDS_FOR_A_RUN_TO_DIE = 2.0
# Orphans notice at once, but can end only when they come back from the library call they are in.
_SECONDS_FOR_ORPHANS_TO_END = 600.0
_EXIT_CODE_OF_ORPHANS = 3


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock at `path` for the length of a block; raises InterpflowError as `take` does."""
    descriptor = take(path)
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)
        if descriptor is not None:
            os.close(descriptor)


def take(path: Path) -> int | None:
    """Hold the lock at `path` until this process ends, and tell the jobs that it starts.

    Returns the descriptor that holds it.  Raises InterpflowError where another run holds it, or where this user
    may not write.  Where the file
    system knows no locks (some cluster file systems), says so and returns None.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT, 0o644
        )  # not inherited by child processes
    except OSError as error:
        raise InterpflowError(locks.not_ours(path, error)) from error
    started, told = time.monotonic(), False
    try:
        while not _try(descriptor, fcntl.LOCK_EX):
            # A run locks exclusively, orphans share: what can be shared is held by orphans only.
            only_orphans = _try(descriptor, fcntl.LOCK_SH)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            patience = _SECONDS_FOR_ORPHANS_TO_END if only_orphans else _SECONDS_FOR_A_RUN_TO_DIE
            waited = time.monotonic() - started
            if waited > patience:
                os.close(descriptor)
                raise InterpflowError(_refusal(path, only_orphans))
            if waited > _SECONDS_FOR_A_RUN_TO_DIE and not told:
                print("interpflow: waiting for the jobs of a killed run to end", file=sys.stderr)
                told = True
            time.sleep(0.05)
    except OSError as error:
        os.close(descriptor)
        locks.warn(
            f"{locks.none_known(path, error)}, so nothing keeps a second run out of this folder: start none "
            "before this one has ended; nor are jobs that were killed told from running ones"
        )
        return None
    owner = f"{os.getpid()} {platform.node()} {secrets.token_hex(8)}"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, owner.encode(), 0)
    os.environ[_VARIABLE] = f"{owner} {path.resolve()}"
    return descriptor


def holder(path: Path) -> str:
    """The process id of the run that holds the lock at `path`; "" where none does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        if _try(descriptor, fcntl.LOCK_SH):  # free, or shared by orphans; given back by the closing
            return ""
        return os.pread(descriptor, 1000, 0).decode().partition(" ")[0]
    except OSError:  # no locks here
        return ""
    finally:
        os.close(descriptor)


def end_with_run() -> None:
    """End this process, from now on, as soon as the run that started it is dead.

    Does nothing in a process that no run started, or that a cluster started on another machine: there the
    scheduler looks after the jobs.
    """
    if not (value := os.environ.get(_VARIABLE)):
        return
    pid, host, token, path = value.split(" ", 3)
    if host == platform.node():
        owner = f"{pid} {host} {token}"
        threading.Thread(target=_end_when_free, args=(path, owner), daemon=True).start()


def _end_when_free(path: str, owner: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        # Another owner: the run died, and the next one began, before this job came so far.
        if os.pread(descriptor, 1000, 0).decode() == owner:
            # Waits for the run's death; held until this exit.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    except FileNotFoundError:
        pass
    # Without a word: standard error may be a pipe that nobody reads any more.
    os._exit(_EXIT_CODE_OF_ORPHANS)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refusal(path: Path, only_orphans: bool) -> str:
    if only_orphans:
        return (
            f"jobs of a killed run are still at work in {Path.cwd()} and do not end; "
            f"find them with: fuser -v {path}"
        )
    pid = path.read_text().partition(" ")[0] or "unknown"
    return (
        f"another run (process {pid}) is at work in {Path.cwd()}; "
        f"wait until it is done, or stop it with: kill {pid}"
    )
