"""A mind by command: request JSON on standard input, answer JSON on standard output.

For every request the command is started once (DESIGN.md, section 5).  It prints
`{"output": {...}}`, or `{"tool_calls": [{"name", "arguments"}]}` and is asked again with the
results.  `"usage": {"input_tokens", "output_tokens"}` beside it is counted; without, tokens
are estimated.  What it writes to standard error is shown when it fails.

A command that crashes, fails, says nothing or is too slow is started again, `ATTEMPTS` times in
all: what it talks to may be overloaded.  One that is not there, or says by its exit status
that it was used wrongly, is not.  One that prints more than 4 MB is ended, and its answer is
unusable.

It is the user's own program: it gets the user's whole environment, other providers' keys
included, and no sandbox.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from perfwright.errors import MindError, ToolchainError, UserError
from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
from perfwright.minds.llm.clean import without
from perfwright.minds.llm.wire import plain_request
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.units import Bytes

PREFIX = "exec:"
ATTEMPTS = 3
"""How often a command that fails is started: fewer than for a server, as it may be a mistake
in the command that its author waits to see."""

_USED_WRONGLY = frozenset({2, 64, 126, 127})
"""Exit statuses that no waiting mends: bad usage (getopt and argparse; sysexits.h), and a shell
that cannot execute or find what it was told to run."""
_LONGEST_ANSWER = 4_000_000
_LONGEST_COMPLAINT = 400


class CommandFailedError(ModelAPIError):
    """The command gave no answer; `transient` if it may give one in a while."""

    def __init__(self, name: str, message: str, *, hint: str, transient: bool = True) -> None:
        super().__init__(name, message)
        self.hint = hint
        self.transient = transient


class ExecModel(Model):
    """A command in the place of a model."""

    def __init__(
        self,
        command: str,
        role: str,
        *,
        timeout: float,
        runner: Runner = run,
        secrets: Sequence[str] = (),
    ) -> None:
        super().__init__(
            # Nothing but the brief comes first; what a frame means is for models to know.
            settings=ModelSettings(framing_announcement="never"),
            profile=ModelProfile(
                supports_tools=True,
                supports_json_schema_output=True,
                default_structured_output_mode="native",
            ),
        )
        self._command = command
        self._argv = command_words(command)
        self._role = role
        self._timeout = timeout
        self._runner = runner
        self._secrets = secrets

    @property
    def model_name(self) -> str:
        """The command."""
        return PREFIX + self._command

    @property
    def system(self) -> str:
        """Not one of the providers with prices."""
        return "exec"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Start the command once.

        Raises:
            MindError: it cannot be started.
            CommandFailedError: it fails, or says nothing, or not in time.
            UnexpectedModelBehavior: it prints something that is no answer.
        """
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        request = json.dumps(plain_request(self._role, messages, parameters)).encode()
        try:
            limits = Limits(wall=self._timeout, output=Bytes(_LONGEST_ANSWER))
            result = self._runner(self._argv, stdin=request, limits=limits)
        except ToolchainError as error:
            raise MindError(
                f"the mind {self.model_name} cannot be started", cause=error.summary
            ) from error
        if result.flooded:
            raise UnexpectedModelBehavior(f"it printed more than {_LONGEST_ANSWER} bytes")
        if not result.ok or not result.stdout.strip():
            raise self._failure(result)
        answer = _parsed(result.stdout)
        usage = _usage(answer, len(request), len(result.stdout))
        return ModelResponse(_parts(answer), usage=usage, model_name=self.model_name)

    def _failure(self, result: ProcessResult) -> CommandFailedError:
        outcome = "it printed nothing" if result.ok else result.outcome()
        said = without(self._secrets, " ".join(result.error_text.split()))[-_LONGEST_COMPLAINT:]
        return CommandFailedError(
            self.model_name,
            ": ".join(filter(None, (outcome, said))),
            hint="--mind-timeout with a longer time" if result.timed_out else "run it by hand",
            transient=result.status not in _USED_WRONGLY,
        )


def command_words(command: str) -> list[str]:
    """The command as arguments; no shell is involved.

    Raises:
        UserError: it is empty, or its quotes are not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"{PREFIX}{command} is no command", cause=str(error)) from error
    if not words:
        raise UserError("no command is given", hint="--mind 'exec:python3 my_mind.py'")
    return words


def require_command(command: str) -> None:
    """Make sure that a command can be started, from this folder and with this PATH.

    Raises:
        UserError: it cannot, or see `command_words`.
    """
    program = command_words(command)[0]
    if shutil.which(program):
        return
    hint = ""
    if not os.path.dirname(program):  # noqa: PTH120 - `./x` is not `x`
        cause = f"there is no command {program!r} on PATH, and no shell is involved"
    elif Path(program).is_dir():
        cause = f"{program} is a folder"
    elif Path(program).exists():
        cause = f"{program} is not executable"
        hint = f"--mind {shlex.quote(f'{PREFIX}python3 {shlex.quote(program)}')}, if it is Python"
    else:
        cause = f"there is no {program}, and no shell is involved"
    raise UserError(f"the mind {PREFIX}{command} cannot be started", cause=cause, hint=hint)


def _parsed(stdout: bytes) -> dict[str, Any]:
    text = stdout.decode("utf-8", "replace").strip()
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        # As the text of an answer it is fed back with what is wrong about it.
        return {"output": text}
    return answer if isinstance(answer, dict) else {"output": answer}


def _parts(answer: dict[str, Any]) -> list[TextPart | ToolCallPart]:
    calls = answer.get("tool_calls")
    if isinstance(calls, list) and calls:
        return [_call(number, call) for number, call in enumerate(calls)]
    output = answer.get("output", answer)
    return [TextPart(output if isinstance(output, str) else json.dumps(output))]


def _call(number: int, call: Any) -> ToolCallPart:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise UnexpectedModelBehavior("a tool call without a name")
    arguments = call.get("arguments")
    plain = arguments if isinstance(arguments, dict | str) else {}
    return ToolCallPart(call["name"], plain, tool_call_id=f"call-{number}")


def _usage(answer: dict[str, Any], asked: int, answered: int) -> RequestUsage:
    """What the command says that it used, else about what its bytes make."""
    said = answer.get("usage")
    counts = said if isinstance(said, dict) else {}

    def tokens(key: str, size: int) -> int:
        value = counts.get(key)
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return int(value) if fits else round(size / CHARACTERS_A_TOKEN)  # type: ignore[arg-type]

    return RequestUsage(
        input_tokens=tokens("input_tokens", asked), output_tokens=tokens("output_tokens", answered)
    )
