"""The jobs that a run has before it, with the inputs that each waits for and the seconds that it will take.

A run writes them down, so that `status` beside the run needs no plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interpflow.files import replacing
from interpflow.workflow import measured

if TYPE_CHECKING:
    from interpflow.workflow.job import Job
    from interpflow.workflow.measured import Measured

PATH = Path(".snakemake/interpflow-run.json")


@dataclass(frozen=True)
class Expected:
    """One job of a run.

    stage, label   what it is called
    kind           stage and method, or plot: jobs of one kind are alike
    log            its log, beside which stands what it took
    recipe         the first digits of its recipe's SHA-256
    threads        what it computes with
    priority       a run starts the highest first
    after          places in the run of the jobs that it waits for
    seconds        how long it is expected to take
    """

    stage: str
    label: str
    kind: str
    log: str
    recipe: str
    threads: int
    priority: int
    after: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Run:
    """The jobs of a run that uses so many cores, each behind those that it waits for; when it began (epoch).

    A run on a cluster counts the jobs that it may have there at a time as cores.
    """

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


# The rules take it from here, with their reasons.
PRIORITY = {"data": 2, "train": 2, "analyse": 1}


def records_of(every: Iterable[Job]) -> list[tuple[Job, Measured]]:
    """The ones of the jobs `every` that were done, with what each took."""
    records = ((job, measured.read(job.log)) for job in every)
    return [(job, record) for job, record in records if record and record.outcome == "done"]


def foreseen(records: Iterable[tuple[Job, Measured]]) -> Callable[[Job], float]:
    """A function: the seconds that a job is expected to take, by `records` of jobs that were done.

    What is usual is scaled by the last record of the same job, else by the records of jobs of its kind, else of
    its stage.  A job that shared its process with others says nothing.
    """
    from interpflow.workflow.usual import usual_seconds

    paces = pace(
        ((job.log, kind(job), job.stage), record.seconds, usual_seconds(job))
        for job, record in records
        if record.cost
    )
    return lambda job: usual_seconds(job) * first(paces, job.log, kind(job), job.stage)


def expected(jobs: Sequence[Job], seconds: Callable[[Job], float]) -> tuple[Expected, ...]:
    """The expectations of `jobs`, each after its inputs; each takes so many `seconds`."""
    at = {job: place for place, job in enumerate(jobs)}
    return tuple(
        Expected(
            stage=job.stage,
            label=job.label,
            kind=kind(job),
            log=job.log,
            recipe=job.short_sha,
            threads=job.threads,
            priority=PRIORITY.get(job.stage, 0),
            after=tuple({at[source.job] for source in job.sources.values() if source.job in at}),
            seconds=round(seconds(job), 2),
        )
        for job in jobs
    )


def at_once(cores: int | None, jobs_away: int | None, jobs: int) -> int:
    """How many of the `jobs` of a run go on at a time: on its `cores`, or so many away on a cluster.

    Snakemake knows no number of cores where it sends jobs away.
    """
    return cores or min(jobs_away or jobs, jobs)


def pace(took: Iterable[tuple[Sequence[str], float, float]]) -> dict[str, float]:
    """The ratio of seconds to foreseen seconds by key; `took` holds (keys, seconds, foreseen seconds)."""
    sums: dict[str, tuple[float, float]] = {}
    for keys, seconds, foreseen in took:
        for key in keys if foreseen else ():
            before = sums.get(key, (0.0, 0.0))
            sums[key] = (before[0] + seconds, before[1] + foreseen)
    return {key: seconds / foreseen for key, (seconds, foreseen) in sums.items()}


def first(paces: Mapping[str, float], *keys: str) -> float:
    """The pace of the first of `keys` that has one; 1 where none has."""
    return next((paces[key] for key in keys if key in paces), 1.0)


def kind(job: Job) -> str:
    """Stage and method, or plot: jobs of one kind are alike."""
    return f"{job.stage} {job.slice.get('method') or job.slice.get('plot') or ''}".strip()
