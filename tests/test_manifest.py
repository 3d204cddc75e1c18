"""A manifest tells later what happened to each file: nothing, a little, or too much."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from interpflow import store
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.record import manifest
from interpflow.record.comparison import compare
from interpflow.record.fingerprint import distance, fingerprint
from interpflow.record.machine import cpu_capability, made_with

NC, CSV, FIGURE = "results/x/found.nc", "results/x/claims.csv", "figures/x/drawn.svg"


def findings() -> xr.Dataset:
    random = np.random.default_rng(1)
    values = random.normal(3.0, 1.0, (50, 400))
    values[:, 7] = np.nan
    return xr.Dataset(
        {
            "accuracy": (("seed", "step"), values.astype(np.float32)),
            "tokens": ("step", random.integers(0, 9, 400).astype(np.uint8)),
            "word": ("seed", [f"w{seed}" for seed in range(50)]),
        },
        {"seed": range(50)},
    )


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, list[str]]:
    """A dataset, a table and a figure of the dataset, by path with what they are made from."""
    monkeypatch.chdir(tmp_path)
    store.write(findings(), NC)
    Path(CSV).write_text("claim,ours,seeds,verdict\na,0.5,2,holds\nb,,,not measured\n")
    Path(FIGURE).parent.mkdir(parents=True)
    Path(FIGURE).write_text("<svg><g/></svg>")
    return {NC: [], CSV: [NC], FIGURE: [NC]}


@pytest.fixture
def statuses(files) -> Callable[..., dict[str, str]]:
    """Says how the files are, against the manifest of how they were at the start of the test."""
    manifest.write("manifest.json", {"study": "x", "scale": "x"}, files)
    recorded = manifest.read("manifest.json")["files"]

    def compare_now(tolerance: float = 1e-4) -> dict[str, str]:
        return {found.path: found.status for found in compare(recorded, tolerance)}

    return compare_now


def rewrite(change: Callable[[xr.Dataset], xr.Dataset | None], **attrs: str) -> None:
    dataset = store.read(NC)
    store.write(changed if (changed := change(dataset)) is not None else dataset, NC, attrs)


def test_files_as_they_were_are_identical(statuses):
    assert set(statuses().values()) == {"identical"}


def test_the_manifest_of_the_same_files_has_the_same_bytes(files):
    manifest.write("one.json", {"study": "x"}, files)
    manifest.write("two.json", {"study": "x"}, dict(reversed(files.items())))
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


def test_the_manifest_says_what_a_variable_holds_without_the_file(files):
    manifest.write("manifest.json", {}, files)
    Path(NC).unlink()
    held = manifest.read("manifest.json")["files"][NC]["variables"]
    values = findings()["accuracy"].values
    assert held["accuracy"]["dims"] == ["seed", "step"]
    assert held["accuracy"]["shape"] == [50, 400]
    assert held["accuracy"]["dtype"] == "float32"
    assert held["accuracy"]["nan"] == 50
    assert held["accuracy"]["min"] == pytest.approx(np.nanmin(values))
    assert held["accuracy"]["mean"] == pytest.approx(np.nanmean(values))
    assert held["tokens"]["max"] == 8
    assert held["word"]["dtype"] == "text"
    assert "seed" in held


def test_other_attributes_leave_the_values_equal(statuses):
    rewrite(lambda dataset: None, recipe="another")
    assert statuses()[NC] == "equal within tolerance"


@pytest.mark.parametrize(
    ("noise", "status"), [(1e-6, "equal within tolerance"), (1e-3, "different")]
)
def test_floating_point_noise_is_held_against_the_tolerance(statuses, noise, status):
    random = np.random.default_rng(2)

    def shake(dataset: xr.Dataset) -> None:
        dataset["accuracy"] *= (1 + noise * random.normal(size=(50, 400))).astype(np.float32)

    rewrite(shake)
    assert statuses()[NC] == status
    assert statuses(tolerance=1e-2)[NC] == "equal within tolerance"


def test_one_value_that_is_far_off_among_many_is_seen(statuses):
    def move(dataset: xr.Dataset) -> None:
        dataset["accuracy"][20, 100] += 1.0

    rewrite(move)
    assert statuses()[NC] == "different"


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset: dataset.assign(tokens=dataset["tokens"].roll(step=1)),
        lambda dataset: dataset.assign(accuracy=dataset["accuracy"].roll(step=1)),
        lambda dataset: dataset.assign(accuracy=dataset["accuracy"].fillna(3.0)),
        lambda dataset: dataset.assign(accuracy=dataset["accuracy"].astype(np.float64)),
        lambda dataset: dataset.assign_coords(seed=range(1, 51)),
        lambda dataset: dataset.assign(word=("seed", ["w"] * 50)),
        lambda dataset: dataset.drop_vars("tokens"),
        lambda dataset: dataset.assign(more=("seed", range(50))),
        lambda dataset: dataset.transpose("step", "seed"),
        lambda dataset: dataset.rename(step="position"),
        lambda dataset: dataset.isel(seed=slice(49)),
    ],
    ids=[
        "whole numbers moved", "numbers moved", "missing filled", "type", "coordinate", "words",
        "variable gone", "variable new", "transposed", "dim renamed", "seed gone",
    ],
)  # fmt: skip
def test_what_no_tolerance_excuses_is_different(statuses, change):
    rewrite(change)
    assert statuses(tolerance=1e-2)[NC] == "different"


def test_a_scorecard_is_held_against_the_tolerance_too(statuses):
    text = Path(CSV).read_text()
    Path(CSV).write_text(text.replace("0.5", "0.50000001"))
    assert statuses()[CSV] == "equal within tolerance"
    Path(CSV).write_text(text.replace("holds", "differs"))
    assert statuses()[CSV] == "different"


def test_a_figure_of_equal_data_is_drawn_differently_and_one_of_other_data_is_different(statuses):
    Path(FIGURE).write_text("<svg><g/><g/></svg>")
    assert statuses()[FIGURE] == "drawn differently"
    rewrite(lambda dataset: dataset.isel(seed=slice(9)))
    assert statuses()[FIGURE] == "different"


def test_gone_is_missing_and_cut_is_damaged(statuses):
    for path in (NC, FIGURE):
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: len(content) // 2])
        assert statuses()[path] == "damaged"
        Path(path).unlink()
        assert statuses()[path] == "missing"


@pytest.mark.parametrize("size", [1, 1000, 200_000])
@pytest.mark.parametrize("share", [1e-6, 1e-2])
def test_the_distance_is_estimated_within_a_factor_of_two(size, share):
    random = np.random.default_rng(size)
    values = random.normal(1.0, 2.0, size)
    moved = values + share * 2.0 * random.normal(size=size)
    true = np.sqrt(np.mean((moved - values) ** 2) / np.mean(values**2))
    found = distance(*(fingerprint(xr.Variable("i", each)) for each in (values, moved)))
    assert true / 2 < found < 2 * true


def test_values_that_changed_places_are_seen_however_far_they_went():
    values = np.random.default_rng(3).normal(size=1 << 17)
    for by in (1, 256, 1 << 16):
        moved = np.roll(values, by)
        pair = (fingerprint(xr.Variable("i", each)) for each in (values, moved))
        assert distance(*pair) > 0.5


def test_a_renamed_dim_is_different_though_every_value_is_where_it_was(files):
    for dim, status in (("step", "identical"), ("position", "different")):
        store.write(xr.Dataset({"x": (dim, np.ones(3))}), NC)
        if dim == "step":
            manifest.write("floats.json", {}, {NC: []})
        (found,) = compare(manifest.read("floats.json")["files"], 1e-4)
        assert found.status == status


def test_verify_passes_what_a_run_left_and_names_what_was_changed_since(built, capsys):
    assert main(["verify"]) == 0
    said = capsys.readouterr().out
    assert " identical" in said.splitlines()[-1]
    assert said.count("identical  ") == len(
        manifest.read("results/laptop/small/manifest.json")["files"]
    )

    path = "results/laptop/small/data/plain.nc"
    content = bytearray(Path(path).read_bytes())
    Path(path).write_bytes(content[:-100])
    assert main(["verify", "small"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if path in line)
    assert line.split()[0] == "damaged"
    assert f"snakemake --cores all --config scale=laptop --force {path}" in line


def test_verify_holds_this_folder_against_the_manifest_of_another_machine(built, capsys):
    other = json.loads(Path("results/laptop/small/manifest.json").read_text())
    Path("other.json").write_text(json.dumps(other))
    shutil.rmtree("figures")
    assert main(["verify", "--manifest", "other.json"]) == 1
    assert "8 missing" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"format": "another"}'])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InterpflowError, match=r"manifest\.json: (no such|not a) manifest"):
        manifest.read(path)


def test_verify_without_a_run_says_how_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "--scale", "smoke"]) == 2
    assert "snakemake --cores all --config scale=smoke" in capsys.readouterr().err


def test_what_made_the_files_is_told_where_it_is_another_machine_and_identical_values_are_identical(
    built, capsys
):
    path = Path("results/laptop/small/manifest.json")
    content = manifest.read(path)
    assert content["made_with"] == [made_with()]
    assert main(["verify"]) == 0
    assert "made with" not in capsys.readouterr().out

    elsewhere = "interpflow 0.0.9, torch 1.0; Linux x86_64 with AVX512"
    manifest.save(path, {**content, "made_with": [elsewhere]})
    for file in Path("results").rglob("*.nc"):  # the bytes differ, the values do not
        found = store.read(file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "made_with", lambda: elsewhere)
            store.write(found, file)
    assert main(["verify"]) == 0
    said = capsys.readouterr().out
    assert f"made with {elsewhere}" in said
    assert f"here      {made_with()}" in said
    assert "equal within" not in said
    assert "missing" not in said


def test_the_furthest_variable_is_named_with_its_distance(built, capsys):
    path = "results/laptop/small/analyses/lengths.nc"
    changed = store.read(path)
    changed["accuracy"] = changed["accuracy"].astype(np.float64) + 3e-6
    changed["accuracy"].attrs = store.read(path)["accuracy"].attrs
    store.write(changed, path)
    main(["verify", "--tolerance", "1e9"])
    last = next(line for line in capsys.readouterr().out.splitlines() if " files: " in line)
    assert f"furthest off: accuracy in {path}, by " in last


def test_another_recipe_is_a_reason(built, capsys):
    path = "results/laptop/small/analyses/lengths.nc"
    store.write(store.read(path).isel(seed=[0]), path, {"recipe_sha256": "f" * 64})
    assert main(["verify"]) == 1
    line = next(one for one in capsys.readouterr().out.splitlines() if path in one)
    assert "different" in line
    assert "made by another recipe" in line


def test_a_reference_is_written_from_files_as_they_were_made_and_held_against_later(built, capsys):
    assert main(["verify", "--reference"]) == 0
    assert "reference/: no reference yet; write it with" in capsys.readouterr().out
    assert main(["verify", "--write-reference"]) == 0
    assert main(["verify", "--reference"]) == 0
    assert "against reference/small.json" in capsys.readouterr().out
    assert main(["verify", "small", "other", "--reference"]) == 0
    assert "reference/other.json: no reference yet" in capsys.readouterr().out

    path = "results/laptop/small/analyses/lengths.nc"
    store.write(store.read(path).isel(seed=[0]), path)
    assert main(["verify", "--reference"]) == 1
    assert main(["verify", "--write-reference"]) == 2
    assert "it is no reference; run" in capsys.readouterr().err


def test_files_of_no_spec_are_listed_and_removed_on_request(built, capsys):
    assert main(["verify"]) == 0
    assert "No spec makes" not in capsys.readouterr().out
    results, figures = Path("results/laptop"), Path("figures/laptop")
    strays = [
        figures / "small/old.svg", results / "small/analyses/gone/plain.nc", results / "renamed/claims.csv",
        results / "notes.txt", results / "small/.claims.csv.elsewhere.1.part",
    ]  # fmt: skip
    kept = [
        results / "small/.state/plain.0.npz", results / "README.md", results / "draft/claims.csv",
        figures / ".DS_Store", results / "report.html", Path("results/paper/other/claims.csv"),
        results / f"small/.claims.csv.{platform.node()}.{os.getppid()}.part",
    ]  # fmt: skip
    for path in (*strays, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("stray")
    os.utime(strays[-1], (0, 0))
    Path("specs/draft.yaml.off").write_text("")
    whole = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}

    assert main(["verify"]) == 0
    listed = capsys.readouterr().out.split("No spec makes these")[1].splitlines()[1:]
    assert {Path(line.strip()) for line in listed} == {*strays}
    assert {path for path in Path().rglob("*") if path.is_file()} == {*whole}

    assert main(["verify", "--remove-foreign"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {*said} == {f"removed {path}" for path in strays}
    left = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert left == {path: content for path, content in whole.items() if path not in strays}
    assert not (results / "renamed").exists()
    assert main(["verify", "--remove-foreign"]) == 0
    assert capsys.readouterr().out == "every file is of a spec\n"


def test_nothing_is_removed_where_specs_cannot_be_read(built, capsys):
    Path("figures/laptop/small/old.svg").write_text("stray")
    Path("specs/small.yaml").write_text("study: small\ntitle: [")
    assert main(["verify", "--remove-foreign"]) == 2
    assert Path("figures/laptop/small/old.svg").exists()


def test_what_the_processor_can_is_read_from_its_flags():
    avx2 = "processor : 0\nflags\t\t: fpu sse avx avx2 fma\n"
    assert cpu_capability(avx2) == "AVX2"
    assert cpu_capability(avx2.replace("fma", "fma avx512f avx512vl avx512bw avx512dq")) == "AVX512"
    assert cpu_capability("Features : fp asimd\n") == "NEON"
    assert cpu_capability("") == ""
    for part in ("interpflow ", "torch 2", "numpy ", "xarray ", "netCDF4 ", "HDF5 ", "Python 3"):
        assert part in made_with()


def test_text_in_a_table_stays_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prints = []
    for name in ("nan", "n/a", "null", ""):
        Path("claims.csv").write_text(f'claim,ours\n"{name}",0.5\nb,\n')
        prints.append(manifest.account("claims.csv")["variables"])
    assert len({each["claim"]["sha256"] for each in prints}) == 4
    assert {each["ours"]["nan"] for each in prints} == {1}
