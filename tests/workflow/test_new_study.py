"""A stranger's study is a spec and a task: those of docs/write-your-own-study.md, as they stand there."""

from __future__ import annotations

import re

import guide
from workflow.project_copy import Copy


def test_the_study_of_the_guide_builds_its_figure_with_no_other_file_edited(empty: Copy):
    guide.write(empty.folder)
    figure = "figures/smoke/running_parity/count_probes.svg"
    claims = "results/smoke/running_parity/claims.csv"
    empty.snakemake("--cores", "all", figure, claims, "--config", "scale=smoke")
    assert "<svg" in (empty.folder / figure).read_text()

    shown = guide.GUIDE.read_text().partition("## The results in Python")[2]
    shown = shown.partition("## Into a paper")[0]
    lines = "".join(re.findall(r"```python\n(.*?)```", shown, re.DOTALL)).replace("laptop", "smoke")
    done = empty.python(lines)
    assert "('step', 'seed', 'layer', 'head', 'd_model', 'd_head')" in done.stdout, done.stderr

    empty.interpflow("export", "paper", "running_parity", "--scale", "smoke")
    paper = empty.folder / "paper/running_parity"
    assert (paper / "figures/count_probes.pdf").read_bytes().startswith(b"%PDF")
    macros = (paper / "numbers.tex").read_text() + (paper / "captions.tex").read_text()
    used = {*re.findall(r"\\(RunningParity\w+)", guide.GUIDE.read_text())}
    assert len(used) == 2
    assert used <= {*re.findall(r"\\newcommand{\\(\w+)}", macros)}
