"""What becomes of errors: status, words for people, one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from perfwright.cli import commands
from perfwright.cli.main import main
from perfwright.errors import (
    InternalError,
    MindError,
    PerfwrightError,
    ProgramError,
    ToolchainError,
    UserError,
)

Types = Callable[..., tuple[int, str, str]]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Types:
    """Runs `perfwright WORDS` here; gives status, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfwright", *words])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(str(left.value.code or 0)), out, err

    # What --debug sets goes with the test, even where nothing was set before.
    monkeypatch.setenv("PERFWRIGHT_DEBUG", "")
    monkeypatch.delenv("PERFWRIGHT_DEBUG")
    return run


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `perfwright runs` end like this."""

    def raise_it(*_: Any) -> NoReturn:
        raise error

    monkeypatch.setattr("perfwright.app.record.campaigns.list_runs", raise_it)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(UserError, 2), (ToolchainError, 3), (ProgramError, 4), (MindError, 5), (InternalError, 6)],
)
def test_each_kind_of_error_has_its_status(
    types: Types, monkeypatch: pytest.MonkeyPatch, kind: type[PerfwrightError], status: int
) -> None:
    failing(monkeypatch, kind("it is wrong", cause="for a reason", hint="do better"))
    said = "perfwright: it is wrong\n  cause: for a reason\n  try:   do better\n"
    assert types("runs") == (status, "", said)


def test_with_json_a_failure_is_one_object(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ProgramError("it is wrong", cause="for a reason"))
    status, out, err = types("runs", "--json")
    found = json.loads(out)
    assert (status, found["campaign"], found["status"]) == (4, None, "failed")
    assert found["cause"] == "it is wrong: for a reason"
    assert err.startswith("perfwright: it is wrong")


@pytest.mark.parametrize("words", [("runs",), ("runs", "--json")])
def test_an_interruption_is_130(
    types: Types, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    status, out, err = types(*words)
    assert (status, err) == (130, "interrupted\n")
    assert (json.loads(out)["status"] == "interrupted") if "--json" in words else not out


def test_what_nobody_foresaw_is_6_and_not_1(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("by zero"))
    status, _, err = types("runs")
    assert status == 6
    assert err.startswith("perfwright: internal error: ZeroDivisionError: by zero\n")
    assert "--debug" in err
    assert "Traceback" not in err


def test_a_machine_that_gives_no_more_is_6(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, OSError(28, "No space left on device", "/full/file"))
    status, _, err = types("runs")
    assert status == 6
    assert "No space left on device (/full/file)" in err


@pytest.mark.parametrize("words", [("--debug", "runs"), ("runs", "--debug")])
def test_with_debug_there_is_a_traceback(
    types: Types, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    failing(monkeypatch, UserError("it is wrong"))
    status, _, err = types(*words)
    assert status == 2
    assert err.startswith("Traceback")
    assert err.endswith("perfwright: it is wrong\n")


@pytest.mark.parametrize(
    ("value", "shown"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_the_variable_asks_for_tracebacks_too(
    types: Types, monkeypatch: pytest.MonkeyPatch, value: str, shown: bool
) -> None:
    failing(monkeypatch, UserError("it is wrong"))
    monkeypatch.setenv("PERFWRIGHT_DEBUG", value)
    assert types("runs")[2].startswith("Traceback") is shown


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        (("bogus",), "no such command 'bogus'", "perfwright --help"),
        (("runs", "--bogus"), "no such option: --bogus", "perfwright runs --help"),
        (("show",), "missing argument 'CAMPAIGN'", "perfwright show --help"),
        (("tune", "x", "--seed", "y"), "invalid value for '--seed'", "perfwright tune --help"),
    ],
)
def test_a_misused_command_is_2_and_names_its_help(
    types: Types, words: tuple[str, ...], fact: str, hint: str
) -> None:
    status, out, err = types(*words)
    assert (status, out) == (2, "")
    assert err.startswith(f"perfwright: {fact}")
    assert err.endswith(f"  try:   {hint}\n")


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("mind", "said"),
    [
        ("sampling", "is the model of an MCP client"),
        ("scorer=sampling", "is the model of an MCP client"),
        ("agent", "is a coding agent, over MCP"),
        ("exec:/nonexistent -x", "cannot be started\n  cause: there is no /nonexistent"),
        ("reasoner=exec:'unclosed", "is no command\n  cause: No closing quotation"),
        ("opnai:x", "unknown mind 'opnai:x'\n  cause: known: builtin, anthropic:MODEL"),
    ],
)
def test_a_mind_that_is_not_there_is_refused_before_anything_is_done(
    types: Types, perfwright_home: Path, more: tuple[str, ...], mind: str, said: str
) -> None:
    status, _, err = types("tune", "/nowhere/x.c", "--mind", mind, *more)
    assert (status, list(perfwright_home.iterdir())) == (2, [])
    assert said in err


def test_a_missing_key_names_the_variable_and_the_keyring(
    types: Types, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("perfwright.minds.llm.providers._from_keyring", lambda _: "")
    status, _, err = types("tune", "/nowhere/x.c", "--mind", "openai:gpt-x")
    assert status == 5
    assert "export OPENAI_API_KEY=..." in err
    assert "keyring set perfwright OPENAI_API_KEY" in err


@pytest.mark.parametrize(
    "words",
    [("--rounds", "-1"), ("--seed", "-1"), ("--time", "0"), ("--max-size", "-1"), ("--top-k", "0")],
)
def test_figures_that_make_no_sense_are_bad_usage(types: Types, words: tuple[str, str]) -> None:
    status, _, err = types("tune", "/nowhere/x.c", *words)
    assert status == 2
    assert words[0].strip("-").partition("-")[0] in err.splitlines()[0]
    assert "internal error" not in err


def test_json_behind_two_dashes_is_an_argument_of_the_program(types: Types) -> None:
    status, out, _ = types("tune", "/nowhere/x.c", "--", "--json")
    assert (status, out) == (2, "")


def test_without_a_command_people_get_help(types: Types) -> None:
    status, out, err = types()
    assert (status, out) == (2, "")
    assert "Commands:" in err


def test_the_version_goes_to_standard_output(types: Types) -> None:
    status, out, _ = types("--version")
    assert status == 0
    assert out.startswith("perfwright ")


def test_every_command_explains_itself(types: Types) -> None:
    for command in commands.app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
