"""From what somebody types to a side of a comparison.

list_sorting                 the study at the default scale, as its spec and the code are now
list_sorting@smoke           at a scale
list_sorting@HEAD~1          its spec as it was in a revision of git, with the reference in git if there is one
list_sorting@smoke@HEAD~1    both
path/to/list_sorting.yaml    the file of a spec; @SCALE and @REVISION too
results/…/manifest.json      a manifest, with the scorecard beside it
lr_try, lr_try@smoke         a variant, or a point of one that is a sweep
before, kept/before          what `interpflow keep before` kept
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from interpflow.diff import kept
from interpflow.diff.side import Side, fingerprints, of_manifest, planned
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.record import manifest, pages, scorecard
from interpflow.spec.load import DEFAULT_SCALE, load_spec, require_scale, resolve
from interpflow.store import sha256
from interpflow.workflow.layout import SPECS
from interpflow.workflow.planner import plan
from interpflow.workflow.specs_folder import plan_study, variants


def sides(text: str) -> list[Side]:
    """The side that `text` asks for, of each study if it is a kept run of several.

    Raises InterpflowError, with the nearest, where there is nothing of this name.
    """
    if kept.is_kept(Path(text)):
        return kept.read(Path(text))
    if text.endswith(".json"):
        return [_of_manifest(Path(text))]
    what, _, rest = text.partition("@")
    file = Path(what) if what.endswith(".yaml") else SPECS / f"{what}.yaml"
    if not file.is_file() and what.partition(".")[0] in variants():
        point = plan_study(what, rest or DEFAULT_SCALE)
        return [planned(point, SPECS / f"{point.study.name}.yaml")]
    if not rest and not file.is_file():
        if kept.is_kept(kept.KEPT / what):
            return kept.read(kept.KEPT / what)
        known = [*kept.names(), *variants(), *(path.stem for path in SPECS.glob("*.yaml"))]
        raise InterpflowError(
            f"no study, file or kept run '{text}'; there are: {way_out(what, known)}"
        )
    scales = [DEFAULT_SCALE, *(load_spec(file).scales if file.is_file() else ())]
    first, _, behind = rest.partition("@")
    scale, revision = (first, behind) if first in scales else (DEFAULT_SCALE, rest)
    if revision:
        return [_of_revision(file, scale, revision, scales)]
    spec = load_spec(file)
    return [planned(plan(resolve(spec, scale), spec.base), file)]


def _of_manifest(path: Path) -> Side:
    content = manifest.read(path)
    made = {
        entry["sha256"] for file, entry in content["files"].items() if file.endswith("/claims.csv")
    }
    for beside in (path.with_name("claims.csv"), path.with_suffix(".csv")):
        if beside.is_file() and sha256(beside) in made:
            return of_manifest(content, scorecard.read(beside))
    return of_manifest(content, None)


def _of_revision(file: Path, scale: str, revision: str, scales: list[str]) -> Side:
    """The spec as it was, by the code as it is, with the results that are there by its recipes."""
    text = _in_git(file, revision)
    if text is None:
        raise InterpflowError(
            f"'{revision}' is neither a scale of {file.stem} nor a revision of git that has {file}; "
            f"scales are: {way_out(revision, scales)}"
        )
    called = f"{file}@{revision}"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, file.name)
        copy.write_bytes(text)
        try:
            spec = load_spec(copy)
            require_scale([spec], scale)
        except InterpflowError as error:
            raise InterpflowError(str(error).replace(str(copy), called)) from None
        side = replace(planned(plan(resolve(spec, scale), spec.base), copy, called), lacking=())
    if scale != DEFAULT_SCALE:
        return side
    table = _in_git(Path(pages.SCORECARD.format(study=file.stem)), revision)
    if side.scorecard is None and table is not None:
        side = replace(side, scorecard=scorecard.parsed(table))
    reference = _in_git(Path(manifest.REFERENCE.format(study=file.stem)), revision)
    if reference is not None:
        with tempfile.NamedTemporaryFile(suffix=".json") as opened:
            Path(opened.name).write_bytes(reference)
            side = replace(side, fingerprints=fingerprints(manifest.read(opened.name)))
    return side


def _in_git(file: Path, revision: str) -> bytes | None:
    """The file as it was in a revision; None where there is no git, no such revision or no such file."""
    if revision.startswith("-") or not file.parent.is_dir():
        return None
    try:
        done = subprocess.run(
            ["git", "show", f"{revision}:./{file.name}"],
            cwd=file.parent,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
