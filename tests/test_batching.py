"""Batches are a pure function of seed and step, complete, and hardly padded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from small import brackets

from interpflow.rng import generator
from interpflow.training.batches import Batches
from interpflow.training.examples import Examples

LENGTHS = 2 * generator("test lengths").integers(1, 26, size=501)
SEEDS = (0, 1, 5)


def batches(seeds: Sequence[int] = SEEDS, size: int = 32) -> Batches:
    return Batches(LENGTHS, size, seeds)


def step(of: Batches, number: int) -> np.ndarray:
    """The examples of one step, (seed, batch)."""
    return np.concatenate(of.at(number), axis=1)


@pytest.mark.parametrize("size", [1, 3, 32, 500, 501, 1000])
def test_every_example_comes_once_an_epoch(size: int) -> None:
    of = batches(size=size)
    for epoch in (0, 2):
        steps = range(epoch * of.per_epoch, (epoch + 1) * of.per_epoch)
        seen = np.concatenate([step(of, number) for number in steps], axis=1)
        assert (np.sort(seen) == np.arange(len(LENGTHS))).all()


def test_all_batches_but_the_last_are_full() -> None:
    of = batches()
    sizes = [step(of, number).shape[1] for number in range(of.per_epoch)]
    assert sizes == [32] * 15 + [21]


def test_seeds_see_different_examples_of_the_same_lengths() -> None:
    of = batches()
    for number in (0, 7, 40):
        for group in of.at(number):
            assert (LENGTHS[group] == LENGTHS[group[0]]).all()
    first = step(of, 0)
    assert not set(first[0]) & set(first[1]) & set(first[2])


def test_epochs_differ_in_their_order_and_in_what_shares_a_batch() -> None:
    of = batches()
    assert {*step(of, 0)[0]} != {*step(of, of.per_epoch)[0]}
    lengths = [np.sort(LENGTHS[step(of, epoch * of.per_epoch)[0]]) for epoch in range(2)]
    assert (lengths[0] != lengths[1]).any()


def test_a_step_can_be_had_without_those_before_it() -> None:
    one_after_another = batches()
    expected = [step(one_after_another, number) for number in range(40)]
    for number in (39, 3, 16, 15):
        assert (step(batches(), number) == expected[number]).all()


def test_a_seeds_batches_do_not_depend_on_the_other_seeds() -> None:
    for number in (0, 21):
        together = step(batches(), number)
        for row, seed in enumerate(SEEDS):
            assert (step(batches([seed]), number)[0] == together[row]).all()


def test_a_batch_is_a_random_sample_of_lengths() -> None:
    of = batches()
    means = [
        LENGTHS[step(of, number)[0]].mean()
        for number in range(20 * of.per_epoch)
        if number % of.per_epoch != of.per_epoch - 1
    ]
    expected = LENGTHS.std() / np.sqrt(32) * np.sqrt(1 - 32 / 501)  # drawn without replacement
    assert np.std(means) == pytest.approx(expected, rel=0.2)


def test_padding_is_told_from_tokens_by_its_sign() -> None:
    data = brackets()
    examples = Examples(data, "train")
    chosen = np.argsort(examples.lengths)[[[0, 5], [60, 90]]]
    found = examples.take(chosen, 20).tokens.numpy()
    padding = np.arange(20) >= examples.lengths[chosen][..., None]
    assert ((found < 0) == padding).all() and padding.any()
    stored = data["tokens"].values[np.flatnonzero(data["split"].values == "train")[chosen]]
    assert (np.where(padding, ~found, found) == stored).all()


def test_groups_hold_like_lengths_so_that_little_is_padding() -> None:
    of = batches()
    computed = real = padded_whole = 0
    for number in range(of.per_epoch):
        groups = of.at(number)
        assert 1 <= len(groups) <= 4
        longest = [int(LENGTHS[group].max()) for group in groups]
        assert longest == sorted(longest)
        computed += sum(group.size * top for group, top in zip(groups, longest, strict=True))
        real += sum(LENGTHS[group].sum() for group in groups)
        padded_whole += 50 * sum(group.size for group in groups)
    assert computed / real < 1.25
    assert padded_whole / real > 1.8


def test_examples_of_one_length_are_one_group() -> None:
    assert [group.shape for group in Batches(np.full(20, 9), 8, [0, 1]).at(0)] == [(2, 8)]
