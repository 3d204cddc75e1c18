"""One page shows every study, figure and claim of a scale, needs nothing but itself, and hides nothing."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from built_study import SPEC, build

from interpflow.__main__ import main
from interpflow.record.machine import made_with

FIGURES = Path("figures/laptop/small")
WITHOUT_END = {"meta", "img", "br"}


class Outline(HTMLParser):
    """What a page holds: its elements, its links and the text that is seen with nothing folded out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.targets: list[str] = []
        self.anchors: list[str] = []
        self.images: list[dict[str, str]] = []
        self.visible = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.elements.append(tag)
        self.targets += [given[key] for key in ("href", "src") if key in given]
        self.anchors += [given["id"]] if "id" in given else []
        self.images += [given] if tag == "img" else []
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"details", "style", "script"} & set(self.open):
            self.visible += data


def test_text_in_a_figure_falls_back_to_any_font_without_serifs(built):
    image = Path("figures/laptop/small/bins.svg").read_text()
    fonts = set(re.findall(r"font-family: ([^;\"]*)", image))
    assert fonts
    assert all(
        each.startswith("'DejaVu Sans', ") and each.endswith(", sans-serif") for each in fonts
    )


def test_a_claim_with_the_name_of_a_missing_value_keeps_it(page):
    path = Path("results/laptop/small/claims.csv")
    path.write_text(path.read_text().replace("learns,", "nan,").replace("a table,", "n/a,"))
    outline = Outline(page())
    assert " nan" in " ".join(outline.visible.split())
    assert "n/a" in outline.visible


@pytest.fixture
def page(built):
    """Writes the report of the current folder and reads it."""

    def write(scale: str = "laptop") -> str:
        assert main(["report", "--scale", scale]) == 0
        return Path(f"results/{scale}/report.html").read_text()

    return write


def words(text: str) -> str:
    return " ".join(text.split())


def figures_on(page: str) -> list[dict[str, str]]:
    """The images on a page but for those of its start, which are small."""
    return [image for image in Outline(page).images if image.get("class") != "picture"]


def test_the_page_needs_no_network(page):
    outline = Outline(page())
    assert {"link", "iframe", "object"}.isdisjoint(outline.elements)
    outside = [to for to in outline.targets if not to.startswith(("#", "data:"))]
    explorer = "../../figures/laptop/small/explorer/index.html"
    assert outside == ["https://arxiv.org/abs/2502.01432", explorer]
    assert Path("results/laptop", explorer).is_file()
    assert "url(" not in page()
    assert "@import" not in page()


def test_a_report_to_be_sent_has_the_explorers_within(page):
    page()
    assert main(["report", "--with-explorers"]) == 0
    text = Path("results/laptop/report.html").read_text()
    outline = Outline(text)
    assert "../../figures/laptop/small/explorer/index.html" not in outline.targets
    assert {to[1:] for to in outline.targets if to.startswith("#")} <= set(outline.anchors)
    held = re.search(r'id="small-explorer-page">(.*?)</script>', text)
    assert held
    assert json.loads(held[1]) == Path("figures/laptop/small/explorer/index.html").read_text()


def test_links_within_the_page_lead_somewhere(page):
    outline = Outline(page())
    inner = [to[1:] for to in outline.targets if to.startswith("#")]
    assert len(inner) >= 5
    assert set(inner) <= set(outline.anchors)
    assert len(outline.anchors) == len(set(outline.anchors))


def test_what_specs_say_is_shown_as_it_stands_and_never_becomes_markup(page):
    seen = words(Outline(page()).visible)
    assert 'A <small> study & its "report"' in seen
    assert "Accuracy <script>by</script> length_" in seen
    assert "One epoch on sixty strings teaches <nothing>." in seen
    assert "a table & its <caption>" in seen


def test_every_figure_is_on_the_page_as_it_was_drawn(page):
    images = figures_on(page())
    assert len(images) == 2
    for image, name in zip(images, ("bins", "wide_bins"), strict=True):
        kind, content = image["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content) == (FIGURES / f"{name}.svg").read_bytes()
        assert image["alt"]


def test_a_huge_drawing_is_shown_as_its_picture(page):
    path = FIGURES / "bins.svg"
    path.write_text(path.read_text().replace("</svg>", f"<!--{'x' * 1_000_000}--></svg>"))
    image, _ = figures_on(page())
    kind, content = image["src"].split(",", 1)
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == (FIGURES / "bins.png").read_bytes()


def test_the_start_of_the_page_says_of_each_study_what_it_asks_and_how_much_holds(page):
    spec = Path("specs/small.yaml")
    spec.write_text(
        spec.read_text().replace("seeds: 2\n", "question: Does it <learn>?\nseeds: 2\n", 1)
    )
    text = page()
    start = words(Outline(text[: text.index("<section")] + "</body></html>").visible)
    assert 'A <small> study & its "report" Does it <learn>? 1 of 2 claims hold. 2 figures.' in start
    (picture,) = (image for image in Outline(text).images if image.get("class") == "picture")
    assert len(picture["src"]) < 100_000


def test_a_study_begins_with_what_came_out_in_words_and_its_figures(page):
    seen = words(Outline(page()).visible)
    assert re.search(
        r"1 of 2 numbers of the paper holds here\. What differs: learns is 0\S* for ≥ 0\.9\.", seen
    )
    assert (
        seen.index("What differs")
        < seen.index("Accuracy <script>")
        < seen.index("Ours is the mean")
    )


def test_the_scorecard_shows_paper_ours_tolerance_and_verdict(page):
    seen = words(Outline(page()).visible)
    assert "1 holds, 1 differs." in seen
    assert "Ours is the mean over 2 seeds ± their standard deviation" in seen
    assert re.search(r"learns a table & its <caption> ≥ 0\.9 0(\.\d+)? ± 0(\.\d+)? differs", seen)
    assert re.search(r"long a table 12 12 one value ± 0 holds", seen)


def test_a_claim_along_a_coordinate_tells_its_source_and_reason_once(page):
    Path("results/laptop/small/claims.csv").write_text(
        "claim,source,relation,paper,ours,sd,seeds,missing,holding,tolerance,verdict,because\n"
        "probe[0],a figure,equals,510.0,,,0,2,0,0.05,not measured,for one reason\n"
        "probe[1],a figure,equals,0.8,0.51234,,1,1,0,0.05,differs,for one reason\n"
        "probe[2],a figure,at most,0.8,0.91234,0.0123,2,0,1,,differs,for another\n"
        "other,a figure,equals,31.7,32.0,0.1,2,0,2,0.5,holds,\n"
        "more.first,a figure,below,0.0,-0.25,0.1,2,0,2,,holds,\n"
        "more.then,a text,above,0.0,0.25,0.1,2,0,2,,holds,\n"
    )
    seen = words(Outline(page()).visible)
    assert "3 hold, 2 differ, 1 not measured. Ours" in seen
    assert seen.endswith(
        "probe[0] a figure 510 0 seeds, 2 missing ± 0.05 not measured "
        "probe[1] 0.8 0.5123 1 seed, 1 missing ± 0.05 differs for one reason "
        "probe[2] ≤ 0.8 0.9123 ± 0.012 differs holds in 1 of 2 seeds for another "
        "other a figure 31.7 32 ± 0.1 ± 0.5 holds holds in 2 of 2 seeds "
        "more.first a figure < 0 -0.25 ± 0.1 holds holds in 2 of 2 seeds "
        "more.then a text > 0 0.25 ± 0.1 holds holds in 2 of 2 seeds "
        + seen[seen.index("What it took") :]
    )


def test_a_scorecard_of_before_there_were_counts_of_seeds_is_shown_without(page):
    path = Path("results/laptop/small/claims.csv")
    pd.read_csv(path).drop(columns="holding").to_csv(path, index=False)
    assert "holds in" not in words(Outline(page()).visible)


def test_a_claim_that_holds_needs_no_excuse(page):
    assert "never needed" not in Outline(page()).visible


def test_each_figure_folds_out_to_its_chain_and_the_spec_of_every_job(page):
    text = html.unescape(page())
    figure = text[
        text.index('<figure id="small-bins">') : text.index('<figure id="small-wide_bins">')
    ]
    stages = re.findall(r"<strong>(\w+)</strong> small", figure)
    assert stages == ["figure", "collect", *["analyse"] * 2, *["train"] * 4, "data"]
    assert "results/laptop/small/experiments/wide/weights_1.nc" in figure
    assert "max_length: 12" in figure
    assert (
        "snakemake --cores all --config scale=laptop --force figures/laptop/small/bins.svg"
        in figure
    )


def test_the_whole_spec_is_on_the_page(page):
    assert SPEC in html.unescape(page())


def test_the_same_files_give_the_same_page_wherever_they_lie(page, tmp_path, monkeypatch):
    first = page()
    shutil.copytree(".", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert page() == first
    assert str(tmp_path) not in first


def test_a_figure_says_under_which_conditions_it_was_drawn(page, built):
    assert "At scale laptop: the base of the spec as it stands." in words(page())
    build(built, "smoke")
    said = (
        "At scale smoke, unlike the base of the spec: seeds 1 instead of 2; experiments without wide; "
        "training.learning_rate 0.01 instead of 0.001."
    )
    seen = words(Outline(page("smoke")).visible)
    assert seen.count(said) == 3  # the study and its two figures
    assert "over 1 seed," in seen


def test_what_is_not_there_is_said_with_the_command_that_makes_it(page):
    (FIGURES / "bins.svg").unlink()
    (FIGURES / "wide_bins.json").unlink()
    Path("results/laptop/small/claims.csv").unlink()
    seen = words(Outline(page()).visible)
    force = "snakemake --cores all --config scale=laptop --force"
    assert f"{force} figures/laptop/small/bins.svg" in seen
    assert f"{force} figures/laptop/small/wide_bins.json" in seen
    assert f"{force} results/laptop/small/claims.csv" in seen
    assert figures_on(page()) == []


def test_a_figure_of_an_older_spec_is_shown_and_marked(page):
    assert "made from another spec" not in page()
    spec = Path("specs/small.yaml")
    spec.write_text(spec.read_text().replace("caption: Again", "caption: Anew"))
    seen = words(Outline(page()).visible)
    assert seen.count("made from another spec or by other code than there is now") == 1
    assert "Again" in seen


def test_a_study_without_claims_figures_and_paper_has_a_page(page, tmp_path, monkeypatch):
    (tmp_path / "specs").mkdir()
    kept, rest = SPEC.split("analyses:")
    bare = kept.replace('reference: {arxiv: "2502.01432", year: 2025}\n', "")
    (tmp_path / "specs/small.yaml").write_text(bare + "scales:" + rest.split("scales:")[1])
    monkeypatch.chdir(tmp_path)
    seen = words(Outline(page()).visible)
    assert "Scorecard" not in seen
    assert "arXiv" not in seen


def test_figures_that_a_scale_leaves_out_are_named(page):
    spec = Path("specs/small.yaml")
    spec.write_text(
        spec.read_text()
        .replace("only: [plain]", "only: [wide]")
        .replace("experiments: [plain, wide]", "experiments: [plain]")
    )
    assert "Not drawn at this scale: bins, wide_bins." in words(Outline(page("smoke")).visible)


def test_the_page_says_what_made_each_study(built):
    main(["report"])
    assert f"Made with {made_with()}." in Path("results/laptop/report.html").read_text()


def test_the_page_says_what_each_stage_took_by_the_records_beside_the_logs(page):
    text = page()
    assert "<h3>What it took</h3>" in text
    for stage in ("data", "train", "analyse", "collect", "figure", "claims"):
        assert f"<tr><td>{stage}</td>" in text
    shutil.rmtree("logs")
    assert "What it took" not in page()
