"""Options given in several places of a spec: how they merge, and which place an option came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interpflow.spec.problems import KeyPath, parts


@dataclass(frozen=True)
class Layer:
    """Options as one place of the spec gives them; `whole` for a value of a sweep, which has no key."""

    at: KeyPath
    values: Mapping[str, Any]
    whole: bool = False


def merge(layers: Sequence[Layer]) -> dict[str, Any]:
    """The options of all layers, a later layer winning; mappings merge key by key, lists are replaced.

    A later null takes back the option of an earlier layer.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        if layer.values:
            merged = _over(merged, layer.values)
    return merged


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if value is None and key in merged:
            del merged[key]
        elif isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _over(old, value)
        else:
            merged[key] = value
    return merged


def origin(layers: Sequence[Layer], key: KeyPath) -> tuple[int, KeyPath] | None:
    """Which layer, and which key of the spec, the option `key` came from; None where no layer has it."""
    for index, layer in reversed(list(enumerate(layers))):
        if layer.values and _has(layer.values, key):
            return index, layer.at if layer.whole else (*layer.at, *key)
    return None


def _has(value: Any, key: KeyPath) -> bool:
    for part in key:
        if part not in parts(value):
            return False
        value = value[part]
    return True
