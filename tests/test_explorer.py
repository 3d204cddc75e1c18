"""The page of a study holds what has room, says how exact it is, and is made anew with what it is made of."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zlib
from pathlib import Path

import edits
import numpy as np
import pytest
import xarray as xr
from built_study import SPEC
from small import brackets, recipe, runs_of

from interpflow.analyses import attention_map
from interpflow.analyses.activations import Options
from interpflow.explorer import assets, held, inside
from interpflow.explorer.held import Dataset, hold
from interpflow.explorer.quantised import encoded
from interpflow.rng import generator
from interpflow.spec import plugins
from interpflow.workflow import kept_plans
from interpflow.workflow.make import make
from interpflow.workflow.specs_folder import plan_study

PAGE = Path("figures/laptop/small/explorer/index.html")


def index_of(page: str) -> dict:
    return json.loads(re.search(r'id="index">(.*?)</script>', page, re.DOTALL)[1])


def decoded(said: dict, content: bytes) -> np.ndarray:
    if said["kind"] == "f4":
        return np.frombuffer(content, "<f4")
    scales = np.frombuffer(content[: 16 * said["maps"]], "<f8").reshape(2, -1, 1)
    codes = np.frombuffer(content[16 * said["maps"] :], f"<{said['kind']}").reshape(
        said["maps"], -1
    )
    none = {"u1": 255, "u2": 65535}[said["kind"]]
    values = np.where(codes == none, np.nan, scales[0] + scales[1] * codes).ravel()
    return np.array(said["words"])[values.astype(int)] if "words" in said else values


@pytest.mark.parametrize("size", [10, 20_000, 200_000])
@pytest.mark.parametrize("shift", [0.0, -300.0])
def test_numbers_come_back_within_what_the_page_says(size, shift):
    values = generator("explorer", size).normal(shift, 3.0, size)
    values[::7] = np.nan
    said, content = encoded(values)
    found = decoded(said, content)
    assert (np.isnan(found) == np.isnan(values)).all()
    off = np.nanmax(np.abs(found - values))
    assert off <= said["off"] * (1 + 1e-9) + np.nanmax(np.abs(values)) * 1e-7
    assert len(content) <= 4 * size if size <= 1 << 13 else len(content) <= 2 * size + 16


def test_next_to_nothing_is_nothing_where_values_are_rounded():
    values = np.geomspace(1e-9, 1, 40_000)
    said, content = encoded(values)
    assert said["kind"] == "u1"
    assert decoded(said, content).min() == 0


@pytest.mark.parametrize(("last", "once"), [((10, 20), "step"), ((20, 20), "step"), ((10, 30), "")])
def test_what_is_measured_at_one_step_of_each_experiment_is_shown_without_steps(last, once):
    accuracy = np.full((2, 2, 3), np.nan)
    for experiment, step in enumerate(last):
        accuracy[experiment, :, step // 10 - 1] = 0.5
    if not once:
        accuracy[0, :, 1] = 0.25
    content = xr.Dataset(
        {"accuracy": (("experiment", "group", "step"), accuracy)},
        {"experiment": ["deep", "wide"], "group": [1, 2], "step": [10, 20, 30]},
    )
    (variable,) = hold([Dataset("lengths", "findings", "", "", content)]).index[0]["variables"]
    assert (variable["once"], variable["axes"]["x"]) == (once, "group" if once else "step")


def test_of_many_maps_each_is_as_exact_as_its_own_values_allow():
    values = generator("explorer maps").normal(size=(2, 40, 50, 60))
    values[0] *= 1000.0
    values[1, 3] = 7.25
    values[1, 4] = np.nan
    said, content = encoded(values)
    assert said["kind"] == "u1"
    found = decoded(said, content).reshape(values.shape)
    off = np.abs(found - values)
    assert np.nanmax(off) <= said["off"] * (1 + 1e-6)
    assert np.nanmax(off[1]) < np.nanmax(np.abs(values[1])) / 200
    assert np.nanmax(off[1, 3]) < 1e-6
    assert np.isnan(found[1, 4]).all()


@pytest.mark.parametrize("values", [
    np.array([0, 3, 250]), np.array([True, False]), np.array([-1, 0, 60_000]), np.array([], dtype=float),
    np.array([np.nan, np.nan]), np.arange(40_000) % 200 * 1.0,
])  # fmt: skip
def test_whole_numbers_and_empty_arrays_come_back_as_they_were(values):
    said, content = encoded(values)
    assert said["off"] == 0
    np.testing.assert_array_equal(decoded(said, content), values.astype(float))


def test_words_come_back_as_they_were():
    said, content = encoded(np.array(["b", "", "a", "b"]))
    assert decoded(said, content).tolist() == ["b", "", "a", "b"]


def test_what_has_no_room_is_cut_along_seeds_steps_and_examples_and_said(monkeypatch):
    monkeypatch.setattr(held, "ROOM", 40_000)
    random = generator("explorer room")
    sizes = {"seed": 6, "step": 9, "head": 20, "key": 20}
    content = xr.Dataset(
        {"large": ((*sizes,), random.normal(size=(*sizes.values(),))), "small": ("head", np.arange(20))},
        {"step": np.arange(9) * 100},
    )  # fmt: skip
    found = hold([Dataset("one", "findings", "", "", content)])
    assert sum(map(len, found.blocks)) <= 40_000
    large, small = found.index[0]["variables"]
    assert small["at"] == {}
    assert large["at"].keys() <= {"seed", "step"}
    steps = large["at"]["step"]
    assert (steps[0], steps[-1]) == (0, 8)  # the first and the last are kept
    shape = [len(large["at"].get(dim, range(size))) for dim, size in sizes.items()]
    values = decoded(large, zlib.decompress(found.blocks[large["block"]])).reshape(shape)
    wanted = content["large"].isel(large["at"]).values
    np.testing.assert_allclose(values, wanted, rtol=0, atol=large["off"] * (1 + 1e-9))


def test_a_variable_that_has_no_room_at_all_is_named(monkeypatch):
    monkeypatch.setattr(held, "_LIMITS", (100,))
    content = xr.Dataset({"large": ("key", np.arange(200.0)), "small": ("head", np.arange(3.0))})
    (entry,) = hold([Dataset("one", "findings", "", "", content)]).index
    assert entry["left_out"] == ["large"]
    assert [each["name"] for each in entry["variables"]] == ["small"]


def test_the_page_holds_every_finding_and_every_model(built):
    index = index_of(PAGE.read_text())
    names = [each["name"] for each in index["datasets"]]
    parts = ("examples", "history", "activations", "attention_map", "circuits")
    assert names == [
        "lengths",
        "strings",
        *(f"{part} of {e}" for e in ("plain", "wide") for part in parts),
    ]


def test_text_of_a_spec_is_no_part_of_the_markup(built):
    page = PAGE.read_text()
    assert 'A <small> study & its "report"' in html.unescape(re.search("<h1>(.*)</h1>", page)[1])
    assert "<small>" not in page


def test_the_same_job_writes_the_same_bytes_and_asks_for_no_network(built):
    before = PAGE.read_bytes()
    (job,) = plan_study("small", "laptop").jobs["explorer"].values()
    make(job, io.StringIO())
    assert PAGE.read_bytes() == before
    text = re.sub(
        rb'<script type="(application/json|text/plain)".*?</script>', b"", before, flags=re.DOTALL
    )
    assert not re.findall(
        rb"(?:src|href)=|https?://(?!www\.w3\.org/)", text.replace(b"{ href:", b"")
    )


def test_an_edit_of_a_script_makes_the_page_anew_and_nothing_else(built, tmp_path, monkeypatch):
    before = edits.recipes(plan_study("small", "laptop"))
    code = kept_plans._state_of_code()
    copy = edits.copy_of_code(tmp_path / "code") / "interpflow/explorer/assets"
    (copy / "words.js").write_text("// another")
    monkeypatch.setattr(assets, "FOLDER", copy)
    edits.forget_code()
    assert edits.stale(before, plan_study("small", "laptop")) == {"explorer", "manifest"}
    assert kept_plans._state_of_code() != code


def test_the_spec_chooses_examples_with_an_analysis_of_its_own(built):
    own = "  inside: {method: activations, experiments: [wide], split: train, count: 2}\n"
    Path("specs/small.yaml").write_text(SPEC.replace("analyses:\n", f"analyses:\n{own}"))
    plan = plan_study("small", "laptop")
    (job,) = plan.jobs["explorer"].values()
    asked = {
        name: (e["asked"], e["activations"]["split"])
        for name, e in job.slice["experiments"].items()
    }
    assert asked == {"plain": ("", "validation"), "wide": ("inside", "train")}


def test_of_a_model_that_would_take_much_memory_fewer_examples_are_looked_at(monkeypatch):
    runs = runs_of(brackets(), recipe())
    assert inside.modest(runs, Options()) == Options()
    monkeypatch.setattr(inside, "_MOST", 2 * 20**2 * 3)
    options = inside.modest(runs, Options())
    assert (options.steps, options.count) == (2, 1)
    kinds = [each.kind for each in inside.datasets("plain", runs, options)]
    assert kinds == ["examples", "history", "activations", "attention_map", "circuits"]
    monkeypatch.setattr(
        inside, "_MOST", 10
    )  # the vocabulary is too large for circuits, and so is the mean
    assert [each.kind for each in inside.datasets("plain", runs, options)] == kinds[:3]


def test_a_file_beside_a_task_says_how_an_example_is_drawn(built):
    drawn = index_of(PAGE.read_text())["drawings"]
    assert {*drawn} == {"plain", "wide"}
    assert len(drawn["plain"]) == 4
    for name, drawing in drawn["plain"].items():
        assert name.startswith("validation ")
        assert {node["word"] for node in drawing["nodes"]} == {"(", ")"}
        assert 2 * len(drawing["lines"]) == len(drawing["nodes"])


def test_how_an_example_is_drawn_counts_for_the_page_alone(built, tmp_path, monkeypatch):
    before = edits.recipes(plan_study("small", "laptop"))
    copy = edits.copy_of_code(tmp_path / "code") / "interpflow/tasks/_bracket_language_drawing.py"
    copy.write_text(copy.read_text().replace("(at,)", "()"))
    edits.read_code_in(tmp_path / "code", monkeypatch)
    assert edits.stale(before, plan_study("small", "laptop")) == {"explorer", "manifest"}


def test_a_project_draws_its_own_tasks(built):
    assert plugins.companion(plugins.TASK, "_own_drawing") is None
    Path("tasks").mkdir()
    Path("tasks/_own_drawing.py").write_text(
        "from interpflow.drawing import Drawing, Node\n\n"
        "def drawing(example):\n    return Drawing([Node('a', 0, 0, (0,)), Node('b', 1, 0)], [(0, 1)])\n"
    )
    module = plugins.companion(plugins.TASK, "_own_drawing")
    data = brackets()
    drawn = inside.drawings(module, data, Options(count=2))
    assert [one["lines"] for one in drawn.values()] == [[(0, 1)]] * 2
    assert {*drawn} == {*Options(count=2).of(data)[1]}


def test_the_mean_over_a_split_is_one_more_example(built):
    runs = runs_of(brackets(), recipe())
    (found,) = (
        each for each in inside.datasets("plain", runs, Options()) if each.kind == "attention_map"
    )
    assert found.content["shown_example"].values.tolist() == ["mean of validation"]
    for checkpoint, step in (("first", 0), ("last", -1)):
        options = attention_map.Options(queries=["real"], checkpoint=checkpoint)
        wanted = attention_map.analyse(runs, options)["attention"]
        mean = found.content["attention"].isel(step=step, shown_example=0)
        np.testing.assert_array_equal(mean.transpose(*wanted.dims), wanted)
        (says,) = found.sources[checkpoint].analyses.values()
        assert says["queries"] == ["real"]
        assert says["checkpoint"] == checkpoint


def test_examples_that_a_lens_keeps_whole_are_told_too():
    runs = runs_of(brackets(), recipe())
    dims = ("experiment", "shown_example", "output")
    kept = xr.Dataset(
        {"probability": (dims, np.array([[[0.5], [np.nan]], [[0.5], [0.5]]]))},
        {"experiment": ["plain", "wide"], "shown_example": ["train 7", "train 9"]},
    )
    lens = Dataset("lenses", "findings", "", "lens", kept)
    shown, *_ = inside.datasets("plain", runs, Options(count=2), "", [lens])
    *_, last = shown.content["shown_example"].values.tolist()
    assert last == "train 7"
    train = runs.data.isel(example=runs.data["split"].values == "train")
    wanted = train["tokens"].isel(example=7).values
    found = shown.content["tokens"].sel(shown_example="train 7").values
    np.testing.assert_array_equal(found, wanted[: len(found)])


def test_a_figure_may_be_called_explorer(built):
    Path("specs/small.yaml").write_text(SPEC.replace("  bins:", "  explorer:"))
    plan = plan_study("small", "laptop")
    make(plan.find("figure", "explorer"), io.StringIO())
    (job,) = plan.jobs["explorer"].values()
    make(job, io.StringIO())
    assert Path("figures/laptop/small/explorer.svg").is_file()


def test_a_study_of_data_alone_has_a_page(built):
    only, rest = SPEC.split("  lengths:"), SPEC.split("scales:")[1]
    strings = "  strings: {method: data_statistics, experiments: [plain], variables: [length]}\n"
    alone = only[0].replace("  wide: {model: {d_model: 16}}\n", "") + strings + "scales:" + rest
    Path("specs/small.yaml").write_text(alone)
    plan = plan_study("small", "laptop")
    for job in plan:
        make(job, io.StringIO())
    assert [each["name"] for each in index_of(PAGE.read_text())["datasets"]] == ["strings"]


def test_own_scripts_stay_below_fifteen_hundred_lines_and_each_is_on_the_page():
    scripts = sorted(assets.FOLDER.glob("*.js"))
    lines = [line for each in scripts for line in each.read_text().splitlines()]
    assert len(lines) < 1500
    assert [line for line in lines if len(line) > 110] == []  # fewer lines are no longer ones
    assert all(each.read_text().rstrip() in assets.script() for each in scripts)


def test_blocks_are_zlib_streams_that_a_browser_unpacks(built):
    page = PAGE.read_text()
    blocks = re.findall(r'<script type="text/plain" id="b\d+">(.*?)</script>', page)
    variables = [each for one in index_of(page)["datasets"] for each in one["variables"]]
    assert sorted(each["block"] for each in variables) == list(range(len(blocks)))
    assert all(zlib.decompress(base64.b64decode(block)) is not None for block in blocks)
