"""JSON objects in what models write around them."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from perfwright.minds.llm.reading import object_in
from perfwright.minds.llm.schemas import Judgement

GOOD = '{"cause": "spills", "next": "less inlining"}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Here it is:\n```json\n{GOOD}\n```",
        f"Sure! {{braces}} Here it is:\n{GOOD}\nHope {{this}} helps",
        f"if (x) {{ y[{{0}}] }} }} {GOOD}",
        f"<think>{{a}} maybe</think>{GOOD} {{",
        f'{{"note": "no answer"}} {GOOD} {{"note": {{"cause": 1}}}}',
        f"\ufeff{GOOD}",
    ],
)
def test_the_object_is_found_in_what_is_around_it(text: str) -> None:
    assert object_in(text, Judgement).cause == "spills"


def test_the_last_object_is_the_answer() -> None:
    assert object_in(GOOD.replace("spills", "a draft") + GOOD, Judgement).cause == "spills"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "{",
        "} {",
        '{"cause": 1}',
        '{"cause": "\\ud800", "next": "n"}',
        f'{{"cause": {"9" * 5000}, "next": "n"}}',
        '{"a":' * 50_000,
        "[" * 100_000,
    ],
)
def test_what_is_no_object_of_this_type_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        object_in(text, Judgement)


@pytest.mark.parametrize("text", ["{" * 300_000, '{"a": "' * 50_000, '{"a":[' * 50_000])
def test_a_text_of_braces_takes_no_time(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValidationError):
        object_in(text, Judgement)
    assert time.process_time() - began < 5
