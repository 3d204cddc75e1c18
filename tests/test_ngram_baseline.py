"""The best k-gram predictor is the one that counting by hand gives."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import ngram_baseline
from interpflow.analyses.ngram_baseline import Options
from interpflow.tasks import automaton, bracket_language, list_sorting


def by_hand(data: xr.Dataset, size: int) -> dict[str, list[list[bool]]]:
    """Whether each scored position is right, by split and sequence."""
    seen: list[defaultdict[tuple[int, ...], Counter]] = [
        defaultdict(Counter) for _ in range(size + 1)
    ]

    def sequences(splits):
        for at in range(data.sizes["example"]):
            if data["split"].values[at] in splits:
                tokens = data["tokens"].values[at].tolist()
                targets = data["targets"].values[at].tolist()
                scored = data["scored"].values[at].tolist()
                asked = [
                    ([tuple([-1] * size + tokens[: place + 1])[-k:] if k else () for k in range(size + 1)],
                     tuple(target) if isinstance(target, list) else target)
                    for place, target in enumerate(targets)
                    if scored[place]
                ]  # fmt: skip
                yield str(data["split"].values[at]), asked

    for _, asked in sequences(["train"]):
        for contexts, target in asked:
            for k, context in enumerate(contexts):
                seen[k][context][target] += 1

    def best(contexts):
        for k in range(size, -1, -1):
            if counts := seen[k][contexts[k]]:
                most = max(counts.values())
                return min(target for target, count in counts.items() if count == most)
        raise AssertionError

    found: dict[str, list[list[bool]]] = {}
    for split, asked in sequences(["validation", "bin1"]):
        found.setdefault(split, []).append([best(contexts) == target for contexts, target in asked])
    return found


DATA = {
    "next letters": automaton.generate(
        automaton.Options(language="d_2", strings="uniform", max_length=12, train_size=80,
                          validation_size=40, bins=[[13, 20]])
    ),
    "membership": automaton.generate(
        automaton.Options(language="parity", max_length=12, train_size=80, validation_size=40)
    ),
    "brackets": bracket_language.generate(
        bracket_language.Options(pairs=2, max_length=10, train_size=60, validation_size=30)
    ),
    "one class a position": list_sorting.generate(
        list_sorting.Options(train_size=60, validation_size=30)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_what_the_predictor_gets_right_is_what_counting_by_hand_gets_right(name):
    data = DATA[name]
    found = ngram_baseline.analyse(data, Options(context=[3, 1, 2]))
    assert found["context"].values.tolist() == [3, 1, 2]
    for size in (1, 2, 3):
        for split, sequences in by_hand(data, size).items():
            here = found.sel(group=split, context=size)
            assert here["accuracy"].item() == pytest.approx(
                np.mean([all(one) for one in sequences])
            )
            every = [right for one in sequences for right in one]
            assert here["position_accuracy"].item() == pytest.approx(np.mean(every))


def test_the_best_context_is_the_shortest_of_those_that_get_most_right():
    found = ngram_baseline.analyse(
        automaton.generate(
            automaton.Options(language="tomita_4", train_size=200, validation_size=50)
        ),
        Options(context=[1, 2, 3]),
    )
    assert found["best_context"].item() == 2 and found["best_accuracy"].item() == 1
    assert found["accuracy"].values[0].tolist()[0] < 1


def test_contexts_that_training_lacks_are_counted():
    data = automaton.generate(
        automaton.Options(
            language="anbn", max_length=10, train_size=20, validation_size=5, bins=[[20, 20]]
        )
    )
    found = ngram_baseline.analyse(data, Options(context=[1, 8], splits=["bin1"]))
    assert found["group"].values.tolist() == ["bin1"]
    # a^10 b^10: after a letter has stood five times, its run is longer than any of training.
    unseen = found["unseen"].sel(group="bin1").values.tolist()
    runs = "a" * 10 + "b" * 10
    known = {
        ("^" * 8 + "a" * n + "b" * n)[: 8 + at][-8:]
        for n in range(1, 6)
        for at in range(1, 2 * n + 1)
    }
    expected = np.mean([("^" * 8 + runs)[at + 1 : at + 9] not in known for at in range(20)])
    assert unseen[0] == 0 and unseen[1] == pytest.approx(expected)
