"""Text and numbers as LaTeX, and names of macros."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "{}$&#_%"},
    # In the fonts that LaTeX takes unless told otherwise these are other characters.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
}
# Beyond ASCII, what pdfLaTeX does not know by itself, by its name in Unicode: Greek letters, and these.
_MATHEMATICAL = {
    "MINUS SIGN": "-",
    "MIDDLE DOT": r"\cdot",
    "MULTIPLICATION SIGN": r"\times",
    "PLUS-MINUS SIGN": r"\pm",
    "LESS-THAN OR EQUAL TO": r"\leq",
    "GREATER-THAN OR EQUAL TO": r"\geq",
    "NOT EQUAL TO": r"\neq",
    "ALMOST EQUAL TO": r"\approx",
    "TILDE OPERATOR": r"\sim",
    "RIGHTWARDS ARROW": r"\to",
    "LEFTWARDS ARROW": r"\leftarrow",
    "UPWARDS ARROW": r"\uparrow",
    "DOWNWARDS ARROW": r"\downarrow",
    "INFINITY": r"\infty",
    "ELEMENT OF": r"\in",
    "N-ARY SUMMATION": r"\sum",
    "SQUARE ROOT": r"\surd",
    "MODIFIER LETTER CAPITAL T": r"^{\mathsf{T}}",
    "SUPERSCRIPT TWO": "^{2}",
    "SUPERSCRIPT THREE": "^{3}",
    "DEGREE SIGN": r"^{\circ}",
}
# Greek letters that look like Latin ones have no command; Unicode says lamda.
_GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lamda", "mu",
     "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
     "Theta", "Lamda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")
)  # fmt: skip
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def escaped(text: str) -> str:
    r"""`text` on one line, as LaTeX that prints it.

    >>> escaped("50% of W_Q: 2")
    '50\\% of W\\_Q: 2'
    """
    return "".join(map(_character, " ".join(text.split())))


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    name = unicodedata.name(character, "")
    command = _MATHEMATICAL.get(name) or _greek(name)
    return rf"\ensuremath{{{command}}}" if command else character


def _greek(name: str) -> str:
    """The command of a Greek letter (GREEK SMALL LETTER SIGMA), "" for any other character."""
    alphabet, _, letter = name.partition(" LETTER ")
    words = {"GREEK SMALL": letter.lower(), "GREEK CAPITAL": letter.capitalize()}
    word = words.get(alphabet, "")
    return "\\" + word.replace("amda", "ambda") if word in _GREEK else ""


def number(value: float | None, digits: int = 4) -> str:
    r"""`value` with so many significant digits, in text and in formulas alike.

    >>> number(0.80612), number(-0.25), number(1.5e-7), number(float("nan"))
    ('0.8061', '\\ensuremath{-0.25}', '\\ensuremath{1.5\\times10^{-7}}', '\\mbox{--}')
    """
    if value is None or math.isnan(value):
        return r"\mbox{--}"
    shown, _, power = f"{value:.{digits}g}".partition("e")
    if power:
        shown += rf"\times10^{{{int(power)}}}"
    return rf"\ensuremath{{{shown}}}" if power or value < 0 else shown


def macro_name(*names: str) -> str:
    """A name of letters alone, which is all that LaTeX takes.

    >>> macro_name("list_sorting", "modes.nodes16")
    'ListSortingModesNodesOneSix'
    """
    spelt = "".join(
        _DIGITS[int(character)] if character.isdecimal() else character
        for character in " ".join(names).title()
    )
    return "".join(filter(str.isalpha, spelt))


def definitions(macros: Mapping[str, str]) -> str:
    """The LaTeX that defines each of `macros`, a line each."""
    return "".join(rf"\newcommand{{\{name}}}{{{means}}}" + "\n" for name, means in macros.items())
