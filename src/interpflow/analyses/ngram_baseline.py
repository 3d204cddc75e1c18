"""How many letters of context decide the answers: the best k-gram predictor of each k, by group of examples.

The predictor looks at the last k tokens, fewer at the beginning of a sequence, and gives the answer that is
most frequent behind them in the training split.  Behind tokens that do not stand there it gives that of one
token fewer.  What it gets right asks for no longer memory, whatever the rule behind the answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import PositiveInt

from interpflow.methods.grouping import Grouping
from interpflow.section import EachOnce, Section, Some
from interpflow.selection import OfExamples, Splits
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Section):
    """Which examples, what tells their groups apart, and how many tokens are looked at."""

    splits: Splits = []  # all but train if none
    by: OfExamples = "split"  # a variable with one value an example, whose values are the groups
    context: Annotated[list[PositiveInt], Some, EachOnce] = [1, 2, 3, 4, 5, 6, 7, 8]


_BY_CONTEXT = ("group", "context")
VARIABLES = {
    "accuracy": Variable(_BY_CONTEXT, "1", "share of sequences right at every position"),
    "position_accuracy": Variable(_BY_CONTEXT, "1", "share of positions that are right"),
    "unseen": Variable(_BY_CONTEXT, "1", "share of positions whose context is not in training"),
    "best_accuracy": Variable(("group",), "1", "accuracy of the best of the contexts"),
    "best_context": Variable(("group",), "token", "the shortest context with that accuracy"),
}

_MEASURES = ("accuracy", "position_accuracy", "unseen")

NEEDS = "data"

Codes = NDArray[np.int64]


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    splits = options.splits or [split for split in known.splits if split != "train"]
    return {"group": known.groups(options.by, splits), "context": options.context}


def analyse(data: xr.Dataset, options: Options) -> xr.Dataset:
    """Count on the training split, and measure on the others."""
    split, scored = data["split"].values, data["scored"].values
    every = dict.fromkeys(split.tolist())
    splits = options.splits or [name for name in every if name != "train"]
    chosen = np.isin(split, splits)
    groups, asked = Grouping(data.isel(example=chosen), options.by), scored[chosen]
    found: dict[str, list[np.ndarray]] = {name: [] for name in _MEASURES}
    for right, seen in _predicted(data, scored & (split == "train")[:, None], options.context):
        wrong, unseen = ~right[chosen] & asked, ~seen[chosen] & asked
        found["accuracy"].append(groups.mean((~wrong).all(1).astype(float)))
        found["position_accuracy"].append(1 - _share(groups, wrong, asked))
        found["unseen"].append(_share(groups, unseen, asked))
    tables = {name: np.stack(values, axis=1) for name, values in found.items()}
    shortest_first = np.argsort(options.context)
    best = shortest_first[tables["accuracy"][:, shortest_first].argmax(1)]
    return xr.Dataset(
        {
            **{name: (_BY_CONTEXT, values) for name, values in tables.items()},
            "best_accuracy": ("group", tables["accuracy"].max(1)),
            "best_context": ("group", np.array(options.context)[best]),
        },
        {"group": groups.coordinate, "context": list(options.context)},
    )


def _share(groups: Grouping, held: NDArray[np.bool_], asked: NDArray[np.bool_]) -> np.ndarray:
    """The share of the positions `asked` of each group at which something is `held` (group,)."""
    return groups.mean(held.sum(1).astype(float)) / groups.mean(asked.sum(1).astype(float))


def _predicted(
    data: xr.Dataset, train: NDArray[np.bool_], context: Sequence[int]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each number of tokens: where the answer is right, and where training has the tokens.

    Each is (example, position); training are the positions `train`.
    """
    answers = _answers(data)
    known = np.zeros_like(answers)  # the context of no tokens
    given = np.full_like(answers, np.bincount(answers[train]).argmax())
    found = {}
    for size in range(1, max(context) + 1):
        known = _longer(known, data["tokens"].values, size)
        frequent = _most_frequent(known[train], answers[train], int(known.max()) + 1)
        seen = frequent[known] >= 0
        given = np.where(seen, frequent[known], given)
        if size in context:
            found[size] = given == answers, seen
    return (found[size] for size in context)


def _answers(data: xr.Dataset) -> Codes:
    """The target of each position as a number (example, position): equal targets have equal numbers."""
    targets = data["targets"].values
    if targets.ndim == 2:
        return targets.astype(np.int64)
    flat = targets.reshape(-1, targets.shape[-1])
    _, codes = np.unique(flat, axis=0, return_inverse=True)
    return codes.reshape(targets.shape[:2]).astype(np.int64)


def _longer(known: Codes, tokens: NDArray[np.integer], size: int) -> Codes:
    """Numbers of contexts of `size` tokens, from those of one fewer: equal contexts have equal numbers."""
    words = int(tokens.max()) + 2  # the last stands before the beginning
    added = np.full(tokens.shape, words - 1, dtype=np.int64)
    added[:, size - 1 :] = tokens[:, : tokens.shape[1] - size + 1]
    _, codes = np.unique(known * words + added, return_inverse=True)
    return codes.reshape(tokens.shape).astype(np.int64)


def _most_frequent(contexts: Codes, answers: Codes, number: int) -> Codes:
    """The most frequent answer behind each context (number,), the lowest of several, -1 behind none."""
    width = int(answers.max()) + 1
    pairs, counts = np.unique(contexts * width + answers, return_counts=True)
    context, answer = pairs // width, pairs % width
    order = np.lexsort((answer, -counts, context))
    first = order[np.unique(context[order], return_index=True)[1]]
    found = np.full(number, -1)
    found[context[first]] = answer[first]
    return found
