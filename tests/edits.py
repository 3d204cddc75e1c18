"""What tests ask of plans: what an edit makes stale, and other orders in which the same jobs can run."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import interpflow
from interpflow.workflow import code_parts, kept_plans, recipe
from interpflow.workflow.job import Job
from interpflow.workflow.plan import Plan

_SOURCE = Path(interpflow.__file__).parents[1]


def read_code_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recipes count the code below `folder`, which holds a package `interpflow`."""
    monkeypatch.setattr(recipe, "_ROOT", folder)
    forget_code()


_READ_ONCE = (
    recipe.code_digest, recipe._digest, recipe._file_of, recipe.parsed, recipe.options_of,
    code_parts._parts, kept_plans._state_of_code,
)  # fmt: skip
_tests_own = (
    False  # whether a test let code be read anew, so that code of its own may have been read
)


def forget_code() -> None:
    """Let recipes read code anew: a process reads each file once."""
    global _tests_own
    _tests_own = True
    for cached in _READ_ONCE:
        cached.cache_clear()


def leave_no_code_behind() -> None:
    """Forget the code of a test that ends, which the next test would take for the package's."""
    global _tests_own
    if _tests_own:
        forget_code()
        _tests_own = False


def copy_of_code(folder: Path) -> Path:
    """A copy of the package in `folder`, to be edited."""
    return shutil.copytree(_SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))


def called(job: Job) -> str:
    """The stage of a job and its names."""
    return " ".join((job.stage, *job.names))


def recipes(plan: Plan) -> dict[str, str]:
    """The recipe of each job, worked out now."""
    return {called(job): job.sha for job in plan}


def stale(before: dict[str, str], after: Plan) -> set[str]:
    """The jobs that would run after an edit where everything had run before it."""
    return {name for name, sha in recipes(after).items() if before.get(name) != sha}


def following(plan: Plan, made: Iterable[str]) -> set[str]:
    """The jobs that make the files `made`, and those that read what is made of them: nothing of recipes."""
    wanted = set(made)
    first = {called(job) for job in plan if wanted & {*job.outputs.values()}}
    assert wanted <= {path for job in plan for path in job.outputs.values()}
    found = set(first)
    for job in plan:  # inputs are planned before what is made of them
        if {called(source.job) for source in job.sources.values()} & found:
            found.add(called(job))
    return found


def shuffled(plan: Plan, order: random.Random) -> list[Job]:
    """The jobs of `plan` in a random order, each behind those that make its inputs."""
    waiting, done = list(plan), []
    while waiting:
        ready = [job for job in waiting if all(s.job in done for s in job.sources.values())]
        done.append(order.choice(ready))
        waiting.remove(done[-1])
    return done


@contextlib.contextmanager
def broken_off(after: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The block is broken off where a file is to take its place, once `after` files have: as a kill would."""
    left, replace = [after], os.replace

    def replace_or_break(source: str, target: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as breaking:
        breaking.setattr(os, "replace", replace_or_break)
        yield
