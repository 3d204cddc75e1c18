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
    claims, figures = planned.jobs["claims"].values(), planned.jobs["figure"].values()
    findings = [source.job for figure in figures for source in figure.sources.values()]
    _require([*claims, *findings], planned)
    made = [scorecard.read(job.outputs["csv"]) for job in claims]
    numbers, captions = macros.by_name(
        [macro for rows in made for macro in macros.numbers(study, rows)],
        [*macros.captions(study)],
    )
    said = f"% {study.name} at scale {study.scale}, by `interpflow export paper`.\n"
    texts = {"numbers.tex": definitions(numbers), "captions.tex": definitions(captions)}
    texts |= {"scorecard.tex": table(rows) for rows in made}
    contents = {name: said + text for name, text in texts.items()}
    contents |= {
        "scorecard.csv": Path(job.outputs["csv"]).read_text(encoding="utf-8") for job in claims
    }
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
