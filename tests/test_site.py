"""The site shows what there is, names what is not there, and each of its links leads somewhere."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from interpflow.errors import InterpflowError
from interpflow.spec.load import resolve
from interpflow.spec.plugins import PLOT, available, load
from interpflow.spec.yaml_text import parsed
from website.blocks import MOST, block
from website.build import build
from website.studies import StudyHere, studies

# MyST asks Sphinx 9 what Sphinx 11 will not answer.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"
)

ROOT = Path(__file__).parents[1]
EXPLORER = "../figures/laptop/small/explorer/index.html"
PAGE = f"# small\n\nWhat [wide]({EXPLORER}#view=attention&experiment=wide) attends to.\n"


class Page(HTMLParser):
    """What a page links to, what it loads, its anchors and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = {"", "top"}
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        else:
            self.loaded += [given[key] for key in ("href", "src") if given.get(key)]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def project(_built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder: what is written in this project, beside the study of seconds, which was run."""
    folder = shutil.copytree(_built, tmp_path_factory.mktemp("project") / "project")
    for name in ("README.md", "CITATION.cff", "weights", "findings"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for path in (ROOT / "specs").iterdir():
        (folder / "specs" / path.name).symlink_to(path)
    (folder / "docs/small.md").write_text(PAGE)
    (folder / "figures/laptop/small/wide_bins.svg").unlink()
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="module")
def pages(project: Path) -> dict[Path, Page]:
    """Every page of the site, by its path."""
    build("laptop", project / "site")
    return {path: Page(path) for path in sorted((project / "site").rglob("*.html"))}


@pytest.fixture(scope="module")
def here(project: Path) -> dict[str, StudyHere]:
    return studies("laptop")


def test_every_link_within_the_site_leads_to_a_page_and_an_anchor_of_it(pages):
    broken = []
    for path, page in pages.items():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data"):
                continue
            target = (
                Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
            )
            there = target.is_file() and (
                target not in pages or unquote(parts.fragment) in pages[target].anchors
            )
            # What an explorer shows stands behind #, and is no anchor.
            if not there and not (target.is_file() and "explorer" in target.parts):
                broken.append(f"{path.name}: {link}")
    assert not broken
    assert len(pages) > 20


def test_no_page_asks_for_anything_elsewhere(pages, project):
    assert not [
        each
        for page in pages.values()
        for each in page.loaded
        if "//" in each and "data:" not in each
    ]
    styles = [
        path.read_text(encoding="utf-8") for path in (project / "site/_static").rglob("*.css")
    ]
    assert styles
    assert not re.search(r"@import|url\([\"']?(https?:)?//", "".join(styles))


def test_the_gallery_has_every_plot_and_says_which_no_study_draws(pages, project, here):
    gallery = pages[project / "site/gallery.html"]
    drawn = {each.plot for study in here.values() for each in study.figures.values()}
    for plot in available(PLOT):
        assert plot in gallery.anchors
    assert gallery.text.count("No study draws one") == len({*available(PLOT)} - drawn)


def test_the_gallery_shows_the_figure_that_is_there(pages, project):
    (shown,) = [
        each for each in pages[project / "site/gallery.html"].loaded if each.endswith(".svg")
    ]
    assert (
        Path(project, "site", shown).read_bytes()
        == Path("figures/laptop/small/bins.svg").read_bytes()
    )


def test_blocks_of_the_gallery_are_short_and_whole_ones_say_what_the_spec_says(here):
    for study in here.values():
        for figure in study.figures.values():
            said = block(figure.options)
            text = said.text("figures", figure.name)
            assert len(text.splitlines()) <= MOST, text
            ((_, entry),) = parsed(text, Path("block.yaml")).content["figures"].items()
            options = {key: value for key, value in entry.items() if key not in PLOT.spec_keys}
            resolved = (
                load(PLOT, figure.plot).Options.model_validate(options).model_dump(mode="json")
            )
            if not said.cut:
                assert resolved == resolve(study.spec, "laptop").figures[figure.name].options


def test_a_figure_that_is_missing_is_named_with_the_command_that_makes_it(pages, project):
    text = " ".join(pages[project / "site/docs/small.html"].text.split())
    command = (
        "snakemake --cores all --config scale=laptop --force figures/laptop/small/wide_bins.svg"
    )
    assert f"Not drawn yet; draw it with {command}" in text
    assert text.count("Not drawn yet") == 1
    assert "Accuracy <script>by</script> length_" in text


def test_a_study_has_its_report_its_explorer_and_its_spec(pages, project):
    links = pages[project / "site/docs/small.html"].links
    assert "../results/laptop/report.html#small" in links
    assert EXPLORER in links
    assert f"{EXPLORER}#view=attention&experiment=wide" in links
    assert "../specs/small.html" in links


def test_a_folder_that_holds_something_else_is_left_alone(project):
    with pytest.raises(InterpflowError, match="docs: holds what is no site"):
        build("laptop", Path("docs"))
