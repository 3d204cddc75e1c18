"""A group of jobs on a cluster is worked off by a process of Snakemake's as the run itself would."""

from __future__ import annotations

import pytest
from workflow.project_copy import RESULTS, Copy


@pytest.mark.parametrize(("fails", "other"), ["01", "10"])  # whichever comes first
def test_a_failed_job_keeps_no_other_of_its_group_from_its_work(empty: Copy, fails, other):
    empty.interpflow("data", "tiny", "narrow")
    (empty.folder / RESULTS / "experiments/narrow" / f"weights_{fails}.nc/in the way").mkdir(
        parents=True
    )
    jobs = [f"train:scale=laptop,study=tiny,experiment=narrow,chunk={seed}" for seed in "01"]
    done = empty.snakemake(
        "--mode", "subprocess", "--cores", "1", "--force", "--no-hooks", "--ignore-incomplete",
        "--keep-incomplete", "--nolock", "--allowed-rules", "train", "--target-jobs", *jobs, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    made = sorted(path.name for path in (empty.folder / RESULTS).glob("experiments/narrow/*.nc"))
    assert {f"weights_{other}.nc", f"history_{other}.nc"} <= {*made}, done.stdout
