"""A file says what it holds, where it comes from, and what rebuilds it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import xarray as xr

from interpflow import store
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.record import provenance
from interpflow.record.machine import made_with

RESULTS = "results/laptop/small"
FINDINGS, FIGURE = f"{RESULTS}/analyses/lengths.nc", "figures/laptop/small/bins"


def shown(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["show", path]) == 0
    return capsys.readouterr().out


def test_a_dataset_shows_dims_coordinates_variables_and_what_they_mean(built, capsys):
    text = shown(f"{RESULTS}/data/plain.nc", capsys)
    assert "example 80, position 12" in text
    assert "split (example) " in text
    assert "    train, validation\n" in text
    assert "length (example) int64\n    sequence length [token]\n    2 to 12, mean " in text


@pytest.mark.parametrize("path", [FINDINGS, f"{FIGURE}.svg", f"{FIGURE}.png", f"{FIGURE}.json"])
def test_the_chain_leads_from_the_file_to_the_data_with_all_it_read_of_the_spec(
    built, capsys, path
):
    text = shown(path, capsys)
    links = provenance.chain(path)
    stages = [link.origin.stage for link in links]
    drawn = ["figure"] if path.startswith(FIGURE) else []
    assert stages == [*drawn, "collect", *["analyse"] * 2, *["train"] * 4, "data"]
    places = [text.index(link.sha[:16]) for link in links]
    assert places == sorted(places)
    for part in (
        "data/plain.nc",
        "weights_0.nc",
        "history_1.nc",
        "lengths/wide.nc",
        "max_length: 12",
        "d_model: 16",
    ):
        assert part in text


def test_a_figure_shows_its_caption(built, capsys):
    assert "Accuracy <script>by</script> length_" in shown(f"{FIGURE}.png", capsys)


def test_the_command_rebuilds_the_file_that_was_asked_about(built, capsys):
    last = shown(FINDINGS, capsys).splitlines()[-1]
    assert last == f"  snakemake --cores all --config scale=laptop --force {FINDINGS}"


def test_a_dataset_says_what_it_was_made_with(built, capsys):
    assert made_with() in shown(FINDINGS, capsys)


def test_a_scorecard_says_where_it_comes_from(built, capsys):
    text = shown(f"{RESULTS}/claims.csv", capsys)
    assert "claims small, recipe " in text
    assert FINDINGS in text


def test_a_scorecard_shows_each_claim_with_the_papers_value_and_ours(built, capsys):
    lines = shown(f"{RESULTS}/claims.csv", capsys).splitlines()[1:3]
    row = next(csv.DictReader(Path(f"{RESULTS}/claims.csv").read_text().splitlines()))
    ours = f"ours {float(row['ours']):.4g}, in {row['holding']} of {row['seeds']} seeds"
    assert lines[0].split(maxsplit=2) == [row["verdict"], "learns", f"at least 0.9; {ours}"]
    assert lines[1].split(maxsplit=2) == ["holds", "long", "12; ours 12"]


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "claim,verdict\n",
        "claim,verdict\nlearns\n",
        "claim,verdict,relation,paper,ours\na,b,c,d,e\n",
    ],
)
def test_a_damaged_scorecard_is_named(built, capsys, damaged: str):
    Path(f"{RESULTS}/claims.csv").write_text(damaged)
    assert main(["show", f"{RESULTS}/claims.csv"]) == 2
    assert "claims.csv: not a scorecard, or damaged; rebuild it" in capsys.readouterr().err


def test_missing_values_are_counted(built, capsys):
    dataset = xr.Dataset({"accuracy": ("i", [0.25, float("nan"), *[0.5] * 20])})
    attrs = store.read_attributes(FINDINGS)
    store.write(dataset, "results/x.nc", attrs)
    assert "0.25 to 0.5, mean 0.488095; 1 of 22 missing" in shown("results/x.nc", capsys)


def test_the_chain_ends_where_a_file_is_gone_damaged_or_of_another_recipe(built, capsys):
    gone, cut, other = (
        f"{RESULTS}/analyses/lengths/plain.nc",
        f"{RESULTS}/analyses/lengths/wide.nc",
        FINDINGS,
    )
    Path(gone).unlink()
    Path(cut).write_bytes(Path(cut).read_bytes()[:2000])
    text = shown(FINDINGS, capsys)
    assert f"{gone}: no such file; rebuild it with: snakemake" in text
    assert f"{cut}: damaged: cut off after 2000 of " in text
    assert "data/" not in text

    store.write(store.read(other), other, {"recipe_sha256": "f" * 64})
    text = shown(f"{FIGURE}.svg", capsys)
    assert f"{other}: made anew since, by recipe ffffffffffffffff" in text


def test_data_that_another_experiment_calls_by_its_name_now_are_found_by_their_recipe(
    built, capsys
):
    Path(f"{RESULTS}/data/plain.nc").rename(f"{RESULTS}/data/before.nc")
    text = shown(FINDINGS, capsys)
    assert f"    {RESULTS}/data/before.nc" in text
    assert "no such file" not in text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("results/none.nc", "no such file; rebuild it with"),
        ("figures/none.svg", "no such file; rebuild it with"),
        (f"{RESULTS}/manifest.json", "not the account of a figure"),
        ("specs/small.yaml", "neither a dataset"),
        ("bare.nc", "does not say which recipe made it"),
    ],
)
def test_what_has_no_account_of_its_making_is_refused(built, path, message):
    store.write(xr.Dataset({"x": 1.0}), "bare.nc")
    with pytest.raises(InterpflowError, match=message):
        provenance.chain(path)
