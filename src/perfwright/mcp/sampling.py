"""Questions of a role as `sampling/createMessage` of the Model Context Protocol, and back.

The protocol has two ways: up to its revision 2025-11-25 the server sends a request of its own
while a tool is called (`pushed`); from 2026-07-28 on the call is answered with what is asked for,
and made again with the answer (`InputRequiredResult`).  What is asked is the same.

A client may lend a model without tools: then what was a tool is told in words, and the answer
is JSON as text.  Sampling reports no tokens: they are estimated from the
characters of question and answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    REQUEST_TIMEOUT,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    SamplingMessage,
    TextContent,
    ToolResultContent,
    ToolUseContent,
)
from mcp_types import Tool as ToolOffer
from pydantic import ValidationError
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ERROR_OUTCOMES,
    FinishReason,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.usage import RequestUsage

from perfwright.app.agent.tuning import Reply, Sample, unanswered
from perfwright.errors import MindError
from perfwright.mcp.paging import shown
from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
from perfwright.minds.llm.guest import Prompt
from perfwright.minds.llm.wire import output_schema, text_of

_MOST_TOKENS = 16_384
"""Of an answer, thinking included; the protocol wants a limit."""
_FORM = """

## Form of the answer

One JSON object and nothing else; it fits this JSON Schema:

"""
_FINISHED: dict[str, FinishReason] = {
    "endTurn": "stop",
    "stopSequence": "stop",
    "maxTokens": "length",
    "toolUse": "tool_call",
}

Result = CreateMessageResult | CreateMessageResultWithTools


async def pushed(
    context: Context[Any, Any], sample: Sample, campaign: str, seconds: float
) -> Reply:
    """What the client answers to a request of ours, sent while it waits for its own call."""
    request = message_request(sample.prompt, tools=lends_tools(context))
    try:
        result = await context.session.send_request(
            request,
            CreateMessageResultWithTools,
            request_read_timeout_seconds=seconds,
            # Over HTTP it has to go where the client listens: with the answer to its call.
            metadata=ServerMessageMetadata(related_request_id=context.request_id),
        )
    except MCPError as error:
        return Reply(sample.key, _refusal(error, campaign, seconds))
    except ValidationError:
        return Reply(sample.key, UnexpectedModelBehavior("an answer without role, model or text"))
    return reply_to(sample, result, tools=lends_tools(context))


def lends_tools(context: Context[Any, Any]) -> bool:
    """Whether the client's model can call tools."""
    capabilities = context.client_capabilities
    sampling = capabilities.sampling if capabilities else None
    return sampling is not None and sampling.tools is not None


def reply_to(sample: Sample, result: Any, *, tools: bool) -> Reply:
    """An answer as the loop takes it; what is none is the model's misbehaviour."""
    if not isinstance(result, Result):
        return Reply(sample.key, UnexpectedModelBehavior("an answer to something else"))
    request = message_request(sample.prompt, tools=tools)
    try:
        return Reply(sample.key, response_from(result, request.params))
    except UnexpectedModelBehavior as error:
        return Reply(sample.key, error)


def _refusal(error: MCPError, campaign: str, seconds: float) -> MindError:
    """No second attempt: the client has made its own, and may have asked its user."""
    cause = f"the client says: {shown(error.error.message, 200)}"
    if error.error.code == REQUEST_TIMEOUT:
        cause = f"it gave none within {seconds:g} s"
    return unanswered(campaign, cause)


def message_request(prompt: Prompt, *, tools: bool) -> CreateMessageRequest:
    """The question in the protocol's words."""
    parameters = prompt.parameters
    system = ""
    messages: list[SamplingMessage] = []
    for message in prompt.messages:
        if isinstance(message, ModelRequest):
            system = message.instructions or system
            messages += _asked(message, tools=tools)
        else:
            messages += _answered(message, tools=tools)
    if not tools:
        system += _FORM + json.dumps(output_schema(parameters))
    offered = [
        ToolOffer(
            name=tool.name,
            description=tool.description or "",
            input_schema=tool.parameters_json_schema,
        )
        for tool in (*parameters.function_tools, *parameters.output_tools)
    ]
    return CreateMessageRequest(
        params=CreateMessageRequestParams(
            messages=messages,
            system_prompt=system,
            include_context="none",
            max_tokens=_MOST_TOKENS,
            tools=offered if tools else None,
        )
    )


def _asked(message: ModelRequest, *, tools: bool) -> Iterator[SamplingMessage]:
    """What we said: results of tools by themselves, as the protocol wants it, then the rest."""
    results: list[Any] = []
    texts: list[SamplingMessage] = []
    for part in message.parts:
        name = getattr(part, "tool_name", None)
        text = text_of(part)
        if name and tools:
            found = ToolResultContent(
                tool_use_id=getattr(part, "tool_call_id", ""),
                content=[TextContent(text=text)],
                is_error=getattr(part, "outcome", "") in ERROR_OUTCOMES or None,
            )
            results.append(found)
        else:
            told = f"{name} returned:\n{text}" if name else text
            texts.append(SamplingMessage(role="user", content=TextContent(text=told)))
    if results:
        yield SamplingMessage(role="user", content=results)
    yield from texts


def _answered(message: ModelResponse, *, tools: bool) -> Iterator[SamplingMessage]:
    """What the model said; nothing if it said nothing: providers refuse empty messages."""
    blocks: list[Any] = []
    for part in message.parts:
        if isinstance(part, TextPart) and part.content:
            blocks.append(TextContent(text=part.content))
        elif isinstance(part, ToolCallPart) and tools:
            arguments = part.args_as_dict()
            blocks.append(
                ToolUseContent(name=part.tool_name, id=part.tool_call_id, input=arguments)
            )
        elif isinstance(part, ToolCallPart):
            blocks.append(TextContent(text=f"{part.tool_name}({part.args_as_json_str()})"))
    if blocks:
        content = blocks[0] if len(blocks) == 1 else blocks
        yield SamplingMessage(role="assistant", content=content)


def response_from(result: Result, asked: CreateMessageRequestParams) -> ModelResponse:
    """The client's answer as a model's.

    Raises:
        UnexpectedModelBehavior: it is neither text nor calls of tools.
    """
    parts = [_part(block) for block in _blocks(result)]
    sizes = (len(asked.model_dump_json(exclude_none=True)), len(result.model_dump_json()))
    sent, answered = (round(size / CHARACTERS_A_TOKEN) for size in sizes)
    return ModelResponse(
        parts,
        usage=RequestUsage(input_tokens=sent, output_tokens=answered),
        model_name=shown(result.model, 100),
        # Who pays, and what, is between the client and its provider.
        provider_name="mcp-sampling",
        finish_reason=_FINISHED.get(result.stop_reason or ""),
    )


def _blocks(result: Result) -> Sequence[Any]:
    return result.content if isinstance(result.content, list) else [result.content]


def _part(block: Any) -> TextPart | ToolCallPart:
    if isinstance(block, TextContent):
        return TextPart(block.text)
    if isinstance(block, ToolUseContent):
        return ToolCallPart(block.name, block.input, tool_call_id=block.id)
    raise UnexpectedModelBehavior(f"an answer in the form {block.type!r} instead of text")
