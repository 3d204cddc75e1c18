"""Training equals a plain torch loop, whatever rides along and wherever it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import xarray as xr
from small import brackets, recipe
from torch import Tensor, nn
from torch_encoder import torch_encoder

from interpflow.errors import InterpflowError
from interpflow.model.packing import pack
from interpflow.model.sites import Sites
from interpflow.model.transformer import build_model
from interpflow.rng import generator
from interpflow.training import devices, loop
from interpflow.training.batches import Batches
from interpflow.training.checkpoints import checkpoint_steps
from interpflow.training.evaluation import evaluate
from interpflow.training.examples import Batch, Examples
from interpflow.training.losses import loss, right
from interpflow.training.optimizers import learning_rate
from interpflow.training.options import TrainingOptions

OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "rmsprop"},
    {"optimizer": "rmsprop", "momentum": 0.5, "weight_decay": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.5, "momentum": 0.9, "weight_decay": 0.01},
    {"optimizer": "adam", "betas": (0.8, 0.95)},
    {"optimizer": "adamw", "weight_decay": 0.5, "schedule": "cosine", "warmup_steps": 3},
]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.npz"


def train(
    of: dict[str, Any],
    state: Path,
    report: Callable[..., None] = lambda *at, **values: None,
    data: xr.Dataset | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    return loop.train(brackets() if data is None else data, of, state, report)


def assert_same_bits(one: xr.Dataset, other: xr.Dataset) -> None:
    for name in one.data_vars:
        assert one[name].values.tobytes() == other[name].values.tobytes(), name


# Against independent implementations


class Plain(nn.Module):
    """The model as people write it, for one seed, from the weights of `start`."""

    def __init__(self, of: dict[str, Any], start: xr.Dataset, row: int):
        super().__init__()
        model = build_model(of["model"], brackets())
        given = {name: torch.tensor(start[name].values) for name in model.shapes}
        self.encoder = torch_encoder(model, given, row)
        self.full = of["model"]["attention"] == "full"
        self.W_E, self.W_U, self.b_U = (
            nn.Parameter(given[name][row]) for name in ("W_E", "W_U", "b_U")
        )

    def forward(self, tokens: Tensor) -> Tensor:
        causal = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        padding = tokens < 0
        hidden = {"src_key_padding_mask": padding} if self.full else {"mask": causal}
        read = self.encoder(self.W_E[torch.where(padding, ~tokens, tokens)], **hidden)
        return torch.sigmoid(read @ self.W_U + self.b_U)


def plain_optimizer(model: nn.Module, of: TrainingOptions) -> torch.optim.Optimizer:
    weights, rate, decay = model.parameters(), of.learning_rate, of.weight_decay
    if of.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, rate, momentum=of.momentum, weight_decay=decay)
    if of.optimizer == "sgd":
        return torch.optim.SGD(weights, rate, momentum=of.momentum, weight_decay=decay)
    if of.optimizer == "adam":
        return torch.optim.Adam(weights, rate, of.betas, weight_decay=decay)
    return torch.optim.AdamW(weights, rate, of.betas, weight_decay=decay)


@pytest.mark.parametrize(
    ("attention", "options"),
    [*(("causal", options) for options in OPTIMIZERS), ("full", OPTIMIZERS[0])],
    ids=str,
)
def test_each_seed_comes_out_as_of_a_plain_torch_loop(
    attention: str, options: dict[str, Any], state: Path
) -> None:
    of = recipe({"heads": 2, "attention": attention}, seeds=(0, 4), steps=20, **options)
    settings = TrainingOptions(**of["training"])
    weights, history = train(of, state)
    examples = Examples(brackets(), "train")
    for row, seed in enumerate(of["seeds"]):
        plain = Plain(of, weights.isel(step=0), row)
        optimizer = plain_optimizer(plain, settings)
        batches, losses = Batches(examples.lengths, settings.batch_size, [seed]), []
        for step in range(20):
            batch = examples.take(np.concatenate(batches.at(step), axis=1)[0])
            expected = F.mse_loss(
                plain(batch.tokens)[batch.scored], batch.targets[batch.scored].float()
            )
            optimizer.zero_grad()
            expected.backward()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(settings, step, 20)
            optimizer.step()
            losses.append(float(expected.detach()))
        before, after = (weights.isel(step=step, seed=row, layer=0) for step in (0, -1))
        (layer,) = plain.encoder.layers
        for name, theirs in {
            "W_E": plain.W_E, "W_U": plain.W_U, "b_U": plain.b_U, "W_in": layer.linear1.weight.T,
            "ln1_w": layer.norm1.weight, "ln2_b": layer.norm2.bias,
        }.items():  # fmt: skip
            ours = after[name].values
            np.testing.assert_allclose(ours, theirs.detach(), atol=2e-4, err_msg=name)
            assert np.abs(ours - before[name].values).max() > 2e-3, name
        mean = history["train_loss"].values[-1, row]
        assert mean == pytest.approx(np.mean(losses), rel=1e-4)


def scheduled(options: TrainingOptions, total: int) -> list[float]:
    """The learning rates of torch's own schedulers."""
    optimizer = torch.optim.SGD([torch.zeros(1)], options.learning_rate)
    warmup, peak, final = (
        options.warmup_steps, options.learning_rate, options.final_learning_rate
    )  # fmt: skip
    schedules = torch.optim.lr_scheduler
    rest = total - warmup
    after: Any = {
        "constant": lambda: schedules.ConstantLR(optimizer, factor=1.0),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, rest, eta_min=final),
        "linear": lambda: schedules.LinearLR(optimizer, 1.0, max(final / peak, 0.0), rest),
    }[options.schedule]
    if warmup > 1:
        before = schedules.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1)
        scheduler: Any = schedules.SequentialLR(optimizer, [before, after()], [warmup])
    else:
        scheduler = after()
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("warmup", [0, 7])
@pytest.mark.parametrize(
    ("schedule", "final"), [("constant", 0.0), ("cosine", 0.0), ("cosine", 1e-3), ("linear", 1e-3)]
)
def test_learning_rates_are_those_of_torchs_schedulers(
    schedule: str, final: float, warmup: int
) -> None:
    of = recipe(
        learning_rate=0.02, schedule=schedule, final_learning_rate=final, warmup_steps=warmup
    )
    options = TrainingOptions(**of["training"])
    ours = [learning_rate(options, step, 40) for step in range(40)]
    np.testing.assert_allclose(ours, scheduled(options, 40), rtol=1e-6)
    assert len(set(ours)) > 1 or (schedule, warmup) == ("constant", 0)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_rate_that_changes_once_an_epoch_is_torchs_scheduler_stepped_once_an_epoch(
    schedule: str,
) -> None:
    every, epochs = 10, 8
    rates: dict[str, Any] = {"learning_rate": 0.02, "final_learning_rate": 2e-3}
    of = recipe(schedule=schedule, schedule_every=every, **rates)
    once = TrainingOptions(**of["training"])
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.02)
    schedules = torch.optim.lr_scheduler
    scheduler = (
        schedules.CosineAnnealingLR(optimizer, epochs, eta_min=2e-3)
        if schedule == "cosine"
        else schedules.LinearLR(optimizer, 1.0, 0.1, epochs)
    )
    for step in range(every * epochs):
        if step and step % every == 0:
            optimizer.step()
            scheduler.step()
        rate = optimizer.param_groups[0]["lr"]
        assert learning_rate(once, step, every * epochs) == pytest.approx(rate, rel=1e-6), step


def test_a_rate_that_falls_at_the_end_alone_changes_from_there_on() -> None:
    of = recipe(
        learning_rate=1.0, schedule="linear", warmup_steps=2, decay_steps=6, schedule_every=3
    )
    options = TrainingOptions(**of["training"])
    rates = [learning_rate(options, step, 12) for step in range(12)]
    assert rates == [0.5, 1, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5]


def random_batch(classes: int, kind: str) -> tuple[Tensor, Batch]:
    random = generator("test losses")
    logits = torch.from_numpy(random.normal(0, 3, (2, 4, 6, classes)))
    size = (4, 6) if kind == "cross_entropy" else (4, 6, classes)
    targets = torch.from_numpy(random.integers(classes if len(size) == 2 else 2, size=size))
    scored = torch.from_numpy(random.random((4, 6)) < 0.6)
    return logits, Batch(torch.zeros(4, 6, dtype=torch.int64), targets, scored)


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        ("cross_entropy", F.cross_entropy),
        ("mse", lambda logits, targets: F.mse_loss(logits.sigmoid(), targets.double())),
        (
            "binary_cross_entropy",
            lambda logits, targets: F.binary_cross_entropy_with_logits(logits, targets.double()),
        ),
    ],
)
def test_losses_are_torchs_over_the_scored_positions(
    kind: str, theirs: Callable[[Tensor, Tensor], Tensor]
) -> None:
    logits, batch = random_batch(5, kind)
    ours = loss(kind, logits, batch)
    for seed in range(2):
        expected = theirs(logits[seed][batch.scored], batch.targets[batch.scored])
        assert float(ours[seed]) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("kind", ["mse", "binary_cross_entropy", "cross_entropy"])
def test_extreme_logits_have_finite_losses_and_gradients(kind: str) -> None:
    _, batch = random_batch(2, kind)
    logits = torch.tensor([-1000.0, 1000.0]).expand(2, 4, 6, 2).clone().requires_grad_()
    losses = loss(kind, logits, batch)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert torch.isfinite(losses).all()
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("kind", ["cross_entropy", "mse"])
def test_a_sequence_is_right_where_every_scored_position_is(kind: str) -> None:
    logits, batch = random_batch(3, kind)
    best = batch.targets if kind == "cross_entropy" else None
    answers = F.one_hot(best, 3) * 2 - 1 if best is not None else batch.targets * 2 - 1
    logits = answers.expand(2, -1, -1, -1).double().clone()
    assert right(kind, logits, batch).all()
    example, position = (int(index[0]) for index in torch.nonzero(batch.scored, as_tuple=True))
    logits[1, example, position] *= -1
    logits[0, ~batch.scored] *= -1  # nobody looks
    expected = torch.ones(2, 4, dtype=torch.bool)
    expected[1, example] = False
    assert torch.equal(right(kind, logits, batch), expected)


# Seeds


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ({"heads": 2}, {"optimizer": "rmsprop"}),
        # 20 and 11 are no multiples of a processor's vector, nor are the 5 sequences of a batch.
        (
            {"norm": "pre", "positions": "learned", "activation": "gelu", "d_model": 20, "d_mlp": 11},
            {"optimizer": "adamw", "loss": "binary_cross_entropy", "batch_size": 5},
        ),
        ({"norm": "none", "d_mlp": 0, "biases": False}, {"optimizer": "adam"}),
        ({}, {"optimizer": "sgd", "momentum": 0.9, "dtype": "bfloat16"}),
        ({"layers": 2, "heads": 2}, {"optimizer": "muon", "momentum": 0.95}),
        ({"layers": 2, "heads": 2}, {"optimizer": "muon", "momentum": 0.95, "dtype": "bfloat16"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_seeds_weights_are_the_same_bits_whatever_seeds_ride_along(
    model: dict[str, Any], options: dict[str, Any], state: Path
) -> None:
    weights, history = train(recipe(model, seeds=range(5), **options), state)
    for seeds in ([3], [4, 3], [0, 1, 2, 7, 3]):
        found = train(recipe(model, seeds=seeds, **options), state)
        for one, together in zip(found, (weights, history), strict=True):
            assert_same_bits(one.sel(seed=3), together.sel(seed=3))


def test_seeds_differ(state: Path) -> None:
    weights, _ = train(recipe(), state)
    for step in range(2):
        assert not weights["W_E"][step, 0].equals(weights["W_E"][step, 1])


# Stopping and going on


class Killed(BaseException):
    pass


def killed_after(steps: int) -> Callable[..., None]:
    def report(step: int, total: int, **values: float) -> None:
        if step == steps:
            raise Killed

    return report


@pytest.fixture
def saving_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_SAVES", -1.0)
    monkeypatch.setattr(loop, "_STEPS_BETWEEN_REPORTS", 1)


@pytest.mark.usefixtures("saving_every_step")
@pytest.mark.parametrize(
    "options",
    [*OPTIMIZERS, {"dtype": "bfloat16"}, {"optimizer": "muon", "momentum": 0.95}],
    ids=str,
)
def test_a_killed_run_goes_on_to_the_same_bytes(options: dict[str, Any], state: Path) -> None:
    of = recipe(steps=14, checkpoints={"linear": 4}, **options)
    undisturbed = train(of, state.with_name("other.npz"))
    steps: list[int] = []
    for kill in (3, 4, 11):
        with pytest.raises(Killed):
            train(of, state, killed_after(kill))
    resumed = train(of, state, lambda step, total, loss: steps.append(step))
    assert steps == [12, 13, 14]
    for one, other in zip(resumed, undisturbed, strict=True):
        assert_same_bits(one, other)


@pytest.mark.usefixtures("saving_every_step")
def test_a_damaged_state_is_no_state_and_training_starts_anew(state: Path) -> None:
    of = recipe(steps=6)
    undisturbed = train(of, state)
    with pytest.raises(Killed):
        train(of, state.with_name("killed.npz"), killed_after(5))
    whole = state.with_name("killed.npz").read_bytes()
    garbage = generator("garbage").bytes(len(whole))
    middle = len(whole) // 2
    damages = [whole[:cut] for cut in np.linspace(0, len(whole) - 1, 10).astype(int)]
    damages += [garbage, whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]]
    for damaged in damages:
        steps: list[int] = []
        state.write_bytes(damaged)
        result = train(of, state, lambda step, total, loss, at=steps: at.append(step))
        assert steps[0] == 1
        for one, other in zip(result, undisturbed, strict=True):
            assert_same_bits(one, other)


@pytest.mark.usefixtures("saving_every_step")
def test_a_state_damaged_anywhere_is_no_error(state: Path) -> None:
    train(recipe(steps=2), state)
    whole = state.read_bytes()
    random = generator("test damage")
    for _ in range(300):
        damaged = bytearray(whole)
        # Headers stand at the start of each array and at the end of the file.
        ends = int(random.integers(3)) * (len(whole) // 2)
        at = (ends + int(random.integers(-400, 400))) % len(whole)
        damaged[at] = int(random.integers(256))
        state.write_bytes(damaged)
        loop.TrainingState.load(state, "cpu")  # raises nothing


# What comes out


def test_checkpoints_are_where_they_were_asked_for() -> None:
    def steps(total: int, **checkpoints: int) -> list[int]:
        of = recipe(checkpoints=checkpoints)
        return checkpoint_steps(TrainingOptions(**of["training"]), total)

    assert steps(100) == [0, 100]
    assert steps(100, linear=4) == [0, 25, 50, 75, 100]
    assert steps(1000, log=3) == [0, 10, 100, 1000]
    assert steps(1000, linear=2, log=3) == [0, 10, 100, 500, 1000]
    assert steps(3, linear=10, log=10) == [0, 1, 2, 3]


def test_a_checkpoint_holds_the_weights_of_its_step(state: Path) -> None:
    weights, history = train(recipe(steps=12, checkpoints={"linear": 3}), state)
    assert weights["step"].values.tolist() == [0, 4, 8, 12] == history["step"].values.tolist()
    four, _ = train(recipe(steps=4), state)
    assert_same_bits(weights.sel(step=4), four.sel(step=4))
    start = build_model(recipe()["model"], brackets()).init([0, 1])
    assert np.array_equal(weights["W_E"].sel(step=0), start["W_E"])


def test_history_says_how_the_checkpoint_does_on_validation(state: Path) -> None:
    of = recipe(steps=6)
    weights, history = train(of, state)
    model = build_model(of["model"], brackets())
    last = {name: torch.from_numpy(weights[name].values[-1]) for name in model.shapes}
    found = evaluate(model, pack(last), Examples(brackets(), "validation"), "mse")
    np.testing.assert_array_equal(history["validation_loss"].values[-1], found.loss)
    np.testing.assert_array_equal(history["validation_accuracy"].values[-1], found.accuracy)
    assert np.isnan(history["train_loss"].values[0]).all()


def test_epochs_are_counted_in_steps(state: Path) -> None:
    weights, _ = train(recipe(epochs=2), state)
    assert weights["step"].values.tolist() == [0, 2 * 13]  # 200 strings in batches of 16


def test_training_learns(state: Path) -> None:
    of = recipe(epochs=12, seeds=(0,), learning_rate=0.01)
    _, history = train(of, state, data=brackets(pairs=1, max_length=12, train_size=60))
    before, after = history["validation_loss"].values[:, 0]
    assert after < 0.5 * before


def test_bfloat16_trains_nearly_as_float32_and_keeps_float32_weights(state: Path) -> None:
    # Few steps: what rounding leaves grows, by RMSprop, from step to step, and not alike on all processors.
    exact, _ = train(recipe(steps=10), state)
    rough, _ = train(recipe(steps=10, dtype="bfloat16"), state)
    assert rough["W_in"].dtype == np.float32
    moved = (exact["W_in"][-1] - exact["W_in"][0]).values.ravel()
    also_moved = (rough["W_in"][-1] - rough["W_in"][0]).values.ravel()
    assert 0.98 < np.corrcoef(moved, also_moved)[0, 1] < 1


def test_evaluation_is_that_of_every_example_alone() -> None:
    of = recipe()
    model, examples = build_model(of["model"], brackets()), Examples(brackets(), "train")
    weights = model.init([0, 1])
    found = evaluate(model, weights, examples, "mse")
    losses = []
    for index in range(len(examples)):
        batch = examples.take(np.array([index]))
        with torch.no_grad():
            logits = model(weights, batch.tokens)
        losses.append(loss("mse", logits, batch).numpy())
        assert (right("mse", logits, batch)[:, 0].numpy() == found.right[:, index]).all()
    assert found.right.shape == (2, 200)
    # Each batch weighs its positions alike, so strings of one batch share its mean.
    np.testing.assert_allclose(found.loss, np.mean(losses, axis=0), rtol=0.02)


def test_evaluation_takes_edits() -> None:
    of = recipe()
    model, examples = build_model(of["model"], brackets()), Examples(brackets(), "train")
    weights = model.init([0])
    site = "blocks.0.hook_resid_post"
    silenced = evaluate(
        model, weights, examples, "mse", lambda: Sites(edits={site: torch.zeros_like})
    )
    expected = evaluate(model, {**weights, "W_U": weights["W_U"] * 0}, examples, "mse")
    np.testing.assert_allclose(silenced.loss, expected.loss)


# Devices


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_with_the_way_out(state: Path) -> None:
    of = recipe() | {"compute": {"device": "cuda", "threads": 1}}
    with pytest.raises(InterpflowError, match=r"torch sees no GPU.*set compute\.device: cpu"):
        train(of, state)


def test_threads_are_what_the_spec_says() -> None:
    devices.use({"device": "cpu", "threads": 2})
    assert torch.get_num_threads() == 2
    devices.use({"device": "cpu", "threads": 1})
    assert torch.get_num_threads() == 1


def test_a_split_that_the_data_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(InterpflowError, match=r"no split 'bin1'.*train, validation"):
        Examples(brackets(), "bin1")
