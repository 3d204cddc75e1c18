"""The explorer opens without a network, draws every view, and has the datasets' values; the report sorts."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import browser
import numpy as np
import pytest
import xarray as xr
from built_study import SPEC, build
from drawn_tasks import CASES, drawn
from explored import VIEWS, as_figures, pasted, problem, show

from interpflow import store
from interpflow.__main__ import main
from interpflow.analyses import activations, attention_map, circuits
from interpflow.runs import Runs, load_runs
from interpflow.workflow.make import is_made, make
from interpflow.workflow.specs_folder import plan_checked, plan_study

pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())

PAGE = Path("figures/laptop/small/explorer/index.html")


def explorer_of(folder: Path) -> str:
    return f"{(folder / PAGE).as_uri()}#view=attention"


@pytest.fixture(scope="module")
def window(_built: Path) -> Iterator[browser.Browser]:
    with browser.browser() as window:
        window.open(explorer_of(_built))
        show(window, "view=attention")
        window.requested()  # of the tab that a new browser shows
        yield window


def test_the_page_asks_for_nothing_and_says_nothing_in_the_console(window):
    page = window.run("return location.href").partition("#")[0]
    window.open(page)
    for view in VIEWS:
        show(window, f"view={view}")
    assert {address.partition("#")[0] for address in window.requested()} == {page}
    assert [entry["message"] for entry in window.log("browser")] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_draws(window, view):
    show(window, f"view={view}&experiment=wide")
    assert window.run("return document.getElementById('view').dataset.view") == view
    widths = window.run(
        "return Array.from(document.querySelectorAll('main canvas, main svg'),"
        " drawn => drawn.getBoundingClientRect().width)"
    )
    assert min(widths) > 20
    assert not problem(window)


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
        expected[f"attention_map of {name}"] = mean_attention(runs)
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
            wanted = wanted.expand_dims([dim for dim in found["dims"] if dim not in wanted.dims])
            wanted = wanted.transpose(*found["dims"]).values.ravel()
            if wanted.dtype.kind == "U":
                assert wanted.tolist() == found["values"]
                continue
            there = np.array(found["values"], dtype=float)
            off = found["off"] * (1 + 1e-6) + 1e-6 * np.nanmax(np.abs(there), initial=0.0)
            np.testing.assert_allclose(there, wanted.astype(float), rtol=0, atol=off)


def mean_attention(runs: Runs) -> xr.Dataset:
    each = [
        attention_map.analyse(runs, attention_map.Options(queries=["real"], checkpoint=checkpoint))
        for checkpoint in ("first", "last")
    ]
    return xr.concat(each, "step")[["attention"]]


def attended(window) -> list[float]:
    """How much the token that is looked at looks at each, as the page says it."""
    titles = window.run(
        "return Array.from(document.querySelector('.strip').querySelectorAll('.token'), t => t.title)"
    )
    return [float(title.partition(": ")[2].replace("\u2212", "-")) for title in titles]


def test_a_difference_of_steps_and_of_examples_is_that_of_the_datasets(window, built):
    (job,) = plan_study("small", "laptop").jobs["explorer"].values()
    inputs = {k.removeprefix("wide/"): v for k, v in job.inputs.items() if k.startswith("wide/")}
    slice_ = {**job.slice["experiments"]["wide"], "compute": job.slice["compute"]}
    runs = load_runs(inputs, slice_)
    found = activations.analyse(runs, activations.Options())["attention"].isel(
        seed=1, layer=0, head=0
    )
    one, other = found["shown_example"].values[:2].tolist()
    mean = mean_attention(runs)["attention"].isel(seed=1, layer=0, head=0)
    here = found.sel(shown_example=one).isel(step=-1, query=3)
    for minus, less in {
        "minus=0": found.sel(shown_example=one, step=0).isel(query=3),
        f"minus_example={other}": found.sel(shown_example=other).isel(step=-1, query=3),
        f"minus=0&minus_example={other}": found.sel(shown_example=other, step=0).isel(query=3),
        "minus_example=mean of validation": mean.isel(step=-1, query=3),
    }.items():
        address = f"view=attention&experiment=wide&seed=1&shown_example={one}&position=3&{minus}"
        show(window, address)
        shown = attended(window)
        wanted = (here - less.reindex(key=here["key"])).values[: len(shown)]
        np.testing.assert_allclose(shown, wanted, atol=2e-3)


def test_points_of_all_examples_lie_in_one_plane(window):
    show(window, "view=plane&experiment=plain&points=all&by=example")
    examples = window.run(
        "return datasetsOf('activations', 'plain')[0].labels.shown_example.map(String)"
    )
    titles = window.run(
        "return Array.from(document.querySelectorAll('svg.scatter circle title'), t => t.textContent)"
    )
    assert {title.partition(" of ")[2].partition(", position")[0] for title in titles} == {
        *examples
    }
    colours = window.run(
        "return Array.from(document.querySelectorAll('svg.scatter circle'), c => c.getAttribute('fill'))"
    )
    assert len({*colours}) == len(examples)
    words = window.run("return (await load(datasetsOf('activations', 'plain')[0], 'word')).values")
    assert len(titles) == sum(word != "" for word in words)


def test_a_model_of_one_output_answers_with_it_or_with_its_opposite(window):
    even, odd = window.run(
        "return [0.75, 0.25].map(value => yesOrNo({name: 'even', value, right: false}, true))"
    )
    yes, no = ("even", False), ("not even", True)
    assert [(bar["name"], bar["right"], bar["value"]) for bar in even] == [
        (*yes, 0.75),
        (*no, 0.25),
    ]
    assert [(bar["name"], bar["right"], bar["value"]) for bar in odd] == [(*no, 0.75), (*yes, 0.25)]


@pytest.mark.parametrize(("task", "at"), CASES)
def test_the_page_draws_what_tasks_draw(window, task, at):
    show(window, "view=structure&experiment=plain")
    for _, drawing in drawn(task, at)[:2]:
        circles, words, lines, arcs, widths = window.run(
            """
            const [drawing] = a;
            const at = drawing.nodes.filter(node => node.positions.length).map(node => node.positions[0]);
            const arcs = [{query: at[1], key: at[0], weight: 0.5}, {query: 1e6, key: at[0], weight: 1}];
            document.getElementById("view").append(structureOf(drawing, arcs, at[0]));
            const svg = Array.from(document.querySelectorAll("svg.structure")).at(-1);
            const count = kind => svg.querySelectorAll(kind).length;
            const found = Array.from(svg.querySelectorAll("text"), text => text.textContent);
            const box = svg.getBoundingClientRect();
            const out = Array.from(svg.querySelectorAll("circle"), c => c.getBoundingClientRect()).filter(c =>
                c.left < box.left || c.right > box.right || c.top < box.top || c.bottom > box.bottom);
            return [count("circle"), found, count("line"), count("path.arc"), out.length];
            """,
            asdict(drawing),
        )
        assert (circles, lines, arcs) == (len(drawing.nodes), len(drawing.lines), 1)
        assert words == [node.word for node in drawing.nodes]
        assert widths == 0  # nothing lies outside the drawing


def test_an_address_shows_the_same_again(window):
    page = window.run("return location.href").partition("#")[0]
    said = "view=attention&experiment=wide&seed=1&step=0&position=2"
    window.open("about:blank")
    window.open(f"{page}#{said}")
    show(window, said)
    chosen = window.run(
        "return Object.fromEntries(Array.from(document.querySelectorAll('select'), "
        "list => [list.dataset.key, list.value]))"
    )
    assert (chosen["experiment"], chosen["seed"]) == ("wide", "1")
    assert "at position 2" in window.run("return document.querySelector('main').textContent")


def test_keys_move_through_a_map_and_choose(window):
    show(window, "view=attention&experiment=plain&position=3")
    window.type("main .map canvas", "\ue013\ue014\ue007")  # up, right, enter
    assert "position=2" in window.run("return location.hash")


def test_the_cursor_of_training_is_the_checkpoint_of_other_views(window):
    show(window, "view=training&experiment=plain&step=0")
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
    show(window, "")  # its first view
    show(window, "view=attention&experiment=wide")
    shown = "return document.getElementById('view').dataset.view"
    assert window.run(shown) == "attention"
    window.click("#views a:first-child")
    show(window, window.run("return document.querySelector('#views a').hash.slice(1)"))
    assert window.run(shown) == "findings"
    assert not problem(window)
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


ADDRESSES = [
    *(f"view={view}" for view in VIEWS),
    "view=findings&data=strings&y=none",
    "view=attention&minus=0",
    "view=attention&minus_example=mean of validation",
    "view=attention&shown_example=mean of validation&step=0",
    "view=residual&show=top",
    "view=plane&points=all&by=scored&position=2",
    "view=plane&by=position",
    "view=structure&head=0&position=2",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_as_a_figure_is_a_block_that_check_takes_and_that_is_drawn(window, built, address):
    show(window, f"{address}&experiment=plain")
    assert shown_is_drawn(window, SPEC)


def shown_is_drawn(window: browser.Browser, spec: str) -> bool:
    """Whether each block that the page shows, pasted into the spec, draws one figure."""
    blocks = as_figures(window)
    known = set(re.findall(r"^  (\w+): {plot:", spec, re.MULTILINE))
    for block in blocks:
        Path("specs/small.yaml").write_text(pasted(spec, block))
        plan = plan_checked("laptop", [Path("specs/small.yaml")])["small"]
        (name,) = set(plan.study.figures) - known
        figure = plan.find("figure", name)
        for job in (job for job in plan if job.stage in ("analyse", "collect") or job is figure):
            if not is_made(job):
                make(job, io.StringIO())
        text = Path(figure.outputs["svg"]).read_text()
        if "<svg" not in text or "in the data." in text:
            return False
    return bool(blocks)


# A study whose positions have names, with a tuned lens on single examples.
FACTS = """\
study: small
title: Facts
reference: {arxiv: "2412.06538", year: 2024}
seeds: 1
defaults:
  task:
    {name: fact_recall, subjects: 3, relations: 2, noise: 4, answers: 2, length: 6,
     train_size: 40, validation_size: 20}
  model: {d_model: 8, heads: 2, d_mlp: 8, norm: pre, positions: learned}
  training: {epochs: 1, batch_size: 20, optimizer: adam, learning_rate: 0.01, loss: cross_entropy}
experiments:
  facts: {}
analyses:
  lens: {method: lens, experiments: [facts], fit_examples: 20, steps: 4, shown: {split: facts, count: 3}}
figures:
  read: {plot: cell_map, data: lens, variable: kl, x: group, y: layer, select: {lens: tuned}, caption: Lens}
claims: {}
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory, window: browser.Browser) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("facts")
    build(folder, spec=FACTS)
    before = window.run("return location.href")
    window.open((folder / PAGE).as_uri())
    with contextlib.chdir(folder):
        yield folder
    window.open(before)


def test_a_tuned_lens_of_the_spec_stands_beside_its_logit_lens(window, facts):
    found = store.read(Path("results/laptop/small/analyses/lens.nc"))["probability"]
    at = {"experiment": "facts", "seed": 0, "shown_example": "facts 1", "position": 5}
    probability = found.sel(at)
    show(window, "view=residual&lens_example=facts 1&position=5")
    for layer, key in ((1, ""), (0, "\ue015")):  # after the last layer, and one row down
        for lens, nth in (("logit", 1), ("tuned", 2)):
            selector = f".beside .lens:nth-child({nth})"
            if key:
                window.type(f"{selector} canvas", key)
            title, said, *rows = window.run(
                """
                const lens = document.querySelector(a[0]);
                const rows = Array.from(lens.querySelectorAll("tr"), row =>
                    Array.from(row.children, cell => cell.textContent).slice(0, 2));
                const [title, said] = ["h2", "caption"].map(each => lens.querySelector(each).textContent);
                return [title, said, ...rows];
                """,
                selector,
            )
            assert title == f"{lens.capitalize()} lens"
            assert "5 EOS" in said
            best = probability.sel(lens=lens, layer=layer)
            best = best.sortby(best, ascending=False)
            assert [name.partition(" ")[0] for name, _ in rows] == best["output"].values.tolist()
            np.testing.assert_allclose([float(value) for _, value in rows], best.values, rtol=5e-3)
    assert shown_is_drawn(window, FACTS)


def test_a_cut_by_role_is_drawn_as_it_is_shown(window, facts):
    show(window, "view=attention&role=subject&shown_example=validation 2")
    assert window.run("return document.querySelectorAll('[data-key=role] option').length") == 5
    assert "query: [" in window.run(
        "return document.querySelector('details.figure pre').textContent"
    )
    assert shown_is_drawn(window, FACTS)


def test_colours_by_a_role_are_those_of_the_figure(window, facts):
    show(window, "view=plane&by=role_word&points=all")
    block = window.run("return document.querySelector('details.figure pre').textContent")
    assert "variables: [role]" in block
    assert "colours: role" in block
    assert shown_is_drawn(window, FACTS)
