"""Short jobs put together, so that a job on a cluster is worth its start.

Snakemake submits a group as one job, whose members run one after the other.  No group may wait for itself: no
path from one member to another leads through a job outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from interpflow.workflow.job import Job

# The stages whose jobs go to a cluster, alone or in a group.  All others take minutes at most, and no GPU: they
# are not worth a place in a queue.
AWAY = ("data", "train", "analyse")
# A group of so many expected seconds is closed, and a job of so many is alone.  The cost model errs by a factor
# of three, and a minute is worth a start.
WORTH = 180.0


def groups(jobs: Sequence[Job], seconds: Mapping[Job, float]) -> dict[Job, int]:
    """The number of the group of each short job of `jobs`, which stand after their inputs.

    Jobs that do not go away are in none.  The members of a group ask for like things: all for a GPU, or none.
    """
    short = {job for job in jobs if job.stage in AWAY and seconds[job] < WORTH}
    ranks = _ranks(jobs, short)
    places: dict[tuple[int, int], list[Job]] = {}
    for job in filter(short.__contains__, jobs):
        places.setdefault((ranks[job], job.gpus), []).append(job)
    batches = [batch for here in places.values() for batch in _batches(_chains(here), seconds)]
    return {job: number for number, batch in enumerate(batches) for job in batch}


def _ranks(jobs: Sequence[Job], short: set[Job]) -> dict[Job, int]:
    """How often a path up to each job changes its company, at most.

    A step between two short jobs that ask for like things changes nothing, any other step does.  So a path
    between two jobs of one rank passes through that rank alone.
    """

    def changed(job: Job, other: Job) -> bool:
        return not {job, other} <= short or job.gpus != other.gpus

    ranks: dict[Job, int] = {}
    for job in jobs:
        inputs = [source.job for source in job.sources.values() if source.job in ranks]
        ranks[job] = max((ranks[other] + changed(job, other) for other in inputs), default=0)
    return ranks


def _chains(jobs: Sequence[Job]) -> list[list[Job]]:
    """`jobs` in parts between which nothing is handed on."""
    part = {job: job for job in jobs}

    def first(job: Job) -> Job:
        while part[job] is not job:
            part[job] = job = part[part[job]]
        return job

    for job in jobs:
        for source in job.sources.values():
            if source.job in part:
                part[first(job)] = first(source.job)
    found: dict[Job, list[Job]] = {}
    for job in jobs:
        found.setdefault(first(job), []).append(job)
    return list(found.values())


def _batches(chains: Sequence[list[Job]], seconds: Mapping[Job, float]) -> list[list[Job]]:
    """The chains in batches that are each worth a start, if all of them are.

    Of chains that are worth several, the jobs that wait for no other of theirs come first.
    """
    found: list[list[Job]] = []
    large = [chain for chain in chains if _sum(chain, seconds) >= 2 * WORTH]
    if large:
        top = [job for chain in large for job in _waiting_for_none(chain)]
        first = {*top}
        rest = [job for chain in large for job in chain if job not in first]
        found += _batches([[job] for job in top], seconds) + _batches(_chains(rest), seconds)
    batch: list[Job] = []
    for chain in (each for each in chains if each not in large):
        batch += chain
        if _sum(batch, seconds) >= WORTH:
            found.append(batch)
            batch = []
    if found:
        found[-1] += batch
    elif batch:
        found.append(batch)
    return found


def _waiting_for_none(chain: Sequence[Job]) -> list[Job]:
    """The jobs of a chain that have no input from it."""
    here = {*chain}
    return [job for job in chain if here.isdisjoint(source.job for source in job.sources.values())]


def _sum(jobs: Iterable[Job], seconds: Mapping[Job, float]) -> float:
    return sum(seconds[job] for job in jobs)
