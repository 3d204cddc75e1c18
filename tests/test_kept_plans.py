"""A plan that was kept is the plan that would be worked out; what it rests on changed, and it is left aside."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from built_study import SPEC
from edits import copy_of_code, forget_code, read_code_in

from interpflow.errors import InterpflowError
from interpflow.workflow import kept_plans
from interpflow.workflow.make import make
from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import plan_all, plan_checked, plan_study

SMALL = Path("specs/small.yaml")
SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the study small, now the current folder, whose code may be edited."""
    monkeypatch.chdir(tmp_path)
    SMALL.parent.mkdir()
    SMALL.write_text(SPEC)
    read_code_in(copy_of_code(tmp_path / "src"), monkeypatch)
    return tmp_path


@pytest.fixture
def read_specs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The specs that are read from now on."""
    from interpflow.spec import load

    found: list[str] = []
    really = load.load_spec
    monkeypatch.setattr(
        load, "load_spec", lambda path, *more: found.append(path.stem) or really(path, *more)
    )
    return found


def same(one: Plan, other: Plan) -> bool:
    told = [
        [asdict(plan.study), asdict(plan.base), {n: job.label for n, job in plan.data.items()},
         [(job.stage, job.names, job.recipe, job.sha, job.inputs, job.outputs, job.log, job.beside)
          for job in plan]]
        for plan in (one, other)
    ]  # fmt: skip
    return json.loads(json.dumps(told[0])) == json.loads(json.dumps(told[1]))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_a_kept_plan_is_the_plan(spec: Path, scale: str, tmp_path: Path, monkeypatch):
    shutil.copytree(spec.parent, tmp_path / "specs")
    for shipped in ("weights", "findings"):
        (tmp_path / shipped).symlink_to(spec.parent.parent / shipped)
    monkeypatch.chdir(tmp_path)
    planned, here = plan_study(spec.stem, scale), Path("specs", spec.name)
    assert kept_plans.read(here, scale) is None
    kept_plans.keep(here, planned, checked=False)
    kept = kept_plans.read(here, scale)
    assert kept is not None
    assert same(kept, planned)


def test_a_spec_is_read_once_until_it_changes(project: Path, read_specs: list[str]):
    first = plan_all("laptop")["small"]
    assert same(plan_all("laptop")["small"], first)
    assert read_specs == ["small"]
    SMALL.write_text(SPEC.replace("0.9", "0.8"))
    assert not same(plan_all("laptop")["small"], first)
    SMALL.write_text(SPEC)
    assert same(plan_all("laptop")["small"], first)
    assert read_specs == ["small", "small"]


def test_a_plan_counts_as_checked_once_it_was_and_until_the_spec_changes(project: Path, read_specs):
    plan_all("laptop")
    for _ in range(2):
        plan_checked("laptop", [SMALL])
    plan_all("laptop")
    assert read_specs == ["small", "small"]
    SMALL.write_text(SPEC.replace("group: validation", "group: validatoin"))
    plan_all("laptop")
    for _ in range(2):
        with pytest.raises(InterpflowError, match="validatoin"):
            plan_checked("laptop", [SMALL])


@pytest.mark.parametrize(
    "file", ["src/interpflow/rng.py", "tasks/helper.py", "helpers/deep/one.py"]
)
def test_code_that_changed_or_came_is_planned_anew(project: Path, read_specs: list[str], file: str):
    plan_all("laptop")
    path = project / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as code:
        code.write("\nFURTHER = 1\n")
    forget_code()
    plan_all("laptop")
    assert read_specs == ["small", "small"]


def test_weights_that_a_spec_names_are_part_of_what_it_rests_on(project: Path):
    plan = plan_study("small", "laptop")
    weights = project / "given.nc"
    weights.write_bytes(b"one")
    plan.study.experiments["plain"].training["start"] = {"file": "given.nc"}
    kept_plans.keep(SMALL, plan, checked=False)
    assert kept_plans.read(SMALL, "laptop") is not None
    weights.write_bytes(b"two")
    assert kept_plans.read(SMALL, "laptop") is None
    weights.unlink()
    assert kept_plans.read(SMALL, "laptop") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"code": "", "files": {}, "checked": true}', '{"code": 1}']
)
def test_a_damaged_plan_is_worked_out_anew(project: Path, content: str):
    first = plan_all("laptop")["small"]
    (kept,) = project.glob("logs/.plans/*")
    kept.write_text(content)
    assert same(plan_all("laptop")["small"], first)


def test_where_nothing_can_be_written_studies_are_planned_all_the_same(project: Path):
    (project / "logs").write_text("no folder")
    assert list(plan_all("laptop")) == ["small"]


def test_no_more_than_eight_plans_of_a_study_are_kept(project: Path):
    for number in range(12):
        SMALL.write_text(SPEC.replace("0.9", f"0.{number + 10}"))
        plan_all("laptop")
        newest = max(project.glob("logs/.plans/*"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    assert len([*project.glob("logs/.plans/*")]) == 8


def test_an_undeclared_scale_is_refused_however_often_it_is_asked_for(project: Path):
    for _ in range(2):
        with pytest.raises(InterpflowError, match="no spec declares the scale 'smke'"):
            plan_all("smke")


def test_the_jobs_of_a_run_are_those_that_it_planned_whatever_the_spec_says_by_then(project: Path):
    run = plan_all("laptop")["small"]
    data = run.find("data", "plain")
    make(data, io.StringIO())
    whole = Path(data.outputs["data"]).read_bytes()
    SMALL.write_text("study: small\nseeds: being edited")
    promised = kept_plans.promised("small", "laptop", "data", ("plain",), data.short_sha)
    assert promised is not None
    make(promised, io.StringIO())
    assert Path(data.outputs["data"]).read_bytes() == whole
    assert kept_plans.promised("small", "laptop", "data", ("plain",), "0" * 16) is None


def test_a_job_whose_code_changed_since_it_was_planned_is_refused_and_others_are_not(project: Path):
    run = plan_all("laptop")["small"]
    with (project / "src/interpflow/analyses/data_statistics.py").open("a") as code:
        code.write("\nFURTHER = 1\n")
    forget_code()
    data, strings = run.find("data", "plain"), run.find("analyse", "strings", "plain")
    assert kept_plans.promised("small", "laptop", "data", data.names, data.short_sha)
    with pytest.raises(
        InterpflowError, match="the code behind analyse small/strings/plain changed"
    ):
        kept_plans.promised("small", "laptop", "analyse", strings.names, strings.short_sha)


def test_what_reads_specs_is_imported_only_where_no_plan_is_kept(project: Path):
    lines = """
import sys
from interpflow.workflow.specs_folder import plan_all
plan_all("laptop")
print(*sorted({"interpflow.spec.load", "pydantic", "xarray"} & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    imported = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", lines],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        imported.append(done.stdout.split())
    assert imported == [["interpflow.spec.load", "pydantic", "xarray"], []]
