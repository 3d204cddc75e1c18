"""Plans written down, so that neither the jobs of a run nor the next run work them out again.

A plan is kept under the content of all that it was worked out from: the spec and the code, and the plan names
the files of weights.  A job reads the plan of its run, whatever specs/ says by then.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.explorer import assets
from interpflow.files import replacing, sha256
from interpflow.spec.study import Analysis, Claim, Experiment, Figure, Study
from interpflow.workflow import recipe
from interpflow.workflow.job import Job, Source
from interpflow.workflow.layout import SPECS, STAGES
from interpflow.workflow.plan import Plan

_FOLDER = Path("logs/.plans")
_AT_MOST = 8  # of a study at a scale
_NO_CODE = {"results", "figures", "logs", "specs", "__pycache__"}  # folders of a project


@dataclass(frozen=True)
class _Kept:
    """A plan, the state of the code that it counts, and {shipped file: the digest of its content}.

    With names `checked`, no task has to be asked for examples again.
    """

    code: str
    files: Mapping[str, str]
    plan: Plan
    checked: bool


def read(
    spec: Path, scale: str, checked: bool = False, variant: Path | None = None, place: str = ""
) -> Plan | None:
    """The plan of the study in the file `spec`, if it was kept and nothing changed of what it rests on.

    With `checked` only if all names in the spec were checked when it was kept.  `place` is a point of the
    variant in the file `variant`.
    """
    kept = _kept(_path(spec, scale, variant, place))
    if kept is None or checked > kept.checked:
        return None
    if any(_content(path) != was for path, was in kept.files.items()):
        return None
    return kept.plan


def keep(
    spec: Path, plan: Plan, checked: bool, variant: Path | None = None, place: str = ""
) -> None:
    """Keep the plan of the study in the file `spec` of specs/, whose names may have been `checked`.

    Where nothing can be written, it is not kept.
    """
    if spec.parent != SPECS:
        return
    path = _path(spec, plan.study.scale, variant, place)
    with contextlib.suppress(InterpflowError, OSError), replacing(path) as temporary:
        temporary.write_text(json.dumps(_spelt(plan) | {"checked": checked}), encoding="utf-8")
    for old in _newest_first(place or plan.study.name, plan.study.scale)[_AT_MOST:]:
        with contextlib.suppress(OSError):
            old.unlink()


def promised(study: str, scale: str, stage: str, names: tuple[str, ...], sha: str) -> Job | None:
    """The job whose recipe's SHA-256 begins with `sha`, of the newest plan kept that has it.

    Raises InterpflowError where the code that it runs is no longer the planned one.
    """
    for path in _newest_first(study, scale):
        kept = _kept(path)
        job = kept.plan.jobs[stage].get(names) if kept else None
        if kept and job and job.sha.startswith(sha):
            if kept.code != _state_of_code() and job.code != recipe.code_digest(*job.modules):
                raise InterpflowError(
                    f"the code behind {stage} {job.label} changed since this run was planned; start it again"
                )
            return job
    return None


def _path(spec: Path, scale: str, variant: Path | None, place: str) -> Path:
    said = [_content(file) for file in (spec, variant) if file]
    key = recipe.canonical([*said, _state_of_code(), sys.version])
    return _FOLDER / f"{place or spec.stem}.{scale}.{recipe.sha256_of(key)[:16]}.json"


def _newest_first(study: str, scale: str) -> list[Path]:
    kept = _FOLDER.glob(f"{study}.{scale}.*.json")
    return sorted(kept, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _content(path: Path | str) -> str:
    """The digest of the file at `path`; "" where it cannot be read."""
    try:
        return sha256(path)
    except InterpflowError:
        return ""


@functools.cache
def _state_of_code() -> str:
    """One digest for the content of every file of code that recipes can count, each read once."""
    found = {os.path.relpath(path): _content(path) for path in (*_python_files(), *assets.files())}
    return recipe.sha256_of(recipe.canonical(found))


def _python_files() -> Iterator[Path]:
    """The files of the package, and those of the project wherever they stand."""
    yield from recipe.package_folder().rglob("*.py")
    for folder, inside, files in os.walk("."):
        inside[:] = [
            name for name in inside
            if name not in _NO_CODE and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]  # fmt: skip
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def _spelt(plan: Plan) -> dict[str, Any]:
    """A plan as plain values; a job names its sources by their places in the list."""
    named = [(names, job) for jobs in plan.jobs.values() for names, job in jobs.items()]
    place = {job: at for at, (_, job) in enumerate(named)}
    weights = {e.start["file"] for e in plan.study.experiments.values() if e.from_file}
    findings = {a.given["file"] for a in plan.study.analyses.values() if a.given}
    alike = replace(plan.study, scale=plan.base.scale) == plan.base  # a scale may change nothing
    return {
        "code": _state_of_code(),
        "files": {path: _content(path) for path in sorted(weights | findings)},
        "study": asdict(plan.study),
        "base": plan.base.scale if alike else asdict(plan.base),
        "data": {name: place[job] for name, job in plan.data.items()},
        "jobs": [
            {
                **{name: getattr(job, name) for name in _WRITTEN},
                "called": names,
                "code": job.code,
                "sha": job.sha,
                "sources": {n: (place[s.job], s.output) for n, s in job.sources.items()},
            }
            for names, job in named
        ],
    }


_WRITTEN = ("stage", "study", "scale", "names", "slice", "modules", "outputs", "log", "beside")


def _kept(path: Path) -> _Kept | None:
    """What stands in the file of a plan; None where there is none, or another thing."""
    try:
        told = json.loads(path.read_bytes())
        return _Kept(told["code"], told["files"], _plan(told), told["checked"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _plan(told: dict[str, Any]) -> Plan:
    jobs: list[Job] = []
    by_stage: dict[str, dict[tuple[str, ...], Job]] = {stage: {} for stage in STAGES}
    for written in told["jobs"]:
        known = {name: written.pop(name) for name in ("code", "sha")}
        sources = written.pop("sources")
        called = tuple(written.pop("called"))  # a variant may call the data of its study otherwise
        job = Job(
            **written
            | {name: tuple(written[name]) for name in ("names", "modules")}
            | {
                "sources": {
                    name: Source(jobs[at], output) for name, (at, output) in sources.items()
                }
            }
        )
        job.__dict__.update(
            known
        )  # which it would work out otherwise, with those of all that it rests on
        jobs.append(job)
        by_stage[job.stage][called] = job
    data = {name: jobs[at] for name, at in told["data"].items()}
    study, base = _study(told["study"]), told["base"]
    base = replace(study, scale=base) if isinstance(base, str) else _study(base)
    return Plan(study, base, by_stage, data)


def _study(told: dict[str, Any]) -> Study:
    return Study(
        **told
        | {
            "seeds": tuple(told["seeds"]),
            "experiments": {name: Experiment(**one) for name, one in told["experiments"].items()},
            "analyses": {name: Analysis(**one) for name, one in told["analyses"].items()},
            "figures": {
                name: Figure(**one | {"data": tuple(one["data"])})
                for name, one in told["figures"].items()
            },
            "claims": tuple(Claim(**one) for one in told["claims"]),
        }
    )
