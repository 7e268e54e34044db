"""Messages for a command line, in the words of an agent that has tools instead."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytest.importorskip("mcp")

import perfwright
from perfwright.mcp.words import PARAMETERS, spoken

SOURCES = Path(perfwright.__file__).parent
NOT_OVER_MCP = {"cli", "rivals", "missed", "report", "recipe", "testing"}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("--weak-oracle goes on regardless", "weak_oracle=true goes on regardless"),
        ("--metric cpu, or allow counters", 'metric="cpu", or allow counters'),
        ("--metric wall compares how soon", 'metric="wall" compares how soon'),
        ("a version such as --toolchain 22", 'a version such as toolchain="22"'),
        ("--mind-timeout with a longer time", "mind_timeout with a longer time"),
        ("--max-tokens 5000 is used up", "max_tokens=5000 is used up"),
        ("or --mind builtin", 'or mind="builtin"'),
        ("perfwright show fft-1a2b", "call history"),
        ("perfwright explain last shows them; try", "call history; try"),
        ("perfwright recipe fft-1 --format shell", 'call recipe(format="shell")'),
        ("perfwright tune PROGRAM", "call open with the program's path"),
        ("then perfwright doctor", "then ask the user to run perfwright doctor"),
        ("ask the user to go on with it: perfwright resume a-1",) * 2,
        ("ask the user to start it there: perfwright mcp PROGRAM",) * 2,
        ('perfwright mcp; its tool open, with campaign="a-1"', 'call open with campaign="a-1"'),
        ("opt --print-passes lists them", 'call look_up(what="passes")'),
        ("over --max-size 1.2", "over --max-size 1.2"),
        ("a flag -mprefer-vector-width=512", "a flag -mprefer-vector-width=512"),
        ("~~~ --- a-b--c", "~~~ --- a-b--c"),
    ],
)  # fmt: skip
def test_a_message_is_put_into_an_agents_words(said: str, meant: str) -> None:
    assert spoken(said) == meant


def texts() -> list[str]:
    """Every text in the code that an agent may be told."""
    found = []
    for path in SOURCES.rglob("*.py"):
        if path.relative_to(SOURCES).parts[0] not in NOT_OVER_MCP:
            tree = ast.parse(path.read_text("utf-8"))
            found += [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
    return found


def test_no_message_of_ours_names_an_option_that_is_a_parameter() -> None:
    option = re.compile(rf"--({'|'.join([*PARAMETERS, 'weak-oracle'])})(?![\w-])")
    named = [text for text in texts() if option.search(text)]

    assert any("--weak-oracle" in text for text in named)
    assert [text for text in named if option.search(spoken(text))] == []
