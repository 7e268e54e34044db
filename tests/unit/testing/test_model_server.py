from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from perfwright.testing.model_replies import (
    MOVED_TO,
    Answer,
    Fault,
    HttpError,
    Output,
    Reply,
    Request,
    Slowly,
    Tokens,
    ToolCall,
)
from perfwright.testing.model_server import ModelServer, endless, in_order

CHAT = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
OUTPUT_TOOL = {"type": "function", "function": {"name": "final_result", "parameters": {}}}


def post(
    server: ModelServer, body: object = CHAT, *, path: str = "chat/completions", key: str = "k-1"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body, read to the end."""
    place = urlsplit(server.url)
    assert place.hostname
    client = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        client.request("POST", f"{place.path}/{path}", data, headers)
        response = client.getresponse()
        return response.status, response.headers, response.read()
    finally:
        client.close()


def completed(server: ModelServer, **more: object) -> dict[str, Any]:
    status, _, body = post(server, {**CHAT, **more})
    assert status == 200, body
    value: dict[str, Any] = json.loads(body)
    return value


def streamed(server: ModelServer, **more: object) -> list[dict[str, Any]]:
    """The events of a stream, the end mark checked and left out."""
    status, headers, body = post(server, {**CHAT, "stream": True, **more})
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    assert lines.pop() == b"[DONE]"
    return [json.loads(line) for line in lines]


def test_answers_come_in_order() -> None:
    with ModelServer([Answer("one"), Answer("two")]) as server:
        said = [completed(server)["choices"][0]["message"]["content"] for _ in range(2)]
    assert said == ["one", "two"]


def test_a_script_that_is_over_refuses_and_says_so() -> None:
    with ModelServer([]) as server:
        status, _, body = post(server)
    assert status == 400
    assert "no answer to request 1" in json.loads(body)["error"]["message"]


def test_a_script_may_look_at_the_request() -> None:
    def echo(request: Request) -> Reply:
        return Answer(request.messages[-1]["content"].upper())

    with ModelServer(echo) as server:
        assert completed(server)["choices"][0]["message"]["content"] == "HELLO"


def test_what_a_script_raises_reaches_the_test() -> None:
    def fail(request: Request) -> Reply:
        raise AssertionError("not what was expected")

    def use() -> None:
        with ModelServer(fail) as server, pytest.raises(http.client.RemoteDisconnected):
            post(server)

    with pytest.raises(AssertionError, match="not what was expected"):
        use()


def test_requests_are_remembered_without_their_keys() -> None:
    with ModelServer([Answer("x")]) as server:
        post(server, key="sk-secret")
    (request,) = server.chats
    assert request.json == CHAT
    assert request.keyed
    assert request.headers["authorization"] == "Bearer ***"
    assert "sk-secret" not in repr(server.requests)


def test_a_wrong_key_is_refused() -> None:
    with ModelServer([Answer("x")], key="right") as server:
        assert post(server, key="wrong")[0] == 401
        assert post(server, key="right")[0] == 200


def test_models_are_listed() -> None:
    with ModelServer([]) as server:
        place = urlsplit(server.url)
        assert place.hostname
        client = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
        client.request("GET", "/v1/models")
        listed = json.loads(client.getresponse().read())
        client.close()
    assert [model["id"] for model in listed["data"]] == ["scripted"]


def test_another_path_is_not_there() -> None:
    with ModelServer([]) as server:
        assert post(server, path="responses")[0] == 404


def test_a_body_without_messages_is_refused() -> None:
    with ModelServer([Answer("x")]) as server:
        assert post(server, b"{")[0] == 400


def test_a_tool_call_is_said_as_openai_says_it() -> None:
    call = ToolCall("remarks", '{"function": "main"}')
    with ModelServer([Answer(tool_calls=(call,))]) as server:
        choice = completed(server)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (said,) = choice["message"]["tool_calls"]
    assert said["function"] == {"name": "remarks", "arguments": '{"function": "main"}'}


@pytest.mark.parametrize("tools", [[], [OUTPUT_TOOL]])
def test_a_structured_answer_comes_the_way_it_is_asked_for(tools: list[object]) -> None:
    with ModelServer([Output({"edits": []})]) as server:
        message = completed(server, tools=tools)["choices"][0]["message"]
    said = message["tool_calls"][0]["function"]["arguments"] if tools else message["content"]
    assert json.loads(said) == {"edits": []}


def test_tool_calls_can_be_endless() -> None:
    with ModelServer(endless(ToolCall("remarks"))) as server:
        for _ in range(5):
            assert completed(server)["choices"][0]["finish_reason"] == "tool_calls"


def test_a_client_that_never_stops_is_stopped() -> None:
    with ModelServer(in_order([Answer("x")], repeat_last=True), most_requests=2) as server:
        assert [post(server)[0] for _ in range(3)] == [200, 200, 400]


def test_tokens_are_those_of_the_script() -> None:
    with ModelServer([Answer("x", tokens=Tokens(-5, 7))]) as server:
        usage = completed(server)["usage"]
    assert usage == {"prompt_tokens": -5, "completion_tokens": 7, "total_tokens": 2}


def test_tokens_are_guessed_from_sizes() -> None:
    with ModelServer([Answer("x" * 40)]) as server:
        usage = completed(server)["usage"]
    assert usage["completion_tokens"] == 11
    assert usage["prompt_tokens"] == len(json.dumps(CHAT)) // 4


def test_tokens_may_be_left_out() -> None:
    with ModelServer([Answer("x", counted=False)]) as server:
        assert "usage" not in completed(server)


def test_a_stream_adds_up_to_the_text() -> None:
    text = "a text of more than one piece, so that it takes several events"
    with ModelServer([Answer(text)]) as server:
        events = streamed(server, stream_options={"include_usage": True})
    deltas = [event["choices"][0]["delta"] for event in events[:-1]]
    assert "".join(delta.get("content", "") for delta in deltas) == text
    assert len(deltas) > 4
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["usage"]["completion_tokens"] > 0


def test_a_stream_adds_up_to_the_tool_call() -> None:
    call = ToolCall("remarks", '{"function": "a_function_with_a_long_name"}')
    with ModelServer([Answer(tool_calls=(call,))]) as server:
        events = streamed(server)
    calls = [event["choices"][0]["delta"].get("tool_calls", []) for event in events]
    functions = [call["function"] for found in calls for call in found]
    assert functions[0]["name"] == "remarks"
    assert "".join(function["arguments"] for function in functions) == call.arguments


@pytest.mark.parametrize("status", [400, 401, 402, 404, 429, 500, 503])
def test_a_status_on_demand(status: int) -> None:
    with ModelServer([HttpError(status, "on demand")]) as server:
        told, headers, body = post(server)
    assert told == status
    assert json.loads(body)["error"]["message"] == "on demand"
    assert headers["Retry-After"] is None


def test_a_rate_limit_may_say_how_long_to_wait() -> None:
    with ModelServer([HttpError(429, retry_after="0.01"), Answer("x")]) as server:
        assert post(server)[1]["Retry-After"] == "0.01"
        assert post(server)[0] == 200


def test_a_connection_is_reset() -> None:
    with ModelServer([Fault.RESET]) as server, pytest.raises(ConnectionResetError):
        post(server)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_cut_off(stream: bool) -> None:
    with (
        ModelServer([Fault.TRUNCATED]) as server,
        pytest.raises(http.client.IncompleteRead) as cut,
    ):
        post(server, {**CHAT, "stream": stream})
    assert cut.value.partial


@pytest.mark.parametrize(
    ("fault", "body"),
    [(Fault.EMPTY_BODY, b""), (Fault.BROKEN_JSON, b"]]"), (Fault.WRONG_TYPE, b"</html>")],
)
def test_a_body_that_is_no_answer(fault: Fault, body: bytes) -> None:
    with ModelServer([fault]) as server:
        status, headers, told = post(server)
    assert status == 200
    assert told.endswith(body)
    assert (headers["Content-Type"] == "text/html") == (fault is Fault.WRONG_TYPE)
    with pytest.raises(json.JSONDecodeError):
        json.loads(told)


def test_an_answer_may_be_elsewhere() -> None:
    with ModelServer([Fault.MOVED]) as server:
        status, headers, _ = post(server)
    assert (status, headers["Location"]) == (307, MOVED_TO)


def test_a_small_body_unpacks_to_a_large_one() -> None:
    with ModelServer([Fault.BOMB]) as server:
        _, headers, body = post(server)
    assert headers["Content-Encoding"] == "gzip"
    assert len(gzip.decompress(body)) > 50 * len(body)


def test_an_endless_body_goes_on_until_the_client_goes_away() -> None:
    with ModelServer([Fault.ENDLESS]) as server:
        place = urlsplit(server.url)
        assert place.hostname
        client = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
        client.request("POST", f"{place.path}/chat/completions", json.dumps(CHAT))
        assert len(client.getresponse().read(10_000_000)) == 10_000_000
        client.close()


def test_a_completion_may_be_without_an_answer() -> None:
    with ModelServer([Fault.NO_CHOICES]) as server:
        assert completed(server)["choices"] == []


def test_a_body_may_be_too_deep_to_read() -> None:
    with ModelServer([Fault.DEEP]) as server, pytest.raises(RecursionError):
        completed(server)


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_answer_comes_whole(stream: bool) -> None:
    with ModelServer([Slowly(Answer("slow but right"))]) as server:
        body = post(server, {**CHAT, "stream": stream})[2]
    assert b"slow but right" in body


def test_a_hanging_socket_is_let_go_when_the_server_closes() -> None:
    ended: list[type[BaseException]] = []

    def ask(server: ModelServer) -> None:
        with pytest.raises(http.client.RemoteDisconnected) as error:
            post(server)
        ended.append(error.type)

    with ModelServer([Fault.HANG]) as server:
        asking = threading.Thread(target=ask, args=(server,))
        asking.start()
        while not server.requests and asking.is_alive():
            time.sleep(0.001)
        assert asking.is_alive()
    asking.join(5)
    assert ended == [http.client.RemoteDisconnected]


def test_a_hanging_socket_is_let_go_when_patience_ends() -> None:
    with (
        ModelServer([Fault.HANG], patience=0.01) as server,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        post(server)
