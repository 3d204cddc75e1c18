"""What changed from one recipe to another, as somebody would say it who edited the spec or the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interpflow.report.differences import Difference, compare
from interpflow.workflow.code_parts import Parts, changes
from interpflow.workflow.layout import STAGES

Recipe = Mapping[str, Any]  # as JSON gives it back


def changed_keys(before: Recipe, now: Recipe) -> Iterator[Difference]:
    """The keys of the spec whose values differ, of what both recipes read of it."""
    here, base = _as_in_spec(now), _as_in_spec(before)
    for section in {**base, **here}:
        yield from _keys(section, here.get(section), base.get(section))


def changed_code(
    before: Recipe, now: Recipe, parts_before: Parts | None, parts_now: Parts | None
) -> list[str]:
    """The definitions that differ, by the `code_parts` behind both recipes; None where these were not kept."""
    if now["code"] == before["code"]:
        return []
    if parts_before is None or parts_now is None:
        return ["its code; which part of it was not kept"]
    return changes(parts_before, parts_now)


def _as_in_spec(recipe: Recipe) -> dict[str, Any]:
    """The part of the spec that a recipe holds, under the keys of the spec."""
    names = STAGES[recipe["stage"]].names
    said = {
        key: value
        for key, value in recipe.items()
        if key not in ("stage", "study", "scale", "code", "inputs", *names)
    }
    if recipe["stage"] == "explorer":  # all else is what the jobs say that it rests on
        return {key: said[key] for key in ("title", "assets")}
    options = said.pop("options", {})
    if recipe["stage"] == "analyse":
        said[f"analyses.{recipe['analysis']}"] = {"method": said.pop("method"), **options}
    if recipe["stage"] == "figure":
        apart = {key: said.pop(key) for key in ("plot", "caption", "panel")}
        said[f"figures.{recipe['figure']}"] = {**apart, **options}
    if "claims" in said:
        said["claims"] = {claim["name"]: claim for claim in said["claims"]}
    if "coords" in said:
        said["sweep"] = said.pop("coords")
    return said


def _keys(section: str, here: Any, base: Any) -> Iterator[Difference]:
    """The keys below `section` whose values differ, each with both values."""
    if section in ("claims", "sweep") and here is not None and base is not None:
        # The name of a new claim is enough; a new experiment is an input.
        if section == "claims":
            yield from (Difference(f"claims.{name}", "is new") for name in here if name not in base)
            yield from (
                Difference(f"claims.{name}", "is gone") for name in base if name not in here
            )
        here, base = ({name: of[name] for name in here if name in base} for of in (here, base))
    yield from compare(section, here, base)
