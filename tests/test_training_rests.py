"""Training on fresh examples rests on `sample`, the validation split and the options that they read."""

from __future__ import annotations

import ast
import importlib
import textwrap
from typing import Any

import pytest
import xarray as xr
from small import recipe as small_recipe

from interpflow.tasks.base import options_that
from interpflow.training import loop
from interpflow.workflow.code_slice import options_read, part_of
from interpflow.workflow.recipe import options_of
from interpflow.workflow.specs_folder import plan_study

SPEC = """\
study: fresh
title: Training on fresh examples
seeds: 1
defaults:
  task: {{{task}}}
  model: {{norm: pre, positions: learned, d_model: 16, d_mlp: 16}}
  training: {{fresh: true, steps: 3, batch_size: 4, optimizer: adam, learning_rate: 1.0e-3,
    loss: cross_entropy}}
experiments: {{one: {{}}}}
"""
LISTS = "name: list_sorting, length: 4, vocabulary: 16, train_size: 8, validation_size: 6"
TREES = (
    "name: tree_pathfinding, nodes: 5, held_out: 0.2, train_size: 8, validation_size: 8, test_size: 8, "
    "splits: {easy: {size: 3}}"
)
TASKS = pytest.mark.parametrize("task", [LISTS, TREES], ids=["lists", "trees"])


@pytest.fixture
def train_job(tmp_path):
    """Plans the training of a task."""

    def plan(task: str):
        (tmp_path / "fresh.yaml").write_text(SPEC.format(task=task))
        return plan_study("fresh", "laptop", tmp_path).find("train", "one", "0")

    return plan


@pytest.mark.parametrize(
    ("task", "old", "new", "retrains"),
    [
        (LISTS, "train_size: 8", "train_size: 9", False),
        (LISTS, "validation_size: 6", "validation_size: 7", True),
        (LISTS, "length: 4", "length: 5", True),
        (TREES, "test_size: 8", "test_size: 9", False),
        (TREES, "train_size: 8", "train_size: 9", False),
        (TREES, "easy: {size: 3}", "easy: {size: 4}", False),
        (TREES, "splits:", "order: random, splits:", True),
        (TREES, "splits:", "fresh: {goals: all}, splits:", True),
        (TREES, "held_out: 0.2", "held_out: 0.3", True),
    ],
)
def test_a_task_s_option_retrains_where_training_reads_it(train_job, task, old, new, retrains):
    before, after = train_job(task).sha, train_job(task.replace(old, new)).sha
    assert (before != after) == retrains


@TASKS
def test_the_validation_split_alone_is_that_of_all_data(train_job, task):
    job = train_job(task)
    assert job.inputs == {}
    module = importlib.import_module(f"interpflow.tasks.{job.slice['task']['name']}")
    alone = module.validation(options_that(module, job.beside["task"], job.slice["task"]))
    whole = module.generate(options_that(module, job.beside["task"], None))
    there = whole.isel(example=whole["split"].values == "validation")
    xr.testing.assert_equal(alone, there[[*alone.coords, *alone]])


@TASKS
def test_training_is_the_same_with_the_validation_split_alone(train_job, task, tmp_path):
    job = train_job(task)
    module = importlib.import_module(f"interpflow.tasks.{job.slice['task']['name']}")
    options = options_that(module, job.beside["task"], None)
    alone = module.validation(options)
    alone["split"] = "example", ["validation"] * alone.sizes["example"]
    recipe: dict[str, Any] = {
        **small_recipe(model={"norm": "pre", "positions": "learned"}, steps=3, fresh=True,
                       loss="cross_entropy"),
        "task": job.beside["task"],
    }  # fmt: skip
    found = []
    for name, data, read in (
        ("whole", module.generate(options), None), ("alone", alone, list(job.slice["task"])),
    ):  # fmt: skip
        of = recipe if read is None else recipe | {"options_read": read}
        found.append(loop.train(data, of, tmp_path / f"{name}.npz", lambda *at, **values: None))
    for one, other in zip(*found, strict=True):
        xr.testing.assert_identical(one, other)


def test_an_option_that_is_not_of_the_recipe_cannot_be_read():
    from interpflow.tasks import list_sorting

    options = options_that(list_sorting, {"name": "list_sorting", "length": 4}, ["length"])
    assert options.length == 4
    with pytest.raises(AttributeError):
        _ = options.vocabulary


@pytest.mark.parametrize("task", ["list_sorting", "tree_pathfinding"])
def test_what_is_read_of_the_tasks_leaves_out_other_splits(task):
    options = importlib.import_module(f"interpflow.tasks.{task}").Options
    read = options_of(f"interpflow.tasks.{task}:sample,validation", frozenset(options.model_fields))
    assert {"validation_size"} < read
    assert not read & {"train_size", "test_size", "splits"}


TASK = """
    from numpy import arange, zeros
    SIZE = 3

    class Options:
        small: int = 1
        large: int = 2
        other: int = 3

        def check(self):
            return self.other

        @property
        def twice(self):
            return 2 * self.large

    VARIABLES = {"targets": 1}

    def generate(options: Options) -> dict:
        return {"state": zeros(options.other), **sample(options)}

    def sample(options: Options) -> dict:
        return _draw(options, SIZE)

    def _draw(options: Options, size):
        return arange(options.small + options.twice)
"""
FIELDS = ["small", "large", "other"]


def part(text: str) -> ast.Module:
    return part_of(ast.parse(textwrap.dedent(text)), ["sample"])


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ('"targets": 1', '"targets": 1, "state": 2', False),
        ('"state": zeros(', '"label": 0, "state": zeros(', False),
        ("other: int = 3", "other: int = 3\n        new: int = 4", False),
        ("return self.other", "return 0", False),
        ("SIZE = 3", "SIZE = 4", True),
        ("options.small +", "options.small -", True),
        ("2 * self.large", "3 * self.large", True),
        ("import arange, zeros", "import arange", True),
    ],
)
def test_code_counts_where_sample_runs_it(old, new, counts):
    assert TASK.count(old) == 1
    before, after = (ast.unparse(part(text)) for text in (TASK, TASK.replace(old, new)))
    assert (before != after) == counts


def test_the_options_that_code_reads_are_those_that_it_names():
    assert options_read(part(TASK), FIELDS) == {"small", "large"}


@pytest.mark.parametrize(
    "way", ["getattr(options, 'sm' + 'all')", "options.model_dump()", "vars(options)"]
)
def test_code_that_may_read_any_option_reads_all(way):
    assert options_read(part(TASK.replace("options.small", way)), FIELDS) == set(FIELDS)
