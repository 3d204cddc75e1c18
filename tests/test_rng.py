"""Randomness belongs to its address: the same everywhere, another for every other address."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from interpflow.rng import generator


def draw(*address: str | int) -> list[int]:
    drawn: list[int] = generator(*address).integers(2**63, size=4).tolist()
    return drawn


def test_an_address_gives_the_numbers_it_always_gave() -> None:
    # Written down once: a change of these numbers would change every result there is.
    drawn = generator("init", 0, "W_E").integers(10**6, size=5)
    assert drawn.tolist() == [562455, 396428, 283432, 941198, 963234]


def test_an_address_gives_the_same_numbers_in_another_process() -> None:
    code = "from interpflow.rng import generator; print(generator('a', 7).random(3).tolist())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(generator("a", 7).random(3).tolist())


def test_what_was_drawn_before_changes_nothing() -> None:
    expected = draw("a", 1)
    generator("a", 1).random(1000)
    np.random.default_rng().random(10)
    assert draw("a", 1) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *itertools.combinations(
            [
                (1,),
                ("1",),
                (1, 1),
                (11,),
                ("a", "b"),
                ("ab",),
                ("a/b",),
                ("a'/'b",),
                ("b", "a"),
                (-1,),
            ],
            2,
        )
    ],
)
def test_different_addresses_give_different_numbers(
    one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert draw(*one) != draw(*other)


def test_numpys_whole_numbers_are_whole_numbers() -> None:
    assert draw("seed", np.int64(3)) == draw("seed", 3)  # type: ignore[arg-type]


def test_neighbouring_addresses_are_not_correlated() -> None:
    rows = np.stack([generator("row", i).random(2000) for i in range(20)])
    off_diagonal = np.corrcoef(rows)[np.triu_indices(20, 1)]
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(2000)  # five standard deviations
    assert abs(rows.mean() - 0.5) < 5 * np.sqrt(1 / 12 / rows.size)


def test_a_generator_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an address"):
        generator()
