"""The linter of the pages' scripts: `deno lint`, and `deno check`, which reads the types of their JSDoc.

Scripts of a page are one script there, and share their names.  So they are read as one here too, and what is
found is told by the file and the line where it stands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from interpflow import report
from interpflow.explorer import assets

PAGES = {
    "explorer": [assets.FOLDER / f"{name}.js" for name in assets.SCRIPTS],
    "report": [Path(report.__file__).parent / "page.js"],
}
OPTIONS = {"checkJs": True, "strict": True, "lib": ["dom", "dom.iterable", "esnext"]}


def problems(scripts: Sequence[Path]) -> str:
    """What deno says of `scripts` together, "" if nothing."""
    places, lines = [], []
    for script in scripts:
        for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), start=1):
            places.append(f"{os.path.relpath(script)}:{number}")
            lines.append(line)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.js").write_text("\n".join(lines) + "\n", encoding="utf-8")
        Path(folder, "deno.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
        found = [_deno(command, folder) for command in ("lint", "check")]
    where = re.compile(r"(?:file://)?[^\s]*page\.js:(\d+)")
    return "".join(where.sub(lambda at: places[int(at[1]) - 1], each) for each in found)


def _deno(command: str, folder: str) -> str:
    program = Path(sys.executable).parent / "deno"
    quiet = {"NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1", "DENO_DIR": f"{folder}/cache"}
    done = subprocess.run(
        [program, command, "page.js"], cwd=folder, env=os.environ | quiet, capture_output=True, text=True
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


if __name__ == "__main__":
    said = {page: problems(scripts) for page, scripts in PAGES.items()}
    print(*said.values(), sep="", end="")
    print(f"scripts of {', '.join(said)}: {'problems' if any(said.values()) else 'no problems'}")
    sys.exit(any(said.values()))
