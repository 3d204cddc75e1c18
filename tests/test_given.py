"""Findings that come as a file take the place of the runs that made them, and nothing else may lie there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import xarray as xr
import yaml
from built_study import SPEC, build

from interpflow import store, study
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.workflow.specs_folder import plan_study

FILE = "findings/lengths.nc"


@pytest.fixture
def shipped(built: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The entry of a spec for the findings on both experiments."""
    found = "results/laptop/small/analyses/lengths.nc"
    assert main(["ship", found, "--output", FILE]) == 0
    entry: dict[str, str] = yaml.safe_load(capsys.readouterr().out)["given"]["lengths"]
    return entry


def write(folder: Path, given: object, **changed: object) -> None:
    """The study of `built` with a scale `light`, to which findings are `given`."""
    spec = yaml.safe_load(SPEC)
    spec["scales"]["light"] = {"given": given, "task": {"train_size": 40}}
    (folder / "specs/small.yaml").write_text(yaml.safe_dump(spec | changed, sort_keys=False))


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["check", "small"]) == 2
    return capsys.readouterr().err


def test_nothing_is_trained_and_all_that_follows_is_as_it_was(built: Path, shipped: dict[str, str]):
    write(built, {"lengths": shipped})
    plan = plan_study("small", "light")
    assert not plan.jobs["train"]
    assert [names[0] for names in plan.jobs["data"]] == ["plain"]  # strings looks at it
    build(built, "light", (built / "specs/small.yaml").read_text())
    ours, theirs = (
        store.read(f"results/{scale}/small/analyses/lengths.nc") for scale in ("light", "laptop")
    )
    xr.testing.assert_identical(ours.drop_attrs(), theirs.drop_attrs())
    assert ours.attrs["seeds"] == theirs.attrs["seeds"]
    made_by = json.loads(ours.attrs["given_by_recipe"])["made_by"]
    assert made_by["train small/wide/1"]["model"]["d_model"] == 16
    assert made_by["analyse small/lengths/plain"]["options"]["steps"] == "best"
    rows = [
        next(line for line in Path(f"results/{scale}/small/claims.csv").read_text().splitlines()
             if line.startswith("learns")).rsplit(",", 1)[0]
        for scale in ("light", "laptop")
    ]  # fmt: skip
    assert rows[0] == rows[1].replace("One epoch on sixty strings teaches <nothing>.", "")


def test_at_the_prompt_its_experiments_have_no_runs(built: Path, shipped: dict[str, str]):
    write(built, {"lengths": shipped})
    build(built, "light", (built / "specs/small.yaml").read_text())
    results = study("small", scale="light")
    assert results.findings["lengths"].sizes["experiment"] == 2
    assert "runs       plain\n" in repr(results) or "runs: plain\n" in repr(results)
    with pytest.raises(InterpflowError, match="what is found on it comes as a file"):
        results.runs("wide")


def test_findings_whose_making_cannot_be_told_are_not_shipped(built: Path, capsys):
    Path("results/laptop/small/experiments/wide/weights_0.nc").unlink()
    assert main(["ship", "results/laptop/small/analyses/lengths.nc", "--output", FILE]) == 2
    assert "how it was made cannot be told" in capsys.readouterr().err


def test_what_another_analysis_looks_at_is_trained(built: Path, shipped: dict[str, str]):
    spec = yaml.safe_load(SPEC)
    more = spec["analyses"] | {"curves": {"method": "training_curves", "experiments": ["wide"]}}
    write(built, {"lengths": shipped}, analyses=more)
    assert {names[0] for names in plan_study("small", "light").jobs["train"]} == {"wide"}


def test_a_changed_file_makes_its_findings_stale(built: Path, shipped: dict[str, str]):
    write(built, {"lengths": shipped})
    before = plan_study("small", "light").jobs["collect"]["lengths",]
    store.write(store.read(FILE), FILE, {**store.read(FILE).attrs, "note": "another"})
    write(built, {"lengths": shipped | {"sha256": store.sha256(FILE)}})
    assert plan_study("small", "light").jobs["collect"]["lengths",].sha != before.sha


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"length": {}}, "no analysis 'length'; there are: lengths"),
        ({"lengths": {"file": "findings/gone.nc"}}, "no such file; it holds findings"),
        ({"lengths": {"sha256": "0" * 64}}, "not the file that the spec means"),
        ({"lengths": {"sha256": "short"}}, "sha256"),
        ({"strings": {}}, "no 'mean', and the analysis finds 'mean' along"),
    ],
)
def test_a_wrong_entry_is_refused(built, shipped, capsys, given, said):
    write(built, {name: shipped | entry for name, entry in given.items()})
    found = refused(capsys)
    assert "specs/small.yaml:" in found and said in found


def test_findings_on_too_few_experiments_are_refused(built, shipped, capsys):
    found = store.read(FILE)
    store.write(found.sel(experiment=["plain"]), FILE, found.attrs)
    write(built, {"lengths": shipped | {"sha256": store.sha256(FILE)}})
    assert "has no experiment 'wide'; there are: plain" in refused(capsys)


def test_findings_that_were_not_shipped_are_refused(built, capsys):
    path = "results/laptop/small/analyses/lengths.nc"
    write(built, {"lengths": {"file": path, "sha256": store.sha256(path)}})
    assert f"interpflow ship {path} --output" in refused(capsys)


def found_on(experiment: str, name: str) -> str:
    """The file `name` of findings of `lengths` on one experiment, from a machine that trained it alone."""
    spec = yaml.safe_load(SPEC)
    spec["scales"][experiment] = {"only": [experiment]}
    build(Path(), experiment, yaml.safe_dump(spec, sort_keys=False))
    assert main(["ship", f"results/{experiment}/small/analyses/lengths.nc", "--output", name]) == 0
    return name


def test_findings_of_several_machines_are_shipped_as_one_file(built: Path, shipped: dict[str, str]):
    parts = [found_on(name, f"{name}.nc") for name in ("plain", "wide")]
    assert main(["ship", *parts, "--output", "both.nc"]) == 0
    both, whole = store.read("both.nc"), store.read(FILE)
    xr.testing.assert_identical(both.drop_attrs(), whole.drop_attrs())
    assert both.attrs["seeds"] == whole.attrs["seeds"]
    assert len(json.loads(both.attrs["inputs"])) == len(json.loads(whole.attrs["inputs"])) == 2
    assert json.loads(both.attrs["recipe"]) == json.loads(whole.attrs["recipe"])
    write(built, {"lengths": {"file": "both.nc", "sha256": store.sha256("both.nc")}})
    assert not plan_study("small", "light").jobs["train"]


def test_findings_on_several_tasks_say_how_the_data_of_each_were_made(built: Path, capsys):
    spec = yaml.safe_load(SPEC)
    spec["experiments"]["wide"]["task"] = {"train_size": 50}
    spec["scales"] |= {name: {"only": [name]} for name in ("plain", "wide")}
    for scale in ("laptop", "plain", "wide"):
        build(Path(), scale, yaml.safe_dump(spec, sort_keys=False))
        found = f"results/{scale}/small/analyses/lengths.nc"
        assert main(["ship", found, "--output", f"{scale}.nc"]) == 0
    assert main(["ship", "plain.nc", "wide.nc", "--output", "both.nc"]) == 0
    assert main(["ship", "wide.nc", "plain.nc", "--output", "other.nc"]) == 0
    for name in ("laptop.nc", "both.nc", "other.nc"):
        made = json.loads(store.read_attributes(name)["recipe"])["made_by"]
        tasks = [read["task"] for label, read in made.items() if label.startswith("data ")]
        assert sorted(task["train_size"] for task in tasks) == [50, 60], name


def test_findings_that_do_not_go_together_are_not_shipped(built: Path, shipped, capsys):
    plain = found_on("plain", "plain.nc")
    assert main(["ship", plain, FILE, "--output", "both.nc"]) == 2
    assert "have findings on 'plain' twice" in capsys.readouterr().err
    wide = store.read(found_on("wide", "wide.nc"))
    recipe = json.loads(wide.attrs["recipe"])
    made_by = recipe["made_by"] | {"train small/plain/0": {"training": "another"}}
    for changed, said in (
        (
            wide.assign_attrs(recipe=json.dumps(recipe | {"analysis": "strings"})),
            "not findings of one analysis",
        ),
        (
            wide.assign_attrs(recipe=json.dumps(recipe | {"made_by": made_by})),
            "rest on 'train small/plain/0', which was made in several ways",
        ),
    ):
        store.write(changed, "wide.nc", changed.attrs)
        assert main(["ship", plain, "wide.nc", "--output", "both.nc"]) == 2
        assert said in capsys.readouterr().err
    assert not Path("both.nc").exists()


def test_an_analysis_that_goes_on_from_them_is_refused(built, shipped, capsys):
    spec = yaml.safe_load(SPEC)
    first = {"method": "training_curves", "experiments": ["plain"]}
    curves = {"loss": {"data": "curves", "variable": "validation_loss"}}
    stages = {"method": "stages", "experiments": ["plain"], "data": ["curves"], "curves": curves}
    analyses = spec["analyses"] | {"curves": first, "stages": stages}
    write(built, {}, analyses=analyses)
    build(built, "light", (built / "specs/small.yaml").read_text())
    assert main(["ship", "results/light/small/analyses/curves.nc", "--output", "c.nc"]) == 0
    given = {"curves": {"file": "c.nc", "sha256": store.sha256("c.nc")}}
    write(built, given, analyses=analyses)
    assert "goes on from 'curves', whose findings come as a file" in refused(capsys)


def test_what_is_no_findings_is_not_shipped(built, capsys):
    shutil.copy("results/laptop/small/data/plain.nc", "data.nc")
    assert main(["ship", "data.nc", "--output", FILE]) == 2
    assert "no findings on experiments" in capsys.readouterr().err
