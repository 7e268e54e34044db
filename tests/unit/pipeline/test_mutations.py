"""Broken -O3 pipelines: each is mended to what opt runs, or refused with a reason."""

from __future__ import annotations

import random
import string
from collections import Counter
from collections.abc import Callable

import pytest

from perfwright.core.protocols import Refusal
from perfwright.pipeline.repair import repair_pipeline
from perfwright.pipeline.validate import validate
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import PassRegistry

SEEDS = range(250)  # for each LLVM

GARBAGE = (
    *("<foo>", "<>", "<O3>", "<max-iterations=-1>", "<pre;no-pre>", "<<>>", "<;;>"),
    *("<bonus-inst-threshold=99999999999999>", "<a=b=c>", "(gvn)", "<\u00e9>"),
)


def changed_character(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    if rng.random() < 0.5:
        return text[:at] + text[at + 1 :]
    return text[:at] + rng.choice('abcz0;=<>(),- #"\n') + text[at:]


def changed_bracket(text: str, rng: random.Random) -> str:
    at = rng.choice([index for index, char in enumerate(text) if char in "()<>"])
    if rng.random() < 0.5:
        return text[:at] + text[at + 1 :]
    return text[:at] + rng.choice("()<>") + text[at:]


def swapped_passes(text: str, rng: random.Random) -> str:
    parts = text.split(",")
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return ",".join(parts)


def misspelt_name(text: str, rng: random.Random) -> str:
    at = rng.choice([index for index, char in enumerate(text) if char.isalpha()])
    letter = rng.choice(string.ascii_lowercase)
    return text[:at] + rng.choice(("", text[at] * 2, letter)) + text[at + 1 :]


def garbage_parameters(text: str, rng: random.Random) -> str:
    at = rng.choice([index for index, char in enumerate(text) if char == ","])
    return text[:at] + rng.choice(GARBAGE) + text[at:]


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    changed_character,
    changed_bracket,
    swapped_passes,
    misspelt_name,
    garbage_parameters,
)


def broken(text: str, rng: random.Random) -> str:
    kinds = rng.sample(MUTATIONS, rng.choice((1, 1, 1, len(MUTATIONS))))
    for mutate in kinds:
        for _ in range(rng.randint(1, 3)):
            text = mutate(text, rng)
    return text


@pytest.mark.llvm
def test_broken_pipelines_are_mended_to_what_opt_runs_or_refused(
    each_toolchain: Toolchain, each_registry: PassRegistry, loops_ir: bytes
) -> None:
    vocabulary = Vocabulary(each_registry)
    outcomes: Counter[str] = Counter()
    for seed in SEEDS:
        text = broken(each_registry.pipelines["default<O3>"], random.Random(seed))
        repaired = repair_pipeline(text, vocabulary)
        if isinstance(repaired, Refusal):
            assert repaired.reason
            outcomes["refused"] += 1
            continue
        tried = validate(repaired.value, loops_ir, opt=each_toolchain.tool("opt"))
        if isinstance(tried, Refusal):
            assert tried.reason
            assert tried.reproducer
            outcomes["refused by opt"] += 1
        else:
            outcomes["accepted"] += 1
    assert outcomes.total() == len(SEEDS)
    assert outcomes["accepted"] > 0.6 * len(SEEDS), outcomes
    assert outcomes["refused by opt"] <= 0.02 * len(SEEDS), outcomes
