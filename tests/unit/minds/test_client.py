"""Asking models: patience, limits, corrections, and what becomes of failures."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import sleep
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.usage import RequestUsage

from perfwright.core.budget import Usage
from perfwright.errors import MindError
from perfwright.minds.llm.client import Line, Patience, Question, ask
from perfwright.minds.llm.ledger import Caps, SpentError, UnusableError
from perfwright.minds.llm.schemas import Judgement

GOOD = json.dumps({"cause": "spills", "next": "less inlining"})
QUESTION = Question("evaluator", "Explain.", "slower 0.9x")
Answer = str | Exception | ToolCallPart | ModelResponse


class MemoryRecorder:
    """Everything in lists."""

    def __init__(self) -> None:
        self.attempts = 0
        self.tokens = 0
        self.dialogues: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []

    def recall(self, *asked: Any) -> Mapping[str, Any] | None:
        request = asked[-1]
        return next((answer for known, answer in self.dialogues if known == request), None)

    def record(self, *call: Any) -> None:
        _, request, answer, tokens, _ = call
        self.tokens += tokens
        self.dialogues.append((request, answer))

    def sent(self) -> None:
        self.attempts += 1

    def used(self) -> Usage:
        return Usage(requests=self.attempts, tokens=self.tokens)


class Scripted:
    """A line to a model that gives these answers, and what was waited."""

    def __init__(self, *answers: Answer, caps: Caps | None = None) -> None:
        self.answers = list(answers)
        self.recorder = MemoryRecorder()
        self.waits: list[float] = []
        self.line = Line(
            name="openai:scripted",
            model=FunctionModel(self._answer),
            recorder=self.recorder,
            caps=caps or Caps(),
            patience=Patience(attempts=3, corrections=2),
            secrets=("sk-secret",),
            sleep=self.waits.append,
        )

    def _answer(self, *_: Any) -> ModelResponse:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ModelResponse):
            return answer
        return ModelResponse([TextPart(answer) if isinstance(answer, str) else answer])


def http(status: int, message: str = "no") -> ModelHTTPError:
    return ModelHTTPError(status, "scripted", {"error": {"message": message}})


def test_the_tool_answer_and_json_as_text_are_both_understood() -> None:
    call = ToolCallPart("answer", GOOD)
    for answer in (call, GOOD, f"Here it is:\n```json\n{GOOD}\n```"):
        assert ask(Scripted(answer).line, QUESTION, Judgement).cause == "spills"


def test_pydantic_ais_own_test_model_is_understood() -> None:
    recorder = MemoryRecorder()
    assert ask(
        Line("test", TestModel(custom_output_args=json.loads(GOOD)), recorder), QUESTION, Judgement
    )
    assert recorder.attempts == 1


@pytest.mark.parametrize("bad", ["", "no", "{", '{"cause": 1, "next": 2}', "[" * 5000, "I refuse."])
def test_an_unusable_answer_is_fed_back(bad: str) -> None:
    scripted = Scripted(bad, GOOD)
    assert ask(scripted.line, QUESTION, Judgement).next == "less inlining"
    assert scripted.recorder.attempts == 2


def test_after_the_last_correction_the_answers_count_as_unusable() -> None:
    scripted = Scripted("no", "no", "no", GOOD)
    with pytest.raises(UnusableError):
        ask(scripted.line, QUESTION, Judgement)
    assert scripted.recorder.attempts == 3


def test_an_objection_goes_back_to_the_model() -> None:
    scripted = Scripted(GOOD, GOOD.replace("spills", "cache"))

    def check(answer: Judgement) -> str | None:
        return "Say something else." if answer.cause == "spills" else None

    assert ask(scripted.line, QUESTION, Judgement, check).cause == "cache"
    assert "Say something else." in json.dumps(scripted.recorder.dialogues[-1][0])


@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_an_overloaded_server_is_asked_again_after_a_growing_wait(status: int) -> None:
    scripted = Scripted(http(status), http(status), GOOD)
    assert ask(scripted.line, QUESTION, Judgement)
    assert scripted.waits == [2.0, 4.0]
    assert scripted.recorder.attempts == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_a_refusal_is_final_and_says_why(status: int) -> None:
    scripted = Scripted(http(status, "because of sk-secret"))
    with pytest.raises(MindError) as caught:
        ask(scripted.line, QUESTION, Judgement)
    assert f"HTTP {status}: because of ***" in caught.value.cause
    assert caught.value.hint
    assert scripted.waits == []


@pytest.mark.parametrize(("message", "shown"), [("sk-secret is wrong", False), ("no", True)])
def test_what_debug_shows_behind_a_failure_has_no_key_in_it(message: str, shown: bool) -> None:
    with pytest.raises(MindError) as caught:
        ask(Scripted(http(401, message)).line, QUESTION, Judgement)
    text = "".join(traceback.format_exception(caught.value))
    assert "sk-secret" not in text
    assert ("ModelHTTPError" in text) == shown


@pytest.mark.parametrize("text", ["[type=a, " * 100_000, "x" * 399 + "sk-secret" + "x" * 10**6])
def test_a_long_complaint_is_cut_before_anybody_looks_at_it(text: str) -> None:
    began = time.process_time()
    with pytest.raises(MindError) as caught:
        ask(Scripted(http(400, text)).line, QUESTION, Judgement)
    assert time.process_time() - began < 5
    assert len(caught.value.cause) <= 300
    assert "sk-s" not in caught.value.cause


def test_no_half_of_a_key_stays_at_the_cut() -> None:
    for length in (3990, 3995, 290, 280):
        with pytest.raises(MindError) as caught:
            ask(Scripted(http(400, "x" * length + "sk-secret")).line, QUESTION, Judgement)
        assert "sk-" not in caught.value.cause


@pytest.mark.parametrize(
    ("finish", "named"),
    [("length", "cut off at the limit of tokens"), ("content_filter", "content filter")],
)
def test_why_an_answer_ended_is_named(finish: Any, named: str) -> None:
    answer = ModelResponse([TextPart('{"cause": ')], finish_reason=finish)
    scripted = Scripted(answer, answer, answer)
    with pytest.raises(UnusableError, match=named):
        ask(scripted.line, QUESTION, Judgement)
    assert named in json.dumps(scripted.recorder.dialogues[-1][0])


def test_an_empty_answer_is_named() -> None:
    with pytest.raises(UnusableError, match="it was empty"):
        ask(Scripted("", "", "").line, QUESTION, Judgement)


@pytest.mark.parametrize("tokens", [0, -5, 10**30])
def test_tokens_that_cannot_be_are_estimated(tokens: int) -> None:
    usage = RequestUsage(input_tokens=tokens, output_tokens=tokens)
    scripted = Scripted(ModelResponse([TextPart(GOOD)], usage=usage))
    ask(scripted.line, QUESTION, Judgement)
    assert 50 < scripted.recorder.tokens < 5000


def test_a_limit_holds_for_a_server_that_counts_nothing() -> None:
    answer = ModelResponse([TextPart("no")], usage=RequestUsage())
    scripted = Scripted(answer, answer, answer, caps=Caps(tokens=10))
    with pytest.raises(SpentError, match="--max-tokens"):
        ask(scripted.line, QUESTION, Judgement)
    assert scripted.recorder.attempts == 1


@pytest.mark.parametrize("error", [IndexError(), RecursionError(), OverflowError(), KeyError("x")])
def test_a_library_that_stumbles_over_a_body_makes_it_unusable(error: Exception) -> None:
    with pytest.raises(UnusableError, match="no answer"):
        ask(Scripted(error).line, QUESTION, Judgement)


def test_a_huge_answer_is_neither_sent_back_nor_written_down_whole() -> None:
    scripted = Scripted("x" * 2_000_000, ToolCallPart("answer", {"cause": "y" * 2_000_000}), GOOD)
    assert ask(scripted.line, QUESTION, Judgement)
    requests = [len(json.dumps(request)) for request, _ in scripted.recorder.dialogues]
    answers = [len(json.dumps(answer)) for _, answer in scripted.recorder.dialogues]
    assert max(requests) < 20_000
    assert max(answers) < 400_000


def test_an_answer_that_was_cut_has_the_same_end_from_the_record() -> None:
    scripted = Scripted("x" * 2_000_000, "y" * 50_000, GOOD)
    first = ask(scripted.line, QUESTION, Judgement)
    assert ask(scripted.line, QUESTION, Judgement) == first
    assert scripted.recorder.attempts == 3


def test_a_server_that_stays_away_is_given_up() -> None:
    with pytest.raises(MindError, match="failed"):
        ask(Scripted(*[http(503)] * 3).line, QUESTION, Judgement)


def test_the_wait_that_a_server_asks_for_is_granted_within_reason() -> None:
    patience = Patience()
    assert [patience.wait(attempt, 20.0) for attempt in (1, 2)] == [20.0, 40.0]
    assert patience.wait(1, 3600.0) == patience.longest_wait


def test_a_server_that_asks_for_less_than_our_first_wait_gets_it() -> None:
    assert Patience().wait(1, 0.05) == 0.05


def test_a_server_that_asks_for_no_wait_at_all_is_not_hammered() -> None:
    assert Patience().wait(1, 0.0) == Patience().first_wait


@pytest.mark.parametrize("caps", [Caps(requests=1), Caps(tokens=1)])
def test_a_limit_ends_the_asking(caps: Caps) -> None:
    scripted = Scripted("no", GOOD, caps=caps)
    with pytest.raises(SpentError, match="limit --max-"):
        ask(scripted.line, QUESTION, Judgement)
    assert scripted.recorder.attempts == 1


def test_endless_tool_calls_end() -> None:
    def look() -> str:
        """Look."""
        return "nothing"

    scripted = Scripted(*[ToolCallPart("look", "{}")] * 50)
    question = Question("reasoner", "Think.", "?", (look,), tool_calls=2)
    with pytest.raises(UnusableError, match="went on calling tools"):
        ask(scripted.line, question, Judgement)
    assert scripted.recorder.attempts < 10


def test_a_server_that_makes_answers_fit_is_asked_without_tools_in_the_end() -> None:
    def look() -> str:
        """Look."""
        return "nothing"

    model = Scripted("no JSON", "nor this", "nor that", GOOD)
    constrained = ModelProfile(supports_json_schema_output=True)
    free = FunctionModel(model._answer, profile=constrained)
    line = replace(model.line, model=free, constrained=True)
    question = replace(QUESTION, tools=(look,), tool_calls=1)
    assert ask(line, question, Judgement).cause == "spills"
    requests = [request for request, _ in model.recorder.dialogues]
    assert [bool(request["tools"]) for request in requests] == [True, True, True, False]


def test_a_recorded_request_is_not_sent_again() -> None:
    scripted = Scripted("no", GOOD)
    first = ask(scripted.line, QUESTION, Judgement)
    assert ask(scripted.line, QUESTION, Judgement) == first
    assert scripted.recorder.attempts == 2


def test_an_answer_that_json_cannot_hold_reads_at_once_as_it_does_from_the_record() -> None:
    endless = ToolCallPart("answer", {"cause": "spills", "next": math.inf})
    scripted = Scripted(*[endless] * 3)
    said = []
    for _ in range(2):
        with pytest.raises(UnusableError) as caught:
            ask(scripted.line, QUESTION, Judgement)
        said.append(caught.value.fact)
    assert said[0] == said[1]
    assert scripted.recorder.attempts == 3


def test_tools_are_called_one_after_the_other() -> None:
    began: list[str] = []
    ended: list[str] = []

    def look(name: str) -> str:
        """Look.

        Args:
            name: at what.
        """
        began.append(name)
        sleep(0)
        assert len(began) == len(ended) + 1
        ended.append(name)
        return name

    calls = [ToolCallPart("look", {"name": str(n)}) for n in range(6)]
    scripted = Scripted(ModelResponse(calls), GOOD)
    question = Question("reasoner", "Think.", "?", (look,), tool_calls=6)
    assert ask(scripted.line, question, Judgement)
    assert ended == ["0", "1", "2", "3", "4", "5"]


def test_the_record_has_the_request_in_plain_form_and_no_key() -> None:
    scripted = Scripted(GOOD)
    ask(scripted.line, QUESTION, Judgement)
    request, _ = scripted.recorder.dialogues[0]
    assert request["role"] == "evaluator"
    assert request["system"] == "Explain."
    assert request["messages"] == [{"role": "user", "content": "slower 0.9x"}]
    assert request["output_schema"]["required"] == ["cause", "next"]
    assert "sk-secret" not in json.dumps(scripted.recorder.dialogues)


def test_the_price_is_counted_when_it_is_known() -> None:
    spent: list[float] = []

    class Priced(MemoryRecorder):
        def record(self, *call: Any) -> None:
            spent.append(call[-1])

    price: Callable[[ModelResponse], float | None] = lambda _: 0.25  # noqa: E731
    ask(
        Line("m", TestModel(custom_output_args=json.loads(GOOD)), Priced(), price=price),
        QUESTION,
        Judgement,
    )
    assert spent == [0.25]
