from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.protocols import Refusal
from perfwright.pipeline.repair import Repaired, repair_pipeline
from perfwright.pipeline.tree import Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import PassRegistry, parse_passes


def test_repair_of_pipelines(repair_case: dict[str, Any], vocabulary: Vocabulary) -> None:
    outcome = repair_pipeline(repair_case["text"], vocabulary)
    if "refused" in repair_case:
        assert isinstance(outcome, Refusal), outcome
        assert repair_case["refused"] in outcome.reason
        assert "\n" not in outcome.reason
        return
    assert isinstance(outcome, Repaired), outcome
    assert str(outcome.value) == repair_case["repaired"]
    assert len(outcome.repairs) == len(repair_case["repairs"]), outcome.repairs
    for said, expected in zip(outcome.repairs, repair_case["repairs"], strict=True):
        assert expected in said


def test_a_sound_pipeline_needs_no_repair(o3: Pipeline, vocabulary: Vocabulary) -> None:
    assert repair_pipeline(str(o3), vocabulary) == Repaired(o3)


def test_a_pipeline_that_is_too_long_is_refused(vocabulary: Vocabulary) -> None:
    text = f"function({','.join(['gvn'] * 11)})"
    assert isinstance(repair_pipeline(text, vocabulary, max_passes=11), Repaired)
    refusal = repair_pipeline(text, vocabulary, max_passes=10)
    assert isinstance(refusal, Refusal)
    assert "11 passes; at most 10" in refusal.reason


@given(
    st.text(max_size=60)
    | st.text(alphabet="gvnlicmsroa-<>(),;=#123 \n", max_size=60)
    | st.lists(
        st.sampled_from(["gvn", "licm", "function", "loop-mssa", "(", ")", ",", "<", ">", "O3"])
    ).map("".join)
)
def test_any_text_is_repaired_for_good_or_refused(text: str) -> None:
    vocabulary = _small_vocabulary()
    outcome = repair_pipeline(text, vocabulary)
    if isinstance(outcome, Repaired):
        assert parse(str(outcome.value)) == outcome.value
        assert repair_pipeline(str(outcome.value), vocabulary) == Repaired(outcome.value)


def _small_vocabulary() -> Vocabulary:
    listing = (
        "Function passes:\n  gvn\n  sroa\nLoop passes with params:\n  licm<a;no-a;count=N>\n"
        "Module passes:\n  globaldce\nCGSCC passes:\n  inline\n"
    )
    listed = parse_passes(listing)
    return Vocabulary(
        PassRegistry(
            listed.passes,
            pipelines={"default<O3>": "function(gvn)"},
            adaptors=("module", "cgscc", "function", "loop", "loop-mssa"),
            needs_memory_ssa=("licm",),
        )
    )


@pytest.mark.llvm
def test_no_pipeline_of_an_installed_opt_needs_repair(each_registry: PassRegistry) -> None:
    vocabulary = Vocabulary(each_registry)
    for text in each_registry.pipelines.values():
        outcome = repair_pipeline(text, vocabulary)
        assert outcome == Repaired(parse(text))
