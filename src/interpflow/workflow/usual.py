"""What each job of a study took where its reference was made, in `reference/seconds/<study>.csv`.

A first run in a fresh clone knows by it how long it will take: how much faster or slower this machine is shows
after the first jobs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from interpflow.files import replacing
from interpflow.spec.study import DEFAULT_SCALE
from interpflow.workflow import measured
from interpflow.workflow.cost import job_seconds
from interpflow.workflow.job import Job

SECONDS = "reference/seconds/{study}.csv"
_HEAD = ("job", "seconds")


def usual_seconds(job: Job) -> float:
    """Seconds that one core takes for `job`: as in the reference of its study, else by the cost model."""
    kept = _kept(job.study) if job.scale == DEFAULT_SCALE else {}
    return kept.get(_name(job), 0.0) or job_seconds(job)


def keep(study: str, jobs: Iterable[Job]) -> list[Path]:
    """Write down the processor time of each of `jobs`; the files written.

    Time on the clock would count what else the machine had to do.  A job whose record is gone, or that shared
    its process with others, keeps the time that it had.
    """
    before, now = _kept(study), {}
    for job in jobs:
        record = measured.read(job.log)
        if record and record.outcome == "done" and record.cost:
            now[_name(job)] = round(record.seconds * record.cores, 1)
        elif _name(job) in before:
            now[_name(job)] = before[_name(job)]
    if not now:
        return []
    path = Path(SECONDS.format(study=study))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([_HEAD, *sorted(now.items())])
    _kept.cache_clear()
    return [path]


def _name(job: Job) -> str:
    return " ".join((job.stage, *job.names))


@cache
def _kept(study: str) -> Mapping[str, float]:
    """The seconds of each job; none where the file is not there or is not one of ours."""
    try:
        text = Path(SECONDS.format(study=study)).read_text(encoding="utf-8")
        return {row["job"]: float(row["seconds"]) for row in csv.DictReader(text.splitlines())}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
