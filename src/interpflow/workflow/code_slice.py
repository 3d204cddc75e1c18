"""The part of a module that some of its functions run, and the options that this part reads.

Training on fresh examples rests on two functions of a task's file, and not on the states beside them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

_OPTIONS = "Options"
# Names that read attributes without spelling them.
_READS_ALL = {"getattr", "vars", "model_dump", "model_fields", "model_copy", "__dict__"}


def part_of(tree: ast.Module, names: Iterable[str]) -> ast.Module:
    """The top-level statements of `tree` that the definitions `names` need.

    Annotations do not count, nor do the fields of `Options`, whose values stand in the recipe.  A method of
    `Options` counts if a statement calls it.
    """
    statements = {name: at for at in tree.body for name in defined(at)}
    kept: dict[int, ast.stmt] = {}
    waiting = list(names)
    while waiting:
        statement = statements.get(waiting.pop())
        if statement is None or id(statement) in kept:
            continue
        kept[id(statement)] = statement
        if not _is_options(statement):
            waiting += _names(statement)
    part = [statement for statement in tree.body if id(statement) in kept]
    options = next((each for each in part if _is_options(each)), None)
    if options is None:
        options = statements.get(_OPTIONS)
    part = [each for each in part if each is not options]
    read = _attributes(part)
    if isinstance(options, ast.ClassDef):
        called = [
            each for each in options.body if isinstance(each, ast.FunctionDef) and each.name in read
        ]
        if called:
            part += called + part_of(tree, [name for each in called for name in _names(each)]).body
    return ast.Module(list(dict.fromkeys(part)), [])


def options_read(part: ast.Module, options: Iterable[str]) -> set[str]:
    """Which of `options` the statements of `part` read; all where they may read any."""
    # A class of the task's own that looks at itself looks at no options.
    functions = [each for each in part.body if not isinstance(each, ast.ClassDef)]
    any_of_them = _attributes(functions) | {name for each in functions for name in _names(each)}
    return set(options) if any_of_them & _READS_ALL else _attributes(part.body) & set(options)


def defined(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement gives to something."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    stored = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return [node.id for node in stored if isinstance(node.ctx, ast.Store)]


def _is_options(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ClassDef) and statement.name == _OPTIONS


def _names(statement: ast.stmt) -> list[str]:
    """The names that the statement uses, those of annotations left out."""
    found: list[str] = []
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            found.append(node.id)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            waiting += [each for each in (value if isinstance(value, list) else [value])
                        if isinstance(each, ast.AST)]  # fmt: skip
    return found


def _attributes(statements: Iterable[ast.stmt]) -> set[str]:
    return {
        node.attr
        for each in statements
        for node in ast.walk(each)
        if isinstance(node, ast.Attribute)
    }
