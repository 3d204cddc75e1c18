"""The plans of the studies in specs/.

What reads specs takes half a second to import, so it is imported where a spec is read: where no plan was kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.files import reading
from interpflow.nearest import did_you_mean, way_out
from interpflow.workflow import kept_plans
from interpflow.workflow.job import Job
from interpflow.workflow.layout import SPECS, VARIANTS
from interpflow.workflow.plan import Plan


def require_known(config: Mapping[str, Any]) -> None:
    """Raise InterpflowError for a key of Snakemake's `--config` that means nothing here."""
    for key in config:
        if key != "scale":
            raise InterpflowError(
                f"--config {key}={config[key]}: the only key is scale; all else stands in the spec"
            )


def spec_files(folder: Path = SPECS) -> list[Path]:
    """The specs in `folder`, without hidden files, which editors and file systems put there.

    Raises InterpflowError where there is none.
    """
    found = [path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]
    if not found:
        with reading(folder):
            os.listdir(
                folder
            ) if folder.is_dir() else None  # `glob` finds nothing where it may not look
        hint = (
            "write a study as specs/<study>.yaml, step by step in docs/write-your-own-study.md"
            if folder.is_dir()
            else "start in the folder that holds specs/, or make one with: interpflow new NAME"
        )
        raise InterpflowError(f"no specs in {folder.absolute()}: {hint}")
    return found


def misnamed(folder: Path = SPECS) -> list[str]:
    """Messages on files that look like specs and are not read, because of their names."""
    others = [path for path in sorted(folder.glob("*.yml")) if not path.name.startswith(".")]
    return [
        f"{path}: not read, since specs end in .yaml: rename it to {path.with_suffix('.yaml').name}"
        for path in others
    ]


def plan_good(scale: str, folder: Path = SPECS) -> tuple[dict[str, Plan], dict[str, str]]:
    """The plans of all studies whose specs are in order, and the problems of the other specs, by name.

    Raises InterpflowError where no spec is in order, and for a scale that none declares.
    """
    plans, broken = _plans(spec_files(folder), scale)
    if not plans:
        raise InterpflowError("\n".join(broken.values()))
    return plans, broken


def variants(folder: Path = VARIANTS) -> list[str]:
    """The names of the variants in `folder`."""
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith("."))


def plan_all(scale: str, studies: Collection[str] = (), folder: Path = SPECS) -> dict[str, Plan]:
    """The plans of `studies`, or of every study in `folder`, by name; a variant has one for each of its points.

    Raises InterpflowError where there is none, for a spec with mistakes, and for a scale that none declares.
    """
    return _all_good([spec_of(study, folder) for study in studies] or spec_files(folder), scale)


def plan_checked(scale: str, paths: Sequence[Path]) -> dict[str, Plan]:
    """The plans of the specs at `paths`, by name, with every name in them checked.

    Their tasks are asked for a few examples, which takes a second a study; the result is kept with the plan.
    Raises InterpflowError as `plan_all` does, and for names that do not exist.
    """
    specs = [path for path in paths if not _is_variant(path)]
    new = [path for path in specs if kept_plans.read(path, scale, checked=True) is None]
    if len(new) > 1:
        from interpflow.workflow.ahead import done_ahead

        done_ahead(partial(_kept_ahead, scale), sorted(new, key=_size, reverse=True))
    return _all_good(paths, scale, checked=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _kept_ahead(scale: str, path: Path) -> None:
    """Keep the plan of the spec at `path`, if it is in order."""
    _worked_out([path], scale, declared=True, checked=True)


def _all_good(paths: Sequence[Path], scale: str, checked: bool = False) -> dict[str, Plan]:
    plans, broken = _plans(paths, scale, checked)
    if broken:
        raise InterpflowError("\n".join(broken.values()))
    return plans


def _plans(
    paths: Sequence[Path], scale: str, checked: bool = False
) -> tuple[dict[str, Plan], dict[str, str]]:
    """The plans of the specs that are in order, and the problems of the others, by name.

    Raises InterpflowError for a scale that none declares.
    """
    points, wrong = _points(dict.fromkeys(filter(_is_variant, paths)), scale, checked)
    paths = [path for path in paths if not _is_variant(path)]
    kept = {path: plan for path in paths if (plan := kept_plans.read(path, scale, checked))}
    others = [path for path in paths if path not in kept]
    new, broken = _worked_out(others, scale, bool(kept), checked) if others else ({}, {})
    plans = kept | new
    return {path.stem: plans[path] for path in paths if path in plans} | points, broken | wrong


def _points(
    files: Iterable[Path], scale: str, checked: bool
) -> tuple[dict[str, Plan], dict[str, str]]:
    """The plans of all points of the variants in `files`, by name, and the problems of the other variants."""
    plans: dict[str, Plan] = {}
    broken: dict[str, str] = {}
    for file in files:
        try:
            plans |= _points_of(file, scale, checked)
        except InterpflowError as error:
            broken[file.stem] = str(error)
    return plans, broken


def _points_of(file: Path, scale: str, checked: bool = False) -> dict[str, Plan]:
    """The plans of the points of the variant in `file`, by name.

    What a point has in common with its study, or with a point before it, lies there.
    """
    from interpflow.spec import load
    from interpflow.spec.foresight import Foresight
    from interpflow.spec.variants import read
    from interpflow.workflow.planner import plan

    variant = read(file)
    folder = SPECS if file.parent == VARIANTS else file.parents[1] / SPECS
    spec = spec_of(variant.study, folder)
    points = variant.points()
    found: dict[str, Plan] = {}
    for point in points:
        if kept := kept_plans.read(spec, scale, checked, file, point.name):
            found[point.name] = kept
    if len(found) == len(points):
        return found
    found = {}
    there = {job.sha: job for job in plan_study(variant.study, scale, folder)}
    foresight = Foresight() if checked else None
    for point in points:
        loaded = load.load_spec(spec, foresight, point)
        load.require_scale([loaded], scale)
        planned = plan(load.resolve(loaded, scale), loaded.base, point.name, there)
        there |= {job.sha: job for job in planned}
        kept_plans.keep(spec, planned, checked, file, point.name)
        found[point.name] = planned
    return found


def _is_variant(path: Path) -> bool:
    return path.parent.name == VARIANTS.name


def _worked_out(
    paths: Iterable[Path], scale: str, declared: bool, checked: bool
) -> tuple[dict[Path, Plan], dict[str, str]]:
    """`_plans` of specs whose plans are not kept; now they are.  Another spec may have `declared` the scale."""
    from interpflow.spec import load
    from interpflow.spec.foresight import Foresight
    from interpflow.workflow.planner import plan

    foresight = Foresight() if checked else None
    specs: dict[Path, load.Spec] = {}
    broken: dict[str, str] = {}
    for path in paths:
        try:
            specs[path] = load.load_spec(path, foresight)
        except InterpflowError as error:
            broken[path.stem] = str(error)
    if specs and not declared:
        load.require_scale(specs.values(), scale)
    plans = {path: plan(load.resolve(spec, scale), spec.base) for path, spec in specs.items()}
    for path, planned in plans.items():
        if load.declares(specs[path], scale):  # so the scale of a plan that is kept is declared
            kept_plans.keep(path, planned, checked)
    return plans, broken


def plan_study(study: str, scale: str, folder: Path = SPECS) -> Plan:
    """The plan of one study, or of one point of a variant.

    Raises InterpflowError where it has no spec, or one with mistakes.
    """
    from interpflow.spec import load
    from interpflow.workflow.planner import plan

    path = spec_of(study, folder)
    if _is_variant(path):
        plans = _points_of(path, scale)
        if study not in plans:
            raise InterpflowError(
                f"no study '{study}'; {path.stem} is a sweep, its points are: {way_out(study, plans)}"
            )
        return plans[study]
    spec = load.load_spec(path)
    return plan(load.resolve(spec, scale), spec.base)


def spec_of(study: str, folder: Path = SPECS) -> Path:
    """The file of a study's spec, or of the variant that makes it.

    Raises InterpflowError, with the nearest, where there is none.
    """
    path, kept = folder / f"{study}.yaml", folder.parent / VARIANTS
    variant = kept / f"{study.partition('.')[0]}.yaml"
    if path.is_file():
        return path
    if variant.is_file():
        return variant
    known = [other.stem for other in sorted(folder.glob("[!.]*.yaml"))]
    raise no_spec(path, [*known, *variants(kept)])


def no_spec(path: Path, known: Iterable[str]) -> InterpflowError:
    """The error that there is no spec at `path`, with the studies and variants that are known."""
    return InterpflowError(f"{path}: no such spec; there are: {way_out(path.stem, known)}")


def job_of(path: str) -> Job:
    """The job that makes the file at `path`; InterpflowError, with the nearest, where there is none."""
    shown = Path(os.path.relpath(path or "."))
    if len(shown.parts) < 3 or shown.parts[0] not in ("results", "figures"):
        gone = "" if os.path.lexists(path) else "no such file, and "
        raise InterpflowError(
            f"{path}: {gone}no file of a study of {Path.cwd()}: they are in results/ and figures/ there"
        )
    plans, _ = plan_good(shown.parts[1])
    made = {file: job for plan in plans.values() for job in plan for file in job.outputs.values()}
    if job := made.get(shown.as_posix()):
        return job
    raise InterpflowError(f"{path}: no job makes it{did_you_mean(shown.as_posix(), made)}")
