"""Widths and text of figures: interpflow's own, or those of a venue."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

Venue = Literal["acl", "iclr", "icml", "neurips"]


@dataclass(frozen=True)
class Sizes:
    """Widths of one and two columns of print (inches), and the size of all text (points).

    Nothing is smaller than `text`, and nothing but a title needs to stand out.
    """

    single: float
    double: float
    text: float


_OWN = Sizes(single=3.5, double=7.0, text=8.0)

# A page of one column counts as two, so that two small figures stand side by side.  Text is as large as
# \scriptsize of the venue's style file, the size of indices and the smallest that its authors read.
VENUES: dict[Venue, Sizes] = {
    # "Instructions for ACL proceedings": columns of 7.7 cm with a gap of 0.6 cm; article at 11 pt, 8 pt.
    "acl": Sizes(single=7.7 / 2.54, double=16.0 / 2.54, text=8.0),
    # "Formatting instructions for ICLR": text 5.5 inches wide; iclr_conference.sty: \scriptsize is 7 pt.
    "iclr": Sizes(single=5.5 / 2, double=5.5, text=7.0),
    # "Submission and formatting instructions for ICML", 2.1: two columns, 6.75 inches, 0.25 inches between
    # them; icml.sty: \scriptsize is 7 pt.
    "icml": Sizes(single=(6.75 - 0.25) / 2, double=6.75, text=7.0),
    # "Formatting instructions for NeurIPS", 2: 5.5 inches (33 picas); neurips.sty: \scriptsize is 7 pt.
    "neurips": Sizes(single=5.5 / 2, double=5.5, text=7.0),
}
assert {*VENUES} == {*get_args(Venue)}

_now: ContextVar[Sizes] = ContextVar("sizes", default=_OWN)


def sizes() -> Sizes:
    """The widths and the text of the figure that is drawn now."""
    return _now.get()


@contextlib.contextmanager
def sizes_of(venue: Venue | None) -> Iterator[Sizes]:
    """Within this, figures have the sizes of `venue`; of None, interpflow's own."""
    token = _now.set(_OWN if venue is None else VENUES[venue])
    try:
        yield sizes()
    finally:
        _now.reset(token)
