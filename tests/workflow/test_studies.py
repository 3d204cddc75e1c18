"""Every study in specs/ runs at the smoke scale, and reruns what is changed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from workflow.project_copy import PROJECT, Copy, make_copy

STUDIES = sorted(path.stem for path in (PROJECT / "specs").glob("*.yaml"))
SCALE = ("--config", "scale=smoke")
SRC = "src/interpflow"


@pytest.fixture(scope="module", params=STUDIES)
def _smoked(request, tmp_path_factory) -> tuple[Copy, str]:
    made = make_copy(tmp_path_factory.mktemp(request.param) / "copy")
    shutil.rmtree(made.folder / "specs")
    (made.folder / "specs").mkdir()
    shutil.copy(PROJECT / f"specs/{request.param}.yaml", made.folder / "specs")
    (made.folder / "weights").symlink_to(PROJECT / "weights")
    made.snakemake("--cores", "all", *SCALE)
    return made, request.param


@pytest.fixture
def study(_smoked: tuple[Copy, str], tmp_path: Path) -> tuple[Copy, str]:
    """A copy in which everything of one study has run at the smoke scale, and its name."""
    made, name = _smoked
    shutil.copytree(made.folder, tmp_path / "copy", symlinks=True)
    return Copy(tmp_path / "copy"), name


def test_a_study_that_has_run_has_its_figures_and_scorecard_and_nothing_left_to_do(study):
    copy, name = study
    spec = yaml.safe_load((copy.folder / f"specs/{name}.yaml").read_text())
    drawn = {path.stem for path in (copy.folder / f"figures/smoke/{name}").glob("*.svg")}
    assert drawn <= set(spec["figures"])
    assert drawn
    assert (copy.folder / f"results/smoke/{name}/claims.csv").exists()
    assert copy.would_run(*SCALE) == set()


def test_a_study_killed_on_the_way_and_finished_on_one_core_has_the_same_bytes(study):
    copy, name = study
    before = copy.digests()
    for made in ("results", "figures", ".snakemake", "logs"):
        shutil.rmtree(copy.folder / made)
    moments = random.Random(name)
    for _ in range(2):
        run = copy.start("--cores", "all", *SCALE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moments.uniform(6.0, 15.0))
        if run.returncode is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    copy.snakemake("--cores", "1", *SCALE)
    assert copy.digests() == before


def test_editing_one_caption_redraws_that_figure_alone(study):
    copy, name = study
    path = copy.folder / f"specs/{name}.yaml"
    spec = yaml.safe_load(path.read_text())
    figure = next(each.stem for each in (copy.folder / f"figures/smoke/{name}").glob("*.svg"))
    expected = copy.made_from(f"figures/smoke/{name}/{figure}.svg", *SCALE)
    spec["figures"][figure]["caption"] += " Indeed."
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    assert copy.would_run(*SCALE) == expected


def test_editing_one_learning_rate_retrains_that_experiment_alone(study):
    copy, name = study
    path = copy.folder / f"specs/{name}.yaml"
    spec = yaml.safe_load(path.read_text())
    (weights, *_) = sorted(
        (copy.folder / f"results/smoke/{name}/experiments").glob("*/weights_0.nc")
    )
    expected = copy.made_from(str(weights.relative_to(copy.folder)), *SCALE)
    spec["experiments"][weights.parent.name].setdefault("training", {})["learning_rate"] = 0.123
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    assert copy.would_run(*SCALE) == expected


@pytest.mark.parametrize(("kind", "key"), [("analyses", "method"), ("plots", "plot")])
def test_editing_the_code_of_one_analysis_or_plot_reruns_its_jobs_alone(study, kind: str, key: str):
    copy, name = study
    spec = yaml.safe_load((copy.folder / f"specs/{name}.yaml").read_text())
    made = (
        f"results/smoke/{name}/analyses/{{}}/*.nc"
        if kind == "analyses"
        else f"figures/smoke/{name}/{{}}.svg"
    )
    parts = spec["analyses" if kind == "analyses" else "figures"]
    first = next(iter(parts.values()))[key]
    files = [
        str(path.relative_to(copy.folder))
        for part, options in parts.items()
        if options[key] == first
        for path in copy.folder.glob(made.format(part))
    ]
    expected = copy.made_from(*files, *SCALE)
    with (copy.folder / SRC / kind / f"{first}.py").open("a") as code:
        code.write("\nADDED = 1\n")
    assert copy.would_run(*SCALE) == expected
