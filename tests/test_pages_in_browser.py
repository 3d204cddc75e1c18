"""The explorer opens without a network, draws every view, and has the datasets' values; the report sorts."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import browser
import numpy as np
import pytest
from built_study import SPEC

from interpflow import store
from interpflow.__main__ import main
from interpflow.analyses import activations, circuits
from interpflow.runs import load_runs
from interpflow.workflow.make import is_made, make
from interpflow.workflow.specs_folder import plan_checked, plan_study

pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())

PAGE = Path("figures/laptop/small/explorer/index.html")
VIEWS = ("findings", "training", "attention", "residual", "circuits", "plane", "structure")
SHOW = """
    location.hash = a[0];
    while (document.getElementById('view').dataset.drawn !== location.hash)
        await new Promise(resolve => setTimeout(resolve, 10));
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
"""


def explorer_of(folder: Path) -> str:
    return f"{(folder / PAGE).as_uri()}#view=attention"


@pytest.fixture(scope="module")
def window(_built: Path) -> Iterator[browser.Browser]:
    with browser.browser() as window:
        window.open(explorer_of(_built))
        window.run(SHOW, "view=attention")
        window.requested()  # of the tab that a new browser shows
        yield window


def test_the_page_asks_for_nothing_and_says_nothing_in_the_console(window):
    page = window.run("return location.href").partition("#")[0]
    window.open(page)
    for view in VIEWS:
        window.run(SHOW, f"view={view}")
    assert {address.partition("#")[0] for address in window.requested()} == {page}
    assert [entry["message"] for entry in window.log("browser")] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_draws(window, view):
    window.run(SHOW, f"view={view}&experiment=wide")
    assert window.run("return document.getElementById('view').dataset.view") == view
    widths = window.run(
        "return Array.from(document.querySelectorAll('main canvas, main svg'),"
        " drawn => drawn.getBoundingClientRect().width)"
    )
    assert min(widths) > 20
    assert not window.run("return document.querySelector('.problem')?.textContent")


def test_values_on_the_page_are_those_of_the_datasets(window, built):
    plan = plan_study("small", "laptop")
    collected = {name: plan.find("collect", name).outputs for name in ("lengths", "strings")}
    expected = {name: store.read(outputs["findings"]) for name, outputs in collected.items()}
    (job,) = plan.jobs["explorer"].values()
    for name, experiment in job.slice["experiments"].items():
        inputs = {
            k.removeprefix(f"{name}/"): v for k, v in job.inputs.items() if k.startswith(f"{name}/")
        }
        runs = load_runs(inputs, {**experiment, "compute": job.slice["compute"]})
        expected[f"activations of {name}"] = activations.analyse(runs, activations.Options())
        expected[f"history of {name}"] = runs.history
        expected[f"circuits of {name}"] = circuits.analyse(runs, circuits.Options(steps=5))
    for name, dataset in expected.items():
        for variable in map(str, dataset.data_vars):
            found = window.run(
                "const d = INDEX.datasets.find(e => e.name === a[0]); const v = await load(d, a[1]);"
                "return {dims: v.dims, off: v.variable.off ?? 0, at: v.variable.at,"
                " values: Array.from(v.values, x => Number.isNaN(x) ? null : x)}",
                name, variable,
            )  # fmt: skip
            assert found["at"] == {}  # nothing is cut of a small study
            wanted = dataset[variable]
            if "layer" in found["dims"] and "layer" not in wanted.dims:
                wanted = wanted.expand_dims("layer")
            wanted = wanted.transpose(*found["dims"]).values.ravel()
            if wanted.dtype.kind == "U":
                assert wanted.tolist() == found["values"]
                continue
            there = np.array(found["values"], dtype=float)
            off = found["off"] * (1 + 1e-6) + 1e-6 * np.nanmax(np.abs(there), initial=0.0)
            np.testing.assert_allclose(there, wanted.astype(float), rtol=0, atol=off)


def test_an_address_shows_the_same_again(window):
    page = window.run("return location.href").partition("#")[0]
    said = "view=attention&experiment=wide&seed=1&step=0&position=2"
    window.open("about:blank")
    window.open(f"{page}#{said}")
    window.run(SHOW, said)
    chosen = window.run(
        "return Object.fromEntries(Array.from(document.querySelectorAll('select'), "
        "list => [list.dataset.key, list.value]))"
    )
    assert (chosen["experiment"], chosen["seed"]) == ("wide", "1")
    assert "at position 2" in window.run("return document.querySelector('main').textContent")


def test_keys_move_through_a_map_and_choose(window):
    window.run(SHOW, "view=attention&experiment=plain&position=3")
    window.type("main .map canvas", "\ue013\ue014\ue007")  # up, right, enter
    assert "position=2" in window.run("return location.hash")


def test_the_cursor_of_training_is_the_checkpoint_of_other_views(window):
    window.run(SHOW, "view=training&experiment=plain&step=0")
    assert "step=0" in window.run("return document.querySelector('#views a:nth-child(3)').hash")


def moved_report(*options: str) -> str:
    """The address of a report that was sent to somebody, away from the folder in which it was made."""
    assert main(["report", *options]) == 0
    Path("inbox").mkdir()
    return Path("results/laptop/report.html").rename("inbox/report.html").absolute().as_uri()


def test_a_report_that_was_moved_away_says_where_the_explorer_lies_and_has_no_dead_link(
    window, built
):
    link = "return document.querySelector('a.explorer').href"
    moved = moved_report()
    window.open(moved)
    assert window.run(link) == f"{moved}#small-explorer"
    said = window.run("return document.getElementById('small-explorer').textContent")
    assert PAGE.as_posix() in said
    assert "interpflow report --with-explorers" in said
    assert main(["report"]) == 0
    window.open(Path("results/laptop/report.html").absolute().as_uri())
    assert window.run(link) == (built / PAGE).as_uri()
    window.open(explorer_of(built))


def test_a_report_with_explorers_is_whole_wherever_it_is_moved(window, built):
    moved = moved_report("--with-explorers")
    window.open(moved)
    window.click("a.explorer")
    window.look_at_tab(1)
    window.run(SHOW, "")  # its first view
    window.run(SHOW, "view=attention&experiment=wide")
    shown = "return document.getElementById('view').dataset.view"
    assert window.run(shown) == "attention"
    window.click("#views a:first-child")
    window.run(SHOW, window.run("return document.querySelector('#views a').hash.slice(1)"))
    assert window.run(shown) == "findings"
    assert not window.run("return document.querySelector('.problem')?.textContent")
    assert [entry["message"] for entry in window.log("browser")] == []
    window.run("setTimeout(close)")
    window.look_at_tab(0)
    window.open(explorer_of(built))


def test_the_scorecard_of_the_report_shows_what_is_asked_for_in_the_order_asked_for(window, built):
    assert main(["report"]) == 0
    window.open(Path("results/laptop/report.html").absolute().as_uri())
    claims = (
        "return Array.from(document.querySelectorAll('table.scorecard tbody'))"
        ".filter(claim => !claim.hidden).map(claim => claim.dataset.claim)"
    )
    assert window.run(claims) == ["learns", "long"]
    window.run("document.querySelector('th[data-by=paper] button').click()")
    assert window.run(claims) == ["learns", "long"]  # 0.9 and 12
    window.run("document.querySelector('th[data-by=paper] button').click()")
    assert window.run(claims) == ["long", "learns"]
    choose = "const list = document.querySelector('.choices select'); list.value = a[0];"
    window.run(f"{choose} list.dispatchEvent(new Event('input'))", "differs")
    assert window.run(claims) == ["learns"]
    window.run(f"{choose} list.dispatchEvent(new Event('input'))", "")
    window.type(".choices input", "TABLE &")
    assert window.run(claims) == ["learns"]
    assert [entry["message"] for entry in window.log("browser")] == []
    window.open(explorer_of(built))


@pytest.mark.parametrize(
    "address", [*(f"view={view}" for view in VIEWS), "view=findings&data=strings&y=none"]
)
def test_as_a_figure_is_a_block_that_check_takes_and_that_is_drawn(window, built, address):
    window.run(SHOW, f"{address}&experiment=plain")
    block = window.run("return document.querySelector('details.figure pre').textContent")
    Path("specs/small.yaml").write_text(pasted(SPEC, block))
    plan = plan_checked("laptop", [Path("specs/small.yaml")])["small"]
    (name,) = set(plan.study.figures) - {"bins", "wide_bins"}
    drawn = plan.find("figure", name)
    ordered = [job for job in plan if job.stage in ("analyse", "collect") or job is drawn]
    for job in ordered:
        if not is_made(job):
            make(job, io.StringIO())
    assert "<svg" in Path(drawn.outputs["svg"]).read_text()


def pasted(spec: str, block: str) -> str:
    """The spec with the entries of each section of a block in the section of that name."""
    for section, entries in re.findall(r"^(\w+):\n((?:  .*\n)+)", block, re.MULTILINE):
        spec = spec.replace(f"\n{section}:\n", f"\n{section}:\n{entries}")
    return spec
