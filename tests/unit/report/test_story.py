"""The story as people read it: text for a story that has something of everything."""

from __future__ import annotations

from typing import Any

from perfwright.report.explanation import Explanation
from perfwright.report.story import story_lines
from perfwright.report.text import WIDTH

UNROLL, WIDE, TUNE = (
    "pipeline: option unroll-count=16",
    "pipeline: option slp-threshold=-100",
    "pipeline: flag -mtune=native",
)
LOOP = {"id": "loop-a.c:9:5", "source": "llvm-cov", "where": "a.c:9:5", "text": "a loop of 64"}
SIZE = {"id": "dsize-total@1.1", "source": "llvm-nm", "where": "", "text": "code 10 -> 90 bytes"}
SLOWER = {"verdict": "slower", "speedup": 0.36, "low": 0.35, "high": 0.37, "pairs": 7}


def step(**more: Any) -> dict[str, Any]:
    return {
        "trial": "1.1",
        "state": "measured",
        "edits": [UNROLL, WIDE],
        "base": "",
        "added": [UNROLL, WIDE],
        "dropped": [],
        "diagnosis": ["a loop of 64: unroll it", "it is straight"],
        "claims": [
            {"edit": UNROLL, "text": "a loop of 64: unroll it", "evidence": [LOOP["id"]]},
            {"edit": WIDE, "text": "it is straight", "evidence": []},
        ],
        "evidence": [LOOP],
        "repairs": [],
        "decision": "try option unroll-count=16; option slp-threshold=-100",
        "expects": "a third less time",
        "confidence": 0.8,
        "consequence": "measured slower 0.360x [0.350, 0.370] from 7 pairs: rolled back",
        "measured": SLOWER,
        "accepted": False,
        "changes": [SIZE],
        "correction": "it packs more than it saves; leave the vectoriser alone",
        "correction_evidence": [SIZE["id"]],
    } | more


def bottleneck(kind: str, where: str, weight: float, text: str, *cited: str) -> dict[str, Any]:
    named = {"kind": kind, "where": where, "weight": weight, "text": text}
    return {"symbol": "mix", "evidence": list(cited), **named}


EVERYTHING: dict[str, Any] = {
    "campaign": "mix-1",
    "program": "mix",
    "mind": "openai:x scorer=builtin",
    "minds": {"scorer": "builtin", "analyst": "openai:x", "reasoner": "openai:x"},
    "priorities": {
        "by": "builtin",
        "functions": [
            {"symbol": "mix", "weight": 0.9, "reason": "90 % of the run time", "evidence": ["f-1"]}
        ],
    },
    "analysis": {
        "by": "builtin",
        "instead_of": "openai:x",
        "hints": [{"what": "a hash", "symbol": "mix", "evidence": ["f-1"]}],
        "remarks": [{"category": "inline missed", "count": 12, "evidence": ["r-1", "r-2", "r-3"]}],
        "bottlenecks": [
            bottleneck("hot-function", "a.c:1", 0.9, "mix is hot", "f-1"),
            bottleneck("short-loop", "a.c:9:5", 0.7, "64 rounds", "loop-a.c:9:5"),
        ],
    },
    "steps": [step()],
    "calibration": {"trials": 3, "expected": 2.1, "faster": 1},
    "worth": [
        {"edit": UNROLL, "contribution": 1.2, "low": 1.1, "high": 1.3, "pairs": 9}
        | {"resolved": True}
    ],
    "end": "improved: fresh runs say faster 1.200x [1.190, 1.210] from 24 pairs",
}

PAGE = """\
mix-1: mix, scorer: the built-in rules; analyst, reasoner: openai:x

what matters (the built-in rules)
  0.90  mix  90 % of the run time [f-1]

what it is
  mix: a hash [f-1]

what holds it back (the built-in rules, for openai:x gave no usable answer)
  0.70  short-loop: a.c:9:5: 64 rounds [loop-a.c:9:5]

what the compiler said there
    12  inline missed [r-1, r-2, 1 more]

trial 1.1
  diagnosis    a loop of 64 [loop-a.c:9:5]: unroll it -> option unroll-count=16
               it is straight -> option slp-threshold=-100
  decision     try option unroll-count=16; option slp-threshold=-100
  expectation  a third less time; 80 % sure that it is faster
  consequence  measured slower 0.360x [0.350, 0.370] from 7 pairs: rolled back
               in the code: code 10 -> 90 bytes [dsize-total@1.1]
  correction   it packs more than it saves; leave the vectoriser alone [dsize-total@1.1]

improved: fresh runs say faster 1.200x [1.190, 1.210] from 24 pairs
  option unroll-count=16: worth 1.200x [1.100, 1.300]
confidence: by the mind's own figures 2.1 of 3 measured candidates should have been faster; 1 was
"""


def page(**changes: Any) -> str:
    story = Explanation.model_validate(EVERYTHING | changes)
    return "".join(f"{line}\n" for line in story_lines(story))


def test_the_page_of_a_story() -> None:
    assert page() == PAGE


def test_a_fact_is_told_in_words_once_and_then_by_its_id() -> None:
    again = page(steps=[step(), step(trial="2.1")]).split("trial 2.1\n")[1]
    assert again.startswith("  diagnosis    [loop-a.c:9:5]: unroll it -> option unroll-count=16\n")


def test_many_diagnoses_are_told_by_kind() -> None:
    many = [bottleneck("short-loop", f"a.c:{n}", 0.5, f"loop {n}", f"l-{n}") for n in range(1, 11)]
    told = page(analysis=EVERYTHING["analysis"] | {"bottlenecks": many})
    assert (
        "  0.50  short-loop: a.c:1: loop 1 [l-1]; also at a.c:2, a.c:3, a.c:4 and 6 more\n" in told
    )


def test_what_has_no_room_is_counted() -> None:
    one = EVERYTHING["priorities"]["functions"][0]
    told = page(priorities={"by": "builtin", "functions": [one] * 9})
    assert "  (3 more functions with --json)\n" in told


def test_a_pipeline_of_thousands_of_characters_is_cut_in_the_middle() -> None:
    told = page(steps=[step(decision=f"try {'a,' * 5000}end")])
    assert "(10007 characters)" in told
    assert max(map(len, told.splitlines())) < 500


def test_a_story_of_which_little_is_known_is_short() -> None:
    bare = page(
        mind="agent", minds={}, priorities=None, analysis=None, steps=[], worth=[], calibration=None
    )
    assert bare == f"mix-1: mix, mind agent\n\n{EVERYTHING['end']}\n"


def test_lines_are_no_longer_than_a_page_is_wide() -> None:
    words = "word " * 60
    told = page(steps=[step(expects=words, correction=words, diagnosis=[words])])
    assert max(map(len, told.splitlines())) <= WIDTH


def test_nothing_moves_the_cursor() -> None:
    assert "\x1b" not in page(steps=[step(expects="\x1b[31m", correction="\x1b[2J")])


# --- what models asked of tools -------------------------------------------------------------


def question(number: int) -> dict[str, str]:
    arguments = f"function=mix, run={number}"
    return {"role": "reasoner", "tool": "remarks", "arguments": arguments, "answer": "3 missed"}


def test_what_a_model_asked_while_it_thought_is_told() -> None:
    lines = list(story_lines(Explanation(**EVERYTHING | {"questions": [question(1)]})))
    start = lines.index("what was asked of tools")
    assert lines[start + 1] == "  reasoner  remarks(function=mix, run=1): 3 missed"


def test_of_many_questions_the_rest_is_counted() -> None:
    asked = [question(number) for number in range(15)]
    lines = list(story_lines(Explanation(**EVERYTHING | {"questions": asked})))
    assert "  (3 more questions with --json)" in lines


def test_where_nothing_was_asked_nothing_is_said() -> None:
    assert "what was asked of tools" not in list(story_lines(Explanation(**EVERYTHING)))
