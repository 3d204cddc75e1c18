"""What a later comparison needs of a run, kept in `kept/NAME/`.

<study>/kept.json          the scale, and the recipe of each job: the resolved spec, and digests of code
<study>/<study>.yaml       the spec
<study>/manifest.json, claims.csv
<study>/findings/*.nc      those that are small; of others the manifest has fingerprints
<study>/figures/*.svg
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from interpflow.diff.side import Side, fingerprints
from interpflow.errors import InterpflowError
from interpflow.files import reading
from interpflow.record import manifest, scorecard
from interpflow.spec.document import checked_name
from interpflow.spec.problems import Problems
from interpflow.spec.sharing import spelt_out
from interpflow.spec.yaml_text import read_spec_text
from interpflow.workflow.layout import SPECS
from interpflow.workflow.plan import Plan
from interpflow.workflow.recipe import canonical
from interpflow.workflow.states import state

KEPT = Path("kept")
_SMALL = 5_000_000  # bytes of one file of findings
_LOOKED_AT = ("collect", "claims", "figure", "manifest")


def keep(name: str, plans: Iterable[Plan]) -> Path:
    """Keep the runs of `plans` under `name`; the folder, which is there whole or not at all.

    Raises InterpflowError for a name that is taken, and where a file is not as its spec and the code say.
    """
    _require_free(name)
    folder, unfinished = KEPT / name, KEPT / f".{name}.{os.getpid()}.part"
    try:
        for plan in plans:
            _require_made(plan)
            _copy(plan, unfinished / plan.study.name)
        unfinished.rename(folder)
    except OSError as error:
        at = f"{error.filename}: " if error.filename else ""
        raise InterpflowError(f"{folder}: not kept: {at}{error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def is_kept(path: Path) -> bool:
    """Whether the folder at `path` holds kept runs."""
    return any(path.glob("*/kept.json"))


def read(path: Path) -> list[Side]:
    """The kept runs in the folder at `path`, a study each."""
    return [_read(each.parent) for each in sorted(path.glob("*/kept.json"))]


def names() -> list[str]:
    """The names under which runs are kept."""
    return sorted(path.name for path in KEPT.glob("[!.]*") if is_kept(path))


def _require_free(name: str) -> None:
    try:
        checked_name(name)
    except ValueError as error:
        raise InterpflowError(str(error)) from None
    if (KEPT / name).exists():
        raise InterpflowError(
            f"{KEPT / name} is there; take another name, or remove it: rm -r {KEPT / name}"
        )
    if (SPECS / f"{name}.yaml").exists():
        raise InterpflowError(f"'{name}' is a study, so `diff {name}` means its results now")


def _require_made(plan: Plan) -> None:
    for stage in _LOOKED_AT:
        for job in plan.jobs[stage].values():
            if (here := state(job)) != "made":
                raise InterpflowError(
                    f"{next(iter(job.outputs.values()))} is {here}, so there is no run of the spec as it "
                    f"stands; make it with: interpflow run {plan.study.name} --scale {plan.study.scale}"
                )


def _copy(plan: Plan, folder: Path) -> None:
    """Write the run of `plan` to `folder`."""
    study = plan.study.name
    for part in ("findings", "figures"):
        (folder / part).mkdir(parents=True)
    recipes = [
        f"{json.dumps('/'.join((job.stage, *job.names)))}: {canonical(job.recipe)}" for job in plan
    ]
    text = ",\n".join(recipes)
    said = f'{{"study": "{study}", "scale": "{plan.study.scale}", "recipes": {{\n{text}\n}}}}\n'
    (folder / "kept.json").write_text(said, encoding="utf-8")
    shutil.copy(SPECS / f"{study}.yaml", folder)
    for stage in _LOOKED_AT:
        for job in plan.jobs[stage].values():
            for path in map(Path, job.outputs.values()):
                if stage == "collect" and path.stat().st_size <= _SMALL:
                    shutil.copy(path, folder / "findings")
                if path.suffix == ".svg":
                    shutil.copy(path, folder / "figures")
                if path.name in ("claims.csv", "manifest.json"):
                    shutil.copy(path, folder)


def _read(folder: Path) -> Side:
    path = folder / "kept.json"
    with reading(path):
        text = path.read_bytes()
    try:
        said = json.loads(text)
        recipes = {tuple(name.split("/")): recipe for name, recipe in said["recipes"].items()}
        study, scale = said["study"], said["scale"]
    except (ValueError, TypeError, KeyError) as error:
        raise InterpflowError(f"{path}: damaged: not what `interpflow keep` writes") from error
    spec, table = folder / f"{study}.yaml", folder / "claims.csv"
    return Side(
        study,
        scale,
        recipes,
        spelt_out(read_spec_text(spec), Problems(spec)),
        spec.as_posix(),
        scorecard.read(table) if table.exists() else None,
        {each.stem: each for each in sorted(folder.glob("findings/*.nc"))},
        fingerprints(manifest.read(folder / "manifest.json")),
        {each.stem: each for each in sorted(folder.glob("figures/*.svg"))},
    )
