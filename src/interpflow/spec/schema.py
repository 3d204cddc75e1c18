"""The JSON schema of specs, so that an editor completes keys and underlines what is not one.

It is made of the classes that read specs.  An entry of a spec is merged from several places, and null takes an
option of another place back; so in each place any option may be missing or null.  `interpflow check` says
whether a merged entry lacks an option, and whether its names exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from interpflow.model.options import ModelOptions
from interpflow.spec import document
from interpflow.spec.field_reference import comments, inner_sections
from interpflow.spec.layers import MARK
from interpflow.spec.plugins import ANALYSIS, PLOT, TASK, Kind, available, load
from interpflow.training.options import ComputeOptions, TrainingOptions

Schema = dict[str, Any]
Models = Mapping[str, type[BaseModel]]  # the options of the plugins of a kind, by name

_DEFINITIONS = "#/$defs/"
_NULL: Schema = {"type": "null"}
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_LAYERS: Schema = {"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "integer"}}]}
# These stand in one place, so what they require is there.
_WHOLE = (document.Document, document.Reference, document.ClaimRows)
_OPTIONS: Models = {"model": ModelOptions, "training": TrainingOptions, "compute": ComputeOptions}


def written() -> str:
    """The schema as `specs/schema.json` has it: each definition on a line of its own."""
    whole = schema()
    definitions = whole.pop("$defs").items()
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in definitions)
    return f'{json.dumps(whole)[:-1]},\n"$defs": {{\n{lines}\n}}}}\n'


def schema() -> Schema:
    """The schema: every key of a spec, with the options of each task, analysis and plot."""
    tasks, analyses, plots = map(_options, (TASK, ANALYSIS, PLOT))
    plugins = [*tasks.values(), *analyses.values(), *plots.values()]
    known = _Definitions([document.Document, document.ClaimRows, *_OPTIONS.values(), *plugins])
    for model in analyses.values():
        known.unfold(model)
    task = [
        known.extended(known.of(model), {"name": {"const": name}}) for name, model in tasks.items()
    ]
    options = {"task": known.add("task", _any(task))}
    options |= {key: known.of(model) for key, model in _OPTIONS.items()}
    for model in (document.Defaults, document.Changes, document.Experiment):
        known.replace(model, options)
    claim = known.of(document.Claim)
    known.replace(document.ClaimRows, {"of": claim, "rows": _mapping(claim)})
    changes = {
        "analyses": _mapping(_any(map(known.of, analyses.values()))),
        "figures": _mapping(_any(map(known.of, plots.values()))),
    }
    known.replace(document.Scale, options | changes)
    of_rows = {"if": _any([{"required": ["of"]}, {"required": ["rows"]}])}
    entries = {
        "analyses": _mapping(_entry(known, ANALYSIS, document.Analysis, analyses)),
        "figures": _mapping(_entry(known, PLOT, document.Figure, plots)),
        "claims": _mapping({**of_rows, "then": known.of(document.ClaimRows), "else": claim}),
    }
    known.replace(document.Document, options | entries)
    whole = known.named.pop(known.name(document.Document))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, **whole, "$defs": dict(sorted(known.named.items()))}


def _options(kind: Kind) -> Models:
    return {name: load(kind, name).Options for name in available(kind)}


class _Definitions:
    """What the schema of each section is, by its name in `$defs`."""

    def __init__(self, sections: Iterable[type[BaseModel]]):
        models = list(dict.fromkeys(one for section in sections for one in _with_inner(section)))
        self._refs, whole = models_json_schema([(model, "validation") for model in models])
        self.named: dict[str, Schema] = whole["$defs"]
        for model in models:
            name = self.name(model)
            self.named[name] = _section(self.named[name], comments(model), model in _WHOLE)

    def of(self, model: type[BaseModel]) -> Schema:
        """The schema of a section, by reference."""
        return {"$ref": self._refs[model, "validation"]["$ref"]}

    def name(self, model: type[BaseModel]) -> str:
        """What a section is called in `$defs`."""
        return str(self.of(model)["$ref"]).removeprefix(_DEFINITIONS)

    def add(self, name: str, definition: Schema) -> Schema:
        """A new one, by reference."""
        self.named[name] = definition
        return {"$ref": _DEFINITIONS + name}

    def replace(self, model: type[BaseModel], taken: Mapping[str, Schema]) -> None:
        """Set the schemas `taken` of keys, where a section has them; the comments on the keys stay."""
        properties = self.named[self.name(model)]["properties"]
        for key in properties.keys() & taken.keys():
            meaning = {word: properties[key][word] for word in {"description"} & {*properties[key]}}
            properties[key] = _or_null(taken[key]) | meaning

    def extended(self, section: Schema, more: Mapping[str, Schema]) -> Schema:
        """A section with more keys."""
        ref = section["$ref"]
        keys = self.named[ref.removeprefix(_DEFINITIONS)]["properties"]
        own = {key: {"$ref": f"{ref}/properties/{key}"} for key in keys}
        return {"type": "object", "properties": {**more, **own}, "additionalProperties": False}

    def unfold(self, model: type[BaseModel]) -> None:
        """Let mappings to sections, in a section and those within, have entries for each layer."""
        fields = [
            field
            for one in _with_inner(model)
            for field in self.named[self.name(one)]["properties"].values()
        ]
        for kind in (kind for field in fields for kind in field["anyOf"]):
            section = kind.get("additionalProperties") or {}
            for one in section.get("anyOf", ()):
                if "$ref" in one:
                    entry = self.extended(one, {"layers": _LAYERS})
                    kind["patternProperties"] = {re.escape(MARK): entry}


def _with_inner(model: type[BaseModel]) -> Iterable[type[BaseModel]]:
    return model, *(inner for _, inner in inner_sections(model))


def _entry(known: _Definitions, kind: Kind, model: type[BaseModel], plugins: Models) -> Schema:
    """An analysis or a figure: it is `like` another, or names its plugin; beside that, the plugin's options."""
    common = known.named.pop(known.name(model))["properties"]
    choice = next(key for key in ("method", "plot") if key in common)
    entries = {}
    for name, options in plugins.items():
        own = {**common, choice: {"const": name}}
        if "experiments" in common:
            own["experiments"] = _any([_NAMES, _mapping(_or_null(known.of(options)))])
        entries[name] = known.add(f"{kind.folder}.{name}", known.extended(known.of(options), own))
    chosen = [
        {"if": {"properties": {choice: {"const": name}}, "required": [choice]}, "then": entry}
        for name, entry in entries.items()
    ]
    unnamed = {"required": ["like"], **_any(entries.values())}
    return {
        "type": "object",
        "properties": {choice: {"enum": [*entries]}},
        "allOf": [*chosen, {"if": {"required": [choice]}, "else": unnamed}],
    }


def _section(found: Schema, meanings: Mapping[str, str], whole: bool) -> Schema:
    """What pydantic says of a section, with the comments on its fields."""
    needed = found.get("required", []) if whole else []
    properties = {}
    for key, value in found.get("properties", {}).items():
        kept = {word: said for word, said in value.items() if word not in ("title", "default")}
        meaning = {"description": meanings[key]} if meanings.get(key) else {}
        properties[key] = (kept if key in needed else _or_null(kept)) | meaning
    section = {key: value for key, value in found.items() if key not in ("title", "required")}
    return section | {"properties": properties} | ({"required": needed} if needed else {})


def _or_null(taken: Schema) -> Schema:
    """`taken` or null; in a mapping each value as well."""
    kinds = taken["anyOf"] if [*taken] == ["anyOf"] else [taken]
    found = [kind for kind in kinds if kind != _NULL]
    for at, kind in enumerate(found):
        if isinstance(value := kind.get("additionalProperties"), dict):
            found[at] = {**kind, "additionalProperties": _or_null(value)}
    return _any([*found, _NULL])


def _any(schemas: Iterable[Schema]) -> Schema:
    return {"anyOf": list(schemas)}


def _mapping(entry: Schema) -> Schema:
    return {"type": "object", "additionalProperties": entry}
