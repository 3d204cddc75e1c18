"""One unit of work: what it reads, what it writes, and the recipe that decides the bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interpflow.workflow.recipe import canonical, code_digest, sha256_of


@dataclass(frozen=True)
class Source:
    """One file of another job, as an input."""

    job: Job
    output: str

    @property
    def path(self) -> str:
        return self.job.outputs[self.output]


@dataclass(frozen=True, eq=False)
class Job:
    """The files that one command makes, from some inputs, by one recipe.

    `names` tell the jobs of a stage apart (experiment, chunk, …).  `slice` is the part of the spec that the
    stage reads, `modules` are the code that it runs.  Paths, relative to the project folder, and the scale are
    no part of the recipe: the same recipe gives the same bytes everywhere.  `beside` are values that the stage
    gets in full, and of which the recipe holds the part that the bytes depend on.
    """

    stage: str
    study: str
    scale: str
    names: tuple[str, ...]
    slice: Mapping[str, Any]
    modules: tuple[str, ...]
    sources: Mapping[str, Source]
    outputs: Mapping[str, str]
    log: str
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Study and names, for a person: `study/experiment/0`."""
        return "/".join((self.study, *self.names))

    @property
    def threads(self) -> int:
        """The number of threads, from the spec and not from the machine."""
        return int(self.slice.get("compute", {}).get("threads", 1))

    @property
    def gpus(self) -> int:
        """1 where the spec asks for a GPU."""
        return int(self.slice.get("compute", {}).get("device") == "cuda")

    @property
    def inputs(self) -> dict[str, str]:
        """The path of each input."""
        return {name: source.path for name, source in self.sources.items()}

    @functools.cached_property
    def code(self) -> str:
        """The digest of the code that it runs, worked out on demand: a command needs one chain of digests."""
        return code_digest(*self.modules)

    @functools.cached_property
    def recipe(self) -> dict[str, Any]:
        """All that the bytes depend on: the slice, the code, and the recipes of the inputs."""
        return {
            **self.slice,
            "stage": self.stage,
            "study": self.study,
            "code": self.code,
            "inputs": {name: source.job.sha for name, source in self.sources.items()},
        }

    @functools.cached_property
    def sha(self) -> str:
        """The SHA-256 of the recipe."""
        return sha256_of(canonical(self.recipe))

    @property
    def short_sha(self) -> str:
        """The part of `sha` that the workflow tracks and `--expect` compares."""
        return self.sha[:16]

    def chain(self) -> list[dict[str, Any]]:
        """The job and all jobs that it rests on, each after its inputs."""
        order: dict[int, dict[str, Any]] = {}

        def visit(job: Job) -> None:
            if id(job) not in order:
                for source in job.sources.values():
                    visit(source.job)
                order[id(job)] = {
                    "stage": job.stage,
                    "names": list(job.names),
                    "outputs": list(job.outputs.values()),
                    "recipe_sha256": job.sha,
                    "code": job.code,
                    "inputs": list(job.inputs.values()),
                }

        visit(self)
        return list(order.values())

    def attrs(self) -> dict[str, str]:
        """The attributes of every dataset of this job, as text: its study, its recipe and its inputs."""
        sources = [
            {"path": source.path, "recipe_sha256": source.job.sha}
            for source in self.sources.values()
        ]
        return {
            "study": self.study,
            "experiment": str(self.slice.get("experiment", "")),
            "stage": self.stage,
            "reference": canonical(self.slice.get("reference", {})),
            "recipe": canonical(self.recipe),
            "recipe_sha256": self.sha,
            "inputs": canonical(sources),
        }
