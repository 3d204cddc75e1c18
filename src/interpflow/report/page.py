"""One page per scale: every study's scorecard and figures, and where each comes from.

The page is a single file; it holds its images and its one script and needs no network.  It is made of the files
as they are, and says so where they are not what the specs would make now.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.record import divergence, manifest, provenance, scorecard
from interpflow.record.provenance import Link
from interpflow.report import templates
from interpflow.report.differences import conditions, differences
from interpflow.spec.load import DEFAULT_SCALE, Spec, resolve
from interpflow.workflow import measured
from interpflow.workflow.duration import duration
from interpflow.workflow.job import Job
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan

# An SVG is sharp at any size; one larger than this holds so many marks that its picture is smaller.
_LARGEST_SVG = 1_000_000
_PICTURE = (
    480  # pixels across the picture of a study on the start page, which is shown at half of that
)
_MOST_NAMED = 4  # claims that differ, in the sentence on a study
_FOLDER = Path(__file__).parent
_MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True)
class FigureView:
    """A figure on the page; `problem` says why there is no image, or why it is not the present spec's."""

    name: str
    panel: str | None
    caption: str
    conditions: str
    diverged: str  # the seeds that are not in it since they left the finite numbers in training
    image: str | None
    problem: str | None
    chain: list[Link]
    rebuild: str


@dataclass(frozen=True)
class StudyView:
    """A study on the page; `rows` are those of its scorecard, `tally` counts their verdicts."""

    name: str
    title: str
    question: str
    picture: str | None  # of its first figure
    explorer: ExplorerView | None
    reference: Mapping[str, Any]
    seeds: int
    conditions: str
    made_with: list[str]  # the machines, in words; none where no manifest says
    rows: list[dict[str, Any]]
    tally: dict[str, int]
    problem: str | None  # why there is no scorecard
    figures: list[FigureView]
    took: list[StageView]
    left_out: list[str]  # figures of the base that the scale does not draw
    spec_path: str
    spec: str


@dataclass(frozen=True)
class ExplorerView:
    """The page to look through a study: its path, the way to it from the report, its text if that is within."""

    path: str
    way: str
    text: Markup | None


@dataclass(frozen=True)
class StageView:
    """What the jobs of a stage took, those of which a record is kept: `measured` of all its `jobs`.

    `seconds` are those of all together, `cores` processor time a second, `memory` the most of one, in MB.
    """

    name: str
    jobs: int
    measured: int
    seconds: float
    cores: float
    memory: float
    longest: str


def page(specs: Iterable[Spec], scale: str, with_explorers: bool = False) -> str:
    """The HTML of the report on `specs` at `scale`; `with_explorers` it holds what it else links to."""
    environment = templates.environment(_FOLDER)
    environment.filters["number"] = "{:.4g}".format  # 0.806, 31.7, 510
    environment.filters["spread"] = "{:.2g}".format
    environment.filters["duration"] = duration
    studies = [
        _study(spec, plan(resolve(spec, scale), spec.base), with_explorers) for spec in specs
    ]
    return environment.get_template("page.html").render(
        studies=studies,
        scale=scale,
        default_scale=DEFAULT_SCALE,
        most_named=_MOST_NAMED,
        script=Markup((_FOLDER / "page.js").read_text(encoding="utf-8")),
    )


def _study(spec: Spec, planned: Plan, with_explorer: bool) -> StudyView:
    study = planned.study
    rows, problem = _scorecard(planned)
    verdicts = [row["verdict"] for row in rows]
    return StudyView(
        name=study.name,
        title=study.title,
        question=spec.question,
        picture=_picture(planned),
        explorer=_explorer(planned, with_explorer),
        reference=study.reference,
        seeds=len(study.seeds),
        conditions=conditions(study.scale, differences(spec.base, study)),
        made_with=_made_with(planned),
        rows=rows,
        tally={verdict: verdicts.count(verdict) for verdict in scorecard.VERDICTS},
        problem=problem,
        figures=[_figure(spec, planned, name) for name in study.figures],
        took=[*_took(planned)],
        left_out=[name for name in spec.base.figures if name not in study.figures],
        spec_path=spec.path.as_posix(),
        spec=spec.path.read_text(encoding="utf-8"),
    )


def _picture(planned: Plan) -> str | None:
    """The first figure that is there, small, as a data URI."""
    for job in planned.jobs["figure"].values():
        try:
            with Image.open(job.outputs["png"]) as whole:
                small = whole.convert("RGB")
        except OSError:  # the figure itself says what is wrong
            continue
        small.thumbnail((_PICTURE, _PICTURE))
        content = io.BytesIO()
        small.quantize(64).save(content, "PNG", optimize=True)
        return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
    return None


def _explorer(planned: Plan, within: bool) -> ExplorerView | None:
    """The page to look through the study, where there is one."""
    for job in planned.jobs["explorer"].values():
        path = Path(job.outputs["page"])
        if path.is_file():
            way = Path(os.path.relpath(path, Path("results", planned.study.scale)))
            text = (
                Markup(templates.in_element(path.read_text(encoding="utf-8"))) if within else None
            )
            return ExplorerView(path.as_posix(), way.as_posix(), text)
    return None


def _took(planned: Plan) -> Iterator[StageView]:
    """What each stage took, by the records beside the logs; none where no record is kept."""
    for stage, jobs in planned.jobs.items():
        records = {job.label: measured.read(job.log) for job in jobs.values()}
        done = {label: each for label, each in records.items() if each and each.outcome == "done"}
        if done:
            seconds = sum(each.seconds for each in done.values())
            yield StageView(
                name=stage,
                jobs=len(jobs),
                measured=len(done),
                seconds=seconds,
                cores=sum(each.cores * each.seconds for each in done.values()) / (seconds or 1.0),
                memory=max(each.memory for each in done.values()),
                longest=max(done, key=lambda label: done[label].seconds),
            )


def _made_with(planned: Plan) -> list[str]:
    """What made the study's files, by its manifest."""
    (job,) = planned.jobs["manifest"].values()
    try:
        return list(manifest.read(job.outputs["manifest"])["made_with"])
    except InterpflowError:  # the figures and the scorecard say what is missing
        return []


def _scorecard(planned: Plan) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of the scorecard, None for an empty cell; or why there are none."""
    for job in planned.jobs["claims"].values():
        try:
            table = scorecard.read(job.outputs["csv"])
        except InterpflowError as error:
            return [], str(error)
        cells = table.astype(object).where(table.notna(), None)
        return [
            {str(key): cell for key, cell in row.items()} for row in cells.to_dict("records")
        ], None
    return [], None


def _figure(spec: Spec, planned: Plan, name: str) -> FigureView:
    figure, job = planned.study.figures[name], planned.find("figure", name)
    paths = {kind: Path(path) for kind, path in job.outputs.items()}
    caption, panel, image, chain, diverged = figure.caption, figure.panel, None, [], ""
    try:
        account = provenance.figure_account(paths["json"])
        caption, panel = account["caption"], account["panel"]
        diverged = divergence.words(account.get("diverged", {}))
        chain = provenance.chain(paths["svg"])
        image, problem = _image(paths), _out_of_date(job, chain)
    except InterpflowError as error:
        problem = str(error)
    return FigureView(
        name=name,
        panel=panel,
        caption=caption,
        conditions=conditions(job.scale, differences(spec.base, planned.study, figure)),
        diverged=diverged,
        image=image,
        problem=problem,
        chain=chain,
        rebuild=store.rebuild_command(paths["svg"]),
    )


def _out_of_date(job: Job, chain: list[Link]) -> str | None:
    if chain[0].sha == job.sha:
        return None
    return (
        "made from another spec or by other code than there is now; "
        f"make it anew with: snakemake --cores all --config scale={job.scale}"
    )


def shown_file(outputs: Mapping[str, Path | str]) -> Path:
    """The file of a figure that a page shows, of its `outputs`.  Raises OSError where it is not there."""
    svg, png = Path(outputs["svg"]), Path(outputs["png"])
    shown = svg if svg.stat().st_size <= _LARGEST_SVG else png
    shown.stat()
    return shown


def _image(paths: Mapping[str, Path]) -> str:
    """The figure as a data URI.  Raises InterpflowError where its file cannot be read."""
    try:
        shown = shown_file(paths)
        content = base64.b64encode(shown.read_bytes()).decode()
    except OSError as error:
        raise InterpflowError(
            f"{error.filename}: cannot be read; make it with: {store.rebuild_command(error.filename)}"
        ) from error
    return f"data:{_MEDIA_TYPES[shown.suffix]};base64,{content}"
