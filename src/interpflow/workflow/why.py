"""The reasons for a run of jobs: a key of the spec, a definition of the code or an input that changed.

A file holds the recipe that made it.  The keys of the spec are compared with this recipe.  The recipe holds one
digest of all code; `code_parts` keeps the definitions behind the digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from interpflow.errors import InterpflowError
from interpflow.record import manifest
from interpflow.record.provenance import origin
from interpflow.workflow.changes import Recipe, changed_code, changed_keys
from interpflow.workflow.code_parts import Parts, code_parts, kept
from interpflow.workflow.job import Job
from interpflow.workflow.recipe import canonical
from interpflow.workflow.stale import recipe_of, staleness
from interpflow.workflow.states import to_run


@dataclass(frozen=True)
class Why:
    """The reasons for the jobs that a run would run.

    changed   {reason: the jobs whose own recipe it changed}
    resting   the jobs of which nothing changed but the recipes of their inputs
    missing   the jobs without files
    damaged   messages on files that are damaged or do not name their recipe
    """

    changed: dict[str, list[Job]] = field(default_factory=dict)
    resting: list[Job] = field(default_factory=list)
    missing: list[Job] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def why(
    jobs: Iterable[Job],
    recipe_before: Callable[[Job], Recipe] | None = None,
    parts_before: Callable[[str], Parts | None] = kept,
) -> Why:
    """The reasons for the ones of `jobs` that a run would run; each job stands after its inputs.

    `recipe_before` gives the recipe that made the files of a job, by default from the files.  `parts_before`
    gives the code behind a digest, by default from results/.code/.
    """
    recipe_before = recipe_before or _recipe_in_file
    found, states = Why(), to_run(jobs)
    for job, state in states.items():
        if state == "missing":
            found.missing.append(job)
        elif state == "damaged":
            found.damaged.append(staleness(job))
        else:
            try:
                before = recipe_before(job)
            except InterpflowError as error:
                found.damaged.append(str(error))
                continue
            told = [*changed(before, job, parts_before)] or [
                *_inputs_made_anew(before, job, states)
            ]
            for what in told:
                found.changed.setdefault(what, []).append(job)
            if not told:
                found.resting.append(job)
    return found


def changed(
    before: Recipe, job: Job, parts_before: Callable[[str], Parts | None] = kept
) -> Iterator[str]:
    """The differences of `job` from the recipe `before`: keys of the spec, code, and names of inputs."""
    now = json.loads(canonical(job.recipe))
    yield from map(str, changed_keys(before, now))
    if now["code"] != before["code"]:
        parts = json.loads(canonical(code_parts(*job.modules)))
        yield from changed_code(before, now, parts_before(before["code"]), parts)
    yield from (
        f"reads {job.inputs[name]} now" for name in now["inputs"] if name not in before["inputs"]
    )
    yield from (f"no longer reads {name}" for name in before["inputs"] if name not in now["inputs"])


def _inputs_made_anew(before: Recipe, job: Job, states: Mapping[Job, str]) -> Iterator[str]:
    """The inputs that another recipe made since `job` read them, and that are up to date."""
    for name, source in job.sources.items():
        if source.job not in states and before["inputs"].get(name) not in ("", source.job.sha):
            yield f"{source.path} was made anew since"


def _recipe_in_file(job: Job) -> Recipe:
    if job.stage == "manifest":
        return manifest.recipe(job.outputs["manifest"])
    paths = [path for path in job.outputs.values() if path.endswith((".nc", ".json"))]
    # A kill can leave one file of two by the planned recipe.
    stale = (path for path in paths if recipe_of(path) != job.sha)
    return origin(next(stale, paths[0])).recipe


def explained(found: Why) -> Iterator[str]:
    """`found` in lines."""
    for what, jobs in found.changed.items():
        yield what
        yield f"  {labels(jobs)}"
    if found.resting:
        yield f"and what rests on these: {labels(found.resting)}"
    if found.missing:
        yield f"not made yet: {labels(found.missing)}"
    yield from found.damaged


def labels(jobs: Iterable[Job], most: int = 4) -> str:
    """`train tiny/wide/0, tiny/wide/1; figure tiny/both`: the first few of each stage."""
    by_stage: dict[str, list[str]] = {}
    for job in jobs:
        by_stage.setdefault(job.stage, []).append(job.label)
    return "; ".join(
        f"{stage} {', '.join(names[:most])}"
        + (f" and {len(names) - most} more" if len(names) > most else "")
        for stage, names in by_stage.items()
    )
