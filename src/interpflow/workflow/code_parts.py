"""The code behind a digest, definition by definition, so that a later comparison names the changed ones.

A recipe holds one digest of all code that a job runs.  The definitions behind each digest are kept once, in
results/.code/.  The files of a recipe do not hold them: their bytes do not depend on the names of modules.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from interpflow.files import replacing
from interpflow.workflow.code_slice import defined, part_of
from interpflow.workflow.recipe import (
    canonical,
    is_text_alone,
    modules_run,
    names_imported,
    parsed,
    sha256_of,
    spell,
)

# {module: {definition: digest}}; under `WHOLE` stands the digest of the whole module.
Parts = Mapping[str, Mapping[str, str]]

WHOLE = ""
_KEPT = "results/.code/{digest}.json"
_DIGITS = 8  # of a digest: it is compared with one other


def code_parts(*modules: str) -> Parts:
    """The definitions of all code that `recipe.code_digest(*modules)` counts; a method is `Class.method`.

    A module written as `module:function,function` has the definitions of its part.
    """
    found: dict[str, Mapping[str, str]] = {}
    waiting = [run for module in modules for run in modules_run(module)]
    while waiting:
        if (module := waiting.pop()) not in found:
            found[module], imports = _parts(module)
            waiting += imports
    return found


def keep(digest: str, *modules: str) -> None:
    """Keep the definitions of `modules`, whose digest is `digest`, in the project of the current folder."""
    path = Path(_KEPT.format(digest=digest[:16]))
    if path.is_file():
        return
    lines = [
        f"{json.dumps(module)}: {json.dumps(parts, sort_keys=True)}"
        for module, parts in sorted(code_parts(*modules).items())
    ]
    with replacing(path) as temporary:
        temporary.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


def kept(digest: str) -> Parts | None:
    """The definitions behind `digest`; None if they were not kept."""
    try:
        return dict(json.loads(Path(_KEPT.format(digest=digest[:16])).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def changes(before: Parts, now: Parts) -> list[str]:
    """A message on each definition that changed: `interpflow.plots.dots: plot changed`.

    A module can change while its definitions stay: its imports, or the order of its statements.  An edit of a
    definition often changes imports too, so they are named only if no definition changed.
    """
    gone = {module: parts for module, parts in before.items() if module not in now}
    found, silent = [], []
    for module, parts in now.items():
        if module in before:
            old = before[module]
        elif moved := [
            name for name, was in gone.items() if _definitions(was) == _definitions(parts)
        ]:
            old = gone.pop(moved[0])
        else:
            found.append(f"{module}: is new here")
            continue
        told = [f"{module}: {name} {how}" for name, how in _differences(old, parts)]
        found += told
        if not told and old.get(WHOLE) != parts.get(WHOLE):
            silent.append(f"{module}: its imports or the order of its statements changed")
    found += [f"{module}: no longer used" for module in gone]
    return sorted(found or silent)


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(before.keys() | now.keys()):
        if name != WHOLE and before.get(name) != now.get(name):
            yield (
                name,
                "is new" if name not in before else "is gone" if name not in now else "changed",
            )


def _definitions(parts: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in parts.items() if name != WHOLE}


@functools.cache
def _parts(module: str) -> tuple[Mapping[str, str], list[str]]:
    """The definitions of one module, and the modules that it imports."""
    name, _, functions = module.partition(":")
    path, tree = parsed(name)
    if functions:
        tree = part_of(tree, functions.split(","))
    imports: list[str] = []

    def by_name(node: ast.Import | ast.ImportFrom) -> set[str] | None:
        names = names_imported(name, path, node)
        if names is None:
            return None
        imports.extend(run for full, *_ in names for run in modules_run(full, name))
        return {canonical([*each]) for each in names}

    def digest(node: ast.AST) -> str:
        words: list[str] = []
        imported = spell(node, words, by_name)
        return sha256_of(canonical([words, sorted(imported)]))[:_DIGITS]

    whole = digest(tree)  # also finds all imports
    parts = {called: digest(node) for called, node in _definitions_in(tree)}
    return {WHOLE: whole, **parts}, imports


def _definitions_in(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or is_text_alone(statement):
            continue
        if isinstance(statement, ast.ClassDef):
            methods = [each for each in statement.body if isinstance(each, ast.FunctionDef)]
            rest = copy.copy(statement)
            rest.body = [each for each in statement.body if each not in methods]
            yield statement.name, rest
            for method in methods:
                yield f"{statement.name}.{method.name}", method
            continue
        for name in defined(statement):
            yield name, statement
