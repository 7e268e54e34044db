"""The page of text that ends a campaign."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perfwright.report.document import CampaignDocument
from perfwright.report.text import WIDTH, summary

Documents = Callable[..., CampaignDocument]

IMPROVED = """
dct: 1.083x faster than your build (95 % interval 1.071 to 1.094, 40 pairs of fresh runs)
  correct     by construction: the edits only choose passes and options of the compiler, which keep
              the meaning of a program; the oracle agreed on every workload all the same
  baseline    0.412 s a run, your flags
  built by    LLVM 22.1.8 for CPU znver4
  warning     the machine is noisy; stop other work

  edits that earned their place, and what each is worth
    pipeline: option unroll-partial-threshold=600                              1.049x [1.037, 1.060]
      because the loop is worth unrolling (loop-dct.c:31:5)
    pipeline: flag -mtune=native                                    1.021x [0.996, 1.043] unresolved
      because this CPU has latencies of its own (gone-1)
    unresolved: the pairs show neither that it gains nor that it can go

  round 1
    1.1  rejected      option unrol=8: no such option
    1.2  faster        1.052x [1.031, 1.072]  kept         option unroll-partial-threshold=600

  round 2
    2.1  identical     1.2: same machine code as trial 1.2
    2.2  wrong         1.2 + option enable-gvn-hoist=true: stdout of workload train-1 differs
    2.3  unbuildable   link x: killed by SIGSEGV
    2.4  faster        1.030x [1.012, 1.049]  kept         1.2 + flag -mtune=native

  use it      perfwright recipe dct-3fa2c1 --format make > recipe.mk
              and in the Makefile: include recipe.mk
  recipe      out/recipe.toml
  report      out/report.html
  the story   perfwright explain dct-3fa2c1
  cost        3 min 4 s (compiling 40 s, running 2 min 11 s, perfwright itself 13 s)
  decided by  mind builtin, seed 7
"""


def page(document: CampaignDocument) -> str:
    return "\n".join(summary(document)) + "\n"


def test_the_page_of_a_campaign_that_improved(documents: Documents) -> None:
    assert page(documents()) == IMPROVED


def test_no_gain_says_to_keep_the_build(documents: Documents) -> None:
    nothing: dict[str, Any] = {"edits": [], "claims": [], "attribution": [], "recipe": None}
    text = page(documents(status="no-gain", **nothing))
    assert "dct: no gain; nothing that was tried is confirmed to be faster, keep your build" in text
    assert "fresh runs  1.083x [1.071, 1.094], 40 pairs: not a gain" in text
    assert "recipe" not in text


def test_a_failure_says_its_cause_first(bare: CampaignDocument) -> None:
    assert page(bare).splitlines()[1] == "dct: failed: there is no such file"


def test_an_interrupted_campaign_says_how_to_go_on(documents: Documents) -> None:
    text = page(documents(status="interrupted", result=None))
    assert "\ndct: interrupted\n" in text
    assert "go on       perfwright resume dct-3fa2c1" in text


def test_requests_to_a_model_are_counted(documents: Documents) -> None:
    usage = documents().usage.model_dump() | {"requests": 3, "tokens": 1200, "usd": 0.0421}
    assert "3 requests to a model, 1200 tokens, 0.0421 USD" in page(documents(usage=usage))
    unknown = page(documents(usage=usage | {"usd": 0.0}))
    assert "1200 tokens" in unknown
    assert "USD" not in unknown


@pytest.mark.parametrize("status", ["improved", "no-gain", "failed", "interrupted"])
def test_lines_fit_on_the_screen(documents: Documents, status: str) -> None:
    long = documents(status=status, cause="word " * 60, program="p").model_dump()
    for trial in (trial for record in long["rounds"] for trial in record["trials"]):
        trial["reason"] = "because " * 40
    for line in summary(CampaignDocument.model_validate(long)):
        assert len(line) <= WIDTH
        assert line == line.rstrip()


def test_a_terminal_is_not_told_anything_by_the_program(documents: Documents) -> None:
    rounds = documents().model_dump()["rounds"]
    rounds[1]["trials"][1]["reason"] = "expected 'a', found '\x1b[2J\x07'\nround 9"
    text = page(documents(rounds=rounds, program="dct\x1b[31m"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\nround 9" not in text
