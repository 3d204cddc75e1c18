"""`status` says what is done, running, stale and failed, and asks nothing heavy beside a living run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from built_study import SPEC

import interpflow
from interpflow.__main__ import main
from interpflow.workflow import run_lock
from interpflow.workflow.expected import Run, expected, foreseen, records_of
from interpflow.workflow.measured import measuring
from interpflow.workflow.specs_folder import plan_study

RUN = """
import sys
from interpflow.__main__ import main
assert main(["status"]) == 0
print(*sorted({"torch", "numpy", "xarray", "pandas", "pydantic", "yaml"} & set(sys.modules)))
"""


def edit(old: str, new: str) -> None:
    assert SPEC.count(old) == 1
    Path("specs/small.yaml").write_text(SPEC.replace(old, new))


def status(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["status", *arguments]) == 0
    return capsys.readouterr().out


def test_after_a_run_all_is_done(built, capsys):
    jobs = len(list(plan_study("small", "laptop")))
    assert status(capsys) == f"small at scale laptop: {jobs} done, of {jobs} jobs\n"


def test_what_is_stale_or_missing_is_counted_and_costed(built, capsys):
    jobs = len(list(plan_study("small", "laptop")))
    edit("variables: [length]", "variables: [length, split]")
    Path("figures/laptop/small/bins.png").unlink()
    said = status(capsys, "small").splitlines()
    assert said[0] == f"small at scale laptop: {jobs - 6} done, 5 stale, 1 missing, of {jobs} jobs"
    assert said[1].startswith("  to run: about ")
    assert "small at scale smoke: 0 done" in status(capsys, "--scale", "smoke")


def test_a_job_that_failed_is_named_with_the_last_line_of_its_log(built, capsys):
    weights = Path("results/laptop/small/experiments/plain/weights_0.nc")
    findings = Path("results/laptop/small/analyses/lengths/plain.nc")
    findings.unlink()
    weights.write_bytes(weights.read_bytes()[:1000])
    assert main(["analyse", "small", "lengths", "plain"]) == 2
    capsys.readouterr()
    said = status(capsys)
    assert f"  failed  analyse small/lengths/plain: error: {weights}: damaged: cut off" in said
    assert "(logs/laptop/small/analyse/lengths.plain.log)" in said


def test_beside_a_living_run_nothing_is_planned_and_nothing_heavy_imported(built):
    jobs = list(plan_study("small", "laptop"))
    first, second = jobs[:2]
    with run_lock.held(run_lock.PATH):
        Run(time.time(), 2, expected(jobs, foreseen(records_of(jobs)))).write()
        for each, text in ((first, "120 examples"), (second, "step 3/9, 1 steps/s, 0:50 left")):
            Path(each.log).write_text(f"{text}\n")
        with measuring(first.log, first.short_sha, 1.0, alone=False):
            pass
        with measuring(second.log, second.short_sha, 1.0, alone=False):
            Path("specs/small.yaml").write_text("no spec: [")  # the run goes on by what it planned
            done = subprocess.run(
                [sys.executable, "-c", RUN],
                env=os.environ | {"PYTHONPATH": str(Path(interpflow.__file__).parents[1])},
                capture_output=True,
                text=True,
                check=False,
            )
    assert done.returncode == 0, done.stderr
    head, running, imported = done.stdout.splitlines()
    assert re.fullmatch(
        rf"run {os.getpid()}, begun \d+ seconds? ago: 1 of {len(jobs)} jobs done, 1 running; about .* left"
        " on 2 cores",
        head,
    )
    assert running == (
        f"  running  {second.stage} {second.label}: step 3/9, 1 steps/s, 0:50 left ({second.log})"
    )
    assert imported == ""


def test_why_names_what_files_say_they_were_made_by(built, capsys):
    for old, new, named in [
        ("variables: [length]", "variables: [length, split]",
         "analyses.strings.variables [length, split] instead of [length]"),
        ("title: A", "title: The", "title The <small>"),
        ("caption: Again", "caption: Anew", "figures.wide_bins.caption Anew instead of Again"),
        ("learning_rate: 1.0e-3", "learning_rate: 2.0e-3",
         "training.learning_rate 0.002 instead of 0.001"),
    ]:  # fmt: skip
        edit(old, new)
        assert main(["why", "small"]) == 0
        lines = capsys.readouterr().out.splitlines()
        causes = [line for line in lines if not line.startswith(("  ", "and what rests"))]
        assert [cause.startswith(named) for cause in causes] == [True]


def test_why_of_a_file_is_about_what_it_rests_on(built, capsys):
    edit("caption: Again", "caption: Anew")
    assert main(["why", "figures/laptop/small/bins.svg"]) == 0
    assert capsys.readouterr().out == "nothing is stale\n"
    assert main(["why", "figures/laptop/small/wide_bins.svg"]) == 0
    said = capsys.readouterr().out
    assert said == "figures.wide_bins.caption Anew instead of Again\n  figure small/wide_bins\n"


def test_why_of_a_file_whose_input_was_made_anew_names_the_input(built, capsys):
    edit("variables: [length]", "variables: [length, scored]")
    assert main(["analyse", "small", "strings", "plain"]) == 0
    capsys.readouterr()
    assert main(["why", "results/laptop/small/claims.csv"]) == 0
    said = capsys.readouterr().out.splitlines()
    part = "results/laptop/small/analyses/strings/plain.nc"
    assert said == [
        f"{part} was made anew since",
        "  collect small/strings",
        "and what rests on these: claims small",
    ]


def test_why_refuses_a_file_that_no_job_makes_with_the_nearest(built, capsys):
    assert main(["why", "figures/laptop/small/bin.svg"]) == 2
    assert (
        "no job makes it; did you mean 'figures/laptop/small/bins.svg'?" in capsys.readouterr().err
    )
    assert main(["why", "specs/small.yaml"]) == 2
    assert "no file of a study" in capsys.readouterr().err
