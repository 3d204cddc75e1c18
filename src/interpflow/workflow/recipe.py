"""The recipe of a file decides its bytes: one job's slice of the spec, and the code that it runs.

Two recipes are equal exactly when their canonical JSON is.  Code enters as a digest of its meaning: comments,
docstrings, layout and the places of files do not count; every module of the package and of the project that the
code imports does.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.workflow import beside
from interpflow.workflow.code_slice import options_read, part_of

_PACKAGE = __name__.partition(".")[0]
_ROOT = Path(__file__).resolve().parents[2]


def package_folder() -> Path:
    """The folder of the package whose code counts."""
    return _ROOT / _PACKAGE


def canonical(value: Any) -> str:
    """`value` as JSON with one spelling: sorted keys, no spaces, and an error for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of(text: str) -> str:
    """The SHA-256 of `text`, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def code_digest(*modules: str) -> str:
    """One digest for the code of the named modules and of every module that they import.

    Modules of other packages do not count.  Nothing is imported: modules are found by file.  Imports count
    everywhere, also inside a function, but for imports under `if TYPE_CHECKING:`, since they never run.  An
    import counts by the digest of its target and the name that it gives, not by the place of the target, so
    moving a file changes no digest.  A function counts as a part of its module, so moving a function to another
    module changes the digests of both.  A file is read once per process.  Of a module written as
    `module:function,function`, the functions count and the part of the module that they use.  Raises
    InterpflowError for a module without a file, for a file that is not Python, and for modules that import each
    other.
    """
    for module in modules:
        if _file_of(module.partition(":")[0]) is None:
            raise InterpflowError(f"no module '{module}' under {_ROOT} or beside specs/")
    return sha256_of(canonical([_brought_in(module) for module in modules]))


@functools.cache
def _digest(module: str) -> str:
    """The digest of one module's own code and of all that it imports."""
    module, _, functions = module.partition(":")
    path, tree = parsed(module)
    if functions:
        tree = part_of(tree, functions.split(","))
    if module in _open:
        circle = " imports ".join([*_open[_open.index(module) :], module])
        raise InterpflowError(f"{path}: {circle}; move what they share to a module of its own")
    words: list[str] = []
    _open.append(module)
    try:
        imports = spell(tree, words, functools.partial(_imported, module, path))
    finally:
        _open.pop()
    return sha256_of(canonical([words, sorted(imports)]))


@functools.cache
def parsed(module: str) -> tuple[Path, ast.Module]:
    """The file of a module and its syntax tree; raises InterpflowError where it is not Python."""
    path = _file_of(module)
    assert path is not None, module
    try:
        return path, ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise InterpflowError(f"{path}:{error.lineno}: not Python: {error.msg}") from error


@functools.cache
def options_of(module: str, options: frozenset[str]) -> frozenset[str]:
    """Which of the `options` of a task the code `module:function,function` reads."""
    name, _, functions = module.partition(":")
    part = part_of(parsed(name)[1], functions.split(","))
    return frozenset(options_read(part, options))


_NOTHING = sha256_of(canonical([["Module", ")"], []]))  # the digest of a module without code
_open: list[str] = []  # modules whose digest is being worked out, each imported by the one before


def _imported(module: str, path: Path, node: ast.Import | ast.ImportFrom) -> set[str] | None:
    """The digest and the name of each import of a statement; None for an import from outside the package."""
    names = names_imported(module, path, node)
    if names is None:
        return None
    return {canonical([name, called, _brought_in(full, module)]) for full, name, called in names}


def names_imported(
    module: str, path: Path, node: ast.Import | ast.ImportFrom
) -> list[tuple[str, str, str]] | None:
    """Each import of a statement: its full name, the name that counts, and the name that it gives.

    None for an import from outside the package.
    """
    base = _absolute(module, path, node) if isinstance(node, ast.ImportFrom) else ""
    found = []
    for alias in node.names:
        full = f"{base}.{alias.name}" if base else alias.name
        if full.partition(".")[0] != _PACKAGE and not any(_with_packages(full)):
            return None
        # A module counts by what it holds.  `import a.b` alone gives the name `a`, and what stands behind it
        # is spelled where it is used.
        called = alias.asname or (alias.name if base else "")
        found.append((full, called if _file_of(full) else alias.name, called))
    return found


def _brought_in(name: str, importer: str = "") -> list[str]:
    """The digests of the modules that importing `name` runs, of those that hold code."""
    digests = [_digest(module) for module in modules_run(name, importer)]
    return [digest for digest in digests if digest != _NOTHING]


def modules_run(name: str, importer: str = "") -> list[str]:
    """The modules that importing `name` runs: the packages around it, and itself.

    The packages around the importer ran before it, and count for the module that imports the importer.
    """
    ran = {importer, *_with_packages(importer)} if importer else set()
    name, _, functions = name.partition(":")
    run = [module for module in _with_packages(name) if module not in ran]
    return [f"{module}:{functions}" if functions and module == name else module for module in run]


def spell(
    node: Any,
    words: list[str],
    imported: Callable[[ast.Import | ast.ImportFrom], set[str] | None],
) -> set[str]:
    """Add to `words` the syntax tree at `node`, the same on every version of Python; return its imports.

    Docstrings are left out, what is under `if TYPE_CHECKING:`, and imports of the package, whose order and
    grouping mean nothing.  (`ast.dump` would not do: from 3.13 on it leaves empty fields out.)
    """
    imports: set[str] = set()
    if isinstance(node, (ast.Import, ast.ImportFrom)) and (found := imported(node)) is not None:
        return found
    if isinstance(node, ast.AST):
        words.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                value = [item for item in value if not is_text_alone(item)]
            if name == "body" and _is_for_types_alone(node):
                continue
            if value is not None and value != []:
                words.append(name)
                imports |= spell(value, words, imported)
        words.append(")")
    elif isinstance(node, list):
        for item in node:
            imports |= spell(item, words, imported)
        words.append("]")
    else:
        words.append(repr(node))
    return imports


def _is_for_types_alone(node: ast.AST) -> bool:
    """Whether the node is `if TYPE_CHECKING:`, whose body never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def is_text_alone(node: Any) -> bool:
    """Whether the statement is nothing but a string: a docstring, or a comment written as one."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _absolute(module: str, path: Path, node: ast.ImportFrom) -> str:
    """The full name of what `from … import` starts from."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    # In a package's __init__ one dot is the package itself, elsewhere it is the package of the module.
    keep = len(parts) - node.level + (path.name == "__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _with_packages(name: str) -> Iterator[str]:
    """`name` and the packages around it, those whose code counts: importing runs them all."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        module = ".".join(parts[:end])
        if _file_of(module) is not None:
            yield module


@functools.cache
def _file_of(module: str) -> Path | None:
    places = [beside.place_of(module)]
    # Beside an installed package stand others, whose code does not count.
    if module.partition(".")[0] == _PACKAGE:
        places.append(_ROOT.joinpath(*module.split(".")))
    for stem in filter(None, places):
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                return path
    return None
