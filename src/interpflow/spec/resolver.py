"""From the document of a spec to its study at one scale: merged, checked, every default filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.nearest import listed, way_out
from interpflow.record import given as given_findings
from interpflow.section import Section
from interpflow.spec import document, figure_names
from interpflow.spec.checker import Checker
from interpflow.spec.claim_rows import mistake, rows
from interpflow.spec.document import Document, Scale
from interpflow.spec.experiments import families
from interpflow.spec.foresight import Foresight
from interpflow.spec.found_names import Found, joined
from interpflow.spec.merging import Layer, origin
from interpflow.spec.plugins import ANALYSIS, PLOT, load
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.starts import Starts
from interpflow.spec.study import Analysis, Claim, Experiment, Figure, Study
from interpflow.spec.validation import Complaint
from interpflow.training.options import ComputeOptions

Families = Mapping[str, Iterable[Experiment]]
Findings = dict[str, dict[str, Found]]  # by analysis and experiment


class Resolver:
    """Resolves the document `written`; problems go to `checker`.

    With `foresight` every name is held against the tasks, the models and the findings to come.
    """

    def __init__(self, written: Document, checker: Checker, foresight: Foresight | None = None):
        self._written = written
        self._checker = checker
        self._foresight = foresight
        # What figures name that the base does not have, by its place; a scale may have it.
        self._nowhere: dict[KeyPath, str] = {}
        self._starts = Starts(checker, foresight)
        self._base_experiments: frozenset[str] = frozenset()
        self._doubtful: set[str] = set()  # analyses with problems of their own

    def study(self, scale: str | None) -> Study:
        """The study at `scale`, None for the base, which comes first; whole if no problem was noted."""
        written, checker = self._written, self._checker
        entry = Scale() if scale is None else written.scales[scale]
        at: KeyPath = () if scale is None else ("scales", scale)
        checker.known(entry.analyses, written.analyses, "analysis", (*at, "analyses"))
        checker.known(entry.figures, written.figures, "figure", (*at, "figures"))
        checker.known(entry.given, written.analyses, "analysis", (*at, "given"))

        compute = [Layer(("compute",), written.compute), Layer((*at, "compute"), entry.compute)]
        points, layers = families(written, entry, at, checker)
        experiments = {one.name: one for family in points.values() for one in family}
        named = dict.fromkeys((*written.experiments, *experiments))
        checker.known(entry.experiments, named, "experiment", (*at, "experiments"))
        if scale is None:
            self._base_experiments = frozenset(experiments)
        if entry.only is not None:
            kept = self._expand(entry.only, (*at, "only"), points)
            experiments = {name: one for name, one in experiments.items() if name in kept}
            for one in experiments.values():
                if one.goes_on_from and one.goes_on_from not in experiments:
                    message = f"'{one.name}' goes on from '{one.goes_on_from}', which is left out"
                    checker.add((*at, "only"), message)
        self._starts.check(points, layers, experiments.values())
        analyses, found = self._analyses(entry, at, points, experiments)
        study = Study(
            name=written.study,
            title=written.title,
            reference=written.reference.model_dump(mode="json") if written.reference else {},
            scale=scale or "",
            seeds=tuple(range(max((len(one.seeds) for one in experiments.values()), default=0))),
            compute=checker.options(ComputeOptions, compute, ("compute",)),
            experiments=experiments,
            analyses=analyses,
            figures=self._figures(entry, at, analyses, found),
            claims=(),
            style=written.style.model_dump(exclude_none=True),
        )
        return replace(study, claims=tuple(self._claims(study, found)))

    def finish(self) -> None:
        """Note the names in figures that neither the base nor any scale has."""
        for place, message in self._nowhere.items():
            self._checker.add(place, message)

    def _expand(self, named: Iterable[str], at: KeyPath, points: Families) -> dict[str, KeyPath]:
        """The experiments that the names and patterns at `at` stand for, and where each is named."""
        alone = {one.name: [one] for family in points.values() for one in family}
        known = {**alone, **points}
        expanded: dict[str, KeyPath] = {}
        for index, name in enumerate(named):
            key: KeyPath = (*at, name if isinstance(named, Mapping) else index)
            # At a scale with a shorter sweep, the other points of the base are known and left out.
            ones = known.get(name) or [alone[each][0] for each in _matching(alone, name)]
            if not (ones or name in known or _matching(self._base_experiments, name)):
                message = f"no experiment {describe(name)}; there are: {way_out(name, known)}"
                self._checker.add(key, message)
            for one in ones:
                if one.name in expanded:
                    self._checker.add(key, f"names the experiment '{one.name}' twice")
                expanded[one.name] = key
        return expanded

    def _analyses(
        self, scale: Scale, at: KeyPath, points: Families, kept: Mapping[str, Experiment]
    ) -> tuple[dict[str, Analysis], Findings]:
        analyses: dict[str, Analysis] = {}
        foreseen: Findings = {}
        above: list[str] = []
        for name, written in self._written.analyses.items():
            here: KeyPath = ("analyses", name)
            before = self._checker.problems
            named = written.experiments
            if not named:
                self._checker.add((*here, "experiments"), "names no experiment")
            module = self._checker.plugin(ANALYSIS, written.method, (*here, "method"))
            data = self._findings(written, module, above, (*here, "data"))
            above.append(name)
            options = {}
            blamed: set[KeyPath] = set()
            for point, key in self._expand(named, (*here, "experiments"), points).items():
                if module is None or point not in kept:
                    continue
                if of_file := [a for a in data if a in analyses and analyses[a].given]:
                    message = (
                        f"goes on from '{of_file[0]}', whose findings come as a file at this scale"
                    )
                    self._checker.add(key, message)
                lacking = [a for a in data if a in analyses and point not in analyses[a].options]
                if lacking and key not in blamed:
                    blamed.add(key)
                    message = f"analysis '{lacking[0]}' is not of experiment '{point}'"
                    self._checker.add(key, message)
                attention = kept[point].model.get("attention")
                if attention == "full" and getattr(module, "CAUSAL", False):
                    message = f"'{written.method}' takes causal attention; the model of '{point}' has full"
                    self._checker.add(key, message)
                if kept[point].model.get("residual") is False and getattr(
                    module, "RESIDUAL", False
                ):
                    message = f"'{written.method}' takes a residual stream; the model of '{point}' has none"
                    self._checker.add(key, message)
                layers = [
                    Layer(here, written.model_extra or {}),
                    Layer(key, named[str(key[-1])] if isinstance(named, dict) else {}),
                    Layer((*at, *here), scale.analyses.get(name, {})),
                ]
                depth = kept[point].model.get("layers", 0)  # 0: the model has problems of its own
                options[point] = self._checker.layer_options(module.Options, layers, here, depth)
                for asking, why in self._starts.lacking(kept[point], module, options[point]):
                    asked = origin(layers, asking) if asking else None
                    self._checker.add(asked[1] if asked else key, why)
                found = self._foreseen(
                    module, kept[point], options[point], data, analyses, foreseen
                )
                if isinstance(found, str):
                    self._checker.add(key, found)
                elif isinstance(found, Found):
                    foreseen.setdefault(name, {})[point] = found
                elif found:
                    self._checker.told(layers, found, here, depth)
            foreseen[name] = joined(foreseen.get(name, {}), kept)
            if options:
                given = self._given(scale, (*at, "given", name), options, foreseen[name])
                analyses[name] = Analysis(name, written.method, options, data, given)
            if self._checker.problems > before:
                self._doubtful.add(name)
        return analyses, foreseen

    def _given(
        self, scale: Scale, at: KeyPath, experiments: Iterable[str], found: Mapping[str, Found]
    ) -> dict[str, str]:
        """The file that findings on `experiments` come from at `scale`; {} where they are computed."""
        written = scale.given.get(str(at[-1]))
        if written is None:
            return {}
        given = written.model_dump()
        try:
            given_findings.check(
                given,
                list(experiments),
                {k: v for one in found.values() for k, v in one.dims.items()},
            )
        except InterpflowError as error:
            self._checker.add((*at, "file"), str(error))
        return given

    def _foreseen(
        self,
        module: ModuleType,
        experiment: Experiment,
        options: Mapping[str, Any],
        data: Sequence[str],
        analyses: Mapping[str, Analysis],
        foreseen: Findings,
    ) -> Found | list[Complaint] | str | None:
        """The findings to come of the analysis `module` on `experiment`, or problems of its options or task.

        None without foresight, and if nothing is known.
        """
        if not (self._foresight and experiment.whole and _given(options, module)):
            return None
        try:
            known = self._foresight.known(experiment, _positions(data, analyses))
        except InterpflowError as error:
            return str(error)
        if module.NEEDS != "findings":
            return self._foresight.told(module, options, known)
        if not all(experiment.name in foreseen.get(name, {}) for name in data):
            return None
        if getattr(module, "EVERY_EXPERIMENT", False):
            every = {name: foreseen[name] for name in data}
            return self._foresight.told_of_findings(module, options, known, every)
        beside = {name: {experiment.name: foreseen[name][experiment.name]} for name in data}
        return self._foresight.told_of_findings(module, options, known, beside)

    def _findings(
        self,
        written: document.Analysis,
        module: ModuleType | None,
        above: Sequence[str],
        at: KeyPath,
    ) -> list[str]:
        """The analyses that `written` goes on from, if it is one that does."""
        data = [written.data] if isinstance(written.data, str) else written.data
        wants = module is not None and module.NEEDS.endswith("findings")
        if wants and not data:
            self._checker.add(at, f"'{written.method}' goes on from findings; name their analyses")
        elif data and module is not None and not wants:
            message = f"'{written.method}' looks at {module.NEEDS}, not at findings; leave data out"
            self._checker.add(at, message)
            return []
        self._checker.known(data, above, "analysis above", at)
        named = [name for name in data if name in above]
        by = {name: self._written.analyses[name].method for name in above}
        for method in getattr(module, "METHODS", ()) if named == data else ():
            if method not in (by[name] for name in named):
                there = listed(name for name in above if by[name] == method) or "none"
                message = f"'{written.method}' takes an analysis by the method '{method}'; above are: {there}"
                self._checker.add(at, message)
        return named

    def _figures(
        self, scale: Scale, at: KeyPath, analyses: Mapping[str, Analysis], foreseen: Findings
    ) -> dict[str, Figure]:
        figures = {}
        for name, written in self._written.figures.items():
            here: KeyPath = ("figures", name)
            data = (written.data,) if isinstance(written.data, str) else tuple(written.data)
            self._checker.known(data, self._written.analyses, "analysis", (*here, "data"))
            module = self._checker.plugin(PLOT, written.plot, (*here, "plot"))
            if module is None:
                continue
            layers = [
                Layer(here, written.model_extra or {}),
                Layer((*at, *here), scale.figures.get(name, {})),
            ]
            self._entries(scale.figures.get(name, {}), written.model_extra or {}, (*at, *here))
            options = self._checker.options(module.Options, layers, here)
            if all(analysis in analyses for analysis in data):
                figures[name] = Figure(
                    name, written.plot, data, written.caption, written.panel, options
                )
                # Of an analysis with problems nothing can be known.
                if _given(options, module) and all(
                    foreseen[each].keys() == analyses[each].options.keys() for each in data
                ):
                    found = {each: foreseen[each] for each in data}
                    if lacks := figure_names.undrawable(getattr(module, "DRAWS", ()), found):
                        draws = f"plot '{written.plot}' draws {', '.join(module.DRAWS)}"
                        self._checker.add((*here, "data"), f"{draws}; {lacks}")
                    self._shown(module.Options(**options), layers, here, at, found)
        return figures

    def _entries(self, changed: Mapping[str, Any], base: Mapping[str, Any], at: KeyPath) -> None:
        """Note where a scale changes an entry, such as a panel, that the base does not have."""
        for option, entries in changed.items():
            there = base.get(option)
            if not (isinstance(entries, dict) and isinstance(there, dict) and there):
                continue
            if all(isinstance(entry, dict) for entry in there.values()):
                self._checker.known(entries, there, f"entry of {option}", (*at, option))

    def _shown(
        self, options: Section, layers: Sequence[Layer], here: KeyPath, at: KeyPath, found: Findings
    ) -> None:
        """Note the names in a figure that are missing: at a scale its own names, else what no scale has."""
        wrong: dict[KeyPath, str] = {}
        for complaint in figure_names.complaints(options, found):
            origin_of = origin(layers, complaint.key)
            wrong[origin_of[1] if origin_of else (*here, *complaint.key)] = complaint.message
        if not at:
            self._nowhere |= wrong
            return
        for place, message in wrong.items():
            if place[: len(at)] == at:
                self._checker.add(place, message)
        # Where a scale lacks an experiment, what else is said of it is looked up nowhere.
        passed_over = [place[:-1] for place in wrong if place[-1] in figure_names.NARROWING]
        for place in [key for key in self._nowhere if key[:2] == here and key not in wrong]:
            now = origin(layers, place[2:])
            same = now is None or now[1] == place  # else the scale says something else there
            if same and not any(place[: len(above)] == above for above in passed_over):
                del self._nowhere[place]

    def _claims(self, study: Study, foreseen: Findings) -> Iterator[Claim]:
        """The claims that can be looked up: in the base all of them, at a scale those it leaves in."""
        for name, written in self._written.claims.items():
            here: KeyPath = ("claims", name)
            self._checker.known([written.data], self._written.analyses, "analysis", (*here, "data"))
            if written.data not in study.analyses or written.data in self._doubtful:
                continue
            method = study.analyses[written.data].method
            module = self._checker.plugin(ANALYSIS, method, (*here, "data"))
            found = foreseen.get(written.data, {})
            variables = module.VARIABLES if module else {}
            if written.variable not in variables:
                has = f"analysis '{method}' has: {way_out(written.variable, variables)}"
                self._checker.add(
                    (*here, "variable"), f"no variable {describe(written.variable)}; {has}"
                )
                continue
            for claim in rows(name, written):
                wrong = mistake(claim, study, variables, found)
                if wrong is None:
                    yield claim
                elif not study.scale:
                    key, message = wrong
                    self._checker.add((*here, *_chosen_at(written, key)), message)


def _given(options: Mapping[str, Any], module: ModuleType) -> bool:
    """Whether `options` are without problems: with some, they are empty."""
    return bool(options) or not module.Options.model_fields


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


def _positions(data: Sequence[str], analyses: Mapping[str, Analysis]) -> dict[str, list[str]]:
    """The positions that each of the analyses `data` finds."""
    tables = {
        name: load(ANALYSIS, analyses[name].method).VARIABLES for name in data if name in analyses
    }
    return {
        name: [each for each, variable in table.items() if {*variable.dims} == {"seed", "position"}]
        for name, table in tables.items()
    }


def _chosen_at(written: document.Claim, key: KeyPath) -> KeyPath:
    """The key of a claim that gives its row the coordinate `key`, of its place or of the other place."""
    place, *coordinate = key
    given = getattr(written, str(place)) or {}
    if not coordinate or coordinate[0] in given:
        return key
    return ("along" if coordinate[0] in written.along else "select", *coordinate)
