"""`export paper` writes LaTeX that compiles, the same bytes each time, and refuses what is not up to date."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from built_study import SPEC

from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.paper import macros
from interpflow.paper.latex import escaped, macro_name, number
from interpflow.record import scorecard
from interpflow.spec.load import load_spec

TEX = next(filter(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic")), None)
NASTY = r"""A 50% & #1 {brace} \macro $5 W_Q ~ x^2 <a> |b| "c" σ Σ ᵀ ≥ é"""
DOCUMENT = r"""\documentclass{article}
\usepackage{array,booktabs,longtable,graphicx}
\input{paper/numbers}
\input{paper/captions}
\begin{document}
It learns \SmallLearns{} ($\SmallLearns$), by the paper \SmallLearnsPaper.
\begin{figure}\includegraphics{paper/figures/bins}\caption{\SmallBinsCaption}\end{figure}
\clearpage
\input{paper/scorecard}
\end{document}
"""


def check(text: str) -> list[str]:
    """What is wrong with LaTeX, read character by character: a slow truth for what export writes."""
    text = re.sub(r"(?m)^%.*\n", "", text)  # whole lines of comment
    wrong, depth, at = [], 0, 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
            if not (text[at].isalpha() or text[at] in "\\{}$&#_%"):
                wrong.append(f"no command: \\{text[at]}")
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if depth < 0:
                wrong.append("a brace closes what is not open")
        elif character in '$#_%"|' or (character == "^" and text[at + 1] != "{"):
            wrong.append(f"not escaped: {character}")
        elif ord(character) > 0xFF:
            wrong.append(f"unknown to pdfLaTeX: {character}")
        at += 1
    return wrong + ["a brace stays open"] * (depth > 0)


def read(folder: str | Path = "paper") -> dict[str, bytes]:
    root = Path(folder)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def paper(built: Path) -> dict[str, bytes]:
    """What the command writes of the built study."""
    assert main(["export", "paper", "small", "--to", "paper"]) == 0
    return read()


def test_the_slow_check_finds_what_is_wrong():
    assert check(r"\a{b} \% 5") == []
    for text in ("{", "}", "a_b", "50%", "$x$", "#", r"\1", "x^2", "→"):
        assert check(text) != [], text


def test_what_is_written_is_tables_macros_and_a_figure_each(paper):
    assert [*paper] == [
        "captions.tex",
        "figures/bins.pdf",
        "figures/wide_bins.pdf",
        "numbers.tex",
        "scorecard.csv",
        "scorecard.tex",
    ]


def test_the_latex_is_in_order_and_every_macro_is_there_once(paper):
    names = []
    for path, content in paper.items():
        if path.endswith(".tex"):
            text = content.decode()
            assert check(text) == [], path
            names += re.findall(r"\\newcommand\{\\([^}]*)\}", text)
    assert len(names) == len({*names})
    assert all(re.fullmatch("[A-Za-z]+", name) for name in names)
    assert {"SmallLearns", "SmallLearnsPaper", "SmallLong", "SmallBinsCaption"} <= {*names}
    assert (
        r"\newcommand{\SmallBinsCaption}{Accuracy \textless{}script"
        in paper["captions.tex"].decode()
    )


def test_numbers_are_those_of_the_scorecard(paper):
    rows = scorecard.read("results/laptop/small/claims.csv").set_index("claim")
    means = dict(re.findall(r"\\newcommand\{\\(\w+)\}\{(.*)\}", paper["numbers.tex"].decode()))
    assert means["SmallLong"] == f"{rows.ours['long']:.4g}" == "12"
    assert means["SmallLearns"] == f"{rows.ours['learns']:.4g}"
    assert means["SmallLearnsPaper"] == "0.9"
    assert means["SmallLearnsSd"] == f"{rows.sd['learns']:.2g}"
    assert "SmallLongSd" not in means
    assert paper["scorecard.csv"] == Path("results/laptop/small/claims.csv").read_bytes()
    assert paper["scorecard.tex"].count(rb"\\" + b"\n") == 1 + len(rows)


def test_the_same_files_give_the_same_bytes_and_figures_embed_true_type(paper):
    assert main(["export", "paper", "small", "--to", "again"]) == 0
    assert read("again") == paper
    image = paper["figures/bins.pdf"]
    assert image.startswith(b"%PDF")
    assert b"/FontFile2" in image and b"/Type3" not in image
    assert not re.search(rb"CreationDate|Producer|/Creator", image)


def test_what_no_longer_follows_from_the_spec_is_refused(paper, capsys):
    spec = Path("specs/small.yaml")
    spec.write_text(SPEC.replace("at_least: 0.9", "at_least: 0.8"))
    assert main(["export", "paper", "small"]) == 2
    said = capsys.readouterr().err
    assert "results/laptop/small/claims.csv is stale" in said
    assert "interpflow run small --scale laptop" in said
    spec.write_text(SPEC)
    Path("results/laptop/small/analyses/lengths.nc").unlink()
    assert main(["export", "paper", "small"]) == 2
    assert "lengths.nc is missing" in capsys.readouterr().err
    assert not Path("paper/small").exists()


def test_weights_may_be_gone(paper):
    shutil.rmtree("results/laptop/small/experiments")
    assert main(["export", "paper", "small", "--to", "again"]) == 0
    assert read("again") == paper


def test_any_text_is_escaped():
    assert check(escaped(NASTY)) == []
    assert escaped("a\n  b") == "a b"
    assert escaped("ε ω Ω Α") == r"\ensuremath{\epsilon} \ensuremath{\omega} \ensuremath{\Omega} Α"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.80612, "0.8061"),
        (510.0, "510"),
        (-0.25, r"\ensuremath{-0.25}"),
        (1.5e-7, r"\ensuremath{1.5\times10^{-7}}"),
        (-3e20, r"\ensuremath{-3\times10^{20}}"),
        (float("nan"), r"\mbox{--}"),
    ],
)
def test_numbers_stand_in_text_and_in_formulas(value: float, shown: str):
    assert number(value) == shown


def test_names_of_macros_have_letters_alone():
    assert macro_name("list_sorting", "modes.nodes16") == "ListSortingModesNodesOneSix"
    assert macro_name("a", "probe[0]") == "AProbeZero"


@pytest.mark.parametrize(
    ("one", "other"), [("depth_1", "depth_one"), ("learns", "learns_paper"), ("a.b", "a_b")]
)
def test_two_claims_whose_macros_would_have_one_name_are_refused(built, one: str, other: str):
    study = load_spec("specs/small.yaml").base
    row = scorecard.read("results/laptop/small/claims.csv").iloc[:1]
    rows = pd.concat([row.assign(claim=one), row.assign(claim=other)])
    with pytest.raises(InterpflowError, match=f"of claim '{one}' and of claim '{other}'"):
        macros.by_name([*macros.numbers(study, rows)])


@pytest.mark.skipif(TEX is None, reason="no TeX here")
def test_a_document_of_two_pages_compiles(built: Path):
    spec = Path("specs/small.yaml")
    spec.write_text(SPEC.replace("caption: Again", f"caption: '{NASTY}'"))
    assert main(["run", "small", "--one-process"]) == 0
    assert main(["export", "paper", "small", "--to", "paper"]) == 0
    Path("document.tex").write_text(DOCUMENT)
    mode = [] if TEX == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([str(TEX), *mode, "document.tex"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert len(re.findall(rb"/Type\s*/Page\b", Path("document.pdf").read_bytes())) in (0, 2)
