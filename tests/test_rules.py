"""How far a model follows a rule is what counting its answers one by one gives."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from sums import logits, sum_runs, sums, validation

from interpflow.analyses import rules
from interpflow.errors import InterpflowError

SAID = {"each": {"variable": "said", "along": "rule"}}
NAMES = ["base_add", "one_carry", "one_nine", "exact"]


def test_answers_are_held_against_each_rule_where_rules_differ_and_everywhere():
    runs = sum_runs()
    found = rules.analyse(runs, rules.Options(rules=SAID, by="digit", steps="all"))
    data = validation(runs)
    assert found["rule"].values.tolist() == NAMES
    for step, seed in ((0, 0), (10, 0), (10, 1)):
        counts = defaultdict(list)
        for at in range(data.sizes["example"]):
            example, whole = data.isel(example=at), dict.fromkeys(NAMES, True)
            p = logits(runs, step, seed, example).softmax(-1).numpy()
            for place in np.flatnonzero(example["scored"].values):
                said = {name: int(example["said"].sel(rule=name)[place]) for name in NAMES}
                digit, contested = int(example["digit"][place]), len({*said.values()}) > 1
                for name in NAMES:
                    same = p[place].argmax() == said[name]
                    whole[name] &= same
                    counts["agreement", name, digit].append(same)
                    counts["probability", name, digit].append(p[place, said[name]])
                    if contested:
                        counts["contested_agreement", name, digit].append(same)
                        counts["contested_probability", name, digit].append(p[place, said[name]])
            for name in NAMES:
                counts["whole", name].append(whole[name])
        here = found.sel(step=step, seed=seed)
        for name in NAMES:
            assert here["whole_agreement"].sel(rule=name).item() == pytest.approx(
                np.mean(counts["whole", name])
            )
            for digit in range(4):
                for kind in rules._MEASURED[:4]:
                    ours = here[kind].sel(rule=name, group=digit).item()
                    theirs = counts[kind, name, digit]
                    expected = np.mean(theirs) if theirs else np.nan
                    assert ours == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_the_rules_themselves_are_held_against_the_targets():
    found = rules.analyse(sum_runs(), rules.Options(rules=SAID))
    data = sums().isel(example=sums()["split"].values == "validation")
    scored = data["scored"].values
    for name in NAMES:
        hit = data["said"].sel(rule=name).values == data["targets"].values
        assert found["right"].sel(rule=name).item() == pytest.approx(hit[scored].mean())
        whole = (hit | ~scored).all(1).mean()
        assert found["whole_right"].sel(rule=name).item() == pytest.approx(whole)
    assert found["whole_right"].sel(rule="exact") == 1
    differ = (data["said"] != data["said"][0]).any("rule").values & scored
    assert found["contested"].item() == differ.sum()
    assert found["count"].item() == scored.sum()


def test_positions_of_which_a_rule_says_nothing_are_left_out():
    base = {"own": {"variable": "base", "select": {"lag": 0}}}
    found = rules.analyse(sum_runs(), rules.Options(rules=base, by="digit"))
    assert found["group"].values.tolist() == [0, 1, 2]  # the highest digit has no column
    assert found["contested"].sum() == 0 and found["contested_agreement"].isnull().all()


def test_what_no_output_says_is_refused():
    with pytest.raises(InterpflowError, match="no output '>0'"):
        rules.analyse(sum_runs(), rules.Options(rules=SAID, output=">{}"))
