"""The hard-margin separator is the best there is, and a read-out is measured against it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import xarray as xr
from small import labelled_weights

from interpflow.analyses import margin
from interpflow.methods.margins import hard_margin, nonnegative_least_squares
from interpflow.model.options import ModelOptions
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.runs import Runs
from interpflow.tasks import even_pairs
from interpflow.variables import WEIGHTS


def separable(seed: int, number: int, width: int, gap: float = 0.1) -> np.ndarray:
    """Points times labels, all on one side of a random plane through the origin."""
    random = np.random.default_rng(seed)
    normal = random.normal(size=width)
    points = random.normal(size=(number, width))
    points *= np.sign(points @ normal)[:, None]
    return points + gap * normal / np.linalg.norm(normal)


@pytest.mark.parametrize("seed", range(5))
def test_in_a_plane_no_angle_has_a_larger_margin(seed):
    points = separable(seed, 9, 2)
    w = hard_margin(points)
    angles = np.linspace(0, 2 * math.pi, 200_001)
    every = points @ np.stack([np.cos(angles), np.sin(angles)])
    best = every.min(0).max()
    ours = (points @ w / np.linalg.norm(w)).min()
    assert ours == pytest.approx(1 / np.linalg.norm(w), rel=1e-9)
    between_angles = math.pi / 200_000 * np.linalg.norm(points, axis=1).max()
    assert best - 1e-12 <= ours <= best + between_angles


@pytest.mark.parametrize("gap", [0.1, 1e-3])
@pytest.mark.parametrize(("number", "width"), [(3, 5), (40, 5), (126, 12)])
def test_the_separator_is_a_sum_of_points_that_lie_on_the_margin(number, width, gap):
    """The conditions of Karush, Kuhn and Tucker, which only the best separator meets."""
    points = np.concatenate([separable(1, number, width, gap)] * 2)  # every point twice
    w = hard_margin(points)
    at = points @ w
    assert at.min() == pytest.approx(1, abs=1e-9)
    support = np.unique(points[at < 1 + 1e-7], axis=0)
    share = nonnegative_least_squares(support.T, w)
    assert share.min() >= 0
    np.testing.assert_allclose(support.T @ share, w, atol=1e-8)


def test_points_that_no_plane_separates_have_no_separator():
    assert hard_margin(np.array([[1.0, 0.0], [-1.0, 0.1], [0.0, -1.0]])) is None
    assert hard_margin(np.zeros((3, 4))) is None
    assert hard_margin(np.array([[1.0, 1.0], [-1.0, -1.0]])) is None


@pytest.mark.parametrize("seed", range(3))
def test_nonnegative_least_squares_has_a_gradient_that_only_forbidden_moves_would_follow(seed):
    random = np.random.default_rng(seed)
    matrix, wanted = random.normal(size=(8, 20)), random.normal(size=8)
    x = nonnegative_least_squares(matrix, wanted)
    slope = matrix.T @ (matrix @ x - wanted)
    assert x.min() >= 0 and slope.min() > -1e-8
    np.testing.assert_allclose(slope[x > 0], 0, atol=1e-8)


def runs(biases: bool, **weights: np.ndarray) -> Runs:
    data = even_pairs.generate(even_pairs.Options(longest=3))
    options = ModelOptions(d_model=6, norm="none", positions="none", biases=biases, residual=False)
    model = Transformer(options, data.sizes["token"], 3, 1)
    given = {name: each.numpy() for name, each in labelled_weights(model, [0, 1]).items()}
    labelled = xr.Dataset(
        {name: (WEIGHTS[name].dims, each[None]) for name, each in {**given, **weights}.items()},
        {"step": [7], "seed": [0, 1]},
    )
    return Runs(data, labelled, xr.Dataset(), model, "binary_cross_entropy", "cpu")


@pytest.mark.parametrize("biases", [False, True])
def test_the_margin_is_the_distance_of_the_nearest_example_from_the_plane(biases):
    of = runs(biases)
    found = margin.analyse(of, margin.Options(by="length"))
    data = of.data.isel(example=of.data["split"].values == "validation")
    weights = of.weights_at(7)
    for seed in range(2):
        every: dict[int, list[float]] = {}
        normal = weights["W_U"][seed, :, 0].double().numpy()
        bias = weights["b_U"][seed, 0].double().item() if biases else 0.0
        for one in range(data.sizes["example"]):
            length = int(data["length"][one])
            read = Sites(read=["blocks.0.hook_resid_post"])
            text = torch.from_numpy(data["tokens"].values[one : one + 1, :length].astype(np.int64))
            of.model(weights, text, read)
            x = read.values["blocks.0.hook_resid_post"][seed, 0, -1].double().numpy()
            sign = 1 if data["targets"].values[one, length - 1, 0] else -1
            size = math.sqrt(normal @ normal + bias**2)
            every.setdefault(length, []).append(sign * (x @ normal + bias) / size)
        here = found.isel(seed=seed, step=0)
        assert here["group"].values.tolist() == sorted(every)
        for length, distances in every.items():
            assert here["group_margin"].sel(group=length).item() == pytest.approx(
                min(distances), abs=1e-6
            )
        assert here["margin"].item() == pytest.approx(min(map(min, every.values())), abs=1e-6)


def test_a_read_out_along_the_best_direction_has_cosine_1_and_the_best_margin():
    of = runs(True)
    before = margin.analyse(of, margin.Options(where={"length": 1}))
    assert before["separable"].values.all()
    assert (before["margin"].values <= before["best_margin"].values + 1e-9).all()
    data = of.data.isel(
        example=(of.data["split"] == "validation").values & (of.data["length"] == 1).values
    )
    weights = of.weights_at(7)
    read = Sites(read=["blocks.0.hook_resid_post"])
    of.model(weights, torch.from_numpy(data["tokens"].values[:, :1].astype(np.int64)), read)
    features = read.values["blocks.0.hook_resid_post"][:, :, 0].double().numpy()
    features = np.concatenate([features, np.ones((2, features.shape[1], 1))], -1)
    best = np.stack([hard_margin(each) for each in features])
    of = runs(True, W_U=best[:, :-1, None].astype(np.float32), b_U=best[:, -1:].astype(np.float32))
    found = margin.analyse(of, margin.Options(where={"length": 1})).isel(step=0)
    np.testing.assert_allclose(found["cosine"], 1, atol=1e-5)
    np.testing.assert_allclose(found["cosine_last"], 1, atol=1e-5)
    np.testing.assert_allclose(found["margin"], found["best_margin"], rtol=1e-4)
    assert (found["margin"] > before["margin"].isel(step=0)).all()


def test_a_read_out_of_zeros_has_no_margin():
    of = runs(False, W_U=np.zeros((2, 6, 1), np.float32))
    found = margin.analyse(of, margin.Options())
    assert np.isnan(found["margin"]).all() and np.isnan(found["cosine"]).all()
