"""What a job asks of a cluster is what it took, or would take, with room; a second attempt asks for more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interpflow.spec.load import load_spec, resolve
from interpflow.workflow import usual
from interpflow.workflow.cost import job_memory, job_seconds
from interpflow.workflow.demands import Demand, Demands
from interpflow.workflow.job import Job
from interpflow.workflow.measured import Measured
from interpflow.workflow.planner import plan

SPEC = Path(__file__).parents[1] / "specs/counter_languages.yaml"


@pytest.fixture(scope="module")
def trained() -> list[Job]:
    """The training jobs of a study."""
    return list(plan(resolve(load_spec(SPEC), "laptop")).jobs["train"].values())


@pytest.fixture(autouse=True)
def no_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has said what jobs usually take."""
    monkeypatch.setattr(usual, "SECONDS", str(tmp_path / "{study}.csv"))
    usual._kept.cache_clear()
    yield
    usual._kept.cache_clear()


def took(job: Job, seconds: float, memory: float) -> tuple[Job, Measured]:
    return job, Measured(job.short_sha, "done", 0.0, seconds, 1.0, memory, job_seconds(job))


def test_what_nobody_measured_the_cost_model_says(trained):
    for job in trained:
        assert Demands([]).of(job) == Demand(job_seconds(job), job_memory(job))


def test_a_job_that_nobody_measured_here_asks_for_what_is_usual(trained, tmp_path):
    first, second = trained[:2]
    (tmp_path / f"{first.study}.csv").write_text(
        f"job,seconds\ntrain {' '.join(first.names)},5000\n"
    )
    assert Demands([]).of(first).seconds == 5000
    assert Demands([]).of(second).seconds == job_seconds(second)


def test_a_job_asks_for_what_it_took_and_others_of_its_kind_for_no_less(trained):
    first, second = trained[:2]
    demands = Demands([took(first, 2 * job_seconds(first), 7000.0)])
    assert demands.of(first).seconds == pytest.approx(2 * job_seconds(first))
    assert demands.of(first).memory == 7000.0
    assert demands.of(second).seconds == pytest.approx(2 * job_seconds(second))
    assert demands.of(second).memory == 7000.0
    assert Demands([took(first, 1.0, 50.0)]).of(second).memory == job_memory(second)


def test_each_attempt_asks_for_more_and_a_group_starts_once():
    hour = Demand(seconds=3600.0, memory=2000.0)
    assert [hour.minutes(attempt, starts=False) for attempt in (1, 2, 3)] == [180, 360, 540]
    assert [hour.megabytes(attempt) for attempt in (1, 2, 3)] == [3000, 6000, 9000]
    short = Demand(seconds=5.0, memory=300.0)
    assert short.minutes(1, starts=False) == 1
    assert short.minutes(1, starts=True) == 11


def test_a_larger_model_with_more_seeds_is_expected_to_hold_more(trained):
    job = trained[0]
    more = {**job.slice, "seeds": [*range(10 * len(job.slice["seeds"]))]}
    larger = {**job.slice, "model": {**job.slice["model"], "d_mlp": 4096, "d_model": 512}}
    for other in (more, larger):
        again = Job(
            **{name: getattr(job, name) for name in job.__dataclass_fields__} | {"slice": other}
        )
        assert job_memory(again) > job_memory(job)
