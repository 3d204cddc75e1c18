"""Entries of the cache in another place: a folder, or any URL that fsspec knows.

The remote has the layout of cache/.  The account of an entry is written last, so an entry is whole or none.
Digests and recipes are checked on the way in and on the way out.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import fsspec

from interpflow.errors import InterpflowError
from interpflow.files import replacing
from interpflow.workflow import cache
from interpflow.workflow.job import Job
from interpflow.workflow.states import state


@dataclass(frozen=True)
class Remote:
    """The folder `root` of a file system of fsspec."""

    url: str
    files: Any
    root: str

    def place(self, recipe: str, name: str = "") -> str:
        """The path of an entry or of one of its files."""
        return "/".join(filter(None, (self.root.rstrip("/"), recipe, name)))

    def entry(self, recipe: str) -> cache.Entry | None:
        """The entry of `recipe`, unchecked; None where there is none."""
        place = self.place(recipe, cache.ACCOUNT)
        return cache.entry_in(self.files.cat_file(place)) if self.files.isfile(place) else None


@contextlib.contextmanager
def remote(url: str) -> Iterator[Remote]:
    """The remote at `url`; what goes wrong with it in the block becomes an InterpflowError that names it."""
    try:
        files, root = fsspec.core.url_to_fs(url)
        yield Remote(url, files, root)
    except ImportError as error:
        raise InterpflowError(f"{url}: needs another package: {error}") from error
    except (OSError, ValueError) as error:
        raise InterpflowError(f"{url}: {error}") from error


def push(jobs: Iterable[Job], to: Remote) -> int:
    """Write to `to` the entries of `jobs` that it lacks; returns their number.

    They are made of the files in results/ that are of the planned recipe, or are in the cache.
    """
    pushed = 0
    for job in filter(cache.has_place, jobs):
        if to.entry(job.sha):
            continue
        if state(job) == "made":
            cache.keep(job)
        if (entry := cache.held(job)) is None:
            continue
        folder = cache.CACHE / job.sha
        cache.require_sound(entry, folder)
        to.files.makedirs(to.place(job.sha), exist_ok=True)
        for name in entry.files:
            to.files.put_file(str(folder / name), to.place(job.sha, name))
        to.files.pipe_file(to.place(job.sha, cache.ACCOUNT), entry.text().encode())
        pushed += 1
    return pushed


def pull(jobs: Iterable[Job], source: Remote) -> int:
    """Copy from `source` the entries of the `jobs` that are neither made nor kept; returns their number.

    A damaged entry is named on standard error and left out.
    """
    pulled = 0
    for job in filter(cache.has_place, jobs):
        if state(job) == "made" or cache.held(job):
            continue
        entry = source.entry(job.sha)
        if (
            entry is None
            or entry.recipe != job.sha
            or entry.files.keys() != cache.names(job).keys()
        ):
            continue
        with cache.locked():
            if not cache.make_room(entry.bytes):
                raise InterpflowError(
                    f"{entry.label} has {entry.bytes} bytes, and the cache may hold {cache.limit()}; "
                    "allow more with: interpflow cache gc LIMIT"
                )
        folder = cache.CACHE / job.sha
        for name in entry.files:
            with replacing(folder / name) as temporary:
                source.files.get_file(source.place(job.sha, name), str(temporary))
        try:
            cache.require_sound(entry, folder)
        except InterpflowError as error:
            print(
                f"interpflow: refused of {source.place(job.sha)}, {entry.label}: {error}",
                file=sys.stderr,
            )
            shutil.rmtree(folder, ignore_errors=True)
            continue
        cache.write_account(entry)
        pulled += 1
    return pulled
