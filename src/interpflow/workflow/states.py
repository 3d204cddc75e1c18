"""The state of a job: its files are of the planned recipe, of another one, damaged, or missing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Literal

from interpflow.workflow.job import Job
from interpflow.workflow.stale import OTHER_RECIPE, staleness

State = Literal["made", "stale", "missing", "damaged"]


def state(job: Job) -> State:
    """The state of the files of `job` by themselves."""
    if not all(os.path.lexists(path) for path in job.outputs.values()):
        return "missing"
    why = staleness(job)
    return "made" if not why else "stale" if why == OTHER_RECIPE else "damaged"


def to_run(jobs: Iterable[Job]) -> dict[Job, State]:
    """The ones of `jobs` that a run would run, with the state of their files; each job stands after its inputs.

    A job with the planned files runs too if an input is stale.
    """
    found: dict[Job, State] = {}
    for job in jobs:
        here = state(job)
        inputs = (found.get(source.job, "made") for source in job.sources.values())
        if here == "made" and not {*inputs} <= {"made", "missing"}:
            here = "stale"
        if here != "made":
            found[job] = here
    return found


def with_all_behind(jobs: Iterable[Job]) -> list[Job]:
    """`jobs` and all jobs that they rest on, each after its inputs."""
    found: dict[Job, None] = {}

    def visit(job: Job) -> None:
        if job not in found:
            for source in job.sources.values():
                visit(source.job)
            found[job] = None

    for job in jobs:
        visit(job)
    return list(found)
