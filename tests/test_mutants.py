"""Two hundred specs with one thing wrong: each is refused with a line, or the change is provably harmless."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml

from interpflow.errors import InterpflowError
from interpflow.spec.foresight import Foresight
from interpflow.spec.load import Spec, load_spec
from interpflow.training.options import TrainingOptions

SPECS = {path.stem: path for path in (Path(__file__).parents[1] / "specs").glob("*.yaml")}
FORESIGHT = Foresight()
NUMBER = 200
# What stands under these keys is said to people, or is any pattern or trees that somebody writes out.
FREE = {"arxiv", "because", "caption", "classes", "labels", "panel", "source", "title", "tokens", "word",
        "x_label", "y_label"}  # fmt: skip
# Keys under these are names that stand there first: with another one the study is the same but for that word.
NAMING = {"analyses", "claims", "curves", "erasures", "experiments", "figures", "groups", "hypotheses",
          "lines", "pairs", "panels", "paths", "reads", "relations", "rows", "scales", "splits", "targets",
          "words"}  # fmt: skip

# Slips that make one of these of another, such as adamw without its last letter, are no slips for a reader.
WORDS = {*get_args(TrainingOptions.model_fields["optimizer"].annotation)}

Path_ = tuple[str | int, ...]


def nodes(content: Any, at: Path_ = ()) -> Iterator[tuple[Path_, bool]]:
    """Every key (True) and every single value (False) of a spec."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*at, key), True
            yield from nodes(value, (*at, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from nodes(value, (*at, index))
    elif content is not None:
        yield at, False


def misspelt(word: Any, random: np.random.Generator) -> str:
    """`word` with a letter twice, left out, or in the place of its neighbour; of a number, with a letter."""
    text = str(word)
    if not isinstance(word, str):
        return f"{text}x"
    at = int(random.integers(len(text)))
    kinds = [text[:at] + text[at] + text[at:], text[:at] + text[at + 1 :]]
    if at + 1 < len(text):
        kinds.append(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    fit = [other for other in kinds if other not in ("", text, *WORDS)] or [text * 2]
    return fit[int(random.integers(len(fit)))]


def changed(content: Any, at: Path_, is_key: bool, new: str) -> Any:
    """A copy of `content` with `new` in the place of one key or value."""
    if not at:
        return new
    if isinstance(content, list):
        return [
            changed(value, at[1:], is_key, new) if index == at[0] else value
            for index, value in enumerate(content)
        ]
    renamed = is_key and len(at) == 1
    return {
        (new if renamed and key == at[0] else key): (
            changed(value, at[1:], is_key, new) if key == at[0] and not renamed else value
        )
        for key, value in content.items()
    }


def resolved(spec: Spec) -> str:
    """Everything that the spec says, as text."""
    studies = {"": spec.base, **spec.scales}
    plain = {name: dataclasses.asdict(study) for name, study in studies.items()}
    for study in plain.values():
        study["claims"] = {claim["name"]: claim for claim in study["claims"]}
    return json.dumps(plain, ensure_ascii=False)


@cache
def original(study: str) -> str:
    return resolved(load_spec(SPECS[study], FORESIGHT))


def differences(one: Any, other: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Where two resolved specs differ; of an entry that only one of them has, with what that says."""
    if (isinstance(one, dict) and other is None) or (isinstance(other, dict) and one is None):
        yield (*at, json.dumps(one or other))
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in {*one, *other}:
            yield from differences(one.get(key), other.get(key), (*at, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, (*at, index))
    elif one != other:
        yield at


def renamed(text: str, name: str, instead: str) -> str:
    """`text` with another name in the place of one."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: instead, text)


def about(place: Path_, line: str) -> bool:
    """Whether the line of a spec names a part of a place in the study: of a sweep, the experiment."""
    words = {*re.findall(r"\w+", line)}
    return any(
        word in words or any(word.startswith(f"{each}_") for each in words)
        for part in place
        for word in re.findall(r"\w+", str(part))
    )


def refused(path: Path) -> str | None:
    """What the spec comes to, None where it is refused, each problem with its line."""
    try:
        return resolved(load_spec(path, FORESIGHT))
    except InterpflowError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{re.escape(str(path))}:(\d+:| and \d+ more)", line), line
        return None


def within(lines: list[str], at: int) -> str:
    """A line of a spec, and the keys of the entries that it stands in, without those of whole parts."""
    found, indent = [lines[at]], len(lines[at]) - len(lines[at].lstrip())
    for line in reversed(lines[:at]):
        here = len(line) - len(line.lstrip())
        if line.strip() and here < indent:
            indent = here
            if here:
                found.append(line.split(":")[0])
    return " ".join(found)


def mutants(study: str, number: int) -> Iterator[tuple[str, str, Path_, str, str]]:
    """What was done, the text of the spec then, where, what stood there and what stands there now."""
    random = np.random.default_rng(sum(map(ord, study)))
    text = SPECS[study].read_text()
    content = yaml.safe_load(text)
    every = [node for node in nodes(content) if not FREE & {*node[0][: -1 if node[1] else None]}]
    for at, is_key in (every[i] for i in random.choice(len(every), number * 4 // 5, replace=False)):
        old = at[-1]
        if not is_key:
            old = content
            for part in at:
                old = old[part]
        new = misspelt(old, random)
        mutant = yaml.safe_dump(changed(content, at, is_key, new), sort_keys=False)
        kind = "key" if is_key else "value"
        yield f"{kind} {'.'.join(map(str, at))}: {old} -> {new}", mutant, at, str(old), new
    lines = text.splitlines()
    whole = [i for i, line in enumerate(lines) if re.match(r" *[^#\s]", line)]
    for i in random.choice(whole, number // 5, replace=False):
        mutant = "\n".join([*lines[:i], *lines[i + 1 :]]) + "\n"
        yield f"dropped {i + 1}: {lines[i]}", mutant, (), within(lines, int(i)), ""


@pytest.mark.parametrize("study", SPECS)
def test_a_mutant_is_refused_with_a_line_or_changes_nothing(study: str, tmp_path: Path) -> None:
    path = tmp_path / f"{study}.yaml"
    wrong = []
    for what, text, at, old, new in mutants(study, NUMBER // len(SPECS) + 1):
        path.write_text(text)
        found = refused(path)
        if found is None or found == original(study):
            continue
        if at:
            named = NAMING & {str(part) for part in at[:-1]}
            if named and renamed(found, new, old) == renamed(original(study), new, old):
                continue
        elif all(
            FREE & {*place} or about(place, old)
            for place in differences(json.loads(original(study)), json.loads(found))
        ):
            continue
        wrong.append(what)
    assert not wrong, "\n".join(wrong)
