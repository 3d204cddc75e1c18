"""The jobs of a study at a scale, and the one that makes a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from interpflow.errors import InterpflowError
from interpflow.nearest import did_you_mean
from interpflow.spec.study import Study
from interpflow.workflow.job import Job


@dataclass(frozen=True)
class Plan:
    """The jobs of one study at one scale, by stage and names; `base` is the study as its spec stands.

    `data` says which job makes the data of each experiment: those with the same task have one file.
    """

    study: Study
    base: Study
    jobs: Mapping[str, Mapping[tuple[str, ...], Job]]
    data: Mapping[str, Job]

    def __iter__(self) -> Iterator[Job]:
        """Every job, each behind those that make its inputs."""
        for jobs in self.jobs.values():
            yield from jobs.values()

    def find(self, stage: str, *names: str) -> Job:
        """The job of `stage` with these names; InterpflowError, with the nearest, where there is none."""
        if job := self.jobs[stage].get(names):
            return job
        wanted, known = "/".join(names), ["/".join(key) for key in self.jobs[stage]]
        shared = self.data.get(wanted) if stage == "data" else None
        raise InterpflowError(
            f"no {stage} '{wanted}' in {self.study.name} at scale {self.study.scale}"
            + (
                f": its task is that of '{shared.names[0]}', and so are its data, {shared.outputs['data']}"
                if shared
                else did_you_mean(wanted, known)
            )
        )

    def targets(self) -> list[str]:
        """What a whole run leaves to look at; the manifest rests on every other file."""
        ends = [
            *self.jobs["figure"].values(),
            *self.jobs["claims"].values(),
            *self.jobs["explorer"].values(),
            *self.jobs["manifest"].values(),
        ]
        return [path for job in ends for path in job.outputs.values()]


def find(plans: Mapping[str, Plan], scale: str, study: str, stage: str, *names: str) -> Job:
    """The job that makes the file whose path has these names.

    Raises InterpflowError if there is none, since the workflow can be asked for any file.
    """
    if study not in plans:
        raise InterpflowError(f"no study '{study}'{did_you_mean(study, plans)}")
    planned = plans[study]
    if scale != planned.study.scale:
        raise InterpflowError(f"to make a file of scale {scale}, add: --config scale={scale}")
    return planned.find(stage, *names)
