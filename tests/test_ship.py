"""`ship` writes what a spec can name, and prints how."""

from __future__ import annotations

import json

import numpy as np
import yaml

from interpflow import store
from interpflow.__main__ import main
from interpflow.training import weights_file


def test_what_is_shipped_takes_the_place_of_the_training_it_came_from(built, capsys, tmp_path):
    trained = built / "results/laptop/small/experiments/plain/weights_0.nc"
    output = tmp_path / "plain.nc"
    assert main(["ship", str(trained), "--output", str(output)]) == 0
    named = yaml.safe_load(capsys.readouterr().out)["start"]
    before = store.read(trained)
    recipe = json.loads(before.attrs["recipe"])
    recipe["training"]["start"] = named
    data = store.read(built / "results/laptop/small/data/plain.nc")
    given, _ = weights_file.read(data, recipe)
    np.testing.assert_array_equal(given["W_E"].values[-1], before["W_E"].values[-1])
    assert json.loads(store.read(output).attrs["recipe"]) == json.loads(before.attrs["recipe"])


def test_a_shipped_file_shows_what_it_holds_and_how_it_was_made(built, tmp_path, capsys):
    trained = built / "results/laptop/small/experiments/plain/weights_0.nc"
    main(["ship", str(trained), "--output", str(tmp_path / "plain.nc")])
    capsys.readouterr()
    assert main(["show", str(tmp_path / "plain.nc")]) == 0
    text = capsys.readouterr().out
    assert "W_E (step, seed, " in text
    assert "d_model: 8" in text and "learning_rate: " in text


def test_a_file_without_weights_is_refused(built, tmp_path, capsys):
    data = built / "results/laptop/small/data/plain.nc"
    assert main(["ship", str(data), "--output", str(tmp_path / "no.nc")]) == 2
    assert "no weights in it" in capsys.readouterr().err


def test_several_checkpoints_are_shipped_where_they_are_asked_for(built, tmp_path):
    trained = built / "results/laptop/small/experiments/plain/weights_0.nc"
    before = store.read(trained)["step"].values.tolist()
    output = tmp_path / "plain.nc"
    assert main(["ship", str(trained), "--steps", "all", "--output", str(output)]) == 0
    assert store.read(output)["step"].values.tolist() == before
    assert main(["ship", str(trained), "--steps", "2", "--output", str(output)]) == 0
    assert store.read(output)["step"].values.tolist() == [before[0], before[-1]]


def test_the_chunks_of_one_experiment_are_shipped_together(built, tmp_path, capsys):
    folder = built / "results/laptop/small/experiments"
    plain = [str(folder / f"plain/weights_{chunk}.nc") for chunk in "01"]
    output = tmp_path / "plain.nc"
    assert main(["ship", *plain, "--output", str(output)]) == 0
    shipped = store.read(output)
    assert shipped["seed"].values.tolist() == [0, 1]
    for seed, chunk in enumerate(plain):
        there = shipped["W_E"].sel(seed=seed).values[-1]
        np.testing.assert_array_equal(there, store.read(chunk)["W_E"].sel(seed=seed).values[-1])
    other = str(folder / "wide/weights_1.nc")
    assert main(["ship", plain[0], other, "--output", str(tmp_path / "two.nc")]) == 2


def test_the_same_seeds_twice_are_refused(built, tmp_path, capsys):
    trained = str(built / "results/laptop/small/experiments/plain/weights_0.nc")
    assert main(["ship", trained, trained, "--output", str(tmp_path / "twice.nc")]) == 2
    assert "not the seeds of one experiment" in capsys.readouterr().err
