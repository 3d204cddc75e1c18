"""A probe of a grid is the probe trained alone, and a plain torch probe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpflow.methods import probing
from interpflow.methods.probing import ProbeFit, ProbeGrid
from interpflow.rng import generator

N, D, CLASSES = 600, 8, 4
TRAIN, TEST = np.arange(450), np.arange(450, N)
LINEAR = ProbeFit((), epochs=30, batch_size=50, learning_rate=0.02)
DEEP = ProbeFit((16, 24), epochs=12, batch_size=50, learning_rate=0.01)
FALLING = ProbeFit((16, 24), epochs=4, batch_size=50, learning_rate=0.03, schedule="linear")


def features(sources: int = 2) -> Tensor:
    """Hidden states (source, N, D) far from standard, one dimension of which never changes."""
    states = generator("test features").normal(3.0, 5.0, (sources, N, D))
    states[..., -1] = 7.0
    return torch.from_numpy(states).float()


def readable(states: Tensor, classes: int = CLASSES) -> Tensor:
    """Labels (N,) that a linear probe of `states` (N, D) can read."""
    directions = torch.from_numpy(generator("test labels").normal(size=(D, classes))).float()
    return ((states - 3.0) @ directions).argmax(-1)


def grid(
    labels: Sequence[Tensor],
    source: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> ProbeGrid:
    return ProbeGrid(
        features=features(),
        source=source or [0] * len(labels),
        labels=torch.stack(list(labels)),
        classes=classes or [CLASSES] * len(labels),
        address=[(name,) for name in (names or "abcdefgh"[: len(labels)])],
        train=TRAIN,
        test=TEST,
    )


def accuracies(of: ProbeGrid, fit: ProbeFit) -> np.ndarray:
    """Accuracy of every probe on the test part."""
    predicted = of.fit(fit).predict(of.test)
    right: np.ndarray = (predicted == of.labels.numpy()[:, of.test]).mean(axis=1)
    return right


def mixed_grid() -> ProbeGrid:
    """Probes on two sources with two numbers of classes, in no particular order."""
    states = features()
    labels = [readable(states[1]), readable(states[0], 3), readable(states[0])]
    return grid(labels, source=[1, 0, 0], classes=[CLASSES, 3, CLASSES])


@pytest.mark.parametrize("fit", [LINEAR, DEEP], ids=["linear", "deep"])
def test_what_is_there_is_read_and_what_is_elsewhere_is_not(fit: ProbeFit) -> None:
    states = features()
    there, elsewhere = readable(states[0]), readable(states[1])
    found = accuracies(grid([there, elsewhere]), fit)
    chance = float(np.bincount(elsewhere[TEST]).max() / len(TEST))
    assert found[0] > 0.85
    assert found[1] < chance + 0.1


def test_only_a_probe_with_hidden_layers_reads_what_is_not_linear() -> None:
    exclusive_or = ((features()[0, :, 0] > 3) ^ (features()[0, :, 1] > 3)).long()
    of = grid([exclusive_or], classes=[2])
    deep = ProbeFit((32,), epochs=60, batch_size=50, learning_rate=0.01)
    assert accuracies(of, LINEAR)[0] < 0.65
    assert accuracies(of, deep)[0] > 0.85


@pytest.mark.parametrize("fit", [LINEAR, DEEP, FALLING], ids=["linear", "deep", "falling rate"])
def test_a_probe_equals_a_plain_torch_probe_on_the_same_batches(fit: ProbeFit) -> None:
    of = mixed_grid()
    predicted = of.fit(fit).predict(TEST)
    for member, source, classes in zip(range(3), of.source, of.classes, strict=True):
        x = of.features[source]
        spread = x[TRAIN].std(0, correction=0)
        x = (x - x[TRAIN].mean(0)) / torch.where(spread > 0, spread, 1.0)
        start = probing._pairs(
            probing._initial_layers([D, *fit.widths], [(of.address[member], classes)])
        )
        layers: list[nn.Module] = []
        for (weight, bias), wide in zip(start, [*fit.widths, classes], strict=True):
            linear = nn.Linear(weight.shape[1], wide)
            linear.weight.data = weight[0, :, :wide].T.clone()
            linear.bias.data = bias[0, :wide].clone()
            layers += [linear, nn.ReLU()]
        plain = nn.Sequential(*layers[:-1])
        optimizer = torch.optim.Adam(plain.parameters(), fit.learning_rate)
        steps = fit.epochs * len(TRAIN) // fit.batch_size
        lasts = steps if fit.schedule == "linear" else np.inf
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step, n=lasts: 1 - step / n)
        for epoch in range(fit.epochs):
            order = torch.from_numpy(generator("probe order", epoch).permutation(len(TRAIN)))
            for chosen in order.split(fit.batch_size):
                optimizer.zero_grad()
                F.cross_entropy(
                    plain(x[TRAIN[chosen]]), of.labels[member, TRAIN[chosen]]
                ).backward()
                optimizer.step()
                schedule.step()
        expected = plain(x[TEST]).argmax(-1).numpy()
        assert (predicted[member] == expected).mean() > 0.99


@pytest.mark.parametrize("fit", [LINEAR, DEEP], ids=["linear", "deep"])
def test_a_probe_is_the_same_whatever_probes_are_trained_beside_it(fit: ProbeFit) -> None:
    states = features()
    labels = [readable(states[0]), readable(states[1]), readable(states[0]).flip(0)]
    together = grid(labels, classes=[CLASSES, 20, CLASSES], names="abc").fit(fit)
    alone = grid(labels[2:], names="c").fit(fit)
    for one, same in zip(alone.layers[0], together.layers[2], strict=True):
        for part, its in zip(one, same, strict=True):
            torch.testing.assert_close(part, its, atol=1e-5, rtol=1e-5)


def test_probes_of_other_hidden_states_do_not_change_a_bit() -> None:
    of = mixed_grid()
    alone = grid([of.labels[0]], source=[1], names="a")
    for one, same in zip(alone.fit(DEEP).layers[0], of.fit(DEEP).layers[0], strict=True):
        assert all(map(torch.equal, one, same))


def test_stacks_do_not_change_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    of = mixed_grid()
    assert [*of._stacks(0, DEEP)] == [[1, 2]]
    whole = of.fit(DEEP).predict(TEST)
    monkeypatch.setattr(probing, "_BYTES_PER_STACK", 4 * DEEP.batch_size * max(DEEP.widths))
    assert [*of._stacks(0, DEEP)] == [[1], [2]]
    assert (of.fit(DEEP).predict(TEST) == whole).mean() > 0.99


def test_a_probe_starts_from_its_name_and_the_same_grid_gives_the_same_bytes() -> None:
    labels = [readable(features()[0])] * 2
    once, again = (grid(labels, names="ab").fit(DEEP).layers for _ in range(2))
    for one, other in zip(once[0], again[0], strict=True):
        assert all(map(torch.equal, one, other))
    assert not torch.equal(once[0][0][0], once[1][0][0])


def test_a_probe_with_fewer_classes_than_its_neighbours_predicts_only_its_own() -> None:
    noise = torch.from_numpy(generator("noise").integers(0, 2, N))
    barely = ProbeFit((), epochs=1, batch_size=450, learning_rate=1e-9)
    trained = grid([noise, readable(features()[0])], classes=[2, CLASSES]).fit(barely)
    few, many = trained.predict(np.arange(N))
    assert {*few} <= {0, 1}
    assert {*many} == set(range(CLASSES))


def test_what_is_held_out_does_not_touch_the_training() -> None:
    labels = readable(features()[0])
    of = grid([labels])
    others = labels.clone()
    others[TEST] = 0
    changed = ProbeGrid(**(vars(grid([others])) | {"features": features().clone()}))
    changed.features[:, TEST] = 100.0
    ((one, other),) = zip(of.fit(LINEAR).layers[0], changed.fit(LINEAR).layers[0], strict=True)
    assert all(map(torch.equal, one, other))


def test_scale_and_place_of_the_features_do_not_matter() -> None:
    of = grid([readable(features()[0])])
    moved = ProbeGrid(**(vars(of) | {"features": of.features * 1000 - 50}))
    one, other = of.fit(LINEAR), moved.fit(LINEAR)
    assert (one.predict(TEST) == other.predict(TEST)).mean() > 0.99


def test_directions_are_the_weights_of_a_linear_probe_and_of_no_other() -> None:
    of = grid([readable(features()[0])])
    linear = of.fit(LINEAR)
    (directions,), ((_, bias),) = linear.directions(), linear.layers[0]
    scores = of.standardised(0, torch.from_numpy(TEST)) @ directions
    assert directions.shape == (D, CLASSES)
    assert ((scores + bias).argmax(-1).numpy() == linear.predict(TEST)[0]).all()
    with pytest.raises(ValueError, match="only a linear probe"):
        of.fit(DEEP).directions()
