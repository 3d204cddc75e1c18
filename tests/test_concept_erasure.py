"""Erasure hides a state from linear readers, at its positions and nowhere else, and is measured by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray
from trees import trained_runs

from interpflow.analyses import concept_erasure
from interpflow.errors import InterpflowError
from interpflow.methods import erasure
from interpflow.model.sites import Sites
from interpflow.selection import Examples
from interpflow.training.losses import loss, right

NODE = {
    "site": "blocks.0.hook_resid_post",
    "positions": ["root", "path"],
    "state": {"variable": "at_node"},
}
ABOVE = {
    "site": "blocks.0.hook_resid_pre",
    "positions": ["goal", "colon"],
    "state": {"variable": "ancestor", "select": {"distance": 2}},
}
OPTIONS = {"split": "lengths", "by": "path_length", "learning_rate": 0.01, "epochs": 60}


@pytest.fixture(scope="module")
def erasers() -> list[Any]:
    """Each call of LEACE in the analysis: hidden states, labels, and the eraser."""
    return []


def watched(calls: list[Any], **options: Any) -> xr.Dataset:
    """The findings of the analysis, with each call of LEACE put into `calls`."""
    real = erasure.leace

    def watching(hidden, labels):
        calls.append((hidden, labels, real(hidden, labels)))
        return calls[-1][-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(erasure, "leace", watching)
        return concept_erasure.analyse(
            trained_runs(), concept_erasure.Options(**OPTIONS, **options)
        )


@pytest.fixture(scope="module")
def found(erasers) -> xr.Dataset:
    return watched(erasers, erasures={"node": NODE, "above": ABOVE})


def least_squares(hidden: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Share of the labels' variance that the best linear reader explains, and its accuracy; the best seed's."""
    shares, accuracies = [], []
    z: NDArray[np.float64] = labels.double().numpy()
    for x in hidden.double().numpy():
        design = np.column_stack([x, np.ones(len(x))])
        # Below this share of the largest singular value stands what rounding left of erased directions.
        solution = np.linalg.lstsq(design, z, rcond=1e-5)[0]
        rest = ((design @ solution - z) ** 2).sum()
        shares.append(1 - rest / ((z - z.mean(0)) ** 2).sum())
        accuracies.append(((design @ solution).argmax(1) == z.argmax(1)).mean())
    return float(np.max(shares)), float(np.max(accuracies))


def test_least_squares_reads_the_state_before_and_not_after(found, erasers) -> None:
    # Of the state above, embeddings tell what the goal's own name tells in these data: a share of 0.039.
    for (hidden, labels, eraser), there in ((erasers[0], 0.8), (erasers[2], 0.03)):
        majority = labels.double().mean(0).max().item()
        share, accuracy = least_squares(hidden, labels)
        assert share > there and accuracy > majority + 0.02
        share, accuracy = least_squares(eraser(hidden), labels)
        assert share < 1e-3
        # A constant is all that is left to read, so the most frequent class is all it can say.
        assert accuracy == pytest.approx(majority, abs=0.02)


def test_a_linear_probe_reads_the_state_before_and_is_at_chance_after(found) -> None:
    node = found.sel(erasure="node")
    assert (node["readable"].sel(when="before") > 0.95).all()
    # A probe after erasure names some class for each pair of a node and a position, there being little more to
    # tell rows apart, and so few pairs are what chance draws: four standard deviations of a binomial share.
    data, _ = trained_runs().select(Examples(split="lengths"))
    there = trained_runs().mask_of_all(data, NODE["positions"]) & (data["at_node"].values >= 0)
    rows = np.stack([data["at_node"].values[there], np.nonzero(there)[1]])
    chance, pairs = float(node["majority"]), np.unique(rows, axis=1).shape[1]
    bound = chance + 4 * np.sqrt(chance * (1 - chance) / pairs)
    assert (node["readable"].sel(when="after") < bound).all()
    assert bound < 0.6
    assert node["classes"] == 5
    values = data["at_node"].values[data["at_node"].values >= 0]
    assert node["majority"].item() in np.bincount(values) / len(values)


def test_random_labels_have_as_many_classes_and_take_as_many_directions(found, erasers) -> None:
    (_, true, by_state), (_, drawn, at_random) = erasers[:2]
    assert true.shape == drawn.shape
    assert not torch.equal(true, drawn)
    assert (drawn.double().mean(0) - 0.2).abs().max() < 0.1
    ranks = [torch.linalg.matrix_rank(e.take @ e.give).tolist() for e in (by_state, at_random)]
    assert ranks == [[4, 4]] * 2


@pytest.mark.parametrize(("name", "given", "first"), [("node", NODE, 0), ("above", ABOVE, 2)])
def test_erasure_is_measured_as_on_every_example_alone(found, erasers, name, given, first) -> None:
    runs = trained_runs()
    data, examples = runs.select(Examples(split="lengths"))
    weights = runs.weights("last")
    words = data["role_name"].values.tolist()
    sums = {control: np.zeros((2, 3, 3)) for control in ("none", "random_labels")}
    for index in range(len(examples)):
        role = data["role"].values[index]
        if name == "node":
            value = data["at_node"].values[index]
        else:
            value = np.full(len(role), data["ancestor"].values[index, 2])
        at = [p for p in range(len(role)) if words[role[p]] in given["positions"] and value[p] >= 0]
        alone = examples.take(np.array([index]))
        group = int(data["path_length"].values[index]) - 1
        for control, (_, _, eraser) in zip(sums, erasers[first : first + 2], strict=True):

            def edit(hidden, eraser=eraser, at=at):
                hidden = hidden.clone()
                for position in at:
                    hidden[:, :, position] = eraser(hidden[:, :, position])
                return hidden

            with torch.no_grad():
                logits = runs.model(weights, alone.tokens, Sites(edits={given["site"]: edit}))
            hit = right(runs.loss, logits, alone)[:, 0]
            parts = [torch.ones(2), hit, loss(runs.loss, logits, alone)]
            sums[control][:, group] += torch.stack(parts, -1).numpy()
    for control, total in sums.items():
        here = found.sel(erasure=name, control=control)
        count, hits, losses = np.moveaxis(total, -1, 0)
        assert here["accuracy"].values == pytest.approx(hits / count, abs=0.02)
        assert here["loss"].values == pytest.approx(losses / count, rel=1e-3)
        assert here["overall_accuracy"].values == pytest.approx(hits.sum(1) / 90, abs=0.02)


def test_intact_is_the_model_as_it_is(found) -> None:
    runs = trained_runs()
    whole = runs.evaluate(runs.weights("last"), runs.examples("lengths"))
    assert found["intact_overall_accuracy"].values == pytest.approx(whole.accuracy)
    weighted = found["intact_accuracy"].weighted(found["count"]).mean("group")
    assert weighted.values == pytest.approx(whole.accuracy)
    assert (found["loss"].sel(erasure="node", control="none") > found["intact_loss"] + 0.1).any()
    assert found["group"].attrs["by"] == "path_length"


def test_where_there_is_no_value_nothing_is_erased(found) -> None:
    # Paths of one edge have no node two edges above the goal.
    short = found.sel(erasure="above", group=[1])
    for control in ("none", "random_labels"):
        assert short["loss"].sel(control=control).values == pytest.approx(
            short["intact_loss"].values
        )
    long = found.sel(erasure="above", group=[2, 3], control="none")
    assert (abs(long["loss"] - long["intact_loss"]) > 1e-4).all()


def test_erasers_are_fitted_on_so_many_examples_and_measured_on_those_asked_for() -> None:
    options = concept_erasure.Options(
        **OPTIONS, erasures={"node": NODE}, examples=30, where={"path_length": 3}
    )
    found = concept_erasure.analyse(trained_runs(), options)
    assert found["group"].values.tolist() == [3]
    again = concept_erasure.analyse(trained_runs(), options)
    assert found.identical(again)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"by": "depth"}, "by: no variable 'depth' of examples"),
        ({"split": "trian"}, "did you mean 'train'"),
        ({"erasures": {"a": {**NODE, "positions": ["edge_end"]}}}, "'a' has no value .* to fit"),
        ({"erasures": {"a": ABOVE}, "where": {"path_length": 1}}, "'a' has no value .* to read"),
        ({"erasures": {"a": {**NODE, "site": "blocks.7.hook_resid_post"}}}, "no site"),
    ],
)
def test_what_is_not_there_is_an_error(wrong: dict[str, Any], words: str) -> None:
    options = concept_erasure.Options(**{**OPTIONS, "erasures": {"node": NODE}, **wrong})
    with pytest.raises(InterpflowError, match=words):
        concept_erasure.analyse(trained_runs(), options)


def test_several_labels_are_hidden_at_once() -> None:
    children = {**NODE, "state": {"variable": "children"}}
    given: list[Any] = []
    one = watched(given, erasures={"children": children}).sel(erasure="children")
    (hidden, labels, eraser), (_, random, _) = given
    nodes = trained_runs().data.sizes["child"]
    assert one["classes"] == nodes == labels.shape[1]
    assert set(labels.sum(1).tolist()) <= {0, 1, 2}  # of a binary tree
    # The control hides the same sets of labels at other positions.
    sets = (sorted(map(tuple, rows.tolist())) for rows in (labels, random))
    assert next(sets) == next(sets) and not torch.equal(random, labels)
    for label in range(nodes):
        share, _ = least_squares(eraser(hidden), labels[:, [label]])
        assert share < 1e-3
    before, after = (one["readable"].sel(when=when) for when in ("before", "after"))
    assert (after < before).all()
    assert (one["loss"].sel(control="none") != one["intact_loss"]).all()
