"""From findings to one figure, and beside it the account of what it shows."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from interpflow import store
from interpflow.progress import Log
from interpflow.record import account, divergence
from interpflow.spec.study import Claim
from interpflow.style import save
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Draw one figure."""
    spec = job.slice
    data = {name: store.read(path) for name, path in job.inputs.items()}
    save_to({kind: Path(path) for kind, path in job.outputs.items() if kind != "json"}, spec, data)
    diverged = divergence.joined(data.values())
    said: dict[str, Any] = {
        "figure": spec["figure"],
        "caption": spec["caption"],
        "panel": spec["panel"],
    }
    account.write(job, job.outputs["json"], **said, **({"diverged": diverged} if diverged else {}))
    log.line(f"{spec['plot']} of {', '.join(data)}")


def save_to(
    images: Mapping[str, Path], spec: Mapping[str, Any], data: Mapping[str, xr.Dataset]
) -> None:
    """Draw the figure that `spec` asks for, and write it to each of `images` (by format: svg, png, pdf)."""
    with style_of(spec):
        save.save(draw(spec, data), images)


def style_of(spec: Mapping[str, Any]) -> AbstractContextManager[None]:
    """The style in which the figure of `spec` is drawn and saved."""
    return save.style(spec.get("style", {}).get("venue"))


def draw(spec: Mapping[str, Any], data: Mapping[str, xr.Dataset]) -> Figure:
    """The figure that `spec`, the slice of a figure's job, asks for of the findings `data`, by analysis."""
    plot = importlib.import_module(f"interpflow.plots.{spec['plot']}")
    marks = [Claim(**claim) for claim in spec["claims"]]
    if all(found.data_vars for found in data.values()):
        drawn = plot.plot(data, plot.Options(**spec["options"]), marks)
    else:  # of some analysis every seed has diverged
        drawn = save.empty()
    return save.with_note(drawn, _note(divergence.joined(data.values())))


def _note(diverged: divergence.Diverged) -> str:
    """What a figure says of seeds that are not in it."""
    return f"diverged: {divergence.words(diverged)}" if diverged else ""
