"""Rival rules over training: how often a model answers as each of several rules does, and how sure it is.

A rule is a state of the task that an output says, such as the digit that comes out if no carry is passed on.
Where all rules say the same, a model that answers so has followed none in particular; `contested` variables
look at the other positions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.errors import InterpflowError
from interpflow.methods.traced import Says, no_output, outputs_of, says_a_state
from interpflow.section import Some
from interpflow.selection import Examples, OneState, Positions, State, Steps, each, state
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs

Means = NDArray[np.float64]


class Options(Examples):
    """Which rules, where, and when."""

    rules: Annotated[dict[str, State], Some]  # states; with `along` one rule for each of its states
    output: Says = "{}"  # that says a state: ">{}" says the state 3 as ">3"
    positions: Positions = ["scored"]
    by: OneState | None = None  # a state of the position or the example: its groups
    steps: Steps = "last"


_BY_GROUP, _BY_STEP = ("seed", "step", "rule", "group"), ("seed", "step", "rule")
_AGREES, _SURE = "share of positions answered as by the rule", "mean probability of its answer"
_CONTESTED = "where rules differ"
VARIABLES = {
    "agreement": Variable(_BY_GROUP, "1", _AGREES),
    "probability": Variable(_BY_GROUP, "1", _SURE),
    "contested_agreement": Variable(_BY_GROUP, "1", f"{_AGREES}, {_CONTESTED}"),
    "contested_probability": Variable(_BY_GROUP, "1", f"{_SURE}, {_CONTESTED}"),
    "whole_agreement": Variable(
        _BY_STEP, "1", "share of examples answered as by the rule at every position"
    ),
    "right": Variable(("rule", "group"), "1", "share of positions where the rule is right"),
    "whole_right": Variable(("rule",), "1", "share of examples where the rule is always right"),
    "count": Variable(("group",), "position", "number of positions"),
    "contested": Variable(("group",), "position", f"number of positions {_CONTESTED}"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

_MEASURED = [name for name, variable in VARIABLES.items() if "seed" in variable.dims]

NEEDS = "runs"
ONE_ANSWER = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if not says_a_state(known.data, options.output):
        yield ("output",), no_output(known.data, options.output)


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"rule": list(each(known.data, options.rules)), "group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed at the steps asked for; positions of which a rule says nothing are left out.

    Raises InterpflowError where no position is left, and where a rule says what no output says.
    """
    import torch

    from interpflow.methods.position_outcomes import PositionGroups

    data, examples = runs.select(options)
    rules = each(data, options.rules)
    said = np.stack([state(data, rule) for rule in rules.values()])  # (rule, example, position)
    outputs = np.array(outputs_of(data, options.output))
    asked = runs.mask_of_all(data, options.positions) & (said >= 0).all(0)
    groups = PositionGroups(data, options.by, asked)
    row, at = np.nonzero(groups.index >= 0)
    states, of_group = said[:, row, at], groups.index[row, at]
    if states.max() >= len(outputs):
        raise InterpflowError(f"rules: {states.max()} is said by no output of {options.output!r}")
    answers = outputs[states]  # (rule, query)
    differ = (answers != answers[0]).any(0)
    targets = data["targets"].values[row, at]
    steps = runs.kept(options.steps)

    def by_group(values: NDArray[np.generic], among: NDArray[np.bool_]) -> Means:
        """Means (…, group) over queries of `values` (…, query), NaN where there are none."""
        found = np.full((*values.shape[:-1], len(groups)), np.nan)
        for group in range(len(groups)):
            if (here := among & (of_group == group)).any():
                found[..., group] = values[..., here].mean(-1)
        return found

    def whole(values: NDArray[np.bool_]) -> Means:
        """Shares of examples (…,) in which `values` (…, query) are all true."""
        here = np.unique(row)
        fails = np.zeros((len(data["split"]), *values.shape[:-1]), dtype=bool)
        np.logical_or.at(fails, row, np.moveaxis(~values, -1, 0))
        return np.asarray(1 - fails[here].mean(0))

    every = np.ones(len(row), dtype=bool)
    kinds: dict[str, list[Means]] = {name: [] for name in _MEASURED}
    for done, step in enumerate(steps):
        weights = runs.weights_at(step)
        agrees = np.zeros((len(runs.seeds), *answers.shape), dtype=bool)
        sure = np.zeros(agrees.shape)
        with torch.no_grad():
            for indices, batch in examples.in_order_of_length():
                place = np.full(len(examples), -1)
                place[indices] = np.arange(len(indices))
                here = np.flatnonzero(place[row] >= 0)
                if not len(here):
                    continue
                logits = runs.model(weights, batch.tokens)[:, place[row[here]], at[here]].float()
                p = logits.softmax(-1).cpu().numpy()
                sure[:, :, here] = p[:, np.arange(len(here)), answers[:, here]]
                agrees[:, :, here] = p.argmax(-1)[:, None] == answers[:, here]
        for name, values, among in (
            ("agreement", agrees, every),
            ("probability", sure, every),
            ("contested_agreement", agrees, differ),
            ("contested_probability", sure, differ),
        ):
            kinds[name].append(by_group(values, among))
        kinds["whole_agreement"].append(whole(agrees))
        runs.report(done + 1, len(steps))
    rule_right = answers == targets
    return xr.Dataset(
        {
            **{name: (VARIABLES[name].dims, np.stack(each, 1)) for name, each in kinds.items()},
            "right": (("rule", "group"), by_group(rule_right, every)),
            "whole_right": ("rule", whole(rule_right)),
            "count": ("group", groups.count),
            "contested": ("group", np.bincount(of_group[differ], minlength=len(groups))),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "rule": list(rules), "group": groups.coordinate},
    )
