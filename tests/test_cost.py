"""The estimate of what training costs counts what is trained, seed by seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interpflow.spec.load import load_spec, resolve
from interpflow.spec.study import Study
from interpflow.workflow.cost import training_seconds

SPEC = Path(__file__).parents[1] / "specs/tree_pathfinding.yaml"


@pytest.fixture(scope="module")
def study() -> Study:
    return resolve(load_spec(SPEC), "laptop")


def only(study: Study, *names: str) -> Study:
    return replace(study, experiments={name: study.experiments[name] for name in names})


def test_weights_that_come_with_the_project_cost_no_training(study):
    assert training_seconds(only(study, "nodes16")) == 0
    trained = [name for name in study.experiments if name != "nodes16"]
    assert training_seconds(study) == training_seconds(only(study, *trained)) > 0


def test_every_seed_costs_the_same(study):
    one = only(study, "nodes8")
    fewer = replace(one.experiments["nodes8"], seeds=(0,))
    alone = training_seconds(replace(one, experiments={"nodes8": fewer}))
    assert training_seconds(one) == pytest.approx(len(study.seeds) * alone)
