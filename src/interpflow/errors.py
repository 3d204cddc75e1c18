"""The one exception meant for people."""

from __future__ import annotations


class InterpflowError(Exception):
    """Something the user can mend.  The message says what was found, what is allowed and the way out;
    the command line prints it without a traceback."""
