"""Minds by command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from perfwright.core.budget import Usage
from perfwright.errors import MindError
from perfwright.minds.llm.client import Line, Question, ask
from perfwright.minds.llm.exec_mind import ExecModel
from perfwright.minds.llm.ledger import UnusableError
from perfwright.minds.llm.schemas import Judgement


class Recorder:
    def recall(self, *_: Any) -> None:
        return None

    def record(self, *call: Any) -> None:
        self.tokens = call[3]

    def sent(self) -> None:
        pass

    def used(self) -> Usage:
        return Usage()


class Command:
    """A Python script as a mind; it sees its request as `q` and logs it."""

    def __init__(self, folder: Path, body: str, timeout: float = 30.0) -> None:
        self.log = folder / "log"
        script = folder / "mind.py"
        script.write_text(
            "import json, sys, time\n"
            f"raw = sys.stdin.read(); open({str(self.log)!r}, 'a').write(raw + '\\n')\n"
            f"q = json.loads(raw)\n{body}\n"
        )
        command = f"{quote(sys.executable)} {quote(str(script))}"
        self.recorder = Recorder()
        model = ExecModel(command, "evaluator", timeout=timeout)
        self.line = Line("exec:mind", model, self.recorder)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def look(what: str) -> str:
    """Look at something."""
    return f"seen {what}"


QUESTION = Question("evaluator", "Explain.", "slower", (look,), tool_calls=3)
ANSWER = 'print(json.dumps({"output": {"cause": "c", "next": "n"}}))'


def test_the_request_is_one_json_object_on_standard_input(tmp_path: Path) -> None:
    command = Command(tmp_path, ANSWER)
    assert ask(command.line, QUESTION, Judgement).cause == "c"
    (request,) = command.requests
    assert set(request) == {"schema", "role", "system", "messages", "output_schema", "tools"}
    assert request["messages"] == [{"role": "user", "content": "slower"}]
    assert request["tools"][0]["name"] == "look"
    assert request["tools"][0]["parameters"]["required"] == ["what"]


def test_tool_results_are_appended_to_the_messages(tmp_path: Path) -> None:
    calls = '{"tool_calls": [{"name": "look", "arguments": {"what": "x"}}]}'
    body = f"if len(q['messages']) == 1: print({calls!r})\nelse: {ANSWER}"
    command = Command(tmp_path, body)
    ask(command.line, QUESTION, Judgement)
    last = command.requests[-1]["messages"]
    assert last[-2]["tool_calls"] == [{"name": "look", "arguments": {"what": "x"}}]
    assert last[-1] == {"role": "tool", "name": "look", "content": "seen x"}


def test_the_brief_stays_first_when_an_answer_is_corrected(tmp_path: Path) -> None:
    body = f"if len(q['messages']) == 1: print('nonsense')\nelse: {ANSWER}"
    command = Command(tmp_path, body)
    assert ask(command.line, QUESTION, Judgement).next == "n"
    assert command.requests[-1]["messages"][0]["content"] == "slower"


@pytest.mark.parametrize("printed", ["", "null", "[]", '{"output": 7}', '{"tool_calls": [{}]}'])
def test_what_is_no_answer_is_unusable(tmp_path: Path, printed: str) -> None:
    with pytest.raises(UnusableError):
        ask(Command(tmp_path, f"print({printed!r})").line, QUESTION, Judgement)


def test_a_command_that_fails_is_a_mind_that_failed(tmp_path: Path) -> None:
    command = Command(tmp_path, "sys.exit('out of credit')")
    with pytest.raises(MindError) as caught:
        ask(command.line, QUESTION, Judgement)
    assert "exit status 1: out of credit" in caught.value.cause


def test_a_silent_command_is_ended(tmp_path: Path) -> None:
    command = Command(tmp_path, "time.sleep(60)", timeout=0.5)
    with pytest.raises(MindError) as caught:
        ask(command.line, QUESTION, Judgement)
    assert "timed out" in caught.value.cause
    assert "--mind-timeout" in caught.value.hint


def test_a_command_that_does_not_exist_is_named() -> None:
    model = ExecModel("no-such-command-anywhere", "evaluator", timeout=1)
    with pytest.raises(MindError, match="no-such-command-anywhere cannot be started"):
        ask(Line("exec:x", model, Recorder()), QUESTION, Judgement)


def test_what_it_says_that_it_used_is_counted(tmp_path: Path) -> None:
    usage = '"usage": {"input_tokens": 100, "output_tokens": 20}'
    output = '"output": {"cause": "c", "next": "n"}'
    command = Command(tmp_path, f"print('{{{output}, {usage}}}')")
    ask(command.line, QUESTION, Judgement)
    assert command.recorder.tokens == 120
