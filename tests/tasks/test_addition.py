"""Sums are those of integers, and states are what a column says when it is added by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.rng import generator
from interpflow.tasks import addition
from interpflow.tasks.base import make_dataset

SIZES = {"train_size": 20, "validation_size": 200, "test_size": 300, "graded_size": 40}


def data(digits: int = 5, **options) -> xr.Dataset:
    return make_dataset(addition, addition.Options(digits=digits, **{**SIZES, **options}))


def text(tokens: np.ndarray) -> str:
    return "".join("0123456789+="[token] for token in tokens)


def numbers(tokens: np.ndarray) -> tuple[int, int]:
    first, second = text(tokens).split("=")[0].split("+")
    return int(first), int(second)


def by_hand(first: int, second: int, n: int) -> list[tuple[int, int, int]]:
    """Raw sum, carry in and carry out of each column, lowest first."""
    found, carry = [], 0
    for k in range(n):
        raw = first // 10**k % 10 + second // 10**k % 10
        out = int(raw + carry >= 10)
        found.append((raw, carry, out))
        carry = out
    return found


def case_of(raw: int, carry: int) -> int:
    return 0 if not carry else 2 if raw == 9 else 1


def longest(cases: list[int]) -> int:
    return max(map(len, "".join(map(str, cases)).replace("0", "1").split("1")))


@pytest.mark.parametrize("digits", [2, 3, 5, 10])
def test_what_is_asked_is_the_sum_of_the_two_integers_and_the_highest_digit_comes_first(digits):
    found = data(digits) if digits < 10 else data(digits, graded_size=4)
    for tokens, targets, scored in zip(
        found["tokens"].values, found["targets"].values, found["scored"].values, strict=True
    ):
        total = f"{sum(numbers(tokens)):0{digits + 1}d}"
        assert "".join(map(str, targets[scored])) == total
        assert text(tokens).split("=")[1] == total[:-1]
        assert np.flatnonzero(scored).tolist() == list(range(2 * digits + 1, 3 * digits + 2))
    assert found.sizes["position"] == 3 * digits + 2


@pytest.mark.parametrize("digits", [2, 5])
def test_states_are_those_of_columns_that_are_added_by_hand(digits):
    found = {name: array.values for name, array in data(digits).variables.items()}
    for at, tokens in enumerate(found["tokens"]):
        columns = by_hand(*numbers(tokens), digits)
        cases = [case_of(raw, carry) for raw, carry, _ in columns]
        assert found["cascade"][at] == longest(cases)
        carried = any(carry for _, carry, _ in columns)
        assert found["hardest"][at] == (1 + longest(cases) if carried else 0)
        for k in range(digits + 1):
            here = at, 3 * digits + 1 - k
            assert found["digit"][here] == k
            assert found["carry_in"][here] == (columns[k][1] if k < digits else columns[-1][2])
            assert found["case"][here] == (cases[k] if k < digits else -1)
            for lag in range(3):
                there = [found[name][(lag, *here)] for name in ("asks", "base", "tri", "nine")]
                if not 0 <= k - lag < digits:
                    assert there == [-1, -1, -1, -1]
                else:
                    raw = columns[k - lag][0]
                    tri = 2 if raw > 9 else 1 if raw == 9 else 0
                    assert there == [k - lag, raw % 10, tri, raw == 9]
        for name in ("digit", "carry_in", "case", "asks", "base", "tri", "nine", "said"):
            assert (found[name][..., at, : 2 * digits + 1] == -1).all()


def test_columns_stand_with_the_highest_first_and_positions_are_called_by_them():
    found = data()
    names = found["role_name"].values[found["role"].values[0]].tolist()
    assert names[:7] == ["D4", "D3", "D2", "D1", "D0", "+", "D'4"]
    assert names[11:] == ["asks A5", "asks A4", "asks A3", "asks A2", "asks A1", "asks A0"]
    assert found["column"].values[0].tolist() == [4, 3, 2, 1, 0, -1, 4, 3, 2, 1, 0] + [-1] * 6
    assert (found["question"].values == (found["column"].values >= 0)).all()


def test_rules_say_the_digits_that_one_gets_by_carrying_as_they_do():
    found = data()
    targets = found["targets"].values
    told = {rule: found["said"].sel(rule=rule).values for rule in found["rule"].values}
    for at, tokens in enumerate(found["tokens"].values):
        columns = by_hand(*numbers(tokens), 5)
        raw = [column[0] for column in columns]

        def made(k: int, raw=raw) -> int:
            return int(k >= 0 and raw[k] >= 10)

        for k in range(6):
            base = raw[k] if k < 5 else 0
            through = int(k >= 1 and raw[k - 1] == 9 and made(k - 2))
            said = {
                "base_add": base % 10,
                "one_carry": (base + made(k - 1)) % 10,
                "one_nine": (base + max(made(k - 1), through)) % 10,
                "exact": targets[at, 16 - k],
            }
            assert {rule: digits[at, 16 - k] for rule, digits in told.items()} == said


def test_random_questions_have_cascades_and_errors_of_the_described_rule_as_often_as_derived():
    found = data(test_size=100_000, graded_size=1)
    test = found.isel(example=found["split"].values == "test")
    share = np.bincount(test["cascade"].values, minlength=5) / 100_000
    derived = [0.82607, 0.16042, 0.01260, 0.00086, 0.00005]
    assert share == pytest.approx(derived, abs=0.005)
    wrong = test["said"].sel(rule="one_nine") != test["said"].sel(rule="exact")
    assert float(wrong.any("position").mean()) == pytest.approx(0.01350, abs=0.001)
    of_digit = wrong.mean("example").values[11:]
    assert of_digit == pytest.approx([0.004995, 0.00495, 0.0045, 0, 0, 0], abs=7e-4)
    into = test["carry_in"].mean("example").values[11:]
    assert into == pytest.approx([0.499995, 0.49995, 0.4995, 0.495, 0.45, 0.0], abs=0.006)


def test_carries_make_the_sum_of_every_pair_of_numbers_of_three_digits():
    """Every question of three digits there is, without drawing any."""
    digits = np.stack(np.divmod(np.arange(10**6), 1000))
    columns = digits[..., None] // 10 ** np.arange(3) % 10
    into = addition.carries(addition.classes(columns))
    answer = addition._answers(columns, into)
    assert ((answer * 10 ** np.arange(4)).sum(-1) == digits.sum(0)).all()


def test_graded_questions_are_as_many_of_each_value_and_drawn_as_random_ones_are():
    found = data(graded_size=3000)
    graded = found.isel(example=found["split"].values == "graded")
    hardest, count = np.unique(graded["hardest"].values, return_counts=True)
    assert hardest.tolist() == [0, 1, 2, 3, 4, 5]
    assert (count == 3000).all()
    random = data(test_size=60_000, graded_size=1)
    random = random.isel(example=random["split"].values == "test")
    for value in (0, 1, 2):
        ours = graded["targets"].values[graded["hardest"].values == value][:, 11:]
        theirs = random["targets"].values[random["hardest"].values == value][:, 11:]
        assert ours.mean(0) == pytest.approx(theirs.mean(0), abs=0.3)


def nines(digits: np.ndarray) -> float:
    return float((digits[:, :5] + digits[:, 6:11] == 9).mean())


def test_some_training_batches_have_more_nines_and_all_are_sums():
    options = addition.Options()
    shares = []
    for step in range(200):
        drawn = addition.sample(options, generator("test", step), 64, step)
        shares.append(nines(drawn["tokens"]))
        for tokens, targets in zip(drawn["tokens"], drawn["targets"], strict=True):
            assert int("".join(map(str, targets[11:]))) == sum(numbers(tokens))
    more = np.array(shares) > 0.19  # between 0.1 and 0.28
    assert more.mean() == pytest.approx(0.2, abs=0.08)
    assert np.mean(np.array(shares)[more]) == pytest.approx(0.28, abs=0.01)
    assert np.mean(np.array(shares)[~more]) == pytest.approx(0.10, abs=0.01)


def test_without_more_nines_all_batches_are_random_questions():
    options = addition.Options(fresh={"batches": 0.0})
    drawn = [addition.sample(options, generator("test", step), 64, step) for step in range(100)]
    assert np.mean([nines(one["tokens"]) for one in drawn]) == pytest.approx(0.1, abs=0.006)


def test_training_is_measured_on_the_validation_split():
    options = addition.Options(**SIZES)
    whole, alone = data(), addition.validation(options)
    there = whole.isel(example=whole["split"].values == "validation")
    for name in ("tokens", "targets", "scored", "length"):
        assert (there[name].values == alone[name].values).all()
