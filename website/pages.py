"""The pages of the site as Markdown, in the places of the project's files, so that links stay as they are."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from website.gallery import gallery
from website.studies import StudyHere, escaped, picture

README, REFERENCE, GALLERY = Path("README.md"), Path("specs/README.md"), Path("gallery.md")
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")
# An explorer is no page of Sphinx; the address behind # says what it shows.
_EXPLORER = re.compile(r"\[([^\]]+)\]\([./]*figures/\w+/(\w+)/explorer/index\.html(#[^)\s]*)?\)")
_FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_GUIDE = (
    "write-your-own-study",
    "explorer-tour",
    "at-the-python-prompt",
    "cluster",
    "architecture",
)


def write(to: Path, scale: str, studies: Mapping[str, StudyHere]) -> None:
    """Lay the pages, and the files that they show or link to, into the folder `to`."""
    texts = {path: path.read_text(encoding="utf-8") for path in _written()}
    for name, study in studies.items():
        page = Path("docs", f"{name}.md")
        texts[page] = _study(texts.get(page, f"# {name}\n"), scale, study)
        texts[Path("specs", f"{name}.md")] = _spec(study)
    texts[GALLERY] = gallery(studies, texts[REFERENCE])
    texts[README] += _contents(scale, [*texts], [*studies])
    beside = {
        each.file for study in studies.values() for each in study.figures.values() if each.file
    }
    for path, text in texts.items():
        linked, files = _linked(path, text, studies)
        beside |= files
        _into(to, Path("index.md") if path == README else path).write_text(linked, encoding="utf-8")
    for file in sorted(beside):
        shutil.copyfile(file, _into(to, file))


def _into(to: Path, path: Path) -> Path:
    (to / path).parent.mkdir(parents=True, exist_ok=True)
    return to / path


def _written() -> Iterator[Path]:
    """The pages that somebody wrote."""
    yield from (
        README,
        REFERENCE,
        *sorted(Path("docs").glob("*.md")),
        Path("weights/README.md"),
        Path("findings/README.md"),
    )


def _linked(page: Path, text: str, studies: Mapping[str, StudyHere]) -> tuple[str, set[Path]]:
    """`text` with links to pages of the site, and the other files of the project that it links to."""
    files = set()

    def target(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(page.parent / found[1]))
        if path.suffix != ".md" and path.parent == Path("specs") and path.stem in studies:
            path = path.with_suffix(".md")
        if path.suffix != ".md" and path.is_file():
            files.add(path)
        path = Path("index.md") if path == README else path
        return Path(os.path.relpath(path, page.parent)).as_posix()

    def explorer(found: re.Match[str]) -> str:
        said, name, address = found.groups()
        there = studies[name].explorer if name in studies else None
        return _explorer_link(page, there, said, address or "") if there else said

    parts = _FENCED.split(text)
    parts[::2] = [_LINK.sub(target, _EXPLORER.sub(explorer, part)) for part in parts[::2]]
    return "".join(parts), files


def _study(text: str, scale: str, study: StudyHere) -> str:
    """The page of a study: what somebody wrote about it, and its figures as they are here."""
    name = study.spec.name
    links = [
        f"[the spec](../specs/{name}.md)",
        f'<a href="../results/{scale}/report.html#{name}">the report</a>',
    ]
    if study.explorer:
        links.append(_explorer_link(Path("docs", name), study.explorer, "the explorer"))
    else:
        links.append(
            f"the explorer, which is not here yet: `interpflow run {name}{_at(scale)}` makes it"
        )
    parts = [text.rstrip(), f"\n## Figures at scale {scale}\n", f"More: {', '.join(links)}.\n"]
    for each in study.figures.values():
        kind = f"Drawn by [`{each.plot}`](../gallery.md#{each.plot}).\n"
        parts.append(f"### `{each.name}`\n\n{picture(each, '../')}\n{kind}")
    return "\n".join(parts)


def _explorer_link(page: Path, explorer: Path, said: str, address: str = "") -> str:
    way = Path(os.path.relpath(explorer, page.parent)).as_posix()
    return f'<a href="{html.escape(way + address)}">{said}</a>'


def _at(scale: str) -> str:
    return "" if scale == "laptop" else f" --scale {scale}"


def _spec(study: StudyHere) -> str:
    path, name = study.spec.path, study.spec.name
    asked = f"{escaped(study.spec.question)}\n\n" if study.spec.question else ""
    title = escaped(study.spec.base.title)
    text = path.read_text(encoding="utf-8").rstrip()
    said = f"{title}. {asked}[What came out.](../docs/{name}.md)"
    return f"# specs/{name}.yaml\n\n{said}\n\n```yaml\n{text}\n```\n"


def _contents(scale: str, pages: list[Path], studies: list[str]) -> str:
    """What the first page says of the site, and the order of its pages."""
    guide = [f"docs/{name}" for name in _GUIDE if Path("docs", f"{name}.md") in pages]
    sections = {
        "Guide": guide,
        "Reference": ["gallery", "specs/README", "weights/README", "findings/README"],
        "Studies": [f"{name} <docs/{name}>" for name in studies],
        "Specs": [f"specs/{name}" for name in studies],
    }
    placed = {entry.rpartition("<")[2].rstrip(">") for each in sections.values() for entry in each}
    rest = [
        str(page.with_suffix(""))
        for page in pages
        if str(page.with_suffix("")) not in {*placed, "README"}
    ]
    sections["More"] = rest
    trees = [
        "\n".join([f"```{{toctree}}\n:hidden:\n:caption: {caption}\n", *entries, "```"])
        for caption, entries in sections.items()
        if entries
    ]
    report = f'<a href="results/{scale}/report.html">The report at scale {scale}</a>'
    return "\n".join(
        ["\n## Here\n", f"[A gallery of all plots](gallery.md). {report}.\n", *trees, ""]
    )
