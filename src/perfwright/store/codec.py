"""Values <-> JSON: how outcomes of steps are written to the journal and read back.

A value is stored beside the name of its own type, so that a union (`Build | Refusal`) reads
back as the member that was written, never as one that happens to fit.
"""

from __future__ import annotations

import json
import types
from functools import lru_cache
from typing import Any, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from perfwright.errors import InternalError


def encode(kind: Any, value: object) -> tuple[str, str]:
    """The name of the member of `kind` that `value` is, and the value as JSON.

    `kind` is a frozen dataclass, an enumeration, a scalar, a tuple of these, or a union.
    Infinite floats are kept (JSON text as Python writes it).

    Raises:
        TypeError: the value belongs to no member of `kind`, or to several.
    """
    fitting = [member for member in _members(kind) if _is_of(value, member)]
    if len(fitting) != 1:
        raise TypeError(f"{type(value).__name__} is not one of {kind}")
    plain = _adapter(fitting[0]).dump_python(value, mode="json")
    return type_name(fitting[0]), json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def decode(kind: Any, name: str, payload: str) -> Any:
    """The inverse of `encode`.

    Raises:
        InternalError: the payload does not hold such a value; another version wrote it.
    """
    members = {type_name(member): member for member in _members(kind)}
    if name not in members:
        raise _unreadable(kind, f"it holds {name}")
    try:
        return _adapter(members[name]).validate_json(payload)
    except ValidationError as error:
        raise _unreadable(kind, str(error)) from error


def type_name(member: Any) -> str:
    """How a type is called in the journal: `Build`, `tuple[Candidate, ...]`, `bool`."""
    if member is Ellipsis:
        return "..."
    arguments = ", ".join(type_name(argument) for argument in get_args(member))
    name: str = member.__name__
    return f"{name}[{arguments}]" if arguments else name


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_of(value: object, member: Any) -> bool:
    """Whether the value is just this: a `bool` is no `int` here, as JSON tells them apart."""
    plain = get_origin(member) or member
    if plain is int and isinstance(value, bool):
        return False
    return isinstance(value, plain)


@lru_cache(maxsize=128)
def _adapter(member: Any) -> TypeAdapter[Any]:
    return TypeAdapter(member)


def _unreadable(kind: Any, cause: str) -> InternalError:
    return InternalError(
        f"the journal holds something else where {kind} is expected",
        cause=cause,
        hint="use the version of perfwright that wrote it (perfwright runs shows it)",
    )
