"""The digest of code follows meaning, and nothing but meaning, through imports."""

from __future__ import annotations

import math
import textwrap

import pytest
from edits import forget_code, leave_no_code_behind, read_code_in

from interpflow.errors import InterpflowError
from interpflow.workflow.recipe import canonical, code_digest, sha256_of


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes modules of a package `interpflow` of this test's own, and forgets what was read before."""
    read_code_in(tmp_path, monkeypatch)

    def write_module(path, text):
        file = tmp_path / "interpflow" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        forget_code()

    write_module("__init__.py", "")
    return write_module


PLAIN = """
def double(x):
    return 2 * x
"""


@pytest.mark.parametrize(
    "same",
    [
        '"""A module docstring."""\ndef double(x):\n    return 2 * x\n',
        'def double(x):\n    """Twice."""\n    return 2 * x\n',
        "# a comment\ndef double(x):  # and another\n\n    return (2 *\n        x)\n",
        'def double(x):\n    return 2 * x\n"""A string that stands alone."""\n',
    ],
    ids=["module docstring", "function docstring", "comments and layout", "string alone"],
)
def test_comments_docstrings_and_layout_do_not_change_the_digest(write, same):
    write("a.py", PLAIN)
    before = code_digest("interpflow.a")
    write("a.py", same)
    assert code_digest("interpflow.a") == before


@pytest.mark.parametrize(
    "other",
    [
        "def double(x):\n    return 3 * x\n",
        "def double(x):\n    return 2.0 * x\n",
        "def double(x, y=None):\n    return 2 * x\n",
        "def double(x):\n    return '2' * x\n",
        "@cache\ndef double(x):\n    return 2 * x\n",
        "def double(x):\n    return x * 2\n",
    ],
)
def test_a_change_of_meaning_changes_the_digest(write, other):
    write("a.py", PLAIN)
    before = code_digest("interpflow.a")
    write("a.py", other)
    assert code_digest("interpflow.a") != before


@pytest.mark.parametrize(
    "statement",
    [
        "import interpflow.deep.b",
        "import interpflow.deep.b as other",
        "from interpflow.deep import b",
        "from interpflow.deep.b import value",
        "from .deep import b",
        "from .deep.b import value",
        "from . import deep\nfrom .deep import b",
        "def later():\n    from interpflow.deep import b",
        "class Holder:\n    def later(self):\n        import interpflow.deep.b",
        "try:\n    pass\nexcept ImportError:\n    from interpflow.deep import b",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from interpflow.deep import b",
    ],
)
def test_a_change_in_an_imported_module_changes_the_digest_however_it_is_imported(write, statement):
    write("a.py", statement)
    write("deep/__init__.py", "")
    write("deep/b.py", "value = 1")
    before = code_digest("interpflow.a")
    write("deep/b.py", "value = 2")
    assert code_digest("interpflow.a") != before


def test_imports_are_followed_to_any_depth(write):
    write("a.py", "from interpflow import b")
    write("b.py", "from interpflow import c")
    write("c.py", "value = 1")
    before = code_digest("interpflow.a")
    write("c.py", "value = 2")
    assert code_digest("interpflow.a") != before


def test_modules_that_import_each_other_are_named(write):
    write("a.py", "from interpflow import b")
    write("b.py", "def later():\n    from interpflow import a")
    with pytest.raises(
        InterpflowError, match=r"interpflow\.a imports interpflow\.b imports interpflow\.a"
    ):
        code_digest("interpflow.a")


def test_a_relative_import_inside_a_package_starts_at_the_package(write):
    write("deep/__init__.py", "from . import b\nfrom .. import c")
    write("deep/b.py", "value = 1")
    write("c.py", "value = 1")
    before = code_digest("interpflow.deep")
    write("deep/b.py", "value = 2")
    changed_inside = code_digest("interpflow.deep")
    write("c.py", "value = 2")
    assert len({before, changed_inside, code_digest("interpflow.deep")}) == 3


def test_the_packages_around_an_imported_module_count_since_importing_runs_them(write):
    write("a.py", "import interpflow.deep.b")
    write("deep/__init__.py", "value = 1")
    write("deep/b.py", "")
    before = code_digest("interpflow.a")
    write("deep/__init__.py", "value = 2")
    assert code_digest("interpflow.a") != before


def test_modules_that_nothing_imports_do_not_count(write):
    write("a.py", "if TYPE_CHECKING:\n    from interpflow.b import Thing\nimport numpy")
    write("b.py", "value = 1")
    before = code_digest("interpflow.a")
    write("b.py", "value = 2")
    assert code_digest("interpflow.a") == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from interpflow.b import value", "from interpflow.room.c import value"),
        ("from interpflow import b as c", "from interpflow.room import c as c"),
        ("from .b import value", "from .room.c import value"),
        (
            "from interpflow.a import first\nfrom interpflow.b import value, other",
            "from interpflow.room.c import other\nfrom interpflow.room.c import value\n"
            "from interpflow.a import first",
        ),
        (
            "if TYPE_CHECKING:\n    from interpflow.b import Thing",
            "if TYPE_CHECKING:\n    from interpflow.room.c import Thing",
        ),
    ],
)
def test_a_module_that_moves_changes_no_digest(write, before, after):
    write("a.py", "first = 0")
    write("b.py", "from interpflow.a import first\nvalue = other = 1")
    write("user.py", f"{before}\nprint(1)")
    digest = code_digest("interpflow.user")
    write("room/__init__.py", '"""A room."""')
    write("room/c.py", "from interpflow.a import first\nvalue = other = 1")
    write("user.py", f"{after}\nprint(1)")
    assert code_digest("interpflow.user") == digest


@pytest.mark.parametrize(
    "other",
    [
        "from interpflow.b import other",
        "from interpflow.b import value as other",
        "from interpflow.c import value",
        "",
    ],
)
def test_an_import_of_something_else_changes_the_digest(write, other):
    write("b.py", "value = other = 1")
    write("c.py", "value = 2")
    write("a.py", "from interpflow.b import value")
    digest = code_digest("interpflow.a")
    write("a.py", other)
    assert code_digest("interpflow.a") != digest


def test_code_that_is_not_python_is_named_with_its_line(write):
    write("a.py", "from interpflow import b")
    write("b.py", "x = 1\ndef (:\n")
    with pytest.raises(InterpflowError, match=r"b\.py:2: not Python"):
        code_digest("interpflow.a")


def test_a_module_without_a_file_is_refused(write):
    with pytest.raises(InterpflowError, match=r"no module 'interpflow\.nowhere'"):
        code_digest("interpflow.nowhere")


def test_equal_recipes_have_one_spelling():
    assert canonical({"b": 1, "a": [True, None, "é"]}) == canonical(
        {"a": [True, None, "é"], "b": 1}
    )
    assert canonical({"a": 1}) != canonical({"a": 1.0})
    assert sha256_of(canonical({})) == sha256_of("{}")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_recipe_holds_no_number_that_json_cannot_say(value):
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": value})


def test_what_a_test_edits_is_not_left_to_the_next(tmp_path):
    ours = code_digest("interpflow.errors")
    with pytest.MonkeyPatch.context() as edited:
        read_code_in(tmp_path, edited)
        (tmp_path / "interpflow").mkdir()
        (tmp_path / "interpflow/errors.py").write_text("another = 1\n")
        assert code_digest("interpflow.errors") != ours
        leave_no_code_behind()
    assert code_digest("interpflow.errors") == ours
