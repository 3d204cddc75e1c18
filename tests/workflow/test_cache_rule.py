"""What the cache holds, Snakemake does not run: the files are in their places before it looks."""

from __future__ import annotations

import pytest
from workflow.project_copy import SPEC, TRAINED, Copy

ONE_RATE, OTHER_RATE = "learning_rate: 1.0e-3", "learning_rate: 2.0e-3"


@pytest.fixture
def kept(finished: Copy) -> Copy:
    """A copy in which everything has run and is kept."""
    finished.interpflow("cache", "push", "remote")
    return finished


TRAINING, DRAWING = "seeds from", "figure tiny: "  # in messages of the rules


def test_a_learning_rate_changed_run_and_changed_back_trains_nothing_twice(kept: Copy):
    before = kept.digests()
    kept.edit(SPEC, ONE_RATE, OTHER_RATE)
    assert TRAINING in kept.snakemake("--cores", "2").stdout
    assert kept.digests() != before
    kept.edit(SPEC, OTHER_RATE, ONE_RATE)
    again = kept.snakemake("--cores", "2").stdout
    assert "from the cache: train tiny/wide/0" in again
    assert DRAWING in again and TRAINING not in again
    assert kept.digests() == before


def test_another_clone_trains_nothing_but_what_is_damaged_on_the_way(kept: Copy, empty: Copy):
    empty.interpflow("cache", "pull", str(kept.folder / "remote"))
    promised = empty.snakemake("--dry-run").stdout
    assert "in the cache, so that a run takes it: train tiny/wide/0" in promised
    assert not (empty.folder / "results").exists(), "a dry run takes nothing"
    damaged = max(
        (empty.folder / "cache").glob("*/weights.nc"), key=lambda path: path.stat().st_size
    )
    damaged.write_bytes(damaged.read_bytes()[:-1])
    said = empty.snakemake("--cores", "2").stdout
    assert f"{damaged.relative_to(empty.folder)}: damaged" in said
    assert said.count(TRAINING) == 1 and DRAWING in said
    assert empty.digests() == kept.digests()


def test_who_asks_for_a_job_by_force_gets_it_run(kept: Copy):
    said = kept.snakemake("--dry-run", "--force", TRAINED[0]).stdout
    assert TRAINING in said and "in the cache" not in said
