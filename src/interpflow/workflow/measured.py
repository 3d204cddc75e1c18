"""The record of a job: its seconds, cores and memory, in a JSON file beside its log.

The job holds the file locked while it works.  The kernel frees the lock when the process ends, even by a kill.
So a record that says `running` and is free belongs to a killed job.  No recipe and no result depends on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

Outcome = Literal["running", "done", "failed", "killed"]

_STAT, _STATUS, _CLEAR = (Path("/proc/self", name) for name in ("stat", "status", "clear_refs"))


@dataclass(frozen=True)
class Measured:
    """The last attempt at a job.

    recipe    the first digits of the recipe's SHA-256
    outcome   how it ended; "killed" where it did not
    began     seconds since the epoch
    seconds   how long it took, together with attempts at the same recipe that were killed before
    cores     processor time a second
    memory    the most that it held, in MB
    cost      what the cost model foresaw, in seconds; 0 in a process that had done other things before, which
              took less than foreseen
    """

    recipe: str
    outcome: Outcome
    began: float
    seconds: float = 0.0
    cores: float = 0.0
    memory: float = 0.0
    cost: float = 0.0


def path_beside(log: Path | str) -> Path:
    """Where the record of the job with this log is kept."""
    return Path(log).with_suffix(".json")


def read(log: Path | str) -> Measured | None:
    """The record beside `log`; None where there is none, or none that can be read."""
    path = path_beside(log)
    try:
        with path.open("rb") as file:
            content = json.loads(file.read())
            if content["outcome"] == "running" and _is_free(file.fileno()):
                # Its log is the last sign of life.
                content["outcome"] = "killed"
                content["seconds"] += max(0.0, os.stat(log).st_mtime - content["began"])
        found = Measured(**content)
        numbers = found.began, found.seconds, found.cores, found.memory, found.cost
        return found if all(map(math.isfinite, numbers)) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextlib.contextmanager
def measuring(log: Path | str, recipe: str, cost: float, alone: bool) -> Iterator[None]:
    """Measure the block, which makes the files of a job; `alone` in a process that does nothing else.

    Such a process counts from its start: it takes seconds to load what it computes with.
    """
    before = read(log)
    killed = before is not None and before.outcome == "killed" and before.recipe == recipe
    earlier = before.seconds if before and killed else 0.0
    loading = _age() if alone else 0.0
    started, cpu = time.monotonic() - loading, 0.0 if alone else time.process_time()
    if not alone:
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")  # the peak counts from here
    path = path_beside(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = Measured(recipe, "running", time.time() - loading, seconds=earlier, cost=cost * alone)
    outcome: Outcome = "failed"
    with path.open("a+b") as file:
        _lock(file.fileno())
        _write(file.fileno(), record)
        try:
            yield
            outcome = "done"
        finally:
            seconds = time.monotonic() - started
            _write(
                file.fileno(),
                replace(
                    record,
                    outcome=outcome,
                    seconds=round(earlier + seconds, 2),
                    cores=round((time.process_time() - cpu) / max(seconds, 1e-3), 2),
                    memory=round(_peak(), 1),
                ),
            )


def _lock(descriptor: int) -> None:
    """Hold the lock of a record, if the file system knows locks and nobody else holds it for long."""
    for _ in range(20):  # whoever reads the record holds it for a moment
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            return


def _write(descriptor: int, record: Measured) -> None:
    """In place, since the lock is on the file: one short line."""
    text = json.dumps(asdict(record)).encode()
    os.ftruncate(descriptor, 0)
    os.write(descriptor, text + b"\n")  # opened to append


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return False
    except OSError:  # no locks: who knows
        return False
    return True


def _age() -> float:
    """The seconds since this process began; its processor time if the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        ticks = int(_STAT.read_text().rpartition(")")[2].split()[19])
        if ticks:
            return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.process_time()


def _peak() -> float:
    """The most memory that this process held, in MB."""
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
