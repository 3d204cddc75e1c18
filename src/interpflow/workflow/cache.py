"""Datasets kept by recipe in cache/, so that an edit taken back computes nothing again.

    cache/<SHA-256 of the recipe>/weights.nc, history.nc    links to the files of the job, or copies
                                  entry.json                their digests, written last

An entry without a readable `entry.json` is none.  Images and tables are made of datasets in seconds and are not
kept.  The time of an entry's folder says when the entry was last used.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.files import replacing, sha256
from interpflow.workflow import code_parts, locks
from interpflow.workflow.job import Job
from interpflow.workflow.stale import recipe_of

CACHE = Path("cache")  # of the project folder
ACCOUNT = "entry.json"
LIMIT = 20 * 10**9  # bytes, until another limit is told
_LIMIT = CACHE / "limit"
_LOCK = CACHE / ".lock"
# Set in a job's environment where an attempt at it, or at the group that it is in, was ended before.
AGAIN = "INTERPFLOW_AGAIN"


@dataclass(frozen=True)
class Entry:
    """What stands in the cache of one recipe.

    recipe   its SHA-256
    label    the stage and the names of the job that made the files
    inputs   the attribute `inputs` of the files: where their inputs lay
    files    {name: SHA-256}
    bytes    of all files
    """

    recipe: str
    label: str
    inputs: str
    files: Mapping[str, str]
    bytes: int

    def text(self) -> str:
        """The account that stands beside the files."""
        return json.dumps(asdict(self), indent=1) + "\n"


def entry_in(text: str | bytes) -> Entry | None:
    """The entry whose account is `text`; None for any other text."""
    try:
        return Entry(**json.loads(text))
    except (ValueError, TypeError):
        return None


def has_place(job: Job) -> bool:
    """Whether the cache keeps what `job` makes: datasets alone."""
    return all(path.endswith(".nc") for path in job.outputs.values())


def held(job: Job) -> Entry | None:
    """The entry of the recipe of `job`, unchecked; None where there is none."""
    if not has_place(job):
        return None
    try:
        found = entry_in((CACHE / job.sha / ACCOUNT).read_bytes())
    except OSError:
        return None
    return found if found and found.files.keys() == names(job).keys() else None


def names(job: Job) -> dict[str, str]:
    """{name of a file in the entry: path of the file of the job}."""
    return {f"{output}.nc": path for output, path in job.outputs.items()}


def take(job: Job) -> bool:
    """Put the files of `job` in their places from its entry; False where the job must run.

    The bytes are those that the job would write: an entry that was made elsewhere is written anew with the
    paths of its inputs here.  A damaged entry is named on standard error and removed.
    """
    entry = held(job)
    if entry is None:
        return False
    folder, inputs = CACHE / job.sha, job.attrs()["inputs"]
    runs = f"{job.stage} {job.label} runs instead"
    try:
        require_sound(entry, folder)
    except InterpflowError as error:
        print(f"interpflow: {error}; {runs}", file=sys.stderr)
        remove(folder)
        return False
    try:
        for name, path in names(job).items():
            with replacing(Path(path)) as temporary:
                if entry.inputs == inputs:
                    _link(folder / name, temporary)
                else:
                    _write_with_inputs(folder / name, temporary, inputs)
    except InterpflowError as error:  # the disk is full, or somebody else made room in the cache
        print(f"interpflow: {error}; {runs}", file=sys.stderr)
        return False
    with contextlib.suppress(OSError):  # somebody else's cache
        os.utime(folder)
    code_parts.keep(job.code, *job.modules)
    return True


def require_sound(entry: Entry, folder: Path) -> None:
    """Raise InterpflowError, naming the file, where a file of `entry` is not as it was kept."""
    for name, digest in entry.files.items():
        path = folder / name
        if sha256(path) != digest:
            raise InterpflowError(f"{path}: damaged: its SHA-256 is not the one in {ACCOUNT}")
        if recipe_of(path) != entry.recipe:
            raise InterpflowError(f"{path}: another recipe made it than {ACCOUNT} says")


def keep(job: Job) -> None:
    """Keep the files of `job`, just made, under its recipe, if the limit of the cache allows.

    Raises InterpflowError or OSError where the cache cannot be written.
    """
    if not has_place(job) or held(job):
        return
    files = names(job)
    entry = Entry(
        recipe=job.sha,
        label=f"{job.stage} {job.label}",
        inputs=job.attrs()["inputs"],
        files={name: sha256(path) for name, path in files.items()},
        bytes=sum(os.stat(path).st_size for path in files.values()),
    )
    folder = CACHE / job.sha
    with locked():
        if not make_room(entry.bytes + len(entry.text().encode())):
            return
        for name, path in files.items():
            with replacing(folder / name) as temporary:
                _link(Path(path), temporary)
        write_account(entry)


def write_account(entry: Entry) -> None:
    """Make an entry of the files that stand in its folder."""
    with replacing(CACHE / entry.recipe / ACCOUNT) as temporary:
        temporary.write_text(entry.text(), encoding="utf-8")


def limit() -> int:
    """The most bytes that the cache may hold."""
    try:
        return int(_LIMIT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return LIMIT


def tell_limit(most: int) -> None:
    """Let the cache hold `most` bytes at most, from now on."""
    with replacing(_LIMIT) as temporary:
        temporary.write_text(f"{most}\n", encoding="utf-8")


def make_room(wanted: int = 0) -> bool:
    """Remove what was not used for longest until `wanted` bytes more fit; False if they never do."""
    most = limit()
    if wanted > most:
        return False
    by_use = sorted(sizes().items(), key=lambda item: _used(item[0]))
    total = sum(size for _, size in by_use)
    for folder, size in by_use:
        if total + wanted <= most:
            break
        remove(folder)
        total -= size
    return True


def sizes(only_here: bool = False) -> dict[Path, int]:
    """The bytes of each folder of the cache; `only_here`: without files that are in results/ too."""
    found = {}
    for folder in CACHE.iterdir() if CACHE.is_dir() else ():
        with contextlib.suppress(OSError):  # a file, or removed since
            stats = [entry.stat() for entry in os.scandir(folder)]
            found[folder] = sum(s.st_size for s in stats if s.st_nlink == 1 or not only_here)
    return found


def remove(folder: Path) -> None:
    """Remove one entry, its account first: who is killed on the way leaves none."""
    with contextlib.suppress(OSError):
        (folder / ACCOUNT).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """The block alone writes to the cache; the kernel frees the lock of a killed process."""
    CACHE.mkdir(exist_ok=True)
    with _LOCK.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            locks.warn(
                f"{locks.none_known(_LOCK, error)}, so jobs side by side may let the cache grow over its "
                "limit; what they keep there is checked by its digest"
            )
        yield


def _used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _write_with_inputs(source: Path, target: Path, inputs: str) -> None:
    """Write the dataset at `source` with another attribute `inputs`, and nothing else changed.

    Nothing is decoded, so every variable is stored as it was, and `made_with` names the machine that made it.
    """
    import xarray as xr  # half a second, and rarely needed

    with xr.open_dataset(source, engine="netcdf4", decode_cf=False) as opened:
        dataset = opened.load().assign_attrs(inputs=inputs)
    dataset.to_netcdf(target, engine="netcdf4", format="NETCDF4")
