"""Lists are distinct, sorted right, uniform over subsets, and have the mean gap that was asked for."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from interpflow.rng import generator
from interpflow.tasks import list_sorting
from interpflow.tasks.base import make_dataset


def lists(size: int = 2000, **options) -> tuple[list_sorting.Options, dict[str, np.ndarray]]:
    chosen = list_sorting.Options(**options)
    return chosen, list_sorting.sample(chosen, generator("test"), size, 0)


@pytest.mark.parametrize(
    "options",
    [{}, {"mean_gap": 2.0}, {"mean_gap": 6.9}, {"length": 2, "vocabulary": 5},
     {"length": 8, "vocabulary": 8}],
)  # fmt: skip
def test_every_list_is_distinct_and_followed_by_itself_sorted(options):
    chosen, drawn = lists(**options)
    n = chosen.length
    unsorted, sorted_ = drawn["tokens"][:, :n], drawn["targets"][:, n:]
    assert (np.sort(unsorted, axis=1) == sorted_).all()
    assert (np.diff(sorted_, axis=1) > 0).all()
    assert sorted_.min() >= 0
    assert sorted_.max() < chosen.vocabulary
    assert (drawn["tokens"][:, n] == chosen.vocabulary).all()
    assert (drawn["tokens"][:, n + 1 :] == sorted_[:, :-1]).all()
    assert (drawn["scored"] == (np.arange(2 * n) >= n)).all()


def test_every_subset_and_every_order_is_as_frequent_as_any_other():
    _, drawn = lists(60_000, length=3, vocabulary=6)
    found = Counter(map(tuple, drawn["tokens"][:, :3].tolist()))
    assert set(found) == set(itertools.permutations(range(6), 3))
    # 120 orders of 500 lists each: all within five standard deviations.
    assert max(abs(count - 500) for count in found.values()) < 5 * np.sqrt(500)


@pytest.mark.parametrize("wanted", [1.3, 2.0, 4.0, 6.5])
def test_lists_have_the_mean_gap_that_is_wanted(wanted):
    data = make_dataset(list_sorting, list_sorting.Options(mean_gap=wanted))
    gap = data["gap"].values
    assert abs(gap.mean() - wanted) < 5 * gap.std() / np.sqrt(len(gap))


def test_the_gap_of_uniform_subsets_changes_nothing():
    """Of 10 in 64 the mean gap is (64 + 1) / (10 + 1): tilting to it is no tilt."""
    wanted = 65 / 11
    spans, plain = list_sorting._spans(10, 64, None)
    _, tilted = list_sorting._spans(10, 64, wanted)
    assert plain @ spans == pytest.approx(9 * wanted)
    assert tilted == pytest.approx(plain, abs=1e-9)


def test_the_size_of_one_split_changes_no_other():
    one = list_sorting.generate(list_sorting.Options(train_size=50, validation_size=20))
    other = list_sorting.generate(list_sorting.Options(train_size=80, validation_size=20))
    validation = [d["tokens"].values[d["split"].values == "validation"] for d in (one, other)]
    assert (validation[0] == validation[1]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 10, "vocabulary": 9}, "length 10 is more than the vocabulary of 9"),
        ({"mean_gap": 1.0}, "lies above 1 and below 7"),
        ({"mean_gap": 7.0}, "lies above 1 and below 7"),
        ({"length": 1}, "greater than or equal to 2"),
    ],
)
def test_lists_that_cannot_be_drawn_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        list_sorting.Options(**options)
