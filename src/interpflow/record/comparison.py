"""Files held against a manifest: files that are as they were, and how far off the others are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.record import manifest
from interpflow.record.fingerprint import Fingerprint, distance
from interpflow.store import sha256

IDENTICAL = "identical"
EQUAL = "equal within tolerance"
REDRAWN = "drawn differently"
DIFFERENT, MISSING, DAMAGED = "different", "missing", "damaged"
STATUSES = (IDENTICAL, EQUAL, REDRAWN, DIFFERENT, MISSING, DAMAGED)
GOOD = frozenset({IDENTICAL, EQUAL, REDRAWN})


@dataclass(frozen=True)
class Finding:
    """The state of one file: one of STATUSES, and what there is to say about it."""

    path: str
    status: str
    note: str = ""
    variable: str = ""  # the one that is furthest off,
    distance: float = 0.0  # and by how much


def compare(files: Mapping[str, Any], tolerance: float) -> Iterator[Finding]:
    """Each of a manifest's `files` as it is now, inputs of figures before figures.

    A dataset is identical where all its values are, and all that is said of them but what it was made with.

    Floating-point values are equal within tolerance where their root-mean-square difference is at most
    `tolerance` times their root mean square; all others must be the same.  A figure that differs though its
    data do not was drawn differently: with other fonts, or by another version of what draws it.
    """
    same: dict[str, bool] = {}
    for path in sorted(files, key=lambda path: (not manifest.holds_values(path), path)):
        entry = files[path]
        found = _compare(path, entry, tolerance)
        if found.status == DIFFERENT and not manifest.holds_values(path):
            others = [data for data in entry["inputs"] if not same.get(data)]
            found = (
                Finding(path, DIFFERENT, f"so is {others[0]}") if others else Finding(path, REDRAWN)
            )
        same[path] = found.status in GOOD
        yield found


def _compare(path: str, entry: Mapping[str, Any], tolerance: float) -> Finding:
    rebuild = f"rebuild it with: {store.rebuild_command(path)}"
    if not os.path.lexists(path):
        return Finding(path, MISSING, rebuild)
    try:
        if sha256(path) == entry["sha256"]:
            return Finding(path, IDENTICAL)
    except InterpflowError as error:
        return Finding(path, DAMAGED, str(error).removeprefix(f"{path}: "))
    if not manifest.holds_values(path):
        broken = _broken(Path(path))
        return (
            Finding(path, DAMAGED, f"{broken}; {rebuild}") if broken else Finding(path, DIFFERENT)
        )
    try:
        now = manifest.account(path)
    except InterpflowError as error:
        return Finding(path, DAMAGED, str(error).removeprefix(f"{path}: "))
    found = _compare_values(path, entry["variables"], now["variables"], tolerance)
    if found.status == IDENTICAL and now["attributes"] != entry["attributes"]:
        said = "the values are identical, what is said about them is not"
        return replace(found, status=EQUAL, note=said)
    if found.status == DIFFERENT and now["recipe_sha256"] != entry["recipe_sha256"]:
        return replace(found, note=f"{found.note}; made by another recipe")
    return found


def _compare_values(
    path: str, before: Mapping[str, Fingerprint], now: Mapping[str, Fingerprint], tolerance: float
) -> Finding:
    for name in sorted(before.keys() ^ now.keys()):
        return Finding(path, DIFFERENT, f"variable {name} is {'gone' if name in before else 'new'}")
    furthest, by = "", 0.0
    for name, then in before.items():
        if then == now[name]:
            continue
        if unlike := _unlike(then, now[name]):
            return Finding(path, DIFFERENT, f"{name}: {unlike}")
        if (apart := distance(then, now[name])) >= by:
            furthest, by = name, apart
    if not furthest:
        return Finding(path, IDENTICAL)
    status = EQUAL if by <= tolerance else DIFFERENT
    return Finding(path, status, f"{furthest} is off by {by:.1e}", furthest, by)


def _unlike(then: Fingerprint, now: Fingerprint) -> str | None:
    """The difference of two variables beyond small differences of floating-point values, None without one."""
    for what in ("dims", "shape", "dtype", "nan", "infinite"):
        if then.get(what) != now.get(what):
            return f"{what} {then.get(what)} before, {now.get(what)} now"
    if "sums" in then:
        return None
    if then.get("mean") == now.get("mean"):
        return "other values"
    return f"mean {then['mean']:.6g} before, {now['mean']:.6g} now"


def _broken(path: Path) -> str | None:
    """Why a figure's file cannot be opened, if it cannot."""
    readers: dict[str, Callable[[Path], Any]] = {
        ".svg": ElementTree.parse,
        ".png": lambda path: Image.open(path).load(),
        ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
        ".html": _whole_page,
    }
    try:
        readers[path.suffix](path)
    except (OSError, ValueError, SyntaxError) as error:
        return str(error)
    return None


def _whole_page(path: Path) -> None:
    """Raise ValueError for a page without an end."""
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("cut off: it has no end")
