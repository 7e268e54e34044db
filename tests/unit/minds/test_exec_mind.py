"""Minds by command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from perfwright.core.budget import Usage
from perfwright.errors import MindError, UserError
from perfwright.minds.llm.client import Line, Patience, Question, ask
from perfwright.minds.llm.exec_mind import ATTEMPTS, ExecModel, require_command
from perfwright.minds.llm.ledger import UnusableError
from perfwright.minds.llm.mind import Connection
from perfwright.minds.llm.schemas import Judgement


class Recorder:
    def __init__(self) -> None:
        self.attempts = 0

    def recall(self, *_: Any) -> None:
        return None

    def record(self, *call: Any) -> None:
        self.tokens = call[3]

    def sent(self) -> None:
        self.attempts += 1

    def used(self) -> Usage:
        return Usage()


class Command:
    """A Python script as a mind; it sees its request as `q` and logs it."""

    def __init__(self, folder: Path, body: str, timeout: float = 30.0) -> None:
        self.log = folder / "log"
        script = folder / "mind.py"
        script.write_text(
            "import json, os, sys, time\n"
            f"raw = sys.stdin.read(); open({str(self.log)!r}, 'a').write(raw + '\\n')\n"
            f"q = json.loads(raw)\ndef lines(): return len(open({str(self.log)!r}).readlines())\n"
            f"{body}\n"
        )
        command = f"{quote(sys.executable)} {quote(str(script))}"
        self.recorder = Recorder()
        model = ExecModel(command, "evaluator", timeout=timeout)
        self.waits: list[float] = []
        self.line = Line(
            "exec:mind",
            model,
            self.recorder,
            patience=Patience(attempts=ATTEMPTS),
            sleep=self.waits.append,
        )

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


@pytest.mark.parametrize("printed", ["null", "[]", '{"output": 7}', '{"tool_calls": [{}]}'])
def test_what_is_no_answer_is_unusable(tmp_path: Path, printed: str) -> None:
    with pytest.raises(UnusableError):
        ask(Command(tmp_path, f"print({printed!r})").line, QUESTION, Judgement)


FAILURES = {
    "sys.exit('out of credit')": "exit status 1: out of credit",
    "os.kill(os.getpid(), 9)": "killed by SIGKILL",
    "print('no idea', file=sys.stderr)": "it printed nothing: no idea",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_command_that_failed_is_started_again(tmp_path: Path, failure: str) -> None:
    command = Command(tmp_path, f"if lines() == 1: {failure}\nelse: {ANSWER}")
    assert ask(command.line, QUESTION, Judgement).cause == "c"
    assert command.requests[0] == command.requests[1]
    assert (command.recorder.attempts, command.waits) == (2, [2.0])


@pytest.mark.parametrize("failure", FAILURES)
def test_a_command_that_always_fails_is_given_up_with_the_cause(
    tmp_path: Path, failure: str
) -> None:
    command = Command(tmp_path, failure)
    with pytest.raises(MindError) as caught:
        ask(command.line, QUESTION, Judgement)
    assert FAILURES[failure] in caught.value.cause
    assert caught.value.hint == "run it by hand"
    assert command.recorder.attempts == len(command.requests) == ATTEMPTS


def test_a_silent_command_is_ended_each_time_it_is_started(tmp_path: Path) -> None:
    command = Command(tmp_path, "time.sleep(60)", timeout=0.2)
    with pytest.raises(MindError) as caught:
        ask(command.line, QUESTION, Judgement)
    assert "timed out" in caught.value.cause
    assert "--mind-timeout" in caught.value.hint
    assert command.recorder.attempts == ATTEMPTS


@pytest.mark.parametrize("status", [2, 64, 126, 127])
def test_a_command_that_was_used_wrongly_is_not_started_again(tmp_path: Path, status: int) -> None:
    command = Command(tmp_path, f"sys.exit({status})")
    with pytest.raises(MindError) as caught:
        ask(command.line, QUESTION, Judgement)
    assert f"exit status {status}" in caught.value.cause
    assert caught.value.hint == "run it by hand"
    assert (len(command.requests), command.waits) == (1, [])


def test_a_command_that_does_not_exist_is_named_and_not_tried_again() -> None:
    recorder = Recorder()
    model = ExecModel("no-such-command-anywhere", "evaluator", timeout=1)
    with pytest.raises(MindError, match="no-such-command-anywhere cannot be started"):
        ask(Line("exec:x", model, recorder), QUESTION, Judgement)
    assert recorder.attempts == 1


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("no-such-command-anywhere 1", "no command 'no-such-command-anywhere' on PATH"),
        ("./mind.py", "there is no ./mind.py"),
        ("'./my mind.py' x", "./my mind.py is not executable"),
        (".", "there is no command '.' on PATH"),
        ("./", "./ is a folder"),
        ("'unclosed", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_be_started_is_known_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, cause: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my mind.py").touch(0o644)
    with pytest.raises(UserError) as caught:
        require_command(command)
    assert cause in caught.value.cause
    assert "exec:" in caught.value.fact


def test_a_command_of_this_folder_or_of_the_path_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my mind.py").touch(0o755)
    require_command("'./my mind.py' --fast")
    require_command("sh -c true")


def test_a_campaign_starts_a_failing_command_less_often_than_it_asks_a_server() -> None:
    connection = Connection(Recorder())
    attempts = connection.line("exec:python3 mind.py", "scorer").patience.attempts
    assert attempts == ATTEMPTS < connection.patience.attempts


def test_keys_that_a_command_complains_about_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-of-mistral")
    complaint = "import os, sys; sys.exit('bad key ' + os.environ['MISTRAL_API_KEY'])"
    mind = f"exec:{quote(sys.executable)} -c {quote(complaint)}"
    line = Connection(Recorder(), sleep=lambda _: None).line(mind, "evaluator")
    with pytest.raises(MindError) as caught:
        ask(line, QUESTION, Judgement)
    assert "bad key ***" in caught.value.cause


def test_no_half_of_a_key_that_a_command_complains_about_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-of-mistral")
    complaint = "import os, sys; sys.exit(os.environ['MISTRAL_API_KEY'] + 'x' * 393)"
    mind = f"exec:{quote(sys.executable)} -c {quote(complaint)}"
    line = Connection(Recorder(), sleep=lambda _: None).line(mind, "evaluator")
    with pytest.raises(MindError) as caught:
        ask(line, QUESTION, Judgement)
    assert "mistral" not in caught.value.cause


def test_keys_that_a_command_answers_with_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-of-mistral")
    answer = (
        "import json, os; key = os.environ['MISTRAL_API_KEY']; "
        "print(json.dumps({'output': {'cause': key, 'next': 'n'}}))"
    )
    mind = f"exec:{quote(sys.executable)} -c {quote(answer)}"
    assert ask(Connection(Recorder()).line(mind, "evaluator"), QUESTION, Judgement).cause == "***"


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_command_that_prints_without_end_is_ended(tmp_path: Path, where: str) -> None:
    command = Command(tmp_path, f"while True: sys.{where}.write('x' * 2**16)")
    with pytest.raises(UnusableError, match="printed more than 4000000 bytes"):
        ask(command.line, QUESTION, Judgement)
    assert len(command.requests) == 1


UNREADABLE = {
    "a deep list": "'[' * 100000",
    "a number of many digits": """'{"output": {"cause": ' + '9' * 5000 + ', "next": 1}}'""",
    "half a character": r"""'{"output": {"cause": "\\ud800", "next": 1}}'""",
    "half a character in a name": r"""'{"tool_calls": [{"name": "\\ud800"}]}'""",
    "deep arguments": (
        """'{"tool_calls": [{"name": "look", "arguments": '"""
        """ + '{"a":' * 900 + '1' + '}' * 901 + ']}'"""
    ),
}


@pytest.mark.parametrize("printed", UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_cannot_be_read_is_unusable(tmp_path: Path, printed: str) -> None:
    with pytest.raises(UnusableError):
        ask(Command(tmp_path, f"print({printed})").line, QUESTION, Judgement)


def test_tokens_that_cannot_be_are_not_counted(tmp_path: Path) -> None:
    usage = '"usage": {"input_tokens": 1e400, "output_tokens": ' + "9" * 400 + "}"
    output = '"output": {"cause": "c", "next": "n"}'
    command = Command(tmp_path, f"print('{{{output}, {usage}}}')")
    ask(command.line, QUESTION, Judgement)
    assert 50 < command.recorder.tokens < 5000


def test_what_it_says_that_it_used_is_counted(tmp_path: Path) -> None:
    usage = '"usage": {"input_tokens": 100, "output_tokens": 20}'
    output = '"output": {"cause": "c", "next": "n"}'
    command = Command(tmp_path, f"print('{{{output}, {usage}}}')")
    ask(command.line, QUESTION, Judgement)
    assert command.recorder.tokens == 120
