"""`keep` stores a run, and `diff` says what moved since: claims, variables and figures."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from built_study import SPEC, build

from interpflow import store
from interpflow.__main__ import main
from interpflow.diff import distances
from interpflow.diff.asked import sides
from interpflow.diff.compare import Compared, compare
from interpflow.diff.side import Side
from interpflow.record import scorecard

CLAIMS = "results/laptop/small/claims.csv"
FINDINGS = "results/laptop/small/analyses/{}.nc"
SPEC_FILE = Path("specs/small.yaml")


def edited(old: str, new: str) -> str:
    assert SPEC.count(old) == 1
    return SPEC.replace(old, new)


def diff(before: str, after: str) -> Compared:
    (one,), (other,) = sides(before), sides(after)
    return compare(one, other)


def at(text: str) -> str:
    """The place of a text in the spec."""
    (line,) = [n for n, each in enumerate(SPEC_FILE.read_text().splitlines(), 1) if text in each]
    return f"{SPEC_FILE}:{line}"


@pytest.fixture
def kept(built: Path) -> Path:
    assert main(["keep", "before", "small"]) == 0
    return Path("kept/before/small")


def test_without_an_edit_nothing_differs(kept, capsys):
    assert main(["diff", "before", "small"]) == 0
    assert capsys.readouterr().out == "nothing differs\n"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("learning_rate: 1.0e-3", "learning_rate: 5.0e-2", "training.learning_rate 0.05 instead of 0.001"),
        ("expected: 12", "expected: 13", "claims.long.expected 13.0 instead of 12.0"),
        ("caption: Again", "caption: Anew", "figures.wide_bins.caption Anew instead of Again"),
        ("max_length: 12", "max_length: 14", "task.max_length 14 instead of 12"),
    ],
)  # fmt: skip
def test_an_edit_is_one_key_and_the_claims_that_moved(kept, capsys, old: str, new: str, key: str):
    old_rows = scorecard.read(kept / "claims.csv").set_index("claim")
    build(Path(), spec=edited(old, new))
    new_rows = scorecard.read(CLAIMS).set_index("claim")
    found = diff("before", "small")
    assert [(each.where, each.what) for each in found.keys] == [(at(new), key)]
    columns = ["ours", "verdict"]
    assert [each.claim for each in found.claims] == [
        claim for claim in new_rows.index
        if tuple(new_rows.loc[claim, columns]) != tuple(old_rows.loc[claim, columns])
    ]  # fmt: skip
    assert (found.code, found.new, found.gone, found.notes) == ([], [], [], [])
    for analysis in ("lengths", "strings"):
        before = store.read(kept / f"findings/{analysis}.nc")
        named = {each.variable for each in found.variables if each.variable.startswith(analysis)}
        same = before.equals(store.read(FINDINGS.format(analysis)))
        assert bool(named) != same
    assert main(["diff", "before", "small"]) == 0
    assert f"  {at(new)}: {key}\n" in capsys.readouterr().out


def test_results_that_are_not_made_by_the_spec_are_left_out_and_named(kept, capsys):
    SPEC_FILE.write_text(edited("variables: [length]", "variables: [length, split]"))
    main(["diff", "before", "small"])
    said = capsys.readouterr().out
    assert "analyses.strings.variables [length, split] instead of [length]" in said
    assert "results/laptop/small/analyses/strings.nc is stale" in said
    assert "interpflow run small --scale laptop" in said
    assert "claims that moved" not in said


def test_scales_of_one_spec_are_compared(built):
    build(built, "smoke")
    found = diff("small", "small@smoke")
    told = {each.what: each.where for each in found.keys}
    assert told["training.learning_rate 0.01 instead of 0.001"] == at("scales:").replace(
        at("scales:").split(":")[1], at("smoke:").split(":")[1]
    )
    assert ("train", "wide", "0") in found.gone
    assert not any(what.startswith("scale ") for what in told)


def test_files_of_specs_are_compared(built, tmp_path):
    other = tmp_path / "other/small.yaml"
    other.parent.mkdir()
    other.write_text(edited("caption: Again", "caption: Anew"))
    found = diff("small", str(other))
    assert [each.what for each in found.keys] == ["figures.wide_bins.caption Anew instead of Again"]
    assert found.claims == found.variables == []  # results that both recipes made are the same


def test_a_revision_of_git_has_its_spec(built):
    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    git("init")
    git("add", "specs")
    git("commit", "-m", "first")
    SPEC_FILE.write_text(edited("learning_rate: 1.0e-3", "learning_rate: 2.0e-3"))
    found = diff("small@HEAD", "small")
    (changed,) = found.keys
    assert changed.what == "training.learning_rate 0.002 instead of 0.001"
    assert changed.where == at("2.0e-3")
    assert diff("small@laptop@HEAD", "small").keys == found.keys
    (changed,) = diff("small", "small@HEAD").keys
    assert changed.where == "specs/small.yaml@HEAD:" + at("2.0e-3").split(":")[1]


def test_a_manifest_has_claims_and_fingerprints(kept):
    build(Path(), spec=edited("learning_rate: 1.0e-3", "learning_rate: 5.0e-2"))
    by_values = diff("before", "small")
    by_prints = diff(str(kept / "manifest.json"), "small")
    assert by_prints.claims == by_values.claims
    assert by_prints.keys == []
    assert "which has none" in by_prints.notes[0]
    furthest = {each.variable: each for each in by_values.variables}
    assert {each.variable for each in by_prints.variables if each.relative} <= {*furthest}


def test_findings_too_large_to_keep_are_compared_by_fingerprints(built, monkeypatch):
    monkeypatch.setattr("interpflow.diff.kept._SMALL", 0)
    main(["keep", "before", "small"])
    assert [*Path("kept/before/small/findings").iterdir()] == []
    assert diff("before", "small").variables == []
    build(Path(), spec=edited("learning_rate: 1.0e-3", "learning_rate: 5.0e-2"))
    assert "lengths.loss" in {each.variable for each in diff("before", "small").variables}


def test_the_page_has_the_figures_side_by_side_and_laid_on_each_other_and_needs_no_network(kept):
    faster = edited("learning_rate: 1.0e-3", "learning_rate: 5.0e-2")
    build(Path(), spec=faster.replace("at_least: 0.9", "at_least: 0.5"))
    assert main(["diff", "before", "small", "--html", "page.html"]) == 0
    page = Path("page.html").read_text()
    laid, shown = page.count('<div class="laid">'), page.count("data:image/svg+xml;base64,")
    assert laid == 2, "both figures have the mark of the claim"
    assert shown == laid * (2 + 3), "beside each other, and one on the other"
    assert "training.learning_rate 0.05 instead of 0.001" in page
    assert "<script" not in page and "http" not in page
    main(["diff", "before", "small", "--html", "again.html"])
    assert Path("again.html").read_text() == page


def test_what_is_kept_is_there_whole_or_not_at_all(built, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copy", full)
        assert main(["keep", "before", "small"]) == 2
    assert [*Path("kept").iterdir()] == []
    assert main(["keep", "before"]) == 0  # of all that have run
    assert json.loads(Path("kept/before/small/kept.json").read_text())["scale"] == "laptop"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["keep", "before", "small"], "rm -r kept/before"),
        (["keep", "Be fore"], "a name is"),
        (["keep", "small"], "'small' is a study"),
        (["keep", "other", "smal"], "did you mean 'small'?"),
        (["diff", "befor", "small"], "did you mean 'before'?"),
        (["diff", "before", "small@smok"], "did you mean 'smoke'?"),
        (["diff", "before", "none.json"], "no such manifest"),
    ],
)
def test_what_cannot_be_is_said_with_the_way_out(kept, capsys, words: list[str], says: str):
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_a_run_that_is_not_the_specs_is_not_kept(built, capsys):
    SPEC_FILE.write_text(edited("caption: Again", "caption: Anew"))
    assert main(["keep", "before", "small"]) == 2
    assert "wide_bins.svg is stale" in capsys.readouterr().err
    assert not Path("kept/before").exists()


def test_distances_are_the_largest_and_of_labels_that_both_have(tmp_path):
    def side(**variables: object) -> Side:
        path = tmp_path / f"{len([*tmp_path.iterdir()])}.nc"
        store.write(xr.Dataset(variables), path, {})
        return Side("small", "laptop", findings={"found": path})

    def of(seeds: list[int], values: list[float]) -> xr.DataArray:
        return xr.DataArray(values, {"seed": seeds})

    same = xr.DataArray(3.0)
    before = side(x=of([0, 1, 2], [1.0, 2.0, np.nan]), y=same, z=same)
    after = side(x=of([1, 2, 3], [2.5, np.nan, 9.0]), z=same, w=same)
    told = {each.variable: each for each in distances.apart(before, after)}
    assert (told["found.x"].absolute, told["found.x"].relative) == (0.5, 0.2)
    assert told["found.x"].note == "of the labels that both have"
    assert told["found.y"].note == "is gone" and told["found.w"].note == "is new"
    assert "found.z" not in told
