"""One entry of an analysis's options for each layer of a model.

`"layer {layer}": {site: "blocks.{layer}.hook_resid_post", layers: all}` stands for `layer 0`, `layer 1`, … with
the number of the layer for each `{layer}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interpflow.nearest import did_you_mean
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.validation import Complaint

MARK = "{layer}"


@dataclass(frozen=True)
class Unfolded:
    """Options with an entry for each layer, the key under which each entry was written, and complaints."""

    values: dict[str, Any]
    written: dict[KeyPath, KeyPath] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def place(self, key: KeyPath) -> KeyPath:
        """The key under which the value at `key` was written."""
        for end in range(1, len(key) + 1):
            if key[:end] in self.written:
                return (*self.written[key[:end]], *key[end:])
        return key


def unfold(options: Mapping[str, Any], depth: int, at: KeyPath = ()) -> Unfolded:
    """`options` for a model of `depth` layers, 0 if the number is not known."""
    found = Unfolded({})
    for key, value in options.items():
        here = (*at, key)
        if MARK in key:
            _unfold_entry(found, key, value, here, depth, {*options})
        elif isinstance(value, dict):
            below = unfold(value, depth, here)
            found.values[key] = below.values
            found.written.update(below.written)
            found.complaints.extend(below.complaints)
        else:
            found.values[key] = value
    return found


def _unfold_entry(
    found: Unfolded, key: str, value: Any, here: KeyPath, depth: int, beside: set[str]
) -> None:
    if not (isinstance(value, dict) and "layers" in value):
        message = f"a name with {MARK} says for which layers: `layers: all`, or a list of them"
        found.complaints.append(Complaint(here, message))
        return
    wanted = value["layers"]
    if wrong := _mistake(wanted, depth):
        found.complaints.append(Complaint((*here, "layers"), wrong))
        return
    own = {name: inner for name, inner in value.items() if name != "layers"}
    for layer in range(depth or 1) if wanted == "all" else wanted:
        name = _filled(key, layer)
        if name in beside or name in found.values:
            found.complaints.append(Complaint(here, f"makes a second entry of the name '{name}'"))
        found.values[name] = _filled(own, layer)
        found.written[*here[:-1], name] = here


def _mistake(wanted: Any, depth: int) -> str | None:
    """Why `wanted` does not say which layers of a model."""
    if wanted == "all":
        return None
    if not isinstance(wanted, list) or not wanted:
        hint = did_you_mean(wanted, ["all"]) if isinstance(wanted, str) else ""
        return f"found {describe(wanted)}; expected 'all' or a list of layers{hint}"
    for layer in wanted:
        there = type(layer) is int and 0 <= layer < (depth or layer + 1)
        if not there:
            return f"found {describe(layer)}; the model {_has_layers(depth)}"
    return None


def _has_layers(depth: int) -> str:
    if depth < 2:
        return "has layer 0 alone" if depth else "numbers its layers from 0"
    return f"has layers 0 to {depth - 1}"


def _filled(value: Any, layer: int) -> Any:
    """`value` with the number of the layer in every text."""
    if isinstance(value, str):
        return value.replace(MARK, str(layer))
    if isinstance(value, dict):
        return {_filled(key, layer): _filled(inner, layer) for key, inner in value.items()}
    return [_filled(inner, layer) for inner in value] if isinstance(value, list) else value
