"""Random edits of passes: what `apply` lets through, opt runs, all but a few.

The few: some passes in company break the bookkeeping of LLVM's loop pass manager, which no rule
of nesting foresees.  That is why every candidate goes through `validate`.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from perfwright.core.protocols import Refusal
from perfwright.pipeline.apply import apply_passes, pass_edits
from perfwright.pipeline.places import locate_all
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import Pipeline, parse
from perfwright.pipeline.validate import validate
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import OptionTable, PassRegistry

SEEDS = range(60)  # for each LLVM

BESIDES = (
    *("dce", "dfa-jump-threading", "gvn-hoist", "gvn-sink", "lcssa", "lnicm", "loop-flatten"),
    *("loop-fusion", "loop-interchange", "loop-reduce", "loop-simplify", "loop-unroll-and-jam"),
    *("mergefunc", "nary-reassociate", "newgvn", "partial-inliner", "sink", "slsr"),
)


def random_edits(base: Pipeline, passes: list[str], rng: random.Random) -> list[str]:
    places = [each.place for each in locate_all(base)]

    def one() -> str:
        place, other = rng.sample(places, 2)
        side = rng.choice(("before", "after"))
        return rng.choice(
            (
                f"insert {rng.choice(passes)} {side} {place}",
                f"move {place} {side} {other}",
                f"remove {place}",
                f"repeat {place} x2",
            )
        )

    return [one() for _ in range(rng.randint(1, 4))]


@pytest.mark.llvm
def test_what_edits_make_opt_runs(
    each_toolchain: Toolchain,
    each_registry: PassRegistry,
    each_options: OptionTable,
    loops_ir: bytes,
) -> None:
    vocabulary = Vocabulary(each_registry)
    base = parse(each_registry.pipelines["default<O3>"])
    passes = sorted(vocabulary.standard | (set(BESIDES) & set(vocabulary.names)))
    repairer = EditRepairer(base, vocabulary, each_options)
    outcomes: Counter[str] = Counter()
    for seed in SEEDS:
        texts = random_edits(base, passes, random.Random(seed))
        repaired = repairer.repair_all(texts)
        if isinstance(repaired, Refusal):
            continue
        pipeline = apply_passes(pass_edits(repaired.value), base, vocabulary)
        outcome = validate(pipeline, loops_ir, opt=each_toolchain.tool("opt"))
        outcomes["refused" if isinstance(outcome, Refusal) else "accepted"] += 1
    assert outcomes["accepted"] > 0.6 * len(SEEDS), outcomes
    assert outcomes["refused"] <= 0.05 * len(SEEDS), outcomes
