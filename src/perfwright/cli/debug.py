"""`--debug` and PERFWRIGHT_DEBUG: errors with where they come from."""

from __future__ import annotations

import os

_VARIABLE = "PERFWRIGHT_DEBUG"
_OFF = {"", "0", "f", "false", "n", "no", "off"}


def switch_on() -> None:
    """For the rest of this process, and for those that it starts."""
    os.environ[_VARIABLE] = "1"


def is_on() -> bool:
    """Whether somebody wants to see tracebacks."""
    return os.environ.get(_VARIABLE, "").lower() not in _OFF
