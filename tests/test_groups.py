"""Short jobs go to a cluster together, and no group waits for itself."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks import generated
from interpflow.spec.load import load_spec, resolve
from interpflow.workflow.cost import job_seconds
from interpflow.workflow.groups import AWAY, WORTH, groups
from interpflow.workflow.job import Job, Source
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
MINUTE = 60.0


def job(*after: Job, stage: str = "train", gpu: bool = False) -> Job:
    return Job(
        stage=stage, study="s", scale="laptop", names=(), slice={"compute": {"device": "cuda"}} if gpu else {},
        modules=(), sources={str(n): Source(one, "out") for n, one in enumerate(after)},
        outputs={"out": "out"}, log="",
    )  # fmt: skip


def together(jobs: Sequence[Job], seconds: Mapping[Job, float]) -> list[set[Job]]:
    """What is submitted as one: each group, and each job that is in none."""
    number = groups(jobs, seconds)
    found: dict[object, set[Job]] = {}
    for one in jobs:
        found.setdefault(number.get(one, one), set()).add(one)
    return list(found.values())


def waits_for_itself(submitted: Sequence[set[Job]]) -> bool:
    """Whether no order of what is submitted lets each find its inputs made: tried one after the other."""
    made: set[Job] = set()
    left = list(submitted)
    while left:
        ready = [
            group for group in left
            if all(s.job in made or s.job in group for one in group for s in one.sources.values())
        ]  # fmt: skip
        if not ready:
            return True
        made = made.union(*ready)
        left = [group for group in left if group not in ready]
    return False


@pytest.mark.parametrize("seed", range(60))
def test_no_group_waits_for_itself_whatever_waits_for_what(seed: int):
    drawn = random.Random(seed)
    jobs: list[Job] = []
    seconds: dict[Job, float] = {}
    for _ in range(drawn.randint(2, 60)):
        after = drawn.sample(jobs, min(len(jobs), drawn.choice([0, 0, 1, 1, 2, 4])))
        stage = drawn.choice(["data", "train", "analyse", "collect"])
        one = job(*after, stage=stage, gpu=drawn.random() < 0.2)
        jobs.append(one)
        seconds[one] = drawn.choice([1.0, 5.0, 40.0, 150.0, 1000.0])
    submitted = together(jobs, seconds)
    assert not waits_for_itself(submitted)
    for group in submitted:
        if len(group) > 1:
            assert len({one.gpus for one in group}) == 1
            assert all(one.stage in AWAY and seconds[one] < WORTH for one in group)
            # An open batch, the chain that closes it, and what is left over.
            assert sum(seconds[one] for one in group) < (1 + 2 + 1) * WORTH


def test_a_chain_of_short_jobs_is_one_job_and_a_long_one_is_alone():
    data = job(stage="data")
    train, other = job(data), job(data)
    look, at_other = job(train, stage="analyse"), job(other, stage="analyse")
    jobs = [data, train, other, look, at_other]
    seconds = dict.fromkeys(jobs, 5.0)
    assert together(jobs, seconds) == [{*jobs}]
    seconds[other] = WORTH
    assert together(jobs, seconds) == [{data, train, look}, {other}, {at_other}]


def test_jobs_of_the_login_node_and_of_a_gpu_are_in_no_group_with_others():
    first, on_gpu = job(), job(gpu=True)
    here = job(first, stage="collect")
    jobs = [first, on_gpu, here]
    assert together(jobs, dict.fromkeys(jobs, 1.0)) == [{first}, {on_gpu}, {here}]


def away(planned: Plan) -> list[float]:
    """The expected seconds of each job that a run of a study submits."""
    jobs = list(planned)
    seconds = {one: job_seconds(one) for one in jobs}
    sent = [group for group in together(jobs, seconds) if next(iter(group)).stage in AWAY]
    assert not waits_for_itself(together(jobs, seconds))
    return [sum(seconds[one] for one in group) for group in sent]


def test_what_stays_on_the_login_node_asks_for_no_gpu(tmp_path: Path):
    spec = generated.write(tmp_path / "specs", experiments=1)
    spec.write_text(spec.read_text() + "compute: {device: cuda}\n")
    jobs = [*plan(resolve(load_spec(spec), "laptop"))]
    assert {one.stage for one in jobs if one.gpus} == {"train", "analyse"}
    assert {one.stage for one in jobs} - {*AWAY} == {"collect", "figure", "explorer", "manifest"}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_of_a_study_one_job_in_ten_at_most_is_shorter_than_a_minute(spec: Path, scale: str):
    sent = away(plan(resolve(load_spec(spec), scale)))
    assert sum(seconds < MINUTE for seconds in sent) <= max(1, len(sent) / 10)


def test_a_thousand_short_experiments_are_a_few_dozen_jobs(tmp_path: Path):
    spec = generated.write(tmp_path / "specs", experiments=1000)
    sent = away(plan(resolve(load_spec(spec), "laptop")))
    assert 20 <= len(sent) <= 200
    assert sum(seconds < MINUTE for seconds in sent) <= 1
