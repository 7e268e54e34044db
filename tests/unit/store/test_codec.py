"""Outcomes of steps as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Refusal, Repaired
from perfwright.core.trial import Contribution, Correctness, Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError
from perfwright.store.codec import decode, encode, type_name

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False)
edits = st.builds(Edit, texts, texts)
claims = st.builds(Claim, edits, texts, st.lists(texts, max_size=2).map(tuple))
candidates = st.builds(
    Candidate,
    st.lists(edits, max_size=3).map(tuple),
    st.lists(claims, max_size=2).map(tuple),
    expects=texts,
    confidence=st.none() | st.floats(0, 1),
)
scalars = st.one_of(texts, st.integers(-(2**62), 2**62), numbers, st.booleans())
facts = st.builds(
    Fact, texts, texts, texts, texts, texts, st.dictionaries(texts, scalars, max_size=3)
)
comparisons = st.builds(
    Comparison, st.sampled_from(Verdict), numbers, numbers, numbers, st.integers(0, 10**6)
)
trials = st.builds(
    Trial,
    texts,
    st.integers(1, 99),
    candidates,
    st.sampled_from(TrialState),
    against_incumbent=st.none() | comparisons,
    consequences=st.lists(facts, max_size=2).map(tuple),
    correctness=st.none() | st.sampled_from(Correctness),
)
builds = st.builds(Build, candidates, texts, st.integers(0), st.lists(texts, max_size=2).map(tuple))
refusals = st.builds(Refusal, texts, texts)
repaired = st.builds(Repaired, candidates, st.lists(texts, max_size=2).map(tuple))


def there_and_back(kind: Any, value: object) -> Any:
    name, payload = encode(kind, value)
    return decode(kind, name, payload)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Build | Refusal, builds | refusals),
        (Repaired | Refusal, repaired | refusals),
        (Correctness | Refusal, st.sampled_from(Correctness) | refusals),
        (tuple[Candidate, ...] | Refusal, st.lists(candidates, max_size=3).map(tuple) | refusals),
        (tuple[Fact, ...], st.lists(facts, max_size=3).map(tuple)),
        (Trial, trials),
        (Contribution, st.builds(Contribution, texts, comparisons, st.booleans())),
        (bool | int | str, st.booleans() | st.integers() | texts),
    ],
    ids=lambda value: type_name(value) if isinstance(value, type) else "",
)
@given(data=st.data())
def test_what_is_written_reads_back_the_same(
    kind: Any, values: st.SearchStrategy[object], data: st.DataObject
) -> None:
    value = data.draw(values)
    read = there_and_back(kind, value)
    assert (read, type(read)) == (value, type(value))


@given(facts)
def test_numbers_in_facts_keep_their_types(fact: Fact) -> None:
    read = there_and_back(Fact, fact)
    assert [type(value) for value in read.data.values()] == [
        type(value) for value in fact.data.values()
    ]


def test_an_interval_may_be_open() -> None:
    comparison = Comparison(Verdict.INCONCLUSIVE, 1.0, 0.0, math.inf, 1)
    assert there_and_back(Comparison, comparison) == comparison


def test_the_member_of_a_union_is_named() -> None:
    assert encode(Build | Refusal, Refusal("no"))[0] == "Refusal"
    assert encode(tuple[Candidate, ...] | Refusal, ())[0] == "tuple[Candidate, ...]"


def test_a_refusal_with_the_fields_of_a_build_stays_a_refusal() -> None:
    _, payload = encode(Build | Refusal, Refusal("no"))
    mixed = {**json.loads(payload), "code": "c", "size_bytes": 1, "binaries": [], "candidate": {}}
    assert decode(Build | Refusal, "Refusal", json.dumps(mixed)) == Refusal("no")


def test_the_text_of_a_correctness_is_no_refusal() -> None:
    assert there_and_back(Correctness | Refusal, Correctness.TESTED) is Correctness.TESTED


def test_payloads_are_compact_json() -> None:
    assert encode(Refusal, Refusal("größer", "x"))[1].startswith(
        '{"reason":"größer","reproducer":"x",'
    )


@pytest.mark.parametrize("value", [None, 1, "text", Candidate()])
def test_what_is_no_member_is_refused_at_once(value: object) -> None:
    with pytest.raises(TypeError, match="is not one of"):
        encode(Build | Refusal, value)


def test_a_truth_is_no_number() -> None:
    with pytest.raises(TypeError):
        encode(int, True)


@pytest.mark.parametrize(
    ("name", "payload"),
    [("Lesson", "{}"), ("Refusal", '{"why": 1}'), ("Refusal", "{"), ("Refusal", "3")],
)
def test_what_another_version_wrote_is_an_error_in_words(name: str, payload: str) -> None:
    with pytest.raises(InternalError, match="holds something else"):
        decode(Build | Refusal, name, payload)


def test_a_candidate_of_an_earlier_version_expects_nothing() -> None:
    payload = '{"edits":[{"level":"pipeline","text":"x"}],"claims":[],"flaw":""}'
    assert decode(Candidate, "Candidate", payload) == Candidate((Edit("pipeline", "x"),))
