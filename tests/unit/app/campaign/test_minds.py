"""Minds put together over a real program: a command that plays every role."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from perfwright.app.campaign.minds import check_minds, wait_for_model
from perfwright.app.campaign.tune import tune
from perfwright.app.inside.inspection import outline
from perfwright.app.record.replay import replay
from perfwright.app.request import TuneRequest
from perfwright.app.study.estimate import estimate
from perfwright.core.events import Event, StageBegan, silent
from perfwright.errors import MindError, UserError
from perfwright.measure.counters import counters_here
from perfwright.pipeline.tree import parse
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore

PROGRAM = """\
#include <stdio.h>
static unsigned step(unsigned x) { x ^= x << 13; x ^= x >> 17; return x ^ (x << 5); }
int main(void)
{
    unsigned x = 1, sum = 0;
    for (int i = 0; i < 4000000; i++) sum += x = step(x);
    printf("%u\\n", sum);
    return 0;
}
"""
MIND = """\
import json, re, sys
q = json.load(sys.stdin)
open(LOG, "a").write(json.dumps(q) + "\\n")
text = q["messages"][0]["content"]
tools = [m for m in q["messages"] if m["role"] == "tool"]
calls = [
    {"name": "show_ir", "arguments": {"symbol": "main", "pass_name": "loop-unroll-full"}},
    {"name": "explain_pass", "arguments": {"name": "licm"}},
    {"name": "explain_option", "arguments": {"name": "unroll-threshold"}},
    {"name": "try_draft", "arguments": {"edits": ["option unroll-threshold=9"]}},
]
if q["role"] == "scorer":
    out = {"functions": [{"symbol": "main", "weight": 1, "reason": "the loop"}]}
elif q["role"] == "analyst":
    facts = re.findall(r"^\\[(\\S+)\\]", text, re.M)
    out = {"bottlenecks": [{"kind": "hot-function", "symbol": "main", "weight": 1, "text": "t",
                            "evidence": facts[:1]}]}
elif q["role"] == "evaluator":
    out = {"cause": "the mind says so", "next": "stop"}
elif not tools:
    print(json.dumps({"tool_calls": calls})); sys.exit()
elif "1.1:" in text:
    out = {"candidates": []}
else:
    out = {"candidates": [{"edits": [{"edit": "option unroll-threshold=9", "claim": "c"}]}]}
print(json.dumps({"output": out}))
"""


@pytest.fixture
def request_of(tmp_path: Path) -> TuneRequest:
    (tmp_path / "loop.c").write_text(PROGRAM)
    script = tmp_path / "mind.py"
    script.write_text(MIND.replace("LOG", repr(str(tmp_path / "asked"))))
    command = shlex.join([sys.executable, str(script)])
    return TuneRequest(program=tmp_path / "loop.c", mind=f"exec:{command}", weak_oracle=True)


def asked(request: TuneRequest) -> list[dict[str, Any]]:
    path = request.program.parent / "asked"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.llvm
def test_a_command_plays_every_role_over_a_real_program(request_of: TuneRequest) -> None:
    ended = tune(request_of, silent)
    assert ended.error is None
    requests = asked(request_of)
    assert {each["role"] for each in requests} == {"scorer", "analyst", "reasoner", "evaluator"}
    assert ended.document.usage.requests == len(requests)
    assert ended.document.usage.tokens > 0
    said = {m["name"]: m["content"] for r in requests for m in r["messages"] if m["role"] == "tool"}
    assert "phi i32" in said["show_ir"]
    assert "licm#1" in said["explain_pass"]
    assert "unroll-threshold=" in said["explain_option"]
    assert said["try_draft"].startswith("valid")
    again = replay("last")
    assert again.document.status == ended.document.status
    # Scorer, analyst, two proposals and the lesson of the trial between them.
    assert again.read_again == ("  read again  the roles make the same of the answers in 5 steps",)
    assert len(asked(request_of)) == len(requests)
    with JournalStore.open(Settings.load().home) as store:
        steps = store.replay_campaign("last").steps()
    assert any(step.key == "prompts" for step in steps)


@pytest.mark.llvm
def test_a_model_that_judges_is_told_the_counts_of_a_run(request_of: TuneRequest) -> None:
    script = request_of.program.parent / "mind.py"
    script.write_text(script.read_text().replace("option unroll-threshold=9", "link whole-program"))
    assert tune(request_of, silent).error is None
    (judged,) = (r["messages"][0]["content"] for r in asked(request_of) if r["role"] == "evaluator")
    counted = counters_here()[0] != "unavailable"
    assert bool(re.search(r"instructions [\d.]+ M -> [\d.]+ M", judged)) is counted


@pytest.mark.llvm
def test_a_dry_run_counts_and_asks_nobody(request_of: TuneRequest) -> None:
    estimated = estimate(request_of, silent)
    assert set(estimated.roles) == {"scorer", "analyst", "reasoner", "evaluator"}
    assert estimated.input_tokens > 1000
    assert estimated.usd is None
    assert asked(request_of) == []
    with JournalStore.open(Settings.load().home) as store:
        assert store.list() == ()


def test_waiting_for_a_model_is_said() -> None:
    said: list[Event] = []
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        assert said, "first it is said"
        slept.append(seconds)

    def hear(event: Event) -> None:
        said.append(event)

    wait_for_model(hear, 4.0, sleep)
    assert said == [StageBegan("wait", "4 s: the model is busy or out of reach")]
    assert slept == [4.0]


def test_the_outline_is_nested_like_the_pipeline() -> None:
    shown = outline(parse("cgscc(inline,function(sroa,gvn)),function(gvn)"))
    assert shown == "cgscc( inline function#1( sroa gvn#1)) function#2( gvn#2)"


def test_the_outline_leaves_out_passes_that_only_keep_books() -> None:
    shown = outline(parse("annotation2metadata,function(invalidate<aa>),function(gvn,adce)"))
    assert shown == "function#1 function#2( gvn adce)"


def test_minds_are_checked_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown mind"):
        check_minds(TuneRequest(program=tmp_path, mind="opnai:x"))
    with pytest.raises(MindError, match="no key for mistral"):
        check_minds(TuneRequest(program=tmp_path, roles={"scorer": "mistral:x"}))
