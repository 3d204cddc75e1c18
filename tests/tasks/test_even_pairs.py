"""All strings are there once, with the answers that counting by hand gives, and every length counts alike."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import pytest
import xarray as xr
from pydantic import ValidationError

from interpflow.tasks import even_pairs
from interpflow.tasks.base import make_dataset


def data(**options) -> xr.Dataset:
    return make_dataset(even_pairs, even_pairs.Options(**options))


def every(shortest: int, longest: int) -> list[str]:
    return [
        "".join(letters)
        for length in range(shortest, longest + 1)
        for letters in itertools.product("ab", repeat=length)
    ]


def text(example: xr.Dataset) -> str:
    """The letters of one example; each stands at the place that its token says."""
    words = example["token"].values[example["tokens"].values[: int(example["length"])]]
    assert [word[1:] for word in words] == [str(place + 1) for place in range(len(words))]
    return "".join(word[0] for word in words)


def answers(example: xr.Dataset) -> dict[int, bool]:
    """What is asked of one example: {letters read: whether they are even}."""
    scored, targets = example["scored"].values, example["targets"].values[:, 0]
    return {place + 1: bool(targets[place]) for place in range(len(scored)) if scored[place]}


def has_even_pairs(string: str) -> bool:
    pairs = [string[at : at + 2] for at in range(len(string) - 1)]
    return (pairs.count("ab") + pairs.count("ba")) % 2 == 0


def has_even_parity(string: str) -> bool:
    return string.count("b") % 2 == 0


RULES = {"even_pairs": has_even_pairs, "parity": has_even_parity}
each_rule = pytest.mark.parametrize("mode", RULES)


def split(found: xr.Dataset, name: str) -> list[xr.Dataset]:
    return [
        found.isel(example=at)
        for at in range(found.sizes["example"])
        if found["split"].values[at] == name
    ]


@each_rule
def test_each_of_the_126_strings_is_asked_about_once_and_answered_as_by_hand(mode):
    asked = {}
    for example in split(data(mode=mode), "validation"):
        string = text(example)
        assert string not in asked
        asked[string] = answers(example)
        by_hand = [int(RULES[mode](string[:length])) for length in range(1, len(string) + 1)]
        assert example["even"].values.tolist() == by_hand + [-1] * (6 - len(string))
        assert int(example["parity"]) == has_even_parity(string)
        assert int(example["given"]) == len(string) == int(example["rounds"]) + 1
    assert sorted(asked) == sorted(every(1, 6)) and len(asked) == 126
    assert asked == {string: {len(string): RULES[mode](string)} for string in asked}


@each_rule
@pytest.mark.parametrize("shortest", [1, 2])
def test_in_training_every_string_of_a_length_counts_alike_and_so_does_every_length(mode, shortest):
    weight: Counter[tuple[str, bool]] = Counter()
    examples = split(data(mode=mode, shortest=shortest), "train")
    for example in examples:
        string, asked = text(example), answers(example)
        for length, even in asked.items():
            weight[string[:length], even] += Fraction(1, len(examples) * len(asked))
    lengths = 7 - shortest
    assert weight == {
        (string, RULES[mode](string)): Fraction(1, lengths * 2 ** len(string))
        for string in every(shortest, 6)
    }


def test_a_chain_asks_for_the_letters_that_by_hand_lead_to_the_parity():
    found = data(mode="parity_cot")
    for name in ("train", "validation"):
        given = set()
        for example in split(found, name):
            string, asked = text(example), answers(example)
            given.add(string[:4])
            expected = {length: string[0] == string[length - 1] for length in (1, 2, 3)}
            if name == "validation":
                expected = {}
            letters = list(string[:4])
            for step in range(3):  # compare the first letter that is left with the last, and append
                same = letters[step] == letters[-1]
                expected[4 + step] = same
                letters.append("a" if same else "b")
            assert string == "".join(letters[:6])
            assert (letters[6] == "a") == has_even_parity(string[:4]) == int(example["parity"])
            assert asked == expected
            assert (int(example["given"]), int(example["rounds"])) == (4, 3)
        assert given == set(every(4, 4))


def test_a_letter_is_compared_with_the_first_and_in_a_chain_with_the_next():
    plain, chain = data(), data(mode="parity_cot")
    longest = plain["length"].values == 6
    assert (plain["compared"].values[longest] == 0).all()
    assert (plain["behind"].values[longest] == [-1, 1, 1, 1, 1, 1]).all()
    assert (plain["behind"].values[plain["length"].values == 2] == [-1, 1, -1, -1, -1, -1]).all()
    assert (chain["compared"].values == [0, 0, 0, 0, 1, 2]).all()
    assert (chain["behind"].values == [-1, 1, 1, 1, 2, 3]).all()


def test_a_chain_without_its_first_letters_is_that_of_shorter_strings():
    """Dropping a letter at each step leaves even pairs of as many letters: first against last."""
    for string in every(2, 6):
        left = string
        for _ in range(len(string) - 1):
            left = left[1:] + ("a" if has_even_pairs(left) else "b")
        assert (left[-1] == "a") == has_even_parity(string)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shortest": 5, "longest": 4}, "shortest 5 is more than longest 4"),
        ({"mode": "parity_cot", "longest": 8}, "longest 8: a chain from first 4 letters .* 2 first - 2 = 6"),
        ({"longest": 13}, "less than or equal to 12"),
    ],
)  # fmt: skip
def test_strings_that_cannot_be_had_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        even_pairs.Options(**options)
