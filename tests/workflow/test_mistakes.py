"""What is wrong is said in one readable message, before any job where that is possible."""

from __future__ import annotations

import pytest
from workflow.project_copy import Copy


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "scale=smke"], "did you mean 'smoke'?"),
        (
            ["figures/laptop/tiny/bth.svg"],
            "no figure 'bth' in tiny at scale laptop; did you mean 'both'?",
        ),
    ],
)
def test_a_wrong_word_on_the_command_line_is_named_before_any_job(empty: Copy, arguments, said):
    done = empty.snakemake("--cores", "1", *arguments, check=False)
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert empty.digests() == {}


def test_a_wrong_spec_is_named_before_any_job(empty: Copy):
    empty.edit(
        "specs/tiny.yaml", "method: weight_norms, experiments: [narrow],", "method: weigth_norms,"
    )
    done = empty.snakemake("--cores", "1", check=False)
    assert done.returncode != 0
    assert "specs/tiny.yaml:" in done.stdout
    assert "Traceback" not in done.stdout
    assert empty.digests() == {}


def test_damaged_datasets_are_named_and_made_anew(finished: Copy):
    before = finished.digests()
    damaged = []
    for name, damage in (
        ("norms/wide", lambda whole: whole[:1000]),
        ("narrow_norms", lambda _: b"garbage" * 99),
    ):
        damaged.append(f"results/laptop/tiny/analyses/{name}.nc")
        path = finished.folder / damaged[-1]
        path.write_bytes(damage(path.read_bytes()))
    said = finished.snakemake("--cores", "2").stdout
    for relative in damaged:
        assert f"interpflow: {relative}: damaged" in said
    assert finished.digests() == before


def test_a_job_whose_spec_changed_since_it_was_planned_refuses_to_run(empty: Copy):
    done = empty.interpflow("data", "tiny", "narrow", "--expect", "0" * 16, check=False)
    assert done.returncode == 2
    assert "changed since this run was planned; start it again" in done.stderr
    assert empty.digests() == {}


def test_a_job_typed_by_hand_needs_no_environment_and_gives_the_same_bytes(finished: Copy):
    before = finished.digests()
    (finished.folder / "results/laptop/tiny/data/narrow.nc").unlink()
    finished.interpflow("data", "tiny", "narrow")
    assert finished.digests() == before


def test_jobs_on_a_gpu_run_one_at_a_time(empty: Copy):
    """Whether or not there is one: without, each of them says so and ends."""
    empty.edit("specs/tiny.yaml", "compute: {", "compute: {device: cuda, ")
    trained = [f"results/laptop/tiny/experiments/narrow/weights_{seed}.nc" for seed in "01"]
    said = empty.snakemake("--cores", "2", *trained, check=False).stdout
    assert said.count("train tiny/narrow") == 2
    assert "Execute 2 jobs" not in said
