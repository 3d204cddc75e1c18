"""The study of docs/write-your-own-study.md, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs/write-your-own-study.md"
_BLOCK = re.compile(
    r"^\*\*\d\. [^`\n]*`(?P<path>[^`]+)`.*?\n```\w+\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE
)
FILES = {found["path"]: found["text"] for found in _BLOCK.finditer(GUIDE.read_text())}
TASK, SPEC = "tasks/running_parity.py", "specs/running_parity.yaml"


def write(folder: Path) -> None:
    """Write the files of the guide into a project, where none of them is."""
    assert {*FILES} == {TASK, SPEC}
    for path, text in FILES.items():
        assert not (folder / path).exists()
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
