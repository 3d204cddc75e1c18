"""What a scale changes of the spec's base, so that each figure can say under which conditions it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from interpflow.spec.study import Experiment, Figure, Study


@dataclass(frozen=True)
class Difference:
    """One key of the spec that is not as in the base, and in words how.

    `experiments` are those that it is about, () where it is about all that are shown.
    """

    key: str
    how: str
    experiments: tuple[str, ...] = ()

    def __str__(self) -> str:
        about = f" ({', '.join(self.experiments)})" if self.experiments else ""
        return f"{self.key} {self.how}{about}"


def differences(base: Study, here: Study, figure: Figure | None = None) -> list[Difference]:
    """Where `here`, the study at a scale, is not as at its `base`: in all, or in what `figure` rests on."""
    analyses = figure.data if figure else tuple(here.analyses)
    figures = [figure] if figure else list(here.figures.values())
    shown, in_base = (
        [
            e
            for e in study.experiments
            if any(e in study.analyses[name].options for name in analyses)
        ]
        for study in (here, base)
    )
    found = [
        *compare("seeds", len(here.seeds), len(base.seeds)),
        *compare("compute", here.compute, base.compute),
    ]
    if left_out := [name for name in in_base if name not in shown]:
        found.append(Difference("experiments", f"without {', '.join(left_out)}"))
    if added := [name for name in shown if name not in in_base]:
        found.append(Difference("experiments", f"also {', '.join(added)}"))
    both = [name for name in shown if name in in_base]
    found += _merged(
        {
            name: compare("", _options(here.experiments[name]), _options(base.experiments[name]))
            for name in both
        }
    )
    for name in analyses:
        here_of, base_of = here.analyses[name].options, base.analyses[name].options
        found += _merged(
            {
                one: compare(f"analyses.{name}", here_of[one], base_of[one])
                for one in both
                if one in here_of and one in base_of
            }
        )
    for each in figures:
        found += compare(f"figures.{each.name}", each.options, base.figures[each.name].options)
    return found


def conditions(scale: str, unlike: Iterable[Difference]) -> str:
    """The sentence that goes with what was made at `scale`."""
    named = "; ".join(map(str, unlike))
    if not named:
        return f"At scale {scale}: the base of the spec as it stands."
    return f"At scale {scale}, unlike the base of the spec: {named}."


def _options(experiment: Experiment) -> dict[str, Any]:
    return {"task": experiment.task, "model": experiment.model, "training": experiment.training}


def compare(key: str, here: Any, base: Any) -> Iterator[Difference]:
    """The differences between `here` and `base` at `key` and, where both are mappings, below it."""
    if here is base:  # as where a scale changes nothing
        return
    if isinstance(here, Mapping) and isinstance(base, Mapping):
        for part in {**base, **here}:
            yield from compare(f"{key}.{part}".lstrip("."), here.get(part), base.get(part))
    elif here != base:
        yield Difference(key, f"{_plain(here)} instead of {_plain(base)}")


def _merged(found: Mapping[str, Iterator[Difference]]) -> list[Difference]:
    """Each difference once, with the experiments that it is about; `found` has those of each experiment."""
    about: dict[Difference, list[str]] = {}
    for experiment, each in found.items():
        for difference in each:
            about.setdefault(difference, []).append(experiment)
    return [
        replace(one, experiments=() if len(of) == len(found) else tuple(of))
        for one, of in about.items()
    ]


def _plain(value: Any) -> str:
    """`value` as it stands in a spec."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
    )
