"""Files in the folders of results and figures that no spec makes, such as a figure that was taken out."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from interpflow.files import leftovers
from interpflow.workflow.layout import SPECS
from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import variants

_TOPS = ("results", "figures")
_PAGES = ("report.html", "snakemake.html")  # of a scale, by `make report`


def foreign(plans: Mapping[str, Plan], scale: str, studies: Collection[str] = ()) -> list[Path]:
    """What no job of `plans`, those of all specs at `scale`, makes: in all its folders, or of `studies` alone.

    Hidden files such as half-done training are none, but for what killed writers left; nor is a README.  A
    study whose spec is not among the plans is left alone while there is a file of its name in specs/.
    """
    made = {Path(path) for plan in plans.values() for job in plan for path in job.outputs.values()}
    made |= {Path("results", scale, page) for page in _PAGES}
    found: list[Path] = []
    for base in (Path(top, scale) for top in _TOPS):
        for path in sorted(base.glob("*")):
            looked_for = not studies or path.name in studies
            left_alone = _has_broken_spec(path.name, plans) or _is_of_variant(path.name)
            if path.is_dir() and looked_for and not left_alone:
                found += [file for file in _files(path) if file not in made]
            elif not path.is_dir() and not studies and path not in made and _shown(path.name):
                found.append(path)
    return found


def remove(files: Collection[Path]) -> None:
    """Delete `files`, and the folders that are then empty."""
    for file in files:
        file.unlink()
        for folder in file.parents[:-2]:  # results/ and its scale stay
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(filter(_shown, folders))
        yield from leftovers(Path(here))
        yield from (Path(here, name) for name in sorted(names) if _shown(name))


def _shown(name: str) -> bool:
    return not name.startswith((".", "README"))


def _has_broken_spec(study: str, plans: Mapping[str, Plan]) -> bool:
    return study not in plans and any(SPECS.glob(f"{glob.escape(study)}.*"))


def _is_of_variant(folder: str) -> bool:
    """Whether a variant, which no run plans unless it is asked for, has results in `folder`."""
    return folder.partition(".")[0] in variants()
