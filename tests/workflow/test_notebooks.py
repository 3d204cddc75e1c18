"""The page on the Python prompt and the walks through studies in docs/ run as they stand."""

from __future__ import annotations

import io
import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from workflow.project_copy import PROJECT

from interpflow.workflow.make import make
from interpflow.workflow.specs_folder import plan_study

WALKS = sorted(PROJECT.glob("docs/*.py"))


@pytest.fixture(scope="module")
def smoked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the studies that docs/ walk through have run at the smoke scale."""
    folder = tmp_path_factory.mktemp("smoked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("specs").mkdir()
        for shipped in ("weights", "findings"):
            Path(shipped).symlink_to(PROJECT / shipped)
        for walk in WALKS:
            shutil.copy(PROJECT / f"specs/{walk.stem}.yaml", "specs")
            for job in plan_study(walk.stem, "smoke"):
                make(job, io.StringIO())
    return folder


@pytest.mark.nightly
def test_the_blocks_of_the_page_run_in_their_order(smoked: Path, monkeypatch):
    monkeypatch.chdir(smoked)
    text = (PROJECT / "docs/at-the-python-prompt.md").read_text()
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block.replace('scale="laptop"', 'scale="smoke"'), names)
    assert names["stream"].shape == (1, len(names["at"][0]), 16)
    assert (names["ablated"].loss != names["intact"].loss).all()


@pytest.mark.nightly
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.stem)
def test_a_walk_through_a_study_runs(smoked: Path, monkeypatch, capsys, walk: Path):
    monkeypatch.chdir(smoked)
    monkeypatch.setenv("INTERPFLOW_SCALE", "smoke")
    names = runpy.run_path(str(walk))
    assert "jobs done" in capsys.readouterr().out
    if walk.stem == "list_sorting":  # what it reads off the last site is what the model says
        runs, of_first = names["runs"], names["of_first"]
        tokens = names["examples"].take(np.array([0])).tokens
        with torch.no_grad():
            said = runs.model(names["weights"], tokens)[:, 0, of_first]
        np.testing.assert_allclose(names["logits"], said, rtol=1e-4, atol=1e-5)
