"""The page: complete, self-contained, and with every foreign text as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from perfwright.core.evidence import Fact
from perfwright.report.document import CampaignDocument
from perfwright.report.explanation import Explanation
from perfwright.report.html import Extras, anchor, render

Documents = Callable[..., CampaignDocument]

_VOID = {"meta", "link", "img", "br", "hr", "input", "base", "source"}
_HARMLESS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "header", "nav", "section", "footer"}
    | {"h1", "h2", "h3", "p", "a", "b", "code", "pre", "ul", "li", "dl", "dt", "dd", "div", "span"}
    | {"details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
    | {"svg", "g", "text", "line", "rect", "circle", "polygon"}
)
_EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}{% raw %}"


STORY: dict[str, Any] = {
    "campaign": "dct-3fa2c1",
    "program": "dct",
    "mind": "openai:x",
    "minds": {},
    "priorities": {
        "by": "openai:x",
        "functions": [
            {"symbol": "dct_8x8", "weight": 0.9, "reason": "it is hot"}
            | {"evidence": ["loop-dct.c:31:5"]}
        ],
    },
    "analysis": {
        "by": "builtin",
        "instead_of": "openai:x",
        "hints": [{"what": "a transform", "symbol": "dct_8x8", "evidence": []}],
        "remarks": [{"category": "inline missed", "count": 12, "evidence": ["gone-1"]}],
        "bottlenecks": [
            {"kind": f"short-loop-{n}", "symbol": "dct_8x8", "where": "dct.c:31:5", "weight": 0.7}
            | {"text": "64 rounds", "evidence": ["loop-dct.c:31:5"]}
            for n in range(10)
        ],
    },
    "steps": [],
    "calibration": {"trials": 3, "expected": 2.1, "faster": 1},
    "worth": [],
    "end": "improved",
}


class Page(HTMLParser):
    """The elements of a page; asserts on the way that they are properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, white space made one."""
        return " ".join("".join(self.texts).split())

    def values(self, attribute: str) -> list[str]:
        """The values of one attribute, in order."""
        return [v for _, attrs in self.elements if (v := attrs.get(attribute)) is not None]


@pytest.fixture
def page(documents: Documents, extras: Extras) -> Page:
    return Page(render(documents(), extras))


def test_the_page_needs_nothing_else(page: Page) -> None:
    assert {tag for tag, _ in page.elements} <= _HARMLESS
    assert not page.values("src")
    assert all(href.startswith("#") for href in page.values("href"))
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_the_page_forbids_itself_scripts_and_the_network(page: Page) -> None:
    policies = [value for value in page.values("content") if value.startswith("default-src")]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_its_style_sheet_loads_nothing(documents: Documents) -> None:
    text = render(documents())
    assert "url(" not in text
    assert "@import" not in text


def test_every_link_leads_somewhere(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.values("href")} <= set(ids)


def test_the_result_comes_with_its_interval_and_how_it_is_known(page: Page) -> None:
    assert "1.083x faster 95 % interval 1.071 to 1.094, from 40 pairs" in page.text
    assert "by construction: the edits only choose passes and options" in page.text


@pytest.mark.parametrize(
    ("correct", "said"), [("proved", "a solver showed"), ("tested", "tested, not proved")]
)
def test_what_is_tested_is_not_called_proved(documents: Documents, correct: str, said: str) -> None:
    result = documents().model_dump()["result"] | {"correct": correct}
    assert said in Page(render(documents(result=result))).text


def test_it_says_what_to_do_with_the_recipe(page: Page) -> None:
    assert "perfwright recipe dct-3fa2c1 --format make > recipe.mk" in page.text
    assert "include recipe.mk" in page.text
    assert "override CC := clang-22" in page.text


def test_claims_link_to_the_facts_that_they_cite(page: Page) -> None:
    assert "#fact-loop-dct.c:31:5" in page.values("href")
    assert "fact-loop-dct.c:31:5" in page.values("id")
    assert "a loop of 64 iterations" in page.text


def test_a_fact_that_is_not_there_is_named_without_a_link(page: Page) -> None:
    assert "gone-1" in page.text
    assert "#fact-gone-1" not in page.values("href")


@pytest.mark.parametrize(
    "said",
    [
        "no such option",
        "same machine code as trial 1.2",
        "stdout of workload train-1 differs",
        "killed by SIGSEGV",
    ],
)
def test_candidates_that_went_no_further_say_why(page: Page, said: str) -> None:
    assert said in page.text


def test_a_trial_shows_what_it_changed_in_the_code(page: Page) -> None:
    assert "-idiv ecx" in page.text
    assert "add" in page.values("class")


def test_a_trial_says_what_was_expected_of_it(documents: Documents) -> None:
    rounds = documents().model_dump(mode="json")["rounds"]
    rounds[0]["trials"][1] |= {"expects": "fewer spills", "confidence": 0.75}
    page = Page(render(documents(rounds=rounds)))
    assert "Expected: fewer spills; 75 % sure that it is faster" in page.text
    assert page.text.count("Expected:") == 1


@pytest.mark.parametrize(
    "said",
    [
        "What matters by openai:x",
        "0.90dct_8x8it is hot loop-dct.c:31:5",
        "What it is dct_8x8: a transform",
        "What holds it back by the built-in rules, for openai:x gave no usable answer",
        "0.70dct.c:31:5short-loop-0: 64 rounds loop-dct.c:31:5",
        "2 more",
        "12inline missed gone-1",
        "by the mind's own figures 2.1 of 3 measured candidates should have been faster; 1 was.",
    ],
)
def test_the_page_says_what_the_mind_saw(documents: Documents, extras: Extras, said: str) -> None:
    story = Explanation.model_validate(STORY)
    assert said in Page(render(documents(), replace(extras, story=story))).text


def test_without_a_record_of_it_there_is_no_such_section(page: Page) -> None:
    assert "#diagnosis" not in page.values("href")
    assert "What the mind saw" not in page.text


def test_warnings_come_with_what_helps(page: Page) -> None:
    assert "the machine is noisy stop other work" in page.text


def test_there_is_a_plot_for_every_comparison_that_has_pairs(page: Page) -> None:
    labels = page.values("aria-label")
    assert labels.count("Timed pairs in the order of measuring") == 4
    assert labels.count("Speed-ups with their intervals") == 1
    assert labels.count("What each edit is worth") == 1


def test_without_extras_the_page_still_tells_the_result(documents: Documents) -> None:
    page = Page(render(documents()))
    assert "1.083x faster" in page.text
    assert "Evidence" not in page.text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("no-gain", "No gain Nothing that was tried is confirmed to be faster."),
        ("failed", "Failed the oracle is too weak"),
        ("interrupted", "Interrupted the oracle is too weak Go on with perfwright resume dct-3fa"),
    ],
)
def test_a_campaign_without_a_gain_does_not_look_like_one(
    documents: Documents, status: str, said: str
) -> None:
    nothing: dict[str, Any] = {"recipe": None, "edits": [], "claims": [], "attribution": []}
    text = Page(render(documents(status=status, cause="the oracle is too weak", **nothing))).text
    assert said in text
    assert "x faster" not in text
    assert "What to do with it" not in text


def test_a_campaign_that_never_began_has_a_page_as_well(bare: CampaignDocument) -> None:
    text = Page(render(bare)).text
    assert "there is no such file" in text
    assert "None" not in text


def test_a_side_of_an_interval_without_a_bound_says_so(documents: Documents) -> None:
    rounds = documents().model_dump()["rounds"]
    rounds[0]["trials"][1] |= {"low": 0.0, "high": math.inf, "verdict": "inconclusive"}
    assert "1.052x [no bound]" in Page(render(documents(rounds=rounds))).text


def _poisoned(value: Any) -> Any:
    """The document's data with markup at the end of every free text."""
    fixed = {"status", "state", "verdict", "identity", "correct", "metric", "id"}
    if isinstance(value, dict):
        return {k: v if k in fixed else _poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_poisoned(item) for item in value]
    return f"{value} {_EVIL}" if isinstance(value, str) else value


def test_text_of_programs_is_never_markup(documents: Documents) -> None:
    document = CampaignDocument.model_validate(_poisoned(documents().model_dump()))
    fact_id = document.claims[0].evidence[0]
    fact = Fact(fact_id, "loop", _EVIL, _EVIL, _EVIL, {"diff": f"+{_EVIL}"})
    extras = Extras(
        facts={fact_id: fact, "other": fact},
        pairs={f"confirm, {_EVIL}": [(1.0, 1.1)]},
        changes={"1.2": [fact]},
        exports={"make": _EVIL},
        story=Explanation.model_validate(_poisoned(STORY)),
    )
    page = Page(render(document, extras))
    assert {tag for tag, _ in page.elements} <= _HARMLESS
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert _EVIL in page.text


def test_control_characters_and_broken_names_do_not_get_into_the_page(
    documents: Documents,
) -> None:
    text = render(documents(program="a\x1b[31m\x00b\udcff"))
    assert "\x1b" not in text
    assert "\x00" not in text
    text.encode("utf-8")


def test_an_anchor_is_a_valid_name_whatever_the_id() -> None:
    assert anchor("loop-dct.c:31:5") == "fact-loop-dct.c:31:5"
    assert anchor("fun-a.cpp:operator<") != anchor("fun-a.cpp:operator>")
    assert " " not in anchor("fun-a b")


def test_the_same_campaign_has_the_same_page(documents: Documents, extras: Extras) -> None:
    assert render(documents(), extras) == render(documents(), extras)
