"""Entries of a spec that share options: entries that are `like` another, and claims with `of` and `rows`.

Here each entry gets all of its options, merged as a scale is merged over the base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from interpflow.nearest import way_out
from interpflow.spec.document import ClaimRows
from interpflow.spec.merging import Layer, merge
from interpflow.spec.problems import KeyPath, Problems, describe
from interpflow.spec.validation import complaints
from interpflow.spec.yaml_text import SpecText

_NOUNS = {"experiments": "experiment", "analyses": "analysis", "figures": "figure"}

Note = Callable[[KeyPath, str], None]
Merged = dict[KeyPath, list[Layer]]  # what an entry is merged from


def spelt_out(source: SpecText, problems: Problems) -> SpecText:
    """`source` with every entry in full; an entry that cannot be spelt out is noted in `problems`."""
    content: dict[str, Any] = dict(source.content)
    merged: Merged = {}

    def note(key: KeyPath, message: str) -> None:
        problems.add(source.line(key), key, message)

    for section in _NOUNS:
        if isinstance(entries := content.get(section), dict):
            below = content.get("defaults") if section == "experiments" else None
            alike, full = _alike(section, entries, below, note)
            content[section] = {name: full.get(name, entry) for name, entry in entries.items()}
            merged |= alike
    if isinstance(claims := content.get("claims"), dict):
        content["claims"] = {}
        for name, layers in _claims(claims, note):
            if name in content["claims"]:
                note(layers[-1].at, f"makes a second claim of the name '{name}'")
            content["claims"][name] = layers[0].values if len(layers) == 1 else merge(layers)
            if len(layers) > 1:
                merged["claims", name] = layers
    return replace(source, content=content, merged=merged)


def _alike(
    section: str, entries: Mapping[str, Any], below: Any, note: Note
) -> tuple[Merged, dict[str, Any]]:
    """The layers of each entry that is `like` another, and what they make together.

    The layers are the other entry in full, and the entry's own options.  The options `below` come in where
    neither has one.
    """
    found: Merged = {}
    full: dict[str, Any] = {}

    def in_full(name: str, path: tuple[str, ...] = ()) -> Mapping[str, Any]:
        key, own, path = (section, name), entries[name], (*path, name)
        other = own.get("like") if isinstance(own, dict) else None
        if isinstance(other, str) and key not in found:
            if other not in entries:
                has = way_out(other, [known for known in entries if known != name])
                note((*key, "like"), f"no {_NOUNS[section]} {describe(other)}; there are: {has}")
            elif other in path:
                note((*key, "like"), f"goes in a circle: {', '.join((*path, other))}")
            else:
                found[key] = [Layer((section, other), in_full(other, path)), Layer(key, own)]
        if key in found:
            full[name] = _taken_back(merge(found[key]), own, below)
            return full[name]
        return own if isinstance(own, dict) else {}

    for name in entries:
        in_full(name)
    return found, full


def _taken_back(entry: Mapping[str, Any], own: Mapping[str, Any], below: Any) -> dict[str, Any]:
    """`entry` with the nulls of its `own` options that are `below` too: they take these back as well."""
    kept = dict(entry)
    name = kept.get("name")
    if isinstance(below, dict) and name and name != below.get("name"):
        below = None  # the options of another task mean nothing to this one
    for key, value in own.items():
        under = below.get(key) if isinstance(below, dict) else None
        if value is None and under is not None:
            kept[key] = None
        elif isinstance(value, dict) and isinstance(kept.get(key), dict):
            kept[key] = _taken_back(kept[key], value, under)
    return kept


def _claims(entries: Mapping[str, Any], note: Note) -> Iterator[tuple[str, list[Layer]]]:
    """Each claim with its layers; a row of claims is a claim `<claim>.<row>`."""
    for name, entry in entries.items():
        here: KeyPath = ("claims", name)
        if not (isinstance(entry, dict) and {"of", "rows"} & {*entry}):
            yield name, [Layer(here, entry)]
            continue
        try:
            written = ClaimRows.model_validate(entry)
        except ValidationError as error:
            for complaint in complaints(error, ClaimRows, entry):
                note((*here, *complaint.key), complaint.message)
            continue
        for row, own in written.rows.items():
            shared = Layer((*here, "of"), written.of)
            yield f"{name}.{row}", [shared, Layer((*here, "rows", row), own)]
