"""A copy of the project to really run: its code and rules, with a study of seconds in place of its specs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from workflow import warm

PROJECT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).parent / "tiny"
# The tiny study's spec, folders and weights, in a copy.
SPEC = "specs/tiny.yaml"
RESULTS, FIGURES = "results/laptop/tiny", "figures/laptop/tiny"
TRAINED = tuple(
    f"{RESULTS}/experiments/{name}/weights_{seed}.nc"
    for name in ("narrow", "wide")
    for seed in "01"
)
_SNAKEMAKE = ("-m", "snakemake")
_COPIED = ("Snakefile", "environment.yml", "rules", "profiles", "src")
_MESSAGE = re.compile(r"^Job \d+: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Copy:
    """A copy of the project in a folder of its own."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `snakemake` to its end; output and errors together in `stdout`."""
        done = subprocess.run(
            [warm.python(), *_SNAKEMAKE, *arguments],
            cwd=self.folder,
            env=environment(),
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=1800,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def interpflow(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the copy's own code to its end."""
        return self._run(warm.python(), "-m", "interpflow", *arguments, check=check)

    def python(self, lines: str) -> subprocess.CompletedProcess[str]:
        """Run lines of Python with the copy's own code."""
        return self._run(sys.executable, "-c", lines, check=False)

    def _run(self, *command: str, check: bool) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment() | {"PYTHONPATH": "src"},
            check=check,
            text=True,
            capture_output=True,
            timeout=1800,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `snakemake`, to be killed, in a process group of its own; what it says goes to run.txt."""
        with (self.folder / "run.txt").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, *_SNAKEMAKE, *arguments],
                cwd=self.folder,
                env=environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def would_run(self, *arguments: str) -> set[str]:
        """The messages of the jobs that a dry run lists, without that of the target."""
        found = set(_MESSAGE.findall(self.snakemake("--dry-run", *arguments).stdout))
        return {message for message in found if ", at scale " not in message}

    def made_from(self, *paths: str) -> set[str]:
        """The jobs that make `paths` and all that follows from them, as Snakemake alone sees it."""
        return self.would_run("--forcerun", *paths)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace `old`, which stands in the file once."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new))

    def digests(self) -> dict[str, str]:
        """The digest of every file in results/ and figures/."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for top in ("results", "figures")
            for path in sorted((self.folder / top).rglob("*"))
            if path.is_file()
        }


def environment() -> dict[str, str]:
    """The environment without what would lead a copy back to the project, or to a run around the tests.

    Nor with what keeps Python from remembering compiled modules: a copy is gone after its test, and hundreds of
    jobs start in it.
    """
    ours = ("PYTHONPATH", "INTERPFLOW_RUN_LOCK", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in ours}


def make_copy(folder: Path, specs: Path = TINY / "specs") -> Copy:
    """A copy of the project with `specs`, by default the tiny study's, in which nothing has run."""
    for name in _COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    shutil.copytree(specs, folder / "specs")
    for kind in ("analyses", "plots"):
        shutil.copytree(TINY / kind, folder / "src/interpflow" / kind, dirs_exist_ok=True)
    return Copy(folder)
