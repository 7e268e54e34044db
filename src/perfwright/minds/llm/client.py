"""One door to models: ask for typed output, with patience, limits and a record.

Whatever a model does ends in one of four ways: an answer of the right type, `UnusableError`
(it answered, and nothing could be made of it), `SpentError` (a limit is reached), or
`MindError` (it could not be reached, or refuses us).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_ai import Agent, ModelRetry, NativeOutput, TextOutput, Tool, ToolOutput
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from perfwright.errors import MindError
from perfwright.minds.llm.bounded import NoModelError
from perfwright.minds.llm.clean import RESPONSE, cleaned, shortened, without
from perfwright.minds.llm.exec_mind import CommandFailedError
from perfwright.minds.llm.ledger import Caps, Recorder, UnusableError
from perfwright.minds.llm.reading import object_in
from perfwright.minds.llm.wire import plain_request, request_text

T = TypeVar("T", bound=BaseModel)
E = TypeVar("E", bound=Exception)

_TRANSIENT_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_LONGEST_CAUSE = 300
_LONGEST_SAID = 4_000
"""Characters of an error's text that are looked at."""
_MISREAD = (
    *(LookupError, ValueError, TypeError, AttributeError),
    *(AssertionError, ArithmeticError, RecursionError),
)
"""What libraries raise over a body that is not as they expect it: they trust who answers."""
_CUT_OFF = "it was cut off at the limit of tokens"
_FILTERED = "a content filter stopped it"
_EMPTY = "it was empty"
_PYDANTIC_NOTES = re.compile(r"\[type=\w+, .*?\]$|For further information visit \S+", re.MULTILINE)


@dataclass(frozen=True)
class Patience:
    """How long a model is waited for, and how often it is asked again.

    Attributes:
        timeout: seconds until one request counts as lost.
        attempts: how often a request is sent before the model counts as out of reach.
        first_wait: seconds before the second attempt; doubled for each further one.
        longest_wait: seconds; a server that asks for more is waited for no longer.
        corrections: how often an unusable answer is fed back.
    """

    timeout: float = 600.0
    attempts: int = 5
    first_wait: float = 2.0
    longest_wait: float = 60.0
    corrections: int = 2

    def wait(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after the `attempt`-th attempt, from 1; `asked` is the server's wish.

        It knows best, but may not know that others wait too: its wish is doubled like ours.
        """
        first = asked if asked else self.first_wait
        return min(self.longest_wait, first * float(2 ** (attempt - 1)))


@dataclass(frozen=True)
class Line:
    """A model and everything that it is asked over.

    Attributes:
        name: as the user wrote it: `openai:...`; goes into the record.
        secrets: what must not be in any message; keys.
        constrained: the server makes answers fit a schema, if it has no tools to choose from.
        price: US dollars of an answer; `None` when unknown.
    """

    name: str
    model: Model
    recorder: Recorder
    caps: Caps = field(default_factory=Caps)
    patience: Patience = field(default_factory=Patience)
    secrets: tuple[str, ...] = ()
    constrained: bool = False
    price: Callable[[ModelResponse], float | None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Question:
    """What one role is asked.

    Attributes:
        system: the role's prompt file.
        text: what the model is shown.
        tools: what it may call while it thinks.
        tool_calls: how often.
    """

    role: str
    system: str
    text: str
    tools: tuple[Callable[..., str], ...] = ()
    tool_calls: int = 0


def ask(
    line: Line, question: Question, kind: type[T], check: Callable[[T], str | None] | None = None
) -> T:
    """The answer to a question.

    Args:
        line: whom to ask.
        question: what.
        kind: the type of the answer.
        check: what is wrong with an answer of the right type, for the model; `None` is nothing.

    Raises:
        UnusableError: no usable answer, however often it was asked for.
        SpentError: a limit is reached.
        MindError: the model is out of reach, or refuses us.
    """
    try:
        return _asked(line, question, kind, check)
    except UnusableError:
        if not (line.constrained and question.tools):
            raise
    # With tools to choose from, a server leaves the answer free; without, it makes it fit.
    return _asked(line, replace(question, tools=(), tool_calls=0), kind, check)


def _asked(
    line: Line, question: Question, kind: type[T], check: Callable[[T], str | None] | None
) -> T:
    model = RecordedModel(line, question.role)
    agent = _agent(model, line, question, kind, check)
    patience = line.patience
    most = 1 + patience.corrections + question.tool_calls + 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to users of the library, not to ours
            result = agent.run_sync(question.text, usage_limits=UsageLimits(request_limit=most))
    except UsageLimitExceeded as error:
        raise UnusableError(f"no answer after {most} requests: it went on calling tools") from error
    except ModelAPIError as error:
        raise _unreachable(line, error) from _origin(error, line.secrets)
    except AgentRunError as error:
        said = _said(error, line.secrets)
        named = said if model.trouble in said else f"{model.trouble}: {said}"
        raise UnusableError(named) from _origin(error, line.secrets)
    return result.output


def _agent(
    model: RecordedModel,
    line: Line,
    question: Question,
    kind: type[T],
    check: Callable[[T], str | None] | None,
) -> Agent[object, T]:
    output: Any
    if line.constrained and not question.tools:
        output = NativeOutput(kind, name="answer")
    else:
        output = [ToolOutput(kind, name="answer"), TextOutput(_reader(kind, model))]
    corrections = line.patience.corrections
    agent: Agent[object, T] = Agent(
        model,
        output_type=output,
        instructions=question.system,
        # One after the other: what is said of the calls that are left must not depend on luck.
        tools=[
            Tool(tool, takes_ctx=False, max_retries=corrections, sequential=True)
            for tool in question.tools
        ],
        retries={"output": corrections, "tools": corrections},
        model_settings=ModelSettings(timeout=line.patience.timeout),
        end_strategy="early",
    )

    @agent.output_validator
    def checked(answer: T) -> T:
        wrong = check(answer) if check else None
        if wrong:
            raise ModelRetry(wrong)
        return answer

    return agent


def _reader(kind: type[T], model: RecordedModel) -> Callable[[str], T]:
    """Reads the answer of a model that writes JSON as text instead of calling `answer`."""

    def read(text: str) -> T:
        try:
            return object_in(text, kind)
        except (ValidationError, RecursionError) as error:
            wrong = "; ".join(filter(None, (model.trouble, _short(error))))
            shorter = "Give a shorter one. " if model.trouble == _CUT_OFF else ""
            raise ModelRetry(
                f"This is not the JSON object that was asked for: {wrong}. {shorter}Answer with "
                "the object alone, or call the tool `answer`."
            ) from error

    return read


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return ": ".join(filter(None, (place, first["msg"])))[:_LONGEST_CAUSE]
    return type(error).__name__


class RecordedModel(WrapperModel):
    """Answers from the record what was answered before; else asks, with patience, and records.

    Attributes:
        trouble: what the last answer says itself of why it may be of no use; empty for nothing.
    """

    def __init__(self, line: Line, role: str) -> None:
        super().__init__(line.model)
        self.trouble = ""
        self._line = line
        self._role = role

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """See `pydantic_ai.models.Model.request`.

        Raises:
            SpentError: a limit is reached.
            UnusableError: the answer is too long or too deep.
        """
        line = self._line
        messages = shortened(messages)
        _, prepared = line.model.prepare_request(model_settings, model_request_parameters)
        plain = {**plain_request(self._role, messages, prepared), "model": line.name}
        known = line.recorder.recall(self._role, plain)
        if known is None:
            came = await self._persistently(messages, model_settings, model_request_parameters)
            response = cleaned(came, request_text(plain), line.secrets)
            known = json.loads(RESPONSE.dump_json(response))
            price = line.price(response) or 0.0
            line.recorder.record(self._role, plain, known, response.usage.total_tokens, price)
        # As it reads on record, also when it just came: JSON has no infinite numbers.
        response = RESPONSE.validate_python(known)
        self.trouble = _trouble(response)
        return response

    async def _persistently(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Send the request until it is answered, refused for good, or given up."""
        line, patience = self._line, self._line.patience
        for attempt in range(1, patience.attempts + 1):
            line.caps.require(line.recorder.used())
            line.recorder.sent()
            try:
                request = line.model.request(messages, settings, parameters)
                # A time limit of the library's is for each read: bytes may drip in for ever.
                return await asyncio.wait_for(request, patience.timeout)
            except (ModelAPIError, NoModelError, TimeoutError, OSError) as error:
                if own := _inner(error, UnusableError):
                    raise own from None
                if attempt == patience.attempts or not _is_transient(error):
                    raise _unreachable(line, error) from _origin(error, line.secrets)
                line.sleep(patience.wait(attempt, getattr(error, "retry_after", None)))
            except _MISREAD as error:
                raise UnusableError("a body that is no answer") from _origin(error, line.secrets)
        raise AssertionError("the last attempt returns or raises")


def _trouble(response: ModelResponse) -> str:
    """What an answer says of its own end."""
    if response.finish_reason == "length":
        return _CUT_OFF
    if response.finish_reason == "content_filter":
        return _FILTERED
    said = [p for p in response.parts if not isinstance(p, TextPart) or p.content.strip()]
    return "" if said else _EMPTY


def _inner(error: BaseException | None, kind: type[E]) -> E | None:
    """Our own error in the wrappings of a provider's library."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _is_transient(error: Exception) -> bool:
    """Whether the same request may succeed in a while.

    What has no status is a broken connection, or a body that was cut off on its way.
    """
    if isinstance(error, CommandFailedError):
        return error.transient
    if isinstance(error, ModelQuotaExceededError | ModelRequestRejectedError) or _inner(
        error, NoModelError
    ):
        return False
    return not isinstance(error, ModelHTTPError) or error.status_code in _TRANSIENT_STATUS


def _unreachable(line: Line, error: Exception) -> MindError:
    """The error for a model that cannot be asked, with what can be done."""
    if own := _inner(error, NoModelError):
        cause = _one_line(own.fact, line.secrets)
        return MindError(f"the model {line.name} failed", cause=cause, hint=own.hint)
    status = error.status_code if isinstance(error, ModelHTTPError) else None
    hint = "check the network and the address, then: perfwright resume last"
    if isinstance(error, CommandFailedError):
        hint = error.hint
    elif isinstance(error, ModelAuthenticationError) or status in (401, 403):
        hint = "check the key (docs/models.md says which variable holds it)"
    elif isinstance(error, ModelQuotaExceededError) or status == 402:
        hint = "check the account's credit, then: perfwright resume last"
    elif isinstance(error, ModelContextWindowExceededError) or "context size" in str(error):
        hint = "serve the model with a longer context, or send less: --context-tokens 1500"
    elif status in (400, 404, 422):
        hint = "check the model's name, and whether it can call tools; --tool-calls 0 offers none"
    elif isinstance(error, ModelConnectionError):
        hint = (
            "start the server, or check the network and the address; then: perfwright resume last"
        )
    return MindError(f"the model {line.name} failed", cause=_said(error, line.secrets), hint=hint)


def _origin(error: Exception, secrets: Sequence[str]) -> Exception | None:
    """What `--debug` may show behind our own error: nothing when there is a key in it."""
    shown = "".join(traceback.format_exception(error))
    return None if any(secret in shown for secret in filter(None, secrets)) else error


def _said(error: Exception, secrets: Sequence[str]) -> str:
    """What an error says, in one short printable line without any key."""
    if isinstance(error, TimeoutError) and not str(error):
        return "it did not answer in time"
    body = error.body if isinstance(error, UnexpectedModelBehavior | ModelAPIError) else None
    text = f"HTTP {error.status_code}: " if isinstance(error, ModelHTTPError) else ""
    text += _message(body) or getattr(error, "message", "") or str(error) or type(error).__name__
    if isinstance(error, UnexpectedModelBehavior) and isinstance(error.__cause__, Exception):
        last = getattr(error.__cause__, "message", "") or str(error.__cause__)
        text = last or text  # what was wrong the last time, not how often
    return _one_line(text, secrets)


def _one_line(text: str, secrets: Sequence[str]) -> str:
    text = without(secrets, text)[:_LONGEST_SAID]  # in this order: half a key is a secret too
    shown = "".join(c if c.isprintable() else " " for c in _PYDANTIC_NOTES.sub("", text))
    return " ".join(shown.split())[:_LONGEST_CAUSE]


def _message(body: object) -> str:
    """The message in the body of an error, wherever providers put it."""
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        found = inner.get("message", "") if isinstance(inner, Mapping) else inner
        return found if isinstance(found, str) else ""
    # A page is nothing to read, nor is the answer itself, which comes with a content filter.
    readable = isinstance(body, str) and "<" not in body and body.lstrip()[:1] not in ("[", "{")
    return str(body) if readable else ""
