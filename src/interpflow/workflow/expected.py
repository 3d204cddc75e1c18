"""What a run has before it: its jobs, what each waits for and how long it is expected to take.

It is written down for the length of a run, so that a look at the run plans nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from interpflow.files import replacing
from interpflow.workflow import measured

if TYPE_CHECKING:
    from interpflow.workflow.job import Job

PATH = Path(".snakemake/interpflow-run.json")


@dataclass(frozen=True)
class Expected:
    """One job of a run.

    called    stage and names
    log       its log, beside which stands what it took
    recipe    the first digits of its recipe's SHA-256
    threads   what it computes with
    priority  a run starts the highest first
    after     places in the run of the jobs that it waits for
    seconds   how long it is expected to take
    """

    called: str
    log: str
    recipe: str
    threads: int
    priority: int
    after: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Run:
    """The jobs of a run that uses so many cores, each behind those that it waits for; when it began (epoch)."""

    began: float
    cores: int
    jobs: tuple[Expected, ...]

    def write(self) -> None:
        """Keep it in the project folder."""
        with replacing(PATH) as temporary:
            temporary.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def read() -> Run | None:
    """The run that was last written in this folder; None where that cannot be read."""
    try:
        content = json.loads(PATH.read_bytes())
        jobs = (Expected(**{**job, "after": tuple(job["after"])}) for job in content["jobs"])
        return Run(content["began"], content["cores"], tuple(jobs))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def expected(jobs: Sequence[Job], every: Iterable[Job]) -> tuple[Expected, ...]:
    """What to expect of `jobs`, each behind those that it reads, by what like ones of `every` took.

    A job takes as long as it took before, as far as the cost model foresees the same; else what jobs of its
    method took, or of its stage, by the same measure; else what the cost model says.
    """
    from interpflow.workflow.cost import job_seconds

    pace = _paces(every)
    at = {job: place for place, job in enumerate(jobs)}
    return tuple(
        Expected(
            called=f"{job.stage} {job.label}",
            log=job.log,
            recipe=job.short_sha,
            threads=job.threads,
            priority=_PRIORITY.get(job.stage, 0),
            after=tuple({at[source.job] for source in job.sources.values() if source.job in at}),
            seconds=round(
                job_seconds(job) * next((pace[key] for key in _likeness(job) if key in pace), 1.0),
                2,
            ),
        )
        for job in jobs
    )


# As the rules say.
_PRIORITY = {"data": 2, "train": 2, "analyse": 1}


def _likeness(job: Job) -> list[Any]:
    """What a job has in common with others, the closest first."""
    of_kind = job.slice.get("method") or job.slice.get("plot") or ""
    return [job.log, (job.stage, of_kind), job.stage]


def _paces(jobs: Iterable[Job]) -> Mapping[Any, float]:
    """How many times as long as foreseen jobs took, by what they have in common."""
    found: dict[Any, list[float]] = {}
    for job in jobs:
        record = measured.read(job.log)
        if record and record.outcome == "done" and record.cost:
            for key in _likeness(job):
                found.setdefault(key, []).append(record.seconds / record.cost)
    return {key: median(each) for key, each in found.items()}
