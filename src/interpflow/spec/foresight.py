"""Knowledge of experiments before they run: each task is asked for a few examples, once."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.known import Known
from interpflow.model.options import ModelOptions
from interpflow.rng import generator
from interpflow.section import FewWillDo, Section
from interpflow.spec import figure_names, task_names
from interpflow.spec.figure_names import Findings
from interpflow.spec.found_names import Found, foresee
from interpflow.spec.plugins import TASK, load
from interpflow.spec.study import Experiment
from interpflow.spec.validation import Complaint
from interpflow.tasks.base import make_dataset
from interpflow.training import weights_file
from interpflow.training.checkpoints import checkpoint_steps
from interpflow.training.options import Start, TrainingOptions

_FEW = 64  # examples of a split, or of each of its kinds
# Options of training.
_DECIDE_THE_STEPS = ("steps", "epochs", "batch_size", "checkpoints", "start")


class Foresight:
    """Experiments before they run."""

    def __init__(self) -> None:
        self._data: dict[str, xr.Dataset | InterpflowError] = {}
        self._known: dict[str, Known] = {}
        self._told: dict[tuple[str, str, Known], Any] = {}

    def known(self, experiment: Experiment, findings: Mapping[str, list[str]]) -> Known:
        """What is known of `experiment`, and of the positions that analyses before it find.

        Raises InterpflowError where its task makes no examples.
        """
        task, loss = experiment.task, experiment.training["loss"]
        kept = [experiment.training.get(name) for name in _DECIDE_THE_STEPS]
        address = json.dumps([task, experiment.model, loss, experiment.seeds, findings, kept])
        if address not in self._known:  # scales differ in few experiments
            self._known[address] = Known(
                data=self._examples(task, _FEW),
                more=lambda number: self._examples(task, number),
                model=ModelOptions(**experiment.model),
                loss=loss,
                seeds=experiment.seeds,
                findings=findings,
                values=self._values(task),
                steps=lambda: self._steps(experiment),
            )
        return self._known[address]

    def sizes(self, experiment: Experiment) -> tuple[int, int, int] | None:
        """How many words, positions and outputs its data has; None where the task makes none."""
        try:
            data = self._examples(experiment.task, _FEW)
        except InterpflowError:
            return None  # which is told of the analyses
        return data.sizes["token"], data.sizes["position"], data.sizes["output"]

    def fresh(self, experiment: Experiment) -> Mapping[str, np.ndarray]:
        """One new example of the task, as training on fresh examples draws it.

        Raises InterpflowError where the task draws none.
        """
        module, options = _task(experiment.task)
        try:
            drawn: dict[str, np.ndarray] = module.sample(options, generator("foresight"), 1, 0)
        except InterpflowError:
            raise
        except Exception as error:  # whatever a stranger's task does
            wrong = f"task '{experiment.task['name']}' draws no new example: {type(error).__name__}: {error}"
            raise InterpflowError(wrong) from error
        return drawn

    def told(
        self, module: ModuleType, options: Mapping[str, Any], known: Known
    ) -> Found | list[Complaint]:
        """The findings to come of the analysis `module` with `options` on the experiment `known`, or problems.

        A problem is a name in the options that the experiment lacks, or another reason that they cannot work.
        """
        address = module.__name__, json.dumps(options), known
        if address not in self._told:
            given = module.Options(**options)
            wrong = list(task_names.complaints(given, known)) or _refused(module, known, given)
            self._told[address] = wrong or foresee(module, known, given)
        return self._told[address]

    def told_of_findings(
        self, module: ModuleType, options: Mapping[str, Any], known: Known, findings: Findings
    ) -> Found | list[Complaint]:
        """The same of an analysis that looks at `findings` alone."""
        given = module.Options(**options)
        wrong = list(figure_names.complaints(given, findings)) or _refused(module, known, given)
        return wrong or foresee(module, known, given)

    def _steps(self, experiment: Experiment) -> list[int] | None:
        """The training steps whose weights there will be; with epochs, it takes all examples to tell."""
        if experiment.from_file:
            try:
                held = weights_file.describe(Start(**experiment.start))
            except InterpflowError:
                return None  # which is a problem already
            return held.checkpoints(ModelOptions(**experiment.model))
        options = TrainingOptions(**experiment.training)
        if options.steps is not None:
            return checkpoint_steps(options, options.steps)
        data = self._examples(experiment.task, sys.maxsize)
        examples = int((data["split"] == "train").sum())
        batches = math.ceil(examples / options.batch_size)
        return checkpoint_steps(options, batches * (options.epochs or 0))

    def _values(self, task: Mapping[str, Any]) -> Mapping[str, Iterable[Any]]:
        module, options = _task(task)
        return module.values(options) if hasattr(module, "values") else {}

    def _examples(self, task: Mapping[str, Any], most: int) -> xr.Dataset:
        module, given = _task(task)
        options = few(given, most)
        address = json.dumps([task["name"], options.model_dump(mode="json")], sort_keys=True)
        if address not in self._data:
            try:
                self._data[address] = make_dataset(module, options)
            except InterpflowError as error:
                self._data[address] = error
            except Exception as error:  # whatever a stranger's task does
                wrong = f"task '{task['name']}' makes no examples: {type(error).__name__}: {error}"
                self._data[address] = InterpflowError(wrong)
        found = self._data[address]
        if isinstance(found, InterpflowError):
            raise found
        return found


def _task(task: Mapping[str, Any]) -> tuple[ModuleType, Section]:
    """The module of a task, and its options."""
    module = load(TASK, task["name"])
    return module, module.Options(**{key: value for key, value in task.items() if key != "name"})


def _refused(module: ModuleType, known: Known, options: Section) -> list[Complaint]:
    """What cannot work with the options of the analysis `module`."""
    found = (
        [Complaint(*each) for each in module.refuse(known, options)]
        if hasattr(module, "refuse")
        else []
    )
    if getattr(module, "ONE_ANSWER", False) and known.data["targets"].ndim > 2:
        message = "takes a task with a single answer at a position; this one has several labels"
        found.append(Complaint(("method",), message))
    return found


def few(options: Section, most: int) -> Section:
    """`options` of a task, with every number of examples cut to a few."""
    update: dict[str, Any] = {}
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if any(isinstance(mark, FewWillDo) for mark in field.metadata):
            update[name] = min(value, most)
        elif isinstance(value, Section):
            update[name] = few(value, most)
        elif isinstance(value, dict):
            update[name] = {
                key: few(inner, most) if isinstance(inner, Section) else inner
                for key, inner in value.items()
            }
    return options.model_copy(update=update)
