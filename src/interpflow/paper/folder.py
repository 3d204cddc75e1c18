"""The folder that a paper in LaTeX takes in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.files import replacing
from interpflow.paper import macros
from interpflow.paper.latex import definitions
from interpflow.paper.table import table
from interpflow.record import scorecard
from interpflow.stages.figure import save_to
from interpflow.workflow.job import Job
from interpflow.workflow.plan import Plan
from interpflow.workflow.states import state


def write(planned: Plan, folder: Path) -> Iterator[Path]:
    """Write what a paper takes of a study to `folder`; the paths, each once it is written.

    numbers.tex            macros: of each claim our number, the paper's, and the spread of seeds
    captions.tex           macros: the caption of each figure
    scorecard.csv, .tex    every claim, as data and as a table
    figures/<figure>.pdf   in the sizes of the spec's venue

    Raises InterpflowError where a file is missing or of another recipe than the spec and the code ask for, and
    where two macros would have one name.
    """
    study = planned.study
    said = f"% {study.name} at scale {study.scale}, by `interpflow export paper`.\n"
    claims, figures = planned.jobs["claims"].values(), planned.jobs["figure"].values()
    findings = [source.job for figure in figures for source in figure.sources.values()]
    _require([*claims, *findings], planned)
    numbers, tables = [], {}
    for job in claims:  # one, or none where the spec makes no claims
        rows = scorecard.read(job.outputs["csv"])
        numbers = [*macros.numbers(study, rows)]
        tables["scorecard.tex"] = said + table(rows)
        tables["scorecard.csv"] = Path(job.outputs["csv"]).read_text(encoding="utf-8")
    named = macros.by_name(numbers, [*macros.captions(study)])
    texts = map(definitions, named)
    contents = {name: said + next(texts) for name in ("numbers.tex", "captions.tex")} | tables
    for name, content in contents.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
        yield folder / name
    for job in figures:
        image = folder / f"figures/{job.slice['figure']}.pdf"
        save_to(
            {"pdf": image},
            job.slice,
            {name: store.read(path) for name, path in job.inputs.items()},
        )
        yield image


def _require(jobs: list[Job], planned: Plan) -> None:
    """Raise InterpflowError for a job whose files are not what the spec and the code ask for now."""
    for job in jobs:
        if (here := state(job)) != "made":
            path, scale = next(iter(job.outputs.values())), planned.study.scale
            raise InterpflowError(
                f"{path} is {here}, and a paper takes what the spec and the code say now; make it with: "
                f"interpflow run {planned.study.name} --scale {scale}"
            )
