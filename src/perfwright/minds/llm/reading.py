"""The JSON object in what a model wrote around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_MOST_TRIES = 1000
_MOST_WORK = 8
"""How often a text is gone through at most: one of braces alone would take its length's square."""
_START = re.compile(r"\{(?=\s*[\"}])")
"""A brace with a name or nothing behind it: those of prose and code are none of JSON's."""
_DECODER = json.JSONDecoder()


def object_in(text: str, kind: type[T]) -> T:
    """The last object of this type in a text: drafts and thoughts come before the answer.

    Raises:
        ValidationError: there is none; about the last object, or the whole text without any.
    """
    found: T | None = None
    wrong: ValidationError | None = None
    for body in _objects(text):
        try:
            found = kind.model_validate_json(body)
        except ValidationError as error:
            wrong = error
    if found is not None:
        return found
    if wrong is not None:
        raise wrong
    start, end = text.find("{"), text.rfind("}")
    return kind.model_validate_json(text[start : end + 1] if 0 <= start < end else text)


def _objects(text: str) -> Iterator[str]:
    """Every JSON object that is in no other one, from the first brace on."""
    work = _MOST_WORK * len(text)
    tries = _MOST_TRIES
    found = _START.search(text)
    while found and tries and work >= 0:
        start = found.start()
        end = start + 1
        try:
            _, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            work -= error.pos - start
            tries -= 1
        except (ValueError, RecursionError):  # a number of thousands of digits; a deep nest
            return
        else:
            yield text[start:end]
        found = _START.search(text, end)
