"""From a resolved study to its jobs: the inputs and the recipe of each.

The workflow, the commands and `check` all ask here, so what a stage reads of a spec is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any

from interpflow.explorer import assets
from interpflow.spec import plugins
from interpflow.spec.study import DEFAULT_SCALE, Analysis, Experiment, Figure, Study
from interpflow.workflow.job import Job, Source
from interpflow.workflow.layout import STAGES, log_pattern
from interpflow.workflow.plan import Plan
from interpflow.workflow.recipe import canonical, options_of

Sources = dict[str, Source]


def needs(analysis: Analysis) -> str:
    """What an analysis looks at: "runs", "data", … see `analyses.base`."""
    return str(plugins.load(plugins.ANALYSIS, analysis.method).NEEDS)


def plan(
    study: Study,
    base: Study | None = None,
    place: str = "",
    there: Mapping[str, Job] = MappingProxyType({}),
) -> Plan:
    """Every job of `study`; without another `base` it is its own.

    Its files lie in the folders `place`, by default of its name.  `there` are jobs by recipe, such as those of
    the study behind a variant: each stands for a job of the same recipe, whose files so lie there already.
    """
    return _Planner(study, place, there).plan(base or study)


def looks_at_every_experiment(analysis: Analysis) -> bool:
    """Whether an analysis goes on from findings on all experiments together."""
    module = plugins.load(plugins.ANALYSIS, analysis.method)
    return bool(getattr(module, "EVERY_EXPERIMENT", False))


class _Planner:
    """One method per stage, from the sources of its jobs to the sources that they are for the next."""

    def __init__(self, study: Study, place: str, there: Mapping[str, Job]) -> None:
        self.study = study
        self.place = place or study.name
        self.there = there
        self.machine = {name: study.compute[name] for name in ("device", "threads")}
        self.of_models = {a.name for a in study.analyses.values() if needs(a).startswith("runs")}
        self.jobs: dict[str, dict[tuple[str, ...], Job]] = {stage: {} for stage in STAGES}

    def plan(self, base: Study) -> Plan:
        study = self.study
        data = self.data()
        trained: dict[str, Sources] = {}
        for name in self._to_train():
            experiment = study.experiments[name]
            other = trained[experiment.goes_on_from] if experiment.goes_on_from else {}
            trained[name] = self.train(experiment, data[name], other)
        made = {name: data[name] | trained.get(name, {}) for name in data}
        findings: Sources = {}
        by_experiment: dict[str, Sources] = {}
        for analysis in study.analyses.values():
            if analysis.given:
                findings[analysis.name] = self.given(analysis)
                continue
            by_experiment[analysis.name] = {
                name: self.analyse(
                    analysis, name, self._looked_at(analysis, name, made, by_experiment)
                )
                for name in analysis.options
            }
            findings[analysis.name] = self.collect(analysis, by_experiment[analysis.name])
        for figure in study.figures.values():
            self.figure(figure, {name: findings[name] for name in figure.data})
        if study.claims:
            self.claims({claim.data: findings[claim.data] for claim in study.claims})
        self.explorer({name: data[name] | sources for name, sources in trained.items()}, findings)
        self.manifest()
        return Plan(study, base, self.jobs, {name: made["data"].job for name, made in data.items()})

    def data(self) -> dict[str, Sources]:
        """The data of each experiment.  Those with the same task share a file, called by the first of them.

        That name is no part of the recipe: with another experiment in front the file lies elsewhere, and
        nothing that was made of it is made again.
        """
        made: dict[str, Sources] = {}
        of_task: dict[str, Sources] = {}
        for name, experiment in self.study.looked_at.items():
            # What `fresh` says is for training's own examples; the splits do not depend on it.
            task = {key: value for key, value in experiment.task.items() if key != "fresh"}
            same = canonical(task)
            if same not in of_task:
                code = f"interpflow.tasks.{task['name']}"
                job = self._add("data", {"experiment": name}, {}, code, named=False, task=task)
                of_task[same] = {"data": Source(job, "data")}
            made[name] = of_task[same]
        return made

    def train(self, experiment: Experiment, data: Sources, other: Sources) -> Sources:
        """`other` are weights of the experiment that it goes on from; its chunks begin with the same seeds."""
        made: Sources = {}
        seeds, size = experiment.seeds, self.study.compute["seeds_per_job"]
        training, from_file = experiment.training, experiment.from_file
        # Stored examples come as a file; fresh ones are made by the task's code, as the task's options say.
        fresh = not from_file and training["fresh"]
        task = f"interpflow.tasks.{experiment.task['name']}"
        read = experiment.task
        if fresh and hasattr(plugins.load(plugins.TASK, experiment.task["name"]), "validation"):
            # Nothing but these two functions and the options that they read.
            task += ":sample,validation"
            named = options_of(task, frozenset(experiment.task)) | {"name"}
            read = {key: value for key, value in experiment.task.items() if key in named}
            data = {}
        task_read: dict[str, Any] = {"task": read} if fresh else {}
        made_by = [task] if fresh else []
        made_by.append(f"interpflow.training.{'weights_file' if from_file else 'loop'}")
        for start in range(0, len(seeds), size):
            chunk = str(seeds[start])
            job = self._add(
                "train",
                {"experiment": experiment.name, "chunk": chunk},
                data | ({"start": other[f"weights_{chunk}"]} if other else {}),
                *made_by,
                beside={"task": experiment.task} if fresh else {},
                model=experiment.model,
                training={"start": experiment.start} if from_file else training,
                compute=self.machine,
                seeds=list(seeds[start : start + size]),
                **task_read,
            )
            made |= {f"{output}_{chunk}": Source(job, output) for output in job.outputs}
        return made

    def analyse(self, analysis: Analysis, name: str, made: Sources) -> Source:
        names = {"analysis": analysis.name, "experiment": name}
        asked: dict[str, Any] = {"method": analysis.method, "options": analysis.options[name]}
        method = f"interpflow.analyses.{analysis.method}"
        if analysis.name not in self.of_models:
            job = self._add("analyse", names, made, method, **asked)
        else:
            experiment = self.study.experiments[name]
            job = self._add(
                "analyse",
                names,
                made,
                method,
                "interpflow.runs",
                **asked,
                model=experiment.model,
                training={"loss": experiment.training["loss"]},
                compute=self.machine,
            )
        return Source(job, "findings")

    def _looked_at(
        self,
        analysis: Analysis,
        experiment: str,
        made: Mapping[str, Sources],
        found: Mapping[str, Sources],
    ) -> Sources:
        """What `analysis` reads about an experiment, or about all."""
        if looks_at_every_experiment(analysis):
            return {
                f"{name}/{each}": source
                for name in analysis.data
                for each, source in found[name].items()
            }
        findings = {name: found[name][experiment] for name in analysis.data}
        if analysis.name in self.of_models:
            named = {f"findings_{name}": source for name, source in findings.items()}
            return made[experiment] | named
        return findings or {"data": made[experiment]["data"]}

    def collect(self, analysis: Analysis, parts: Sources) -> Source:
        coords = {name: self.study.experiments[name].coords for name in parts}
        job = self._add("collect", {"analysis": analysis.name}, parts, coords=coords)
        return Source(job, "findings")

    def given(self, analysis: Analysis) -> Source:
        """Findings of a file, in the place of those that would be collected."""
        names, of = {"analysis": analysis.name}, list(analysis.options)
        code = "interpflow.record.given"
        job = self._add("collect", names, {}, code, given=analysis.given, experiments=of)
        return Source(job, "findings")

    def figure(self, figure: Figure, data: Sources) -> None:
        # A figure marks the paper's value; why ours differs is for the scorecard alone.
        marks = [asdict(replace(c, because=None)) for c in self.study.claims if c.data in data]
        style: dict[str, Any] = {"style": self.study.style} if self.study.style else {}
        self._add(
            "figure",
            {"figure": figure.name},
            data,
            f"interpflow.plots.{figure.plot}",
            scale=self.study.scale,
            plot=figure.plot,
            options=figure.options,
            caption=figure.caption,
            panel=figure.panel,
            claims=marks,
            **style,
        )

    def claims(self, data: Sources) -> None:
        # A spec's reasons are for what came out at the default scale.
        silent = {} if self.study.scale == DEFAULT_SCALE else {"because": None}
        self._add(
            "claims", {}, data, claims=[asdict(claim) | silent for claim in self.study.claims]
        )

    def explorer(self, made: Mapping[str, Sources], findings: Sources) -> None:
        """`made` are data, weights and history of each experiment that has a model."""
        study, experiments = self.study, {}
        for name in made:
            experiment = study.experiments[name]
            experiments[name] = {
                "model": experiment.model,
                "training": {"loss": experiment.training["loss"]},
                "drawing": plugins.companion(plugins.TASK, f"_{experiment.task['name']}_drawing"),
                **self._activations(name),
            }
        drawn = dict.fromkeys(filter(None, (one["drawing"] for one in experiments.values())))
        sources = {f"findings/{name}": found for name, found in findings.items()}
        for name, parts in made.items():
            sources |= {f"{name}/{part}": source for part, source in parts.items()}
        self._add(
            "explorer",
            {},
            sources,
            *drawn,
            title=study.title,
            scale=study.scale,
            assets=assets.digest(),
            analyses={name: study.analyses[name].method for name in findings},
            # A few examples are not worth a GPU, which a login node lacks.
            compute=self.machine | {"device": "cpu"},
            experiments=experiments,
        )

    def _activations(self, experiment: str) -> dict[str, Any]:
        """The options by which the method `activations` looks at an experiment, and the analysis that has them.

        Those of the spec, where it has such an analysis; otherwise the defaults.
        """
        method = "activations"
        for analysis in self.study.analyses.values():
            if analysis.method == method and experiment in analysis.options:
                return {method: analysis.options[experiment], "asked": analysis.name}
        defaults = plugins.load(plugins.ANALYSIS, method).Options()
        return {method: defaults.model_dump(mode="json"), "asked": ""}

    def manifest(self) -> None:
        made = {
            path: Source(job, output)
            for jobs in self.jobs.values()
            for job in jobs.values()
            for output, path in job.outputs.items()
        }
        self._add("manifest", {}, made, title=self.study.title, scale=self.study.scale)

    def _to_train(self) -> list[str]:
        """The experiments that need a model, each behind the one that it goes on from."""
        order: dict[str, None] = {}

        def visit(name: str) -> None:
            if other := self.study.experiments[name].goes_on_from:
                visit(other)
            order[name] = None

        for name in self.study.looked_at:
            if self._is_asked_for(name):
                visit(name)
        return list(order)

    def _is_asked_for(self, name: str) -> bool:
        """Whether an experiment needs a model: not if all that is asked about it is its data."""
        analyses = self.study.analyses.values()
        asked = [each.name for each in analyses if name in each.options and not each.given]
        return not asked or not self.of_models.isdisjoint(asked)

    def _add(
        self,
        stage: str,
        names: Mapping[str, str],
        sources: Sources,
        *modules: str,
        named: bool = True,
        beside: Mapping[str, Any] | None = None,
        **slice: Any,
    ) -> Job:
        """Plan a job that reads `slice` of the spec and runs, beside its stage's code, `modules`.

        Where it is `named` its names are part of the recipe.
        """
        study = self.study
        where = {"scale": study.scale, "study": self.place, **names}
        job = Job(
            stage=stage,
            study=study.name,
            scale=study.scale,
            names=tuple(names.values()),
            slice={**(names if named else {}), "reference": study.reference, **slice},
            modules=(f"interpflow.stages.{stage}", *modules),
            sources=sources,
            outputs={name: path.format_map(where) for name, path in STAGES[stage].outputs.items()},
            log=log_pattern(stage).format_map(where),
            beside=beside or {},
        )
        if self.there:
            job = self.there.get(job.sha, job)
        self.jobs[stage][tuple(names.values())] = job
        return job
