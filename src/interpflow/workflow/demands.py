"""What a job asks of a cluster: minutes and memory, with room for an expectation that errs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interpflow.workflow.cost import job_memory
from interpflow.workflow.expected import foreseen, kind
from interpflow.workflow.job import Job
from interpflow.workflow.measured import Measured

# The cost model errs by a factor of three; what was measured, on another machine.
_ROOM_IN_TIME, _ROOM_IN_MEMORY = 3.0, 1.5
# Loading Python from a file system that many share takes this long at most.
_MINUTES_TO_START = 10


@dataclass(frozen=True)
class Demand:
    """What one job is expected to take.

    seconds   on the cores that it computes with
    memory    the most that it holds, in MB
    """

    seconds: float
    memory: float

    def minutes(self, attempt: int, starts: bool) -> int:
        """The time limit of an attempt, counted from 1; of the jobs of a group, one `starts` for all."""
        computing = math.ceil(_ROOM_IN_TIME * self.seconds / 60)
        return attempt * (computing + _MINUTES_TO_START * starts)

    def megabytes(self, attempt: int) -> int:
        """The memory to ask for in an attempt, counted from 1."""
        return attempt * math.ceil(_ROOM_IN_MEMORY * self.memory / 100) * 100


class Demands:
    """What jobs are expected to take, by `records` of jobs that were done.

    Memory is the most that the same job held the last time; else what the cost model says, and no less than any
    job of its kind held.
    """

    def __init__(self, records: Sequence[tuple[Job, Measured]]) -> None:
        self._seconds = foreseen(records)
        self._of_job = {job.log: record.memory for job, record in records}
        self._of_kind: dict[str, float] = {}
        for job, record in records:
            self._of_kind[kind(job)] = max(record.memory, self._of_kind.get(kind(job), 0.0))

    def of(self, job: Job) -> Demand:
        """What `job` is expected to take."""
        like = max(job_memory(job), self._of_kind.get(kind(job), 0.0))
        return Demand(self._seconds(job), self._of_job.get(job.log) or like)
