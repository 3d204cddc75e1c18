"""The values of a variant that change nothing: something behind them in the spec has the last word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.load import load_spec, resolve
from interpflow.spec.problems import KeyPath, dotted
from interpflow.spec.variants import Point, Variant, changed, key_path
from interpflow.spec.yaml_text import SpecText, read_spec_text
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan


def require_effect(variant: Variant, spec: Path, scale: str) -> None:
    """Raise InterpflowError for a key whose values, alone, leave every recipe as the spec has it at `scale`."""
    base = _recipes(_plan(spec, scale, None))
    for key, values in {**{k: [v] for k, v in variant.set.items()}, **variant.sweep}.items():
        points = (Point(variant.name, variant.study, {key: value}) for value in values)
        if all(_recipes(_plan(spec, scale, point)) == base for point in points):
            why = _why(key, values, read_spec_text(spec), scale)
            raise InterpflowError(
                f"{key}={','.join(map(str, values))} changes nothing of {variant.study} at scale {scale}: {why}"
            )


def _why(key: str, values: Sequence[Any], source: SpecText, scale: str) -> str:
    if all(changed(source.content, {key: value}) == source.content for value in values):
        return "the spec has this value already"
    behind = "; ".join(_behind(key_path(key, source.content), source, scale))
    return f"these come after it: {behind}" if behind else "nothing that runs rests on it"


def _plan(spec: Path, scale: str, point: Point | None) -> Plan:
    loaded = load_spec(spec, None, point)
    return plan(resolve(loaded, scale), loaded.base)


def _recipes(planned: Plan) -> set[tuple[str, tuple[str, ...], str]]:
    return {(job.stage, job.names, job.sha) for job in planned}


def _behind(path: KeyPath, source: SpecText, scale: str) -> Iterator[str]:
    """The lines that say the option at `path`, of the defaults, again."""
    if path[0] == "defaults":
        for place in source.lines:
            later = place[:2] == ("scales", scale) or place[:1] == ("experiments",)
            if later and place[-len(path[1:]) :] == path[1:]:
                yield f"{source.path}:{source.lines[place]}: {dotted(place)}"
