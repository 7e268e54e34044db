"""What a call may bring, and in which words it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import TypeAdapter, ValidationError

pytest.importorskip("mcp")

from mcp import Client

from perfwright.errors import UserError
from perfwright.mcp.arguments import Prose, Symbol, Text, Version, require_known, said_of, seconds
from perfwright.mcp.desk import Desk
from perfwright.mcp.server import build_server

LONG = "x" * 30_000
HIDDEN = ("a\0b", "a\x1b[2Jb", "a\u202eb", "a\U000e0041b")


def taken(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("version", ["", "22", "22.1", "22.1.8"])
def test_a_toolchain_is_named_by_its_version(version: str) -> None:
    assert taken(Version, version) == version


@pytest.mark.parametrize(
    "version",
    [
        "/tmp/evil",
        "./evil",
        "22/../evil",
        "22.",
        ".22",
        "22\n",
        "-22",
        "22 ",
        "latest",
        "٢٢",
        "9" * 99,
    ],
)
def test_a_toolchain_is_never_a_path(version: str) -> None:
    with pytest.raises(ValidationError) as caught:
        taken(Version, version)
    assert "errors.pydantic.dev" not in said_of(caught.value)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_name_with_hidden_characters_is_refused(text: str) -> None:
    for kind in (Text, Symbol):
        with pytest.raises(ValidationError, match="control characters"):
            taken(kind, text)


@pytest.mark.parametrize("text", HIDDEN)
def test_prose_with_hidden_characters_is_cleaned(text: str) -> None:
    clean = taken(Prose, f"why\n {text}")
    assert clean.startswith("why a\ufffd")
    assert "\n" not in clean


def test_half_a_character_is_refused_plainly() -> None:
    for kind in (Text, Prose):
        with pytest.raises(ValidationError) as caught:
            taken(kind, "a\ud800b")
        assert "unicode" in said_of(caught.value)


@pytest.mark.parametrize("text", ["0s", "721h", "9" * 19 + "h", "soon"])
def test_a_time_that_nobody_means_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        seconds(text)
    assert seconds("1h30m") > seconds("90s")


def test_an_unknown_argument_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="unknown argument of open 'round'") as caught:
        require_known("open", ["program", "round"], ["program", "rounds", "time"])
    assert caught.value.hint == "rounds"


def arguments_of(schema: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Every text and every list that a tool takes: a value that is too long, and its name."""
    for name, kind in schema["properties"].items():
        kinds = kind.get("anyOf", [kind])
        if any(k.get("type") == "string" and "enum" not in k for k in kinds):
            yield name, LONG, "at most"
        for k in kinds:
            if k.get("type") == "array":
                yield name, ["x"] * 1000, "at most"
                yield name, [LONG], "at most"


def test_every_text_and_every_list_of_every_tool_is_bounded() -> None:
    async def story() -> None:
        async with Client(build_server(Desk(Path.cwd(), (Path.cwd(),)))) as client:
            tools = (await client.list_tools()).tools
            tried = 0
            for tool in tools:
                for name, value, said in arguments_of(tool.input_schema):
                    answer = await client.call_tool(tool.name, {name: value})
                    text: str = answer.content[0].text  # type: ignore[union-attr]
                    assert answer.is_error
                    assert said in text, f"{tool.name}({name}=...): {text}"
                    assert len(text) <= 1500
                    tried += 1
            assert tried > 50

    anyio.run(story)
