"""What decides the bytes of a file: one job's slice of the spec and the code that it runs.

Two recipes are equal exactly when their canonical JSON is.  Code enters as a digest of its meaning: comments,
docstrings and layout do not count, and every `interpflow` module that the code imports does.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError

_PACKAGE = __name__.partition(".")[0]
_ROOT = Path(__file__).resolve().parents[2]


def canonical(value: Any) -> str:
    """`value` as JSON with one spelling: sorted keys, no spaces, and an error for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of(text: str) -> str:
    """The SHA-256 of `text`, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def code_digest(*modules: str) -> str:
    """One digest for the named modules and every module of the package that they import, directly or not.

    Nothing is imported: modules are found by file.  Imports count wherever they stand, also inside a
    function; only those under `if TYPE_CHECKING:` do not, since they never run.  A file is read once per
    process.  Raises InterpflowError for a module without a file and for a file that is not Python.
    """
    reached: set[str] = set()
    waiting = [package for module in modules for package in _with_packages(module)]
    for module in modules:
        if _file_of(module) is None:
            raise InterpflowError(f"no module '{module}' under {_ROOT}")
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(_meaning(module)[1])
    return sha256_of(canonical({module: _meaning(module)[0] for module in reached}))


@functools.cache
def _meaning(module: str) -> tuple[str, tuple[str, ...]]:
    """The digest of one module's own code, and the modules of the package that it imports."""
    path = _file_of(module)
    assert path is not None, module
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise InterpflowError(f"{path}:{error.lineno}: not Python: {error.msg}") from error
    words: list[str] = []
    _spell(tree, words)
    return sha256_of(" ".join(words)), tuple(sorted(set(_imports(module, path, tree))))


def _spell(node: Any, words: list[str]) -> None:
    """Add to `words` the syntax tree at `node`, without docstrings; the same on every version of Python.

    (`ast.dump` is not: from 3.13 on it leaves empty fields out.)
    """
    if isinstance(node, ast.AST):
        words.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != []:
                words.append(name)
                _spell(value, words)
        words.append(")")
    elif isinstance(node, list):
        for item in node:
            if not _is_text_alone(item):
                _spell(item, words)
        words.append("]")
    else:
        words.append(repr(node))


def _is_text_alone(node: Any) -> bool:
    """Whether the statement is nothing but a string: a docstring, or a comment written as one."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imports(module: str, path: Path, tree: ast.Module) -> Iterator[str]:
    """The package's modules that importing or running the code of `tree` imports."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, path, node)
            yield from _with_packages(base)
            # `from package import name` imports a module where `name` is one.
            for alias in node.names:
                yield from _with_packages(f"{base}.{alias.name}")
        elif isinstance(node, ast.If) and ast.unparse(node.test) in (
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            waiting += node.orelse
        else:  # what holds statements; no expression does
            for part in ("body", "handlers", "orelse", "finalbody", "cases"):
                waiting += getattr(node, part, [])


def _absolute(module: str, path: Path, node: ast.ImportFrom) -> str:
    """The full name of what `from … import` starts from."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    # In a package's __init__ one dot is the package itself, elsewhere it is the package of the module.
    keep = len(parts) - node.level + (path.name == "__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _with_packages(name: str) -> Iterator[str]:
    """`name` and the packages around it, those that are modules of this package: importing runs them all."""
    parts = name.split(".")
    if parts[0] == _PACKAGE:
        for end in range(1, len(parts) + 1):
            module = ".".join(parts[:end])
            if _file_of(module) is not None:
                yield module


@functools.cache
def _file_of(module: str) -> Path | None:
    stem = _ROOT.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path
    return None
