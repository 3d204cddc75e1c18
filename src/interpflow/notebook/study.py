"""`interpflow.study`: the results of one study at one scale, as labelled data, tables, models and figures."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
from pydantic import ValidationError

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.notebook import lazy, page
from interpflow.notebook.findings import Findings
from interpflow.notebook.found import found
from interpflow.record import divergence, scorecard
from interpflow.spec import plugins
from interpflow.spec.load import DEFAULT_SCALE
from interpflow.spec.validation import complaints
from interpflow.workflow.job import Job
from interpflow.workflow.layout import SPECS
from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import plan_all
from interpflow.workflow.states import to_run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from interpflow.runs import Runs


def study(name: str, scale: str = DEFAULT_SCALE, folder: Path | str | None = None) -> Results:
    """The results of the study `name` at `scale`, of the project in `folder`.

    By default the project is the one that the current folder belongs to.  Nothing is made: a missing file is an
    error and a stale one a warning, with the command that makes it.  Raises InterpflowError for an unknown name
    or scale, and for a spec with mistakes.
    """
    project = _project(name, Path(folder) if folder is not None else None)
    with contextlib.chdir(project):
        plans = plan_all(scale, [name])
        if name not in plans:
            raise InterpflowError(f"{name} is a sweep; its points are: {way_out(name, plans)}")
        return Results(plans[name], project)


def _project(name: str, folder: Path | None) -> Path:
    """The folder that holds specs/: `folder`, or the nearest from the current one upwards that has the spec."""
    if folder is not None:
        return folder.resolve()
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / SPECS / f"{name}.yaml").is_file():
            return place
    with_specs = [place for place in (here, *here.parents) if (place / SPECS).is_dir()]
    if not with_specs:
        raise InterpflowError(
            f"no folder specs/ in {here} or above; say which project: folder='path/to/it'"
        )
    return with_specs[0]


class Results:
    """One study at one scale, as its files are now.

    findings   {analysis: dataset}, read when looked at; `findings.tree` is all of them as one tree
    claims     the scorecard, a row a claim
    state      one line: is everything made, and by the present spec and code?
    """

    def __init__(self, planned: Plan, folder: Path) -> None:
        self.plan, self.spec, self.folder = planned, planned.study, folder
        self.findings = Findings(self._jobs("collect"), folder)

    @property
    def claims(self) -> pd.DataFrame:
        """The paper's numbers beside ours, as `record.scorecard` says: claim, paper, ours, verdict, ….

        Raises InterpflowError where the spec makes no claims or their table is not made.
        """
        if not self.plan.jobs["claims"]:
            raise InterpflowError(f"{self.spec.name} makes no claims at scale {self.spec.scale}")
        with contextlib.chdir(self.folder):
            return scorecard.read(found(self.plan.find("claims"), "csv", self.folder))

    @property
    def state(self) -> str:
        """One line: how many files are made by the present spec and code, and the command for the others."""
        jobs = list(self.plan)
        with contextlib.chdir(self.folder):
            left = list(to_run(jobs).values())
        told = ", ".join(f"{left.count(state)} {state}" for state in dict.fromkeys(left))
        at = f"{self.spec.name} at scale {self.spec.scale}"
        if not left:
            return f"{at}: all {len(jobs)} jobs done"
        command = f"snakemake --cores all --config scale={self.spec.scale} {self.spec.name}"
        return f"{at}: {told}, of {len(jobs)} jobs; make them with: {command}"

    def data(self, experiment: str) -> xr.Dataset:
        """The examples of `experiment` with the true states behind them, read when looked at."""
        return lazy.read(self._data(experiment))

    def runs(self, experiment: str) -> Runs:
        """The trained seeds of `experiment`: weights, history, activations, evaluation with edits.

        Seeds that diverged in training are left out, and named in a warning.
        """
        from interpflow.runs import load_runs

        of = self._experiment(experiment)
        inputs = {"data": self._data(experiment)}
        for job in self.plan.jobs["train"].values():
            if job.names[0] == experiment:
                inputs |= {
                    f"{output}_{job.names[1]}": str(found(job, output, self.folder))
                    for output in job.outputs
                }
        if len(inputs) == 1:
            raise InterpflowError(
                f"{experiment} is not trained: all that is asked of it is its data"
            )
        options = {"model": of.model, "training": of.training, "compute": self.spec.compute}
        runs = load_runs(inputs, options)
        lost = divergence.read(runs.labelled.attrs).get(experiment, {})
        if not lost:
            return runs
        warnings.warn(f"{experiment}: diverged: {divergence.of_seeds(lost)}", stacklevel=2)
        return runs.only([seed for seed in runs.seeds if seed not in lost])

    def figure(self, name: str, **options: Any) -> Figure:
        """The figure `name`, drawn now from the findings; `options` replace those that the spec gives its plot.

        Raises InterpflowError for a figure or an option that there is not.
        """
        from interpflow.stages.figure import draw, style_of

        if name not in self.spec.figures:
            raise InterpflowError(
                f"no figure '{name}' at scale {self.spec.scale}; there are: "
                f"{way_out(name, self.spec.figures)}"
            )
        spec = self.plan.find("figure", name).slice
        given = {**spec["options"], **options}
        data = {each: self.findings[each].load() for each in self.spec.figures[name].data}
        with contextlib.chdir(self.folder), style_of(spec):  # plots of the project stand there
            _check(spec["plot"], given)
            return page.shown(draw({**spec, "options": given}, data))

    def __repr__(self) -> str:
        return page.text(self)

    def _repr_html_(self) -> str:
        return page.html(self)

    def _jobs(self, stage: str) -> dict[str, Job]:
        """The jobs of a stage whose jobs have one name."""
        return {names[0]: job for names, job in self.plan.jobs[stage].items()}

    def _experiment(self, name: str) -> Any:
        if name not in self.spec.experiments:
            raise InterpflowError(
                f"no experiment '{name}' at scale {self.spec.scale}; there are: "
                f"{way_out(name, self.spec.experiments)}"
            )
        if name not in self.spec.looked_at:
            raise InterpflowError(
                f"{name} is not made at scale {self.spec.scale}: what is found on it comes as a file"
            )
        return self.spec.experiments[name]

    def _data(self, experiment: str) -> str:
        """The path of the data of `experiment`."""
        self._experiment(experiment)
        return str(found(self.plan.data[experiment], "data", self.folder))


def _check(plot: str, options: dict[str, Any]) -> None:
    """Raise InterpflowError for options that the plot does not take."""
    model = plugins.load(plugins.PLOT, plot).Options
    try:
        model(**options)
    except ValidationError as error:
        told = (
            f"{'.'.join(map(str, each.key))}: {each.message}"
            for each in complaints(error, model, options)
        )
        raise InterpflowError(f"{plot}: {'; '.join(told)}") from None
