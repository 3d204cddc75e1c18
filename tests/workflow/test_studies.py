"""Every study in specs/ runs at the smoke scale, and reruns what is changed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import browser
import edits
import explored
import pytest
import yaml
from tour import sights
from workflow.planned import Planned
from workflow.project_copy import PROJECT, Copy, make_copy

from interpflow import store
from interpflow.spec.foresight import Foresight
from interpflow.spec.found_names import foresee, unlike
from interpflow.spec.load import load_spec, resolve
from interpflow.spec.plugins import ANALYSIS, load
from interpflow.workflow.make import is_made, make
from interpflow.workflow.specs_folder import plan_checked, plan_study
from interpflow.workflow.states import with_all_behind

STUDIES = sorted(path.stem for path in (PROJECT / "specs").glob("*.yaml"))
SCALE = ("--config", "scale=smoke")
SRC = "src/interpflow"


def put_specs(folder: Path, study: str) -> None:
    """The spec of one study, and the weights that a spec may start from."""
    (folder / "specs").mkdir(exist_ok=True)
    shutil.copy(PROJECT / f"specs/{study}.yaml", folder / "specs")
    for shipped in ("weights", "findings"):
        (folder / shipped).symlink_to(PROJECT / shipped)


@pytest.fixture(scope="module", params=STUDIES)
def smoked(request, tmp_path_factory) -> Copy:
    """A folder in which every job of one study has run in this process, in a random order of its own."""
    copy = Copy(tmp_path_factory.mktemp(request.param))
    put_specs(copy.folder, request.param)
    with contextlib.chdir(copy.folder):
        for job in edits.shuffled(plan_study(request.param, "smoke"), random.Random(request.param)):
            make(job, io.StringIO())
    return copy


@pytest.fixture(params=STUDIES)
def study(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A copy of specs and code in which one study is planned, at the smoke scale."""
    put_specs(tmp_path, request.param)
    edits.read_code_in(edits.copy_of_code(tmp_path / "src"), monkeypatch)
    return Planned(tmp_path, request.param, "smoke")


def spec_of(study: Planned) -> dict:
    return yaml.safe_load((study.folder / f"specs/{study.study}.yaml").read_text())


def write_spec(study: Planned, spec: dict) -> None:
    text = yaml.safe_dump(spec, sort_keys=False)
    (study.folder / f"specs/{study.study}.yaml").write_text(text)


def test_a_study_that_has_run_has_its_figures_and_scorecard_and_nothing_left_to_do(smoked: Copy):
    (path,) = (smoked.folder / "specs").iterdir()
    drawn = {each.stem for each in (smoked.folder / f"figures/smoke/{path.stem}").glob("*.svg")}
    assert drawn <= set(yaml.safe_load(path.read_text())["figures"])
    assert drawn
    assert (smoked.folder / f"results/smoke/{path.stem}/claims.csv").exists()
    with contextlib.chdir(smoked.folder):
        left = {job.stage for job in plan_study(path.stem, "smoke") if not is_made(job)}
    assert left <= {"claims", "manifest"}  # made at every run


@pytest.mark.nightly
def test_a_study_killed_on_the_way_and_finished_on_one_core_has_the_bytes_of_another_order(
    smoked: Copy, tmp_path: Path
):
    (path,) = (smoked.folder / "specs").iterdir()
    copy = make_copy(tmp_path / "copy", specs=path.parent)
    put_specs(copy.folder, path.stem)
    moments = random.Random(path.stem)
    for _ in range(2):
        run = copy.start("--cores", "all", *SCALE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moments.uniform(6.0, 15.0))
        if run.returncode is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    copy.snakemake("--cores", "1", *SCALE)
    assert copy.digests() == smoked.digests()
    assert copy.would_run(*SCALE) == set()


def test_editing_one_caption_redraws_that_figure_alone(study: Planned):
    before, (figure, *_) = study.recipes(), study.plan().jobs["figure"].values()
    expected = study.following(figure.outputs.values())
    spec = spec_of(study)
    spec["figures"][figure.names[0]]["caption"] += " Indeed."
    write_spec(study, spec)
    assert study.stale(before) == expected


def test_editing_one_learning_rate_retrains_that_experiment_alone(study: Planned):
    before, spec = study.recipes(), spec_of(study)
    experiments = spec["experiments"]
    shared = {experiment.get("like") for experiment in experiments.values()}

    def written(name: str) -> str:
        """The experiment of the spec that has this name, or sweeps the point of this name."""
        return max((each for each in experiments if f"{name}_".startswith(f"{each}_")), key=len)

    jobs = study.plan().jobs["train"].values()
    name = next(each for job in jobs if (each := written(job.names[0])) not in shared)
    trained = [job for job in jobs if written(job.names[0]) == name]
    expected = study.following([path for job in trained for path in job.outputs.values()])
    experiments[name].setdefault("training", {})["learning_rate"] = 0.123
    write_spec(study, spec)
    assert study.stale(before) == expected


@pytest.mark.parametrize(
    ("stage", "key", "kind"), [("analyse", "method", "analyses"), ("figure", "plot", "plots")]
)
def test_editing_the_code_of_one_analysis_or_plot_reruns_its_jobs_alone(
    study: Planned, stage: str, key: str, kind: str
):
    before, jobs = study.recipes(), study.plan().jobs[stage].values()
    edited = next(iter(jobs)).slice[key]
    made = [path for job in jobs if job.slice[key] == edited for path in job.outputs.values()]
    expected = study.following(made)
    study.append(f"{SRC}/{kind}/{edited}.py", "ADDED = 1")
    assert study.stale(before) == expected


def test_what_the_tour_of_explorers_leads_to_is_on_the_page_of_the_study(smoked: Copy):
    study = next((smoked.folder / "specs").glob("*.yaml")).stem
    page = (smoked.folder / f"figures/smoke/{study}/explorer/index.html").read_text()
    (index,) = re.findall(r'id="index">(.*?)</script>', page)
    held = {each["name"]: each for each in json.loads(index)["datasets"]}
    with contextlib.chdir(smoked.folder):
        there = plan_study(study, "smoke").jobs["explorer"]
    (job,) = there.values()
    for shown in (each.shown for each in sights() if each.study == study):
        data, _, variable = shown.get("also", shown.get("data", "")).partition(" · ")
        if data in job.slice["analyses"]:  # else the scale leaves it out
            assert variable in {"", *(each["name"] for each in held[data]["variables"])}
            assert held[data]["variables"]
        kind = "circuits" if shown["view"] == "circuits" else "activations"
        first = next(iter(job.slice["experiments"]))
        names = {each["name"] for each in held[f"{kind} of {first}"]["variables"]}
        assert {shown.get("circuit")} - {None} <= names


@pytest.fixture(scope="module")
def window() -> Iterator[browser.Browser]:
    with browser.browser() as window:
        yield window


@pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())
def test_each_view_of_the_explorer_draws_and_is_a_figure_of_the_spec(
    smoked: Copy, window: browser.Browser, tmp_path: Path, monkeypatch
):
    folder = shutil.copytree(smoked.folder, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(folder)
    (path,) = Path("specs").iterdir()
    page = (folder / f"figures/smoke/{path.stem}/explorer/index.html").as_uri()
    window.open(f"{page}#view=training")
    window.log("browser"), window.requested()
    before = {*plan_study(path.stem, "smoke").study.figures}
    blocks = 0
    for view in explored.VIEWS:
        explored.show(window, f"view={view}")
        assert window.run("return document.getElementById('view').dataset.view") == view
        assert not explored.problem(window)
        for block in explored.as_figures(window):
            path.write_text(explored.pasted(path.read_text(), block))
            blocks += 1
    assert window.log("browser") == window.requested() == []
    plan = plan_checked("smoke", [path])[path.stem]
    figures = [plan.find("figure", name) for name in {*plan.study.figures} - before]
    assert len(figures) == blocks >= len(explored.VIEWS) - 1
    for job in with_all_behind(figures):
        if not is_made(job):
            make(job, io.StringIO())
    for figure in figures:
        text = Path(figure.outputs["svg"]).read_text()
        assert "<svg" in text and "in the data." not in text, figure.names


def test_what_is_foreseen_of_an_analysis_is_what_it_finds(smoked: Copy, monkeypatch) -> None:
    monkeypatch.chdir(smoked.folder)
    name = next((smoked.folder / "specs").glob("*.yaml")).stem
    study, foresight = resolve(load_spec(f"specs/{name}.yaml"), "smoke"), Foresight()
    for analysis in study.analyses.values():
        module = load(ANALYSIS, analysis.method)
        for experiment, options in analysis.options.items():
            known = foresight.known(study.experiments[experiment], {})
            foreseen = foresee(module, known, module.Options(**options))
            path = f"results/smoke/{name}/analyses/{analysis.name}/{experiment}.nc"
            found = store.read(path)
            assert {*map(str, found.dims)} | {*map(str, found.data_vars)} <= {*foreseen.coordinates}
            for label, them in foreseen.labels.items():
                if label in found.variables:
                    wrong = [v for v in found[label].values.ravel().tolist() if unlike(v, [them])]
                    assert not [v for v in wrong if v != ""], (analysis.name, label, wrong)
                # Which groups there are is told by few examples, and how long those shown are by all.
                told_later = label in ("group", "position")
                if label in found.coords and isinstance(them, list) and not told_later:
                    assert len(them) == found.sizes[label], (analysis.name, label)
