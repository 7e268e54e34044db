from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.protocols import Refusal
from perfwright.pipeline.edits import EditError, parse_edit
from perfwright.pipeline.forbidden import FLAGS
from perfwright.pipeline.loose_edit import read_edit
from perfwright.pipeline.repair import Repaired
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import Pipeline
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import OptionTable

LINE_WORDS = (
    *("insert", "remove", "set", "option", "flag", "repeat", "move", "link", "in", "a.c:"),
    *("gvn#1", "licm", "inline-threshold", "after", "before", "x2", "=", "=3", "per-unit"),
)


@pytest.fixture(scope="module")
def repairer(o3: Pipeline, vocabulary: Vocabulary, options: OptionTable) -> EditRepairer:
    return EditRepairer(o3, vocabulary, options)


def test_repair_of_edits(repair_edits_case: dict[str, Any], repairer: EditRepairer) -> None:
    case = repair_edits_case
    outcome = repairer.repair(case["text"])
    if "refused" in case:
        assert isinstance(outcome, Refusal), outcome
        assert case["refused"] in outcome.reason
        return
    assert isinstance(outcome, Repaired), outcome
    assert str(outcome.value) == case["repaired"]
    assert bool(outcome.repairs) != case.get("silent", False)


@pytest.mark.parametrize(
    "text",
    [
        "insert dse after gvn#1",
        "set licm#1 allowspeculation",
        "option inline-threshold=600",
        "flag -fno-vectorize",
        "link whole-program",
    ],
)
def test_a_sound_edit_needs_no_repair(text: str, repairer: EditRepairer) -> None:
    assert repairer.repair(text) == Repaired(parse_edit(text))


def test_edits_that_go_together_are_kept_each_once(repairer: EditRepairer) -> None:
    outcome = repairer.repair_all(
        ["remove licm#1", "option inline-threshold=300", "inline-threshold=300"]
    )
    assert isinstance(outcome, Repaired)
    assert [str(edit) for edit in outcome.value] == [
        "remove licm#1",
        "option inline-threshold=300",
    ]
    assert len(outcome.repairs) == 1


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["option inline-threshold=1", "option inline-threshold=2"], "contradict each other"),
        (["remove licm#1", "set licm#1 allowspeculation"], "contradict each other"),
        (["remove gvn#1", "repeat in a.c: gvn#1 x2"], "contradict each other"),
        (["remove gvn#1", "frobnicate"], "frobnicate: 'frobnicate' is not an edit"),
    ],
)
def test_edits_that_do_not_go_together_are_refused(
    texts: list[str], reason: str, repairer: EditRepairer
) -> None:
    outcome = repairer.repair_all(texts)
    assert isinstance(outcome, Refusal)
    assert reason in outcome.reason


@pytest.mark.parametrize(
    "line",
    [
        *("{}", "- {}.", "prose {}", "remove {}#1", "insert {} after gvn#1", "set licm#1 {}"),
        *("set simplifycfg#1 bonus-inst-threshold={}", "set licm#1 allowspeculation={}"),
        *("repeat gvn#1 x{}", "option {}=1", "option inline-threshold={}", "option regalloc={}"),
        *("option enable-newgvn={}", "flag {}", "flag -f{}", "link {}", "insert {}() after gvn#1"),
        *("pipeline {}", "pipeline gvn,{}(gvn)", "pipeline require<{}>", "pipeline licm<{}>"),
        *("pipeline gvn<{},{}", "move {} after gvn#1", "insert globaldce in {}: gvn#1", "set {}"),
    ],
)
@pytest.mark.parametrize("long", ["x" * 5000, "9" * 5000, ",".join(["gvn"] * 10_000)])
def test_no_message_quotes_a_long_text_in_full(
    line: str, long: str, repairer: EditRepairer
) -> None:
    outcome = repairer.repair_all([line.replace("{}", long)])
    messages = [outcome.reason] if isinstance(outcome, Refusal) else outcome.repairs
    assert all(len(message) < 450 for message in messages)


def test_edits_that_contradict_each_other_are_quoted_in_short(repairer: EditRepairer) -> None:
    long = ",".join(["gvn"] * 1000)
    outcome = repairer.repair_all([f"pipeline {long}", "remove licm#1"])
    assert isinstance(outcome, Refusal)
    assert "contradict each other" in outcome.reason
    assert len(outcome.reason) < 200


def test_a_refused_flag_names_those_most_like_it_and_where_all_are(repairer: EditRepairer) -> None:
    outcome = repairer.repair("flag -fno-vectorise")
    assert isinstance(outcome, Refusal)
    assert "known: -f(no-)?vectorize, " in outcome.reason
    assert f"({len(FLAGS)} in all)" in outcome.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("remove qqq#1", r"none of \d+ is like it \(try: opt .*-print-pipeline-passes"),
        ("insert qqq after gvn#1", r"none of \d+ is like it \(try: opt --print-passes"),
    ],
)
def test_a_name_like_no_other_says_where_all_of_them_are(
    line: str, reason: str, repairer: EditRepairer
) -> None:
    outcome = repairer.repair(line)
    assert isinstance(outcome, Refusal)
    assert re.search(reason, outcome.reason), outcome.reason


@pytest.mark.parametrize(
    ("head", "again", "tail"),
    [
        ("pipeline licm", "'", "x"),
        ("pipeline ", "` ", "x"),
        ("pipeline licm", "\n", "x"),
        ("pipeline ```", "a", "` x"),
        ("pipeline ", "(a", ""),
        ("pipeline ", "a)", ""),
        ("pipeline sroa<", "<a>", ""),
        ("pipeline licm", "gvn", ""),
        ("insert gvn<a", "[", "x"),
        ("insert gvn<a", "];[", "> after gvn#1"),
        ("set gvn#1 a", "[", "=x"),
        ("repeat gvn#1", " 1", "x"),
        ("option unroll-count", " to", "!"),
        ("option unroll-count", "=", " "),
        ("-mllvm", " =", "!"),
        ('option in "', '\\"', " x"),
        ("insert licm", " after", ""),
        ("flag -", "-", "x"),
        ("- ", "- ", "x"),
        ("", "9", ". x"),
    ],
)
def test_the_cost_of_a_line_grows_no_faster_than_its_length(
    repairer: EditRepairer, head: str, again: str, tail: str
) -> None:
    """Eight times the length costs eight times as much, and 64 times where it is squared."""

    def cost(length: int) -> float:
        text = head + again * (length // len(again)) + tail
        return min(_cpu_seconds(lambda: repairer.repair(text)) for _ in range(3))

    assert cost(32_000) < 24 * cost(4_000) + 0.05


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


@pytest.mark.parametrize("verb", ["", "pipeline ", "option ", "flag -", "insert "])
def test_a_line_of_more_than_two_hundred_thousand_characters_is_not_looked_at(
    repairer: EditRepairer, verb: str
) -> None:
    outcome = repairer.repair(verb + "a" * 200_001)
    assert isinstance(outcome, Refusal)
    assert "has at most 200,000" in outcome.reason
    assert len(outcome.reason) < 400


@given(st.text(max_size=40) | st.lists(st.sampled_from(LINE_WORDS), max_size=6).map(" ".join))
def test_any_line_is_repaired_for_good_or_refused(repairer: EditRepairer, text: str) -> None:
    outcome = repairer.repair(text)
    if isinstance(outcome, Repaired):
        assert repairer.repair(str(outcome.value)) == Repaired(outcome.value)


@given(st.text(max_size=40) | st.lists(st.sampled_from(LINE_WORDS), max_size=6).map(" ".join))
def test_any_line_is_read_as_some_edit_or_refused(text: str) -> None:
    try:
        edit = read_edit(text, [])
    except EditError:
        return
    assert parse_edit(str(edit)) == edit
