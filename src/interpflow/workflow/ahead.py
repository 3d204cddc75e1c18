"""Work that other processes do ahead, one for each core, where the process that needs it finds it done."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from typing import TypeVar

Item = TypeVar("Item")


def done_ahead(work: Callable[[Item], object], items: Sequence[Item]) -> None:
    """Do `work`, which keeps what it finds in files, for each of `items`.

    Where it fails, and where there is no second core, nothing is said: whoever needs it does it again.
    Processes are forked, since loading what they compute with takes as long as the work.  That is safe in a
    process without further threads alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    processes = min(cores, len(items))
    alone = threading.active_count() == 1 and "fork" in get_all_start_methods()
    if processes < 2 or not alone:
        return
    with (
        contextlib.suppress(Exception),  # of the pool itself
        ProcessPoolExecutor(processes, get_context("fork")) as pool,
    ):
        list(pool.map(partial(_quietly, work), items))


def _quietly(work: Callable[[Item], object], item: Item) -> None:
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        work(item)
