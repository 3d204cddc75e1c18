"""A stranger's study is a spec and a task: those of docs/write-your-own-study.md, as they stand there."""

from __future__ import annotations

import re

from workflow.project_copy import PROJECT, Copy

_BLOCK = re.compile(
    r"`(?P<path>(?:src|specs)/\S+)`[^\n]*\n(?:[^`\n].*\n)*\n```\w+\n(?P<text>.*?)```", re.DOTALL
)


def test_the_study_of_the_guide_builds_its_figure_with_no_other_file_edited(empty: Copy):
    guide = (PROJECT / "docs/write-your-own-study.md").read_text()
    files = {found["path"]: found["text"] for found in _BLOCK.finditer(guide)}
    assert sorted(files) == ["specs/running_parity.yaml", "src/interpflow/tasks/running_parity.py"]
    for path, text in files.items():
        assert not (empty.folder / path).exists()
        (empty.folder / path).write_text(text)

    figure = "figures/smoke/running_parity/count_probes.svg"
    empty.snakemake("--cores", "all", figure, "--config", "scale=smoke")
    assert "<svg" in (empty.folder / figure).read_text()

    shown = guide.partition("## The results in Python")[2].partition("## Another folder")[0]
    lines = "".join(re.findall(r"```python\n(.*?)```", shown, re.DOTALL)).replace("laptop", "smoke")
    done = empty.python(lines)
    assert "('step', 'seed', 'layer', 'head', 'd_model', 'd_head')" in done.stdout, done.stderr
    assert (empty.folder / "count_probes.pdf").read_bytes().startswith(b"%PDF")
