"""The progress of a run and the time that is left, from the records beside the logs of its jobs."""

from __future__ import annotations

import heapq
import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from interpflow.workflow import measured
from interpflow.workflow.duration import duration
from interpflow.workflow.expected import Expected, Run, first, pace
from interpflow.workflow.measured import Measured

_LEFT = re.compile(r"(?:(\d+):)?(\d+):(\d\d) left$")
_SHORT = ""  # what the jobs have in common that do not train: most of their time is their start
_TAIL = 4096  # bytes of a log
# A line says how far a run is after so much of the time that is left, within bounds in seconds.
_SHARE_BETWEEN_LINES, _SOONEST, _LATEST = 0.1, 60.0, 900.0


@dataclass
class Progress:
    """A run now.

    done      how many of its jobs
    running   those at work
    failed    those that ended with an error in this run, and those that were killed in it
    waiting   how many are not begun
    seconds   how long it still takes, without the jobs that failed and what waits for them
    """

    done: int
    running: list[Expected]
    failed: list[Expected]
    waiting: int
    seconds: float


def progress(run: Run, now: float | None = None) -> Progress:
    """The state of `run` at the time `now` (epoch).

    Jobs that are done correct the expectations of the others.  Their times, run through on paper, are shorter
    than the time since the first began: the rest is Snakemake's, and the jobs that are left cost it too.
    """
    now = time.time() if now is None else now
    records = [_record(run, job) for job in run.jobs]
    paces = pace(
        (_alike(job), record.seconds, job.seconds)
        for job, record in zip(run.jobs, records, strict=True)
        if record and record.outcome == "done"
    )
    left: dict[int, float] = {}
    spent: dict[int, float] = {}
    lost: set[int] = set()
    at = Progress(0, [], [], 0, 0.0)
    for place, (job, record) in enumerate(zip(run.jobs, records, strict=True)):
        seconds = job.seconds * first(paces, *_alike(job))
        if record and record.outcome == "done":
            at.done += 1
            spent[place] = record.seconds
        elif record and record.outcome == "running":
            at.running.append(job)
            spent[place] = now - record.began
            left[place] = _left_of(job, seconds, spent[place], now)
        elif record:
            at.failed.append(job)
            lost.add(place)
        else:
            at.waiting += 1
            if lost.isdisjoint(job.after):
                left[place] = seconds
            else:
                lost.add(place)
    on_paper = time_left(run, spent)
    began = min((record.began for record in records if record), default=now)
    between = max(1.0, (now - began) / on_paper) if on_paper else 1.0
    at.seconds = between * time_left(run, left)
    return at


def _alike(job: Expected) -> tuple[str, ...]:
    """What a job has in common with others, the nearest first."""
    return (job.kind, job.stage) if job.stage == "train" else (job.kind, job.stage, _SHORT)


def _record(run: Run, job: Expected) -> Measured | None:
    """What there is of an attempt at `job` in `run`."""
    record = measured.read(job.log)
    ours = record and record.recipe == job.recipe and record.began >= run.began
    return record if ours else None


def _left_of(job: Expected, seconds: float, elapsed: float, now: float) -> float:
    """How long a running job still takes: by the last line of its log, or of `seconds` that it takes in all."""
    if found := _LEFT.search(last_line(job.log)):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        said = os.stat(job.log).st_mtime
        return max(3600 * hours + 60 * minutes + seconds - (now - said), 0.0)
    return max(seconds - elapsed, 0.1 * elapsed)


def last_line(log: str) -> str:
    """The last line of the file at `log` that is not empty; "" where there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.stat(log).st_size - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def time_left(run: Run, left: Mapping[int, float]) -> float:
    """Seconds until the last job is done of those that have `left` so many, by their place in `run`."""
    clock, free = 0.0, run.cores
    at_work: list[tuple[float, int]] = []
    open_jobs = dict(left)
    while open_jobs or at_work:
        unfinished = {*open_jobs, *(place for _, place in at_work)}
        ready = [place for place in open_jobs if unfinished.isdisjoint(run.jobs[place].after)]
        for place in sorted(ready, key=lambda place: -run.jobs[place].priority):
            if (threads := _threads(run, place)) <= free:
                free -= threads
                heapq.heappush(at_work, (clock + open_jobs.pop(place), place))
        clock, place = heapq.heappop(at_work)
        free += _threads(run, place)
    return clock


def _threads(run: Run, place: int) -> int:
    return min(run.jobs[place].threads, run.cores)


def line(run: Run, at: Progress) -> str:
    """`34 of 120 jobs done, 2 running; about 12 minutes left on 2 cores`."""
    failed = f", {len(at.failed)} failed" if at.failed else ""
    cores = f"{run.cores} core{'' if run.cores == 1 else 's'}"
    return (
        f"{at.done} of {len(run.jobs)} jobs done, {len(at.running)} running{failed}; "
        f"about {duration(at.seconds)} left on {cores}"
    )


def tell(run: Run, stream: TextIO | None = None) -> None:
    """Say now and then, from a thread that ends with the process, how far `run` is."""
    threading.Thread(target=_tell, args=(run, stream or sys.stderr), daemon=True).start()


def _tell(run: Run, stream: TextIO) -> None:
    while (at := progress(run)).done + len(at.failed) < len(run.jobs):
        stream.write(f"interpflow: {line(run, at)}\n")
        stream.flush()
        time.sleep(min(max(_SHARE_BETWEEN_LINES * at.seconds, _SOONEST), _LATEST))
