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
# Beyond ASCII, what pdfLaTeX does not know by itself: Greek letters by their names, and these.
_MATHEMATICAL = {
    "−": "-", "·": r"\cdot", "×": r"\times", "±": r"\pm", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx",
    "∼": r"\sim", "→": r"\to", "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow", "∞": r"\infty",
    "∈": r"\in", "∑": r"\sum", "√": r"\surd", "ᵀ": r"^{\mathsf{T}}", "²": "^{2}", "³": "^{3}", "°": r"^{\circ}",
}  # fmt: skip
_GREEK = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lamda", "mu",
          "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"}  # fmt: skip
# Greek capitals that look like Latin ones have no command.
_CAPITALS = {"Gamma", "Delta", "Theta", "Lamda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"}  # fmt: skip
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def escaped(text: str) -> str:
    r"""`text` on one line, as LaTeX that prints it.

    >>> escaped("50% of W_Q, σ ≥ 2")
    '50\\% of W\\_Q, \\ensuremath{\\sigma} \\ensuremath{\\geq} 2'
    """
    return "".join(map(_character, " ".join(text.split())))


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    command = _MATHEMATICAL.get(character) or _greek(character)
    return rf"\ensuremath{{{command}}}" if command else character


def _greek(character: str) -> str:
    """The command of a Greek letter, "" for any other character."""
    words = unicodedata.name(character, "").split()
    if words[:1] != ["GREEK"] or len(words) != 4:  # GREEK SMALL LETTER SIGMA
        return ""
    name = words[-1].lower() if words[1] == "SMALL" else words[-1].capitalize()
    known = name in (_GREEK if words[1] == "SMALL" else _CAPITALS)
    return "\\" + name.replace("lamda", "lambda").replace("Lamda", "Lambda") if known else ""


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
