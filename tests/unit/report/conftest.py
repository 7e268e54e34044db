"""A campaign with something of everything, as its document and as what goes with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from perfwright.core.evidence import Fact
from perfwright.report.document import CampaignDocument
from perfwright.report.html import Extras

UNROLL = "pipeline: option unroll-partial-threshold=600"
TUNE = "pipeline: flag -mtune=native"
HOIST = "pipeline: option enable-gvn-hoist=true"

_CLAIMS = [
    {"edit": UNROLL, "text": "the loop is worth unrolling", "evidence": ["loop-dct.c:31:5"]},
    {"edit": TUNE, "text": "this CPU has latencies of its own", "evidence": ["gone-1"]},
]


def _trial(name: str, state: str, edits: list[str], **more: Any) -> dict[str, Any]:
    claims = [claim for claim in _CLAIMS if claim["edit"] in edits]
    defaults = {"id": name, "level": "pipeline", "state": state, "edits": edits, "claims": claims}
    return defaults | more


_FIRST = {"verdict": "faster", "speedup": 1.052, "low": 1.031, "high": 1.072, "pairs": 17}
_SECOND = {"verdict": "faster", "speedup": 1.03, "low": 1.012, "high": 1.049, "pairs": 24}

EVERYTHING: dict[str, Any] = {
    "campaign": "dct-3fa2c1",
    "program": "dct",
    "status": "improved",
    "mind": "builtin",
    "seed": 7,
    "toolchain": {"version": "22.1.8"},
    "target": {"triple": "x86_64-pc-linux-gnu", "cpu": "znver4"},
    "metric": "cpu",
    "baseline": {"identity": "same-code", "seconds": 0.4123},
    "result": {
        "speedup": 1.083,
        "low": 1.071,
        "high": 1.094,
        "pairs": 40,
        "correct": "by-construction",
        "method": "signed-rank over random layouts",
    },
    "rounds": [
        {
            "round": 1,
            "trials": [
                _trial("1.1", "rejected", ["pipeline: option unrol=8"], reason="no such option"),
                _trial("1.2", "measured", [UNROLL], accepted=True, lesson="it spills", **_FIRST),
            ],
        },
        {
            "round": 2,
            "trials": [
                _trial("2.1", "identical", [UNROLL], reason="same machine code as trial 1.2"),
                _trial(
                    "2.2",
                    "wrong",
                    [UNROLL, HOIST],
                    reason="stdout of workload train-1 differs",
                    reproducer="cd /x && ./dct",
                ),
                _trial("2.3", "unbuildable", ["pipeline: link x"], reason="killed by SIGSEGV"),
                _trial("2.4", "measured", [UNROLL, TUNE], accepted=True, **_SECOND),
            ],
        },
    ],
    "attribution": [
        {"edit": UNROLL, "contribution": 1.049, "low": 1.037, "high": 1.06, "pairs": 24}
        | {"resolved": True},
        {"edit": TUNE, "contribution": 1.021, "low": 0.996, "high": 1.043, "pairs": 24}
        | {"resolved": False},
    ],
    "edits": [UNROLL, TUNE],
    "claims": _CLAIMS,
    "recipe": "out/recipe.toml",
    "report": "out/report.html",
    "usage": {"requests": 0, "tokens": 0, "usd": 0.0, "seconds": 184.2}
    | {"compile_seconds": 40.1, "run_seconds": 131.0, "overhead_seconds": 13.1},
    "warnings": [{"text": "the machine is noisy", "hint": "stop other work"}],
}

Documents = Callable[..., CampaignDocument]


@pytest.fixture
def documents() -> Documents:
    """Makes the document of the campaign; keywords replace fields of it."""

    def make(**changes: Any) -> CampaignDocument:
        return CampaignDocument.model_validate(EVERYTHING | changes)

    return make


@pytest.fixture
def bare(documents: Documents) -> CampaignDocument:
    """The least that a document can hold: it failed before anything was known."""
    nothing = {"campaign": None, "toolchain": None, "target": None, "baseline": None}
    nothing |= {"result": None, "recipe": None, "report": None}
    lists: dict[str, Any] = {"rounds": [], "attribution": [], "edits": [], "claims": []}
    return documents(
        **nothing, **lists, warnings=[], status="failed", cause="there is no such file"
    )


@pytest.fixture
def extras() -> Extras:
    """Facts, timed pairs, changes in the code and an exported recipe."""
    dice = random.Random(0)

    def pairs(count: int, *arms: float) -> list[tuple[float, ...]]:
        return [tuple(arm * dice.uniform(0.99, 1.01) for arm in arms) for _ in range(count)]

    loop = Fact("loop-dct.c:31:5", "loop", "llvm-cov", "dct.c:31:5", "a loop of 64 iterations")
    other = Fact("br-dct.c:9:9", "branch", "llvm-cov", "dct.c:9:9", "a branch, mostly false")
    diff = {"diff": "-idiv ecx\n+imul eax, edx"}
    code = Fact("dcode-quant", "diff", "llvm-objdump", "quant", "machine code of quant", diff)
    return Extras(
        facts={fact.id: fact for fact in (loop, other)},
        pairs={
            "trial 1.2": pairs(17, 0.39, 0.41),
            "trial 2.4": pairs(24, 0.38, 0.39, 0.41),
            "confirm": pairs(40, 0.38, 0.41),
            "confirm/delivered": pairs(8, 0.38, 0.41),
        },
        changes={"1.2": [code]},
        exports={"make": "override CC := clang-22\n"},
    )
