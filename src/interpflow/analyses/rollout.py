"""Accuracy of a model that reads its own predictions.

A prediction is written as a token behind the position that made it, and the model goes on from there; what an
example has at these places is not read.  With `rounds`, predictions are written at the end of the example
instead, and each time the first token is dropped: a chain of thought in a window of constant length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.errors import InterpflowError
from interpflow.methods.grouping import Grouping
from interpflow.nearest import way_out
from interpflow.selection import Examples, OfExamples, OneState, Positions, State, Steps, state
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.packing import Weights
    from interpflow.model.transformer import Transformer
    from interpflow.runs import Runs

Ints = NDArray[np.int64]


class Options(Examples):
    """Which predictions are read, as which tokens, and what should come out."""

    positions: Positions = ["scored"]  # whose predictions are read, one after the other
    # The token that an output is read as, its own word if not given: {"1": "a{}", "0": "b{}"}.  Outputs of a
    # single label are called 0 and 1; {} stands for the number of the token's position, counted from 1.
    words: dict[str, str] = {}
    # A variable: so many predictions are made at the end of an example, which loses its first token each time.
    rounds: OfExamples | None = None
    answer: OneState | None = (
        None  # what the last prediction should be; else all should be the targets
    )
    by: OfExamples | None = None  # accuracy for each of its values
    steps: Steps = "last"


_BY_GROUP = ("seed", "step", "group")
VARIABLES = {
    "accuracy": Variable(
        _BY_GROUP, "1", "share of examples right with the model's own predictions"
    ),
    "count": Variable(("group",), "1", "number of examples"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
CAUSAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    try:
        _table(known.data, options.words)
    except InterpflowError as error:
        yield ("words",), str(error)
    if options.rounds is not None and options.answer is None:
        yield (
            ("rounds",),
            "the targets are not those of shortened examples; answer says what should come out",
        )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Run every seed at the steps asked for.  Raises InterpflowError for an example without a prediction."""
    data, _ = runs.select(options)
    tokens, lengths = data["tokens"].values.astype(np.int64), data["length"].values
    asked = runs.mask_of_all(data, options.positions)
    rounds = asked.sum(1) if options.rounds is None else data[options.rounds].values.astype(int)
    if not rounds.all():
        raise InterpflowError(
            f"an example of {lengths[rounds == 0][0]} tokens has no prediction; `where` can leave it out"
        )
    table, groups = _table(data, options.words), Grouping(data, options.by)
    targets = _targets(data)
    answer = None if options.answer is None else state(data, State(variable=options.answer))[:, 0]
    steps = runs.kept(options.steps)
    right = np.empty((len(runs.seeds), len(steps), len(tokens)))
    for at, step in enumerate(steps):
        weights = runs.weights_at(step)
        if options.rounds is None:
            said = _behind(runs.model, weights, tokens, asked, table, runs.device)
            if answer is None:
                right[:, at] = ((said == targets) | ~asked).all(-1)
            else:
                last = asked.shape[1] - 1 - asked[:, ::-1].argmax(1)
                right[:, at] = said[:, np.arange(len(last)), last] == answer
            continue
        for length in np.unique(lengths):
            here = lengths == length
            given = tokens[here, :length]
            said = _shortened(
                runs.model, weights, given, int(rounds[here].max()), table, runs.device
            )
            last = said[:, np.arange(len(given)), rounds[here] - 1]
            assert answer is not None  # else `refuse`
            right[:, at, here] = last == answer[here]
    return xr.Dataset(
        {
            "accuracy": (_BY_GROUP, groups.mean(right)),
            "count": ("group", groups.count),
            "checkpoint": ("step", runs.names(steps)),
        },
        {"seed": runs.seeds, "step": steps, "group": groups.coordinate},
    )


def _behind(
    model: Transformer,
    weights: Weights,
    tokens: Ints,
    asked: NDArray[np.bool_],
    table: Ints,
    device: str,
) -> Ints:
    """The prediction at each position `asked` (seed, example, position), those before it having been read."""
    seeds, width = len(weights["W_E"]), tokens.shape[1]
    read = np.repeat(tokens[None], seeds, axis=0)
    said = np.zeros_like(read)
    for at in np.flatnonzero(asked.any(0)).tolist():
        here = asked[:, at]
        said[:, here, at] = found = _predicted(model, weights, read[:, here, : at + 1], device)
        if at + 1 < width:
            read[:, here, at + 1] = table[at + 1][found]
    return said


def _shortened(
    model: Transformer, weights: Weights, tokens: Ints, rounds: int, table: Ints, device: str
) -> Ints:
    """Predictions (seed, example, round) at the end of `tokens` (example, pos), whose first goes each time."""
    read = np.repeat(tokens[None], len(weights["W_E"]), axis=0)
    length, said = tokens.shape[1], []
    places = np.arange(length - 1)
    # The token that each token becomes one place to the left: a word that names its position gets its new one.
    moved = np.tile(np.arange(weights["W_E"].shape[1]), (length - 1, 1))
    moved[places[:, None], table[1:length]] = table[: length - 1]
    for _ in range(rounds):
        said.append(_predicted(model, weights, read, device))
        written = table[length - 1][said[-1]][..., None]
        read = np.concatenate([moved[places, read[..., 1:]], written], axis=-1)
    return np.stack(said, axis=-1)


def _predicted(model: Transformer, weights: Weights, tokens: Ints, device: str) -> Ints:
    """The prediction (seed, example) at the end of `tokens` (seed, example, pos): a class, or 0 or 1."""
    import torch

    with torch.no_grad():
        logits: Tensor = model(weights, torch.from_numpy(tokens).to(device))[:, :, -1]
        found = logits.argmax(-1) if logits.shape[-1] > 1 else logits[..., 0] > 0
    return found.long().cpu().numpy()


def _targets(data: xr.Dataset) -> Ints:
    """The right predictions (example, position)."""
    targets = data["targets"].values
    return (targets[..., 0] if targets.ndim > 2 else targets).astype(np.int64)


def _table(data: xr.Dataset, words: Mapping[str, str]) -> Ints:
    """The token of each output at each position, (position, output); two outputs are those of one label.

    Raises InterpflowError for several labels at once, an output that there is not, and an output without a
    token.
    """
    if data["targets"].ndim > 2 and data.sizes["output"] > 1:
        raise InterpflowError("several labels hold at once; a prediction has to be one token")
    outputs = ["0", "1"] if data["targets"].ndim > 2 else [*map(str, data["output"].values)]
    for name in words:
        if name not in outputs:
            raise InterpflowError(f"no output '{name}'; there are: {way_out(name, outputs)}")
    token_of = {str(word): token for token, word in enumerate(data["token"].values)}
    table = np.zeros((data.sizes["position"], len(outputs)), np.int64)
    for at, output in np.ndindex(table.shape):
        word = words.get(outputs[output], outputs[output]).replace("{}", str(at + 1))
        if word not in token_of:
            known = way_out(word, token_of)
            raise InterpflowError(
                f"output '{outputs[output]}' is no token '{word}'; there are: {known}"
            )
        table[at, output] = token_of[word]
    return table
