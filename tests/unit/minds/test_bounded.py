"""Answers over HTTP that are too long, from elsewhere, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_ai.models import override_allow_model_requests

from perfwright.core.budget import Usage
from perfwright.errors import MindError
from perfwright.minds.llm.bounded import BoundedClient
from perfwright.minds.llm.client import Line, Patience, Question, ask
from perfwright.minds.llm.ledger import UnusableError
from perfwright.minds.llm.providers import PROVIDERS, choose
from perfwright.minds.llm.schemas import Judgement
from perfwright.testing.model_replies import (
    MOVED_TO,
    Answer,
    Fault,
    HttpError,
    Output,
    Reply,
    ToolCall,
)
from perfwright.testing.model_server import ModelServer

KEY = "sk-test-1234567890"
GOOD = {"cause": "spills", "next": "less inlining"}
QUESTION = Question("evaluator", "Explain.", "slower 0.9x")


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PERFWRIGHT_MODEL_API_KEY", KEY)
    with override_allow_model_requests(True):  # all that is reached is the server of a test
        yield


class _Record:
    """What was written down."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def recall(self, *_: Any) -> None:
        return None

    def record(self, *call: Any) -> None:
        json.dumps(call, ensure_ascii=False).encode()
        self.answers.append(call)

    def sent(self) -> None:
        pass

    def used(self) -> Usage:
        return Usage()


class Asked:
    """What came of a question to a server with these replies."""

    def __init__(self, *replies: Reply) -> None:
        self.recorder = _Record()
        self.error: MindError | None = None
        self.answer: Judgement | None = None
        with ModelServer(replies) as server:
            chosen = choose(f"{server.url}#m", "evaluator", timeout=20.0)
            line = Line(
                chosen.name,
                chosen.model,
                self.recorder,
                patience=Patience(timeout=20.0, attempts=3, corrections=1),
                secrets=chosen.secrets,
                sleep=lambda _: None,
            )
            try:
                self.answer = ask(line, QUESTION, Judgement)
            except MindError as error:
                self.error = error
            self.requests = len(server.chats)


@pytest.mark.parametrize("fault", [Fault.BOMB, Fault.ENDLESS])
def test_a_body_without_end_is_left(fault: Fault) -> None:
    asked = Asked(fault)
    assert isinstance(asked.error, UnusableError)
    assert "more than 4000000 bytes" in asked.error.fact
    assert asked.requests == 1


def test_a_long_complaint_is_still_one() -> None:
    asked = Asked(HttpError(400, "z" * 10_000_000))
    assert asked.error
    assert not isinstance(asked.error, UnusableError)
    assert asked.error.cause.startswith("HTTP 400")
    assert len(str(asked.error)) < 1000


def test_a_redirect_is_final_and_names_the_address() -> None:
    asked = Asked(Fault.MOVED)
    assert asked.error
    assert asked.error.cause == f"HTTP 307: it sends us to {MOVED_TO}"
    assert "redirects are not followed" in asked.error.hint
    assert asked.requests == 1


def test_a_page_instead_of_an_answer_is_named() -> None:
    asked = Asked(Fault.WRONG_TYPE)
    assert asked.error
    assert "web page" in asked.error.cause
    assert "/v1" in asked.error.hint


def test_an_error_with_success_is_an_error() -> None:
    asked = Asked(Fault.ERROR_BODY, Output(GOOD))
    assert asked.answer
    asked = Asked(*[Fault.ERROR_BODY] * 3)
    assert asked.error
    assert asked.error.cause == "HTTP 502: Provider returned error"


@pytest.mark.parametrize("fault", [Fault.NO_CHOICES, Fault.DEEP])
def test_a_body_that_libraries_stumble_over_is_unusable(fault: Fault) -> None:
    assert isinstance(Asked(fault).error, UnusableError)


def test_a_key_that_comes_back_is_not_written_down() -> None:
    asked = Asked(Answer(f"your key is {KEY}"), Output({**GOOD, "cause": f"{KEY} spills"}))
    assert asked.answer
    assert asked.answer.cause == "*** spills"
    assert KEY not in repr(asked.recorder.answers)


def test_half_a_character_can_be_written_down() -> None:
    asked = Asked(Answer("I think \ud83d"), Output(GOOD))
    assert asked.answer
    assert "I think \ufffd" in repr(asked.recorder.answers)


def test_many_calls_in_one_answer_are_not_all_answered() -> None:
    calls = tuple(ToolCall("answer", "{}") for _ in range(5000))
    asked = Asked(Answer(tool_calls=calls), Output(GOOD))
    assert asked.answer
    assert len(repr(asked.recorder.answers)) < 60_000


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_is_asked_through_the_same_client(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in PROVIDERS[name].keys:
        monkeypatch.setenv(variable, KEY)
    reached: list[str] = []

    async def send(_: BoundedClient, request: Any, **__: Any) -> Any:
        reached.append(str(request.url))
        raise UnusableError("nobody is asked")

    monkeypatch.setattr(BoundedClient, "send", send)
    chosen = choose(f"{name}:any", "evaluator", timeout=20.0)
    line = Line(name, chosen.model, _Record(), patience=Patience(timeout=20.0, attempts=1))
    with pytest.raises(UnusableError, match="nobody is asked"):
        ask(line, QUESTION, Judgement)
    assert reached
