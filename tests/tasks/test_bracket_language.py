"""The strings are the paper's, and every label is what a slow reader of brackets would write."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from interpflow.errors import InterpflowError
from interpflow.tasks import bracket_language
from interpflow.tasks.base import make_dataset
from interpflow.tasks.bracket_language import Options

SMALL: dict[str, Any] = {
    "train_size": 400,
    "validation_size": 100,
    "max_length": 20,
    "bins": ((22, 40), (40, 60)),
}


def strings(data: xr.Dataset, split: str) -> list[str]:
    """The strings of one split, as a reader writes them."""
    letters = data["token"].values.tolist()
    rows = data.isel(example=(data["split"] == split).values)
    return [
        "".join(letters[token] for token in row[:length])
        for row, length in zip(rows["tokens"].values, rows["length"].values, strict=True)
    ]


def prefix_depths(string: str, pair: str) -> list[int]:
    return [
        string[: i + 1].count(pair[0]) - string[: i + 1].count(pair[1]) for i in range(len(string))
    ]


def nests(string: str) -> bool:
    """Whether erasing adjacent pairs, again and again, leaves nothing."""
    before = None
    while string != before:
        before = string
        for pair in bracket_language.PAIRS:
            string = string.replace(pair, "")
    return string == ""


def exact_probabilities(maximum: int, p: float, q: float) -> dict[str, float]:
    """Of all Dyck-1 strings up to `maximum`: the grammar itself, applied until nothing changes."""
    law = {"": 1.0}
    for _ in range(400):
        deeper = defaultdict(float, {"": 1 - p - q})
        for left, weight in law.items():
            deeper[f"({left})" if len(left) + 2 <= maximum else ""] += p * weight
            for right, other in law.items():
                whole = left + right
                deeper[whole if len(whole) <= maximum else ""] += q * weight * other
        law = deeper
    return law


@pytest.fixture(scope="module", params=["nested", "shuffled"])
def shuffle3(request: pytest.FixtureRequest) -> xr.Dataset:
    return bracket_language.generate(Options(pairs=3, strings=request.param, **SMALL))


@pytest.mark.parametrize(
    ("pairs", "max_length", "mean", "tolerance", "deepest"),
    # Tolerances are four standard deviations between two such sets (0.1 for Dyck-1 and Shuffle-2,
    # 0.25 else).  Rejecting over-long strings whole would miss by 1.3, 1.9, 4.2 and 4.4.
    [
        (1, 50, 31.7, 0.6, 21),
        (2, 50, 25.8, 0.6, 14),
        (4, 100, 32.7, 1.5, 13),
        (6, 100, 30.8, 1.5, 10),
    ],
)
def test_training_strings_are_as_long_and_as_deep_as_the_papers(
    pairs: int, max_length: int, mean: float, tolerance: float, deepest: int
) -> None:
    data = bracket_language.generate(Options(pairs=pairs, max_length=max_length, validation_size=1))
    train = data.isel(example=slice(0, 10_000))
    assert (train["split"] == "train").all()
    assert float(train["length"].mean()) == pytest.approx(mean, abs=tolerance)
    assert int(train["stack_depth"].sel(stack="()").max()) == pytest.approx(deepest, abs=4)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.25), (0.3, 0.1)])
def test_every_string_is_as_likely_as_the_grammar_makes_it(p: float, q: float) -> None:
    law = exact_probabilities(8, p, q)
    options = Options(max_length=8, open_probability=p, concatenate_probability=q)
    rng = np.random.default_rng(0)
    drawn = bracket_language._derive(50_000, 1, 4, options, rng)
    found = Counter("".join("()"[token] for token in row if token < 2) for row in drawn)
    expected = {s: 50_000 * weight / (1 - law[""]) for s, weight in law.items() if s}
    assert found.keys() <= expected.keys() and len(expected) == 1 + 2 + 5 + 14
    chi_squared = sum((found[s] - n) ** 2 / n for s, n in expected.items())
    assert chi_squared < 21 + 4 * np.sqrt(2 * 21)  # 21 degrees of freedom


def test_pairs_are_drawn_evenly() -> None:
    data = bracket_language.generate(Options(pairs=6, train_size=4000, validation_size=1))
    counts = np.bincount(data["tokens"].values.ravel(), minlength=12)[:12]
    assert (counts[0::2] == counts[1::2]).all()
    assert counts.min() > 0.95 * counts.mean()


@pytest.mark.parametrize(("pairs", "max_length", "shared"), [(1, 50, 510), (4, 100, 335)])
def test_with_overlap_as_many_validation_strings_are_in_train_as_in_the_authors_data(
    pairs: int, max_length: int, shared: int
) -> None:
    data = bracket_language.generate(Options(pairs=pairs, max_length=max_length, overlap=True))
    validation = strings(data, "validation")
    assert len(set(validation)) == 2000
    common = set(validation) & set(strings(data, "train"))
    assert len(common) == pytest.approx(shared, abs=60)  # binomial, standard deviation about 18


def test_no_validation_string_occurs_in_train_and_no_split_repeats_itself(
    shuffle3: xr.Dataset,
) -> None:
    assert not set(strings(shuffle3, "train")) & set(strings(shuffle3, "validation"))
    for split, size in {"train": 400, "validation": 100, "bin1": 100, "bin2": 100}.items():
        assert len(strings(shuffle3, split)) == len(set(strings(shuffle3, split))) == size


def test_a_split_has_the_lengths_that_its_bin_says(shuffle3: xr.Dataset) -> None:
    assert shuffle3["bin"].values.tolist() == ["train", "validation", "bin1", "bin2"]
    for split in shuffle3["bin"].values:
        low, high = (int(shuffle3[name].sel(bin=split)) for name in ("bin_low", "bin_high"))
        found = {len(string) for string in strings(shuffle3, split)}
        assert low <= min(found) and max(found) == high


def test_labels_agree_with_a_slow_reader(shuffle3: xr.Dataset) -> None:
    pairs = ["()", "[]", "{}"]
    assert shuffle3["stack"].values.tolist() == [*pairs, "total"]
    assert shuffle3["output"].values.tolist() == list("()[]{}")
    every = [s for split in shuffle3["bin"].values for s in strings(shuffle3, split)]
    assert len(every) == shuffle3.sizes["example"]
    for i, string in enumerate(every):
        depths = np.array([prefix_depths(string, pair) for pair in pairs])  # (pair, position)
        assert depths.min() == 0 and not depths[:, -1].any(), string
        real = len(string)
        depth = shuffle3["stack_depth"].values[:, i]
        assert (depth[:3, :real] == depths).all() and (depth[3, :real] == depths.sum(0)).all()
        targets = shuffle3["targets"].values[i]
        assert (targets[:real, 0::2] == 1).all() and (targets[:real, 1::2] == (depths.T > 0)).all()
        assert not depth[:, real:].any() and not targets[real:].any()
        assert shuffle3["scored"].values[i].tolist() == [p < real for p in range(60)]
        assert (shuffle3["tokens"].values[i, real:] == 6).all()
        assert shuffle3["nested"].values[i] == nests(string), string


def test_the_papers_strings_all_nest_and_shuffled_ones_hardly_ever() -> None:
    options: dict[str, Any] = {"pairs": 4, "max_length": 100, "train_size": 2000}
    assert bracket_language.generate(Options(strings="nested", **options))["nested"].all()
    shuffled = bracket_language.generate(Options(strings="shuffled", **options))["nested"]
    assert 0 < float(shuffled.mean()) < 0.15  # the short ones can hardly help it


def test_shuffling_changes_only_how_the_pairs_interleave() -> None:
    nested, shuffled = (
        bracket_language.generate(Options(pairs=3, strings=kind, **SMALL))
        for kind in ("nested", "shuffled")
    )
    changed = 0
    for split in nested["bin"].values:
        for a, b in zip(strings(nested, split), strings(shuffled, split), strict=True):
            changed += a != b
            for pair in bracket_language.PAIRS[:3]:
                assert [c for c in a if c in pair] == [c for c in b if c in pair]
    assert changed > 500


def test_every_interleaving_is_equally_likely() -> None:
    word = np.array([[0, 2, 4, 5, 3, 1, 6, 6]], np.uint8).repeat(45_000, axis=0)  # ([{}])
    mixed = bracket_language._interleave(word, 3, np.random.default_rng(0))
    counts = Counter(row.tobytes() for row in mixed)
    assert len(counts) == 90  # 6! / (2! 2! 2!)
    chi_squared = sum((n - 500) ** 2 / 500 for n in counts.values())
    assert chi_squared < 89 + 4 * np.sqrt(2 * 89)


@pytest.mark.parametrize("kind", ["nested", "shuffled"])
def test_a_change_of_one_split_leaves_the_others_as_they_are(kind: str) -> None:
    def train(**changes: Any) -> list[str]:
        options: dict[str, Any] = {"pairs": 2, "strings": kind, **SMALL, **changes}
        return strings(bracket_language.generate(Options(**options)), "train")

    base = train()
    assert train(validation_size=37, bins=(), overlap=True) == base
    assert train(train_size=150) == base[:150]
    assert train(seed=1) != base


def test_a_change_of_the_training_size_leaves_the_bins_as_they_are() -> None:
    small, large = (
        bracket_language.generate(Options(**SMALL | {"train_size": size})) for size in (50, 400)
    )
    assert strings(small, "bin2") == strings(large, "bin2")
    assert strings(large, "bin1") != strings(large, "bin2")


def test_the_dataset_keeps_the_contract_of_a_task() -> None:
    data = make_dataset(bracket_language, Options(**SMALL))
    assert data["token"].values.tolist() == ["(", ")", "<pad>"]
    assert data["stack"].values.tolist() == ["()"]
    assert data["stack_depth"].attrs["long_name"] == "stack depth after the token"
    assert (data["tokens"].dtype, data["targets"].dtype) == (np.dtype("u1"), np.dtype("i1"))


def test_more_strings_than_there_are_is_an_error_that_says_how_many_there_are() -> None:
    # (), ()(), (()) and no others
    with pytest.raises(InterpflowError, match=r"train asks for 4 .* length 2 to 4, .* only 3;"):
        bracket_language.generate(Options(max_length=4, train_size=4))
    with pytest.raises(InterpflowError, match=r"validation .* gave only 1 that are not in train;"):
        bracket_language.generate(Options(max_length=4, train_size=2, validation_size=2))
    every = bracket_language.generate(Options(max_length=4, train_size=2, validation_size=1))
    assert {*strings(every, "train"), *strings(every, "validation")} == {"()", "()()", "(())"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pairs": 7}, "pairs"),
        ({"strings": "tangled"}, "'nested' or 'shuffled'"),
        ({"max_length": 51}, "multiple of 2"),
        ({"min_length": 52}, "min_length is 52, above max_length 50"),
        ({"bins": [[50, 100]]}, r"bins has \[50, 100\].* max_length 50 < low"),
        ({"bins": [[100, 52]]}, r"bins has \[100, 52\]"),
        ({"concatenate_probability": 0.3}, "derivations do not end"),
        ({"pair": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Options(**wrong)
