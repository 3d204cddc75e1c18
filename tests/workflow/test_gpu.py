"""On a GPU the same study gives the same bytes again, and the values that it has on a processor."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import xarray as xr
from workflow.project_copy import RESULTS, SPEC, Copy, make_copy

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU on this machine"),
]


def trained(folder: Path, device: str) -> Copy:
    """A copy with the tiny study after a run on `device`."""
    copy = make_copy(folder)
    copy.edit(SPEC, "compute: {", f"compute: {{device: {device}, ")
    copy.snakemake("--cores", "2")
    return copy


@pytest.fixture(scope="module")
def on_gpu(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return trained(tmp_path_factory.mktemp("gpu") / "copy", "cuda")


def test_a_study_on_a_gpu_gives_the_same_bytes_again(on_gpu: Copy, tmp_path: Path):
    assert trained(tmp_path / "again", "cuda").digests() == on_gpu.digests()


def test_training_on_a_gpu_goes_as_on_a_processor(on_gpu: Copy, tmp_path: Path):
    on_cpu = trained(tmp_path / "cpu", "cpu")
    for seed in "01":
        path = f"{RESULTS}/experiments/narrow/history_{seed}.nc"
        ours, theirs = (xr.load_dataset(copy.folder / path) for copy in (on_gpu, on_cpu))
        xr.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)
