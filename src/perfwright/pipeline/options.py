"""The options worth tuning, and whether a value suits an option.

What the tools print about their options is not enough: initial values are not what -O3 uses,
and there are no ranges.  `toolchain/data/options.json` has both; its tests compare it with the
installed tools.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from perfwright.errors import shortened
from perfwright.pipeline.edits import EditError
from perfwright.toolchain.registry import Option, OptionType

Value = bool | int | float | str

_LARGEST = 1_000_000
"""More than any threshold has use for; counts near 2**32 make LLVM eat all memory."""
_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})
_SIMILAR = 0.8
"""Below this, names that look alike mean something else: a misspelt name of LLVM's comes to 0.83
and more, `vectorize` to 0.78 of `slp-vectorizer`, `nosuchfunction` to 0.73 of `function`."""


@dataclass(frozen=True)
class TunableOption:
    """One option worth tuning.

    Attributes:
        name: without dashes.
        stage: the part of the compiler it belongs to: `inline`, `unroll`, `layout`...
        type: its type, as the tools show it.
        does: what it does, in a line.
        llvm: the major versions in which name, type and default were checked.
        default: what -O3 uses, or one value per major; `None` where target or place decide.
        min: least sensible value; numbers only.
        max: greatest sensible value; numbers only.
        values: the sensible values of an enum; all of them when empty.
    """

    name: str
    stage: str
    type: OptionType
    does: str
    llvm: tuple[int, ...]
    default: Value | dict[str, Value] | None = None
    min: int | float | None = None
    max: int | float | None = None
    values: tuple[str, ...] = ()

    def default_for(self, major: int) -> str | None:
        """What -O3 of this LLVM uses, as text; `None` when it is not one value."""
        value = self.default
        if isinstance(value, Mapping):
            value = value.get(str(major))
        return None if value is None else format_value(value)


@dataclass(frozen=True)
class _DataFile:
    schema: int
    about: str
    options: tuple[TunableOption, ...]


@cache
def tunable_options() -> Mapping[str, TunableOption]:
    """The options worth tuning, by name, in the order of the data file (stage by stage)."""
    text = files("perfwright.toolchain").joinpath("data/options.json").read_bytes()
    data = TypeAdapter(_DataFile).validate_json(text)
    return {option.name: option for option in data.options}


def format_value(value: Value) -> str:
    """A value as options take it: `true`, `250`, `0.5`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of the known names; `None` when nothing is similar."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=_SIMILAR)
    return found[0] if found else None


def fit_value(option: Option, text: str, repairs: list[str]) -> str:
    """The value in normal form, inside the sensible range.

    Args:
        option: what it is for.
        text: the value as given.
        repairs: what had to be changed is added here.

    Raises:
        EditError: the value is of another type.
    """
    tunable = tunable_options().get(option.name)
    if option.type is OptionType.BOOL:
        return _fit_bool(option, text)
    if option.type is OptionType.ENUM:
        return _fit_enum(option, text, tunable, repairs)
    low, high = _range(option, tunable)
    number = _number(option, text)
    fitted = type(number)(min(max(number, low), high))  # 5 and 5.0 would be two edits
    shown = format_value(fitted)
    if fitted != number:
        repairs.append(f"{option.name}={shortened(text)} is outside {low}..{high}: {shown}")
    return shown


def _fit_bool(option: Option, text: str) -> str:
    if text.lower() in _TRUE:
        return "true"
    if text.lower() in _FALSE:
        return "false"
    raise EditError(f"{option.name} takes true or false, not {shortened(text)!r}")


def _fit_enum(option: Option, text: str, tunable: TunableOption | None, repairs: list[str]) -> str:
    sensible = tunable.values if tunable and tunable.values else option.values
    if text in sensible:
        return text
    near = nearest(text, sensible)
    if near is None:
        raise EditError(
            f"{option.name} does not take {shortened(text)!r}",
            cause=f"it takes {', '.join(sensible)}",
        )
    repairs.append(f"{option.name}={shortened(text)} does not exist: {near}")
    return near


def _range(option: Option, tunable: TunableOption | None) -> tuple[int | float, int | float]:
    if tunable is not None and tunable.min is not None and tunable.max is not None:
        return tunable.min, tunable.max
    return 0 if option.type is OptionType.UINT else -_LARGEST, _LARGEST


def _number(option: Option, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise EditError(f"{option.name} takes a number, not {shortened(text)!r}")
    if option.type is OptionType.NUMBER:
        return number
    if not number.is_integer():
        raise EditError(f"{option.name} takes a whole number, not {shortened(text)!r}")
    return int(number)
