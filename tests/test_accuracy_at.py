"""Groups of positions have the loss and accuracy that counting position by position gives."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from small import brackets, recipe, runs_of
from sums import logits, sum_runs, validation
from trees import random_runs

from interpflow.analyses import accuracy_at
from interpflow.errors import InterpflowError


@pytest.mark.parametrize(
    ("made", "by", "positions"),
    [(sum_runs, "digit", ["scored"]), (sum_runs, "case", ["asks A1", "asks A2"]),
     (random_runs, "to_goal", ["path"])],
)  # fmt: skip
def test_positions_are_counted_one_by_one(made, by, positions):
    runs = made()
    options = accuracy_at.Options(by=by, positions=positions, steps="all")
    found = accuracy_at.analyse(runs, options)
    data = validation(runs)
    asked = runs.mask_of_all(data, positions) & data["scored"].values
    for step in found["step"].values.tolist():
        for seed in (0, 1):
            losses, hits = defaultdict(list), defaultdict(list)
            for at in range(data.sizes["example"]):
                example = data.isel(example=at)
                log_p = logits(runs, step, seed, example).log_softmax(-1).numpy()
                for place in np.flatnonzero(asked[at]):
                    group, target = int(example[by][place]), int(example["targets"][place])
                    if group >= 0:
                        losses[group].append(-log_p[place, target])
                        hits[group].append(log_p[place].argmax() == target)
            assert found["group"].values.tolist() == sorted(losses)
            for group in losses:
                here = found.sel(step=step, seed=seed, group=group)
                assert here["loss"].item() == pytest.approx(np.mean(losses[group]), rel=1e-5)
                assert here["accuracy"].item() == pytest.approx(np.mean(hits[group]))
                assert here["count"].item() == len(hits[group])


def test_tasks_of_several_labels_have_groups_of_positions_too():
    runs = runs_of(brackets(), recipe(steps=5))
    found = accuracy_at.analyse(runs, accuracy_at.Options(by="length"))
    data = validation(runs)
    assert found["count"].sum().item() == data["scored"].values.sum()
    share = (found["loss"].isel(step=0) * found["count"]).sum("group") / found["count"].sum()
    # `evaluate` averages over positions within batches of examples of like length, so a little is left.
    plain = runs.evaluate(runs.weights("last"), runs.examples("validation")).loss
    assert share.values == pytest.approx(plain, rel=0.1)


def test_positions_without_a_value_are_refused():
    with pytest.raises(InterpflowError, match=r"no scored position .* 'column'"):
        accuracy_at.analyse(sum_runs(), accuracy_at.Options(by="column"))
