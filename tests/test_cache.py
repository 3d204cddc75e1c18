"""The cache: what was computed once is computed no more, and its files are what a job would write."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from built_study import SPEC, build
from edits import broken_off

from interpflow import store
from interpflow.__main__ import main
from interpflow.commands import stage
from interpflow.files import sha256
from interpflow.workflow import cache
from interpflow.workflow.make import make
from interpflow.workflow.specs_folder import plan_study

OTHER_RATE = SPEC.replace("learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
JOBS, DATASETS = 15, 10  # of the study; datasets are what the cache keeps
DRAWN = 3  # what lies in figures/: two figures and the explorer
WEIGHTS = "results/laptop/small/experiments/plain/weights_0.nc"


@pytest.fixture
def made(built: Path) -> Path:
    """A folder in which the study has run, with what the run kept."""
    for job in plan_study("small", "laptop"):
        cache.keep(job)
    return built


def digests() -> dict[str, str]:
    found = (path for top in ("results", "figures") for path in Path(top).rglob("*.*"))
    return {
        str(path): sha256(path) for path in found if ".code" not in path.parts and path.is_file()
    }


def write(spec: str) -> None:
    Path("specs/small.yaml").write_text(spec)


def run(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run the study in this process; what it says at the end."""
    capsys.readouterr()
    assert main(["run", "--one-process", "small", *options]) == 0
    return capsys.readouterr().out.removeprefix("small: ").strip()


def entry_of(stage: str, *names: str) -> Path:
    return cache.CACHE / plan_study("small", "laptop").find(stage, *names).sha


def test_a_learning_rate_changed_and_changed_back_trains_nothing(made, capsys, monkeypatch):
    before = digests()
    write(OTHER_RATE)
    run(capsys)
    assert digests() != before
    write(SPEC)
    monkeypatch.setattr("interpflow.training.loop.train", None)
    # The weights and findings of both experiments; the data never were others.
    assert "7 taken from the cache" in run(capsys)
    assert digests() == before


def test_an_entry_is_no_second_copy(made):
    for path in entry_of("train", "plain", "0").glob("*.nc"):
        name = path.name.replace(".nc", "_0.nc")
        assert path.samefile(f"results/laptop/small/experiments/plain/{name}")


def test_where_links_are_impossible_entries_are_copies(built, monkeypatch, capsys):
    def no_links(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    before = digests()
    shutil.rmtree("results")
    run(capsys)
    shutil.rmtree("results")
    assert run(capsys).startswith(f"{JOBS - DATASETS - DRAWN} of {JOBS} jobs run, {DATASETS} taken")
    assert digests() == before


def test_a_second_scale_takes_what_is_the_same_and_writes_the_bytes_of_a_run_without_cache(
    made, capsys, tmp_path, monkeypatch
):
    spec = SPEC.replace(
        "smoke: {seeds: 1, only: [plain], training: {learning_rate: 0.01}}", "smoke: {}"
    )
    write(spec)
    assert f"{DATASETS} taken from the cache" in run(capsys, "--scale", "smoke")
    taken = digests()
    (tmp_path / "without").mkdir()
    build(tmp_path / "without", "smoke", spec)
    monkeypatch.chdir(tmp_path / "without")
    alone = digests()
    assert {path: taken[path] for path in alone} == alone
    sources = json.loads(store.read_attributes(WEIGHTS.replace("laptop", "smoke"))["inputs"])
    assert sources[0]["path"] == "results/smoke/small/data/plain.nc"


def test_another_machine_that_made_an_entry_stays_named_in_what_is_written_anew(
    made, capsys, monkeypatch
):
    write(
        SPEC.replace(
            "smoke: {seeds: 1, only: [plain], training: {learning_rate: 0.01}}", "smoke: {}"
        )
    )
    before = store.read_attributes(WEIGHTS)["made_with"]
    monkeypatch.setattr(store, "made_with", lambda: "another machine")
    run(capsys, "--scale", "smoke")
    assert store.read_attributes(WEIGHTS.replace("laptop", "smoke"))["made_with"] == before


@pytest.mark.parametrize("damage", [lambda whole: whole[:-1], lambda whole: whole[:-9] + bytes(9)])
def test_a_damaged_entry_is_refused_by_name_and_the_job_runs(made, capsys, damage):
    before = digests()
    damaged = entry_of("train", "plain", "0") / "weights.nc"
    whole = damaged.read_bytes()
    shutil.rmtree("results")
    damaged.unlink()
    damaged.write_bytes(damage(whole))
    assert main(["run", "--one-process", "small"]) == 0
    said = capsys.readouterr()
    assert f"{damaged}: damaged" in said.err and "train small/plain/0 runs instead" in said.err
    assert digests() == before
    assert sha256(damaged) == sha256(WEIGHTS), "the job that ran is kept"


def test_an_entry_of_another_recipe_than_its_place_says_is_refused(made, capsys):
    one, other = entry_of("train", "plain", "0"), entry_of("train", "plain", "1")
    shutil.rmtree(one)
    shutil.copytree(other, one)
    account = json.loads((one / "entry.json").read_text())
    (one / "entry.json").write_text(json.dumps(account | {"recipe": one.name}))
    Path(WEIGHTS).unlink()
    assert main(["run", "--one-process", "small"]) == 0
    assert f"{one}/weights.nc: another recipe made it" in capsys.readouterr().err


@pytest.mark.parametrize("at", [1, 5, 9, 14, 22])
def test_a_kill_in_between_leaves_nothing_false(built, capsys, monkeypatch, at: int):
    """Broken off at every moment in which a file takes its place, in results/ or in cache/."""
    before = digests()
    shutil.rmtree("results")
    with broken_off(at, monkeypatch):
        assert main(["run", "--one-process", "small"]) == 130
    for account in Path("cache").glob("*/entry.json"):
        entry = cache.entry_in(account.read_text())
        assert entry
        cache.require_sound(entry, account.parent)
    shutil.rmtree("results", ignore_errors=True)  # what is not made comes from the cache alone
    run(capsys)
    assert digests() == before


def test_the_cache_is_never_larger_than_told_and_what_was_used_last_stays(made, capsys):
    sizes = cache.sizes()
    order = sorted(sizes, key=lambda folder: folder.name)
    for age, folder in enumerate(order):
        os.utime(folder, (age, age))
    assert main(["cache", "gc", str(sizes[order[-1]] + sizes[order[-2]])]) == 0
    assert {*cache.sizes()} == {*order[-2:]}
    shutil.rmtree("results")
    most: list[int] = []
    for job in plan_study("small", "laptop"):
        make(job)
        most.append(sum(cache.sizes().values()))
    assert 0 < max(most) <= cache.limit()


def test_what_is_larger_than_the_limit_is_made_and_not_kept(built, capsys):
    assert main(["cache", "gc", "10B"]) == 0
    before = digests()
    shutil.rmtree("results")
    assert run(capsys).startswith(f"{JOBS - DRAWN} of {JOBS} jobs run")
    assert digests() == before and not cache.sizes()


def test_size_says_how_much_there_is_and_how_much_there_may_be(made, capsys):
    def said() -> tuple[str, ...]:
        capsys.readouterr()
        assert main(["cache", "size"]) == 0
        pattern = r"cache/: (.*) entries, (.*) of at most (.*); (.*) of it stand nowhere else\n"
        found = re.fullmatch(pattern, capsys.readouterr().out)
        assert found
        return found.groups()

    assert main(["cache", "gc", "2 GB"]) == 0
    accounts = sum(path.stat().st_size for path in Path("cache").glob("*/entry.json"))
    entries, size, most, alone = said()
    assert (entries, most, alone) == (str(DATASETS), "2 GB", f"{accounts / 1000:.3g} KB")
    shutil.rmtree("results")
    assert said() == (entries, size, most, size)


@pytest.mark.parametrize("wrong", ["much", "-1", "1.2.3GB"])
def test_a_limit_is_a_number_of_bytes(built, capsys, wrong: str):
    with pytest.raises(SystemExit):
        main(["cache", "gc", wrong])
    assert "500MB" in capsys.readouterr().err or wrong == "-1"


@pytest.mark.parametrize("url", ["{folder}/remote", "file://{folder}/remote", "memory://remote"])
def test_two_clones_and_a_remote_give_figures_without_training(
    made, capsys, tmp_path, monkeypatch, url: str
):
    url = url.format(folder=tmp_path)
    before = digests()
    assert main(["cache", "push", url]) == 0
    assert main(["cache", "push", url]) == 0
    pushed = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in pushed] == [str(DATASETS), "0"]
    other = tmp_path / "clone"
    shutil.copytree("specs", other / "specs")
    monkeypatch.chdir(other)
    assert main(["cache", "pull", url]) == 0
    assert capsys.readouterr().out.startswith(f"{DATASETS} entries copied")
    monkeypatch.setattr("interpflow.training.loop.train", None)
    assert f"{DATASETS} taken from the cache" in run(capsys)
    assert digests() == before
    assert main(["cache", "pull", url]) == 0
    assert capsys.readouterr().out.startswith("0 entries"), "what is made needs no entry"


def test_a_damaged_entry_of_a_remote_is_refused_by_name_and_the_others_come(
    made, capsys, tmp_path, monkeypatch
):
    remote = tmp_path / "remote"
    assert main(["cache", "push", str(remote)]) == 0
    damaged = remote / entry_of("train", "plain", "0").name
    (damaged / "weights.nc").write_bytes((damaged / "weights.nc").read_bytes()[:-1])
    shutil.rmtree("results")
    shutil.rmtree("cache")
    assert main(["cache", "pull", str(remote)]) == 0
    said = capsys.readouterr()
    assert f"refused of {damaged}, train small/plain/0" in said.err
    assert f"{DATASETS - 1} entries copied" in said.out
    assert not entry_of("train", "plain", "0").exists()


def test_a_push_that_is_killed_leaves_no_entry_that_is_not_whole(
    made, tmp_path, monkeypatch, capsys
):
    from fsspec.implementations.local import LocalFileSystem

    put, left = LocalFileSystem.put_file, [3]

    def put_or_break(*arguments: object, **options: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        put(*arguments, **options)

    remote = tmp_path / "remote"
    with monkeypatch.context() as breaking:
        breaking.setattr(LocalFileSystem, "put_file", put_or_break)
        assert main(["cache", "push", str(remote)]) == 130
    whole = [folder for folder in remote.iterdir() if (folder / "entry.json").exists()]
    assert 0 < len(whole) < len(list(remote.iterdir()))
    assert main(["cache", "push", str(remote)]) == 0
    assert {folder.name for folder in remote.iterdir()} == {folder.name for folder in cache.sizes()}


@pytest.mark.parametrize(
    ("url", "said"),
    [("nosuch://place", "nosuch"), ("s3://bucket/place", "needs another package")],
)
def test_a_remote_that_cannot_be_reached_is_named(made, capsys, url: str, said: str):
    assert main(["cache", "push", url]) == 2
    error = capsys.readouterr().err
    assert url in error and said in error


def test_status_says_what_lies_in_the_cache(made, capsys):
    shutil.rmtree("results")
    assert main(["status", "small"]) == 0
    assert f"({DATASETS} of them in the cache)" in capsys.readouterr().out


def test_a_second_attempt_at_a_group_takes_what_the_first_made(made, monkeypatch):
    job = next(iter(plan_study("small", "laptop").jobs["train"].values()))
    words = ["train", "small", *job.names, "--expect", job.short_sha]
    before = {path: Path(path).read_bytes() for path in job.outputs.values()}
    monkeypatch.setattr(stage, "make", lambda *_, **__: pytest.fail("it trains again"))
    monkeypatch.setenv(cache.AGAIN, "yes")
    for path in before:
        Path(path).unlink()
    assert main(words) == 0
    assert {path: Path(path).read_bytes() for path in before} == before
