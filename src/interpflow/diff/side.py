"""One side of a comparison: what a study says, and what came of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from interpflow.record import manifest, scorecard
from interpflow.record.fingerprint import Fingerprint
from interpflow.spec.problems import Problems
from interpflow.spec.sharing import spelt_out
from interpflow.spec.yaml_text import SpecText, read_spec_text
from interpflow.workflow import code_parts
from interpflow.workflow.changes import Recipe
from interpflow.workflow.code_parts import Parts
from interpflow.workflow.layout import STAGES
from interpflow.workflow.plan import Plan
from interpflow.workflow.recipe import canonical
from interpflow.workflow.states import state

Name = tuple[str, ...]  # of a job: its stage and its names


@dataclass(frozen=True)
class Side:
    """A study as one side has it.

    recipes       of each job; none where a manifest is all that there is
    spec          what the recipes were resolved from, at `scale`; `called` is its path for a person
    scorecard     None where there is none
    findings      the file of each analysis that is there
    fingerprints  of the variables of each analysis whose file is not there
    figures       the image of each figure that is there
    lacking       the files that are not what the recipes say: they are left out
    """

    study: str
    scale: str
    recipes: Mapping[Name, Recipe] = field(default_factory=dict)
    spec: SpecText | None = None
    called: str = ""
    scorecard: pd.DataFrame | None = None
    findings: Mapping[str, Path] = field(default_factory=dict)
    fingerprints: Mapping[str, Mapping[str, Fingerprint]] = field(default_factory=dict)
    figures: Mapping[str, Path] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    parts: Callable[[str], Parts | None] = code_parts.kept


def planned(plan: Plan, spec: Path, called: str | None = None) -> Side:
    """The study as its `spec` and the code ask for now, with the files that are made so."""
    recipes = {(job.stage, *job.names): json.loads(canonical(job.recipe)) for job in plan}
    modules = {job.code: job.modules for job in plan}

    @functools.cache
    def parts(digest: str) -> Parts | None:
        if digest in modules:
            return dict(json.loads(canonical(code_parts.code_parts(*modules[digest]))))
        return code_parts.kept(digest)

    looked_at = {
        stage: {job: state(job) for job in plan.jobs[stage].values()}
        for stage in ("collect", "claims", "figure")
    }
    made = {
        stage: [job for job, here in jobs.items() if here == "made"]
        for stage, jobs in looked_at.items()
    }
    lacking = [
        f"{next(iter(job.outputs.values()))} is {here}"
        for jobs in looked_at.values()
        for job, here in jobs.items()
        if here != "made"
    ]
    tables = [scorecard.read(job.outputs["csv"]) for job in made["claims"]]
    return Side(
        plan.study.name,
        plan.study.scale,
        recipes,
        spelt_out(read_spec_text(spec), Problems(spec)),
        called or spec.as_posix(),
        tables[0] if tables else None,
        {job.names[0]: Path(job.outputs["findings"]) for job in made["collect"]},
        figures={job.names[0]: Path(job.outputs["svg"]) for job in made["figure"]},
        lacking=tuple(lacking),
        parts=parts,
    )


def of_manifest(content: Mapping[str, Any], table: pd.DataFrame | None) -> Side:
    """What a manifest says of a study, and the scorecard that goes with it."""
    return Side(
        content["study"],
        content["scale"],
        scorecard=table,
        fingerprints=fingerprints(content),
    )


def fingerprints(content: Mapping[str, Any]) -> dict[str, Mapping[str, Fingerprint]]:
    """The fingerprints of each analysis's variables, by a manifest."""
    pattern = STAGES["collect"].outputs["findings"]
    where = {"scale": content["scale"], "study": content["study"]}
    folder = Path(pattern.format(**where, analysis="x")).parent
    return {
        Path(path).stem: entry["variables"]
        for path, entry in content["files"].items()
        if Path(path).parent == folder and manifest.holds_values(path)
    }
