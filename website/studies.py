"""The studies as the site shows them: their plans at one scale, and what of it is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.report.page import shown_file
from interpflow.spec.load import Spec, load_specs, require_scale, resolve
from interpflow.spec.merging import Layer, merge
from interpflow.spec.problems import Problems
from interpflow.spec.sharing import spelt_out
from interpflow.spec.yaml_text import read_spec_text
from interpflow.store import rebuild_command
from interpflow.workflow.make import is_made
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan
from interpflow.workflow.specs_folder import spec_files


@dataclass(frozen=True)
class Drawn:
    """A figure of a study at the scale: its entry of the spec in full, its file where there is one.

    `problem` says in Markdown why there is no file, or why it is not the present spec's; "" where all is well.
    """

    study: str
    name: str
    plot: str
    caption: str
    options: dict[str, Any]
    file: Path | None
    problem: str


@dataclass(frozen=True)
class StudyHere:
    """A study of the site; `explorer` is its page where there is one."""

    spec: Spec
    figures: dict[str, Drawn]
    explorer: Path | None


def studies(scale: str) -> dict[str, StudyHere]:
    """All studies in specs/ by name.

    Raises InterpflowError for a spec with mistakes, and for a scale that none declares.
    """
    specs = load_specs(spec_files())
    require_scale(specs.values(), scale)
    return {
        name: _study(spec, plan(resolve(spec, scale), spec.base)) for name, spec in specs.items()
    }


def _study(spec: Spec, planned: Plan) -> StudyHere:
    content = spelt_out(read_spec_text(spec.path), Problems(spec.path)).content
    scales: Mapping[str, Any] = content.get("scales") or {}
    changed = (scales.get(planned.study.scale) or {}).get("figures") or {}
    (explorer,) = planned.jobs["explorer"].values() or [None]
    page = Path(explorer.outputs["page"]) if explorer else None
    figures = {
        name: _drawn(
            planned,
            name,
            merge([Layer((), content["figures"][name]), Layer((), changed.get(name, {}))]),
        )
        for name in planned.study.figures
    }
    return StudyHere(spec, figures, page if page and page.is_file() else None)


def _drawn(planned: Plan, name: str, options: dict[str, Any]) -> Drawn:
    figure, job = planned.study.figures[name], planned.find("figure", name)
    file, problem = None, ""
    try:
        file = shown_file(job.outputs)
        if not is_made(job):
            problem = "Made from another spec or by other code than there is now."
    except OSError:
        problem = f"Not drawn yet; draw it with `{rebuild_command(job.outputs['svg'])}`."
    except InterpflowError as error:
        problem = escaped(str(error))
    return Drawn(planned.study.name, name, figure.plot, figure.caption, options, file, problem)


def escaped(text: str) -> str:
    """`text`, in which no character means anything to Markdown."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def picture(drawn: Drawn, level: str) -> str:
    """The figure in the Markdown of a page at `level` ("" or "../"): image and caption, or what is missing."""
    said = escaped(drawn.caption)
    problem = f"```{{container}} problem\n{drawn.problem}\n```\n\n" if drawn.problem else ""
    if drawn.file is None:
        return f"{problem}{said}\n"
    alt = " ".join(drawn.caption.split())
    return f"{problem}```{{figure}} {level}{drawn.file.as_posix()}\n:alt: {alt}\n\n{said}\n```\n"
