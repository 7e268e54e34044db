"""What the scorer and the analyst say is asked once and on record, with who said it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from perfwright.core.evidence import Fact
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.minds.recorded import ANALYSIS, PRIORITIES, recorded
from perfwright.minds.roles import Analysis, Analyst, Diagnosis, Priorities, Priority, Scorer
from perfwright.testing.journal import MemoryJournal

SAID = Priority("work", 0.9, "it is hot", ("fun-1",))
FOUND = Diagnosis("slow", "a.c:1", 0.9, "it waits", ("fun-1",), "work", {"cost": 3})


@dataclass
class Talker:
    """A scorer and an analyst that count how often they are asked."""

    asked: int = 0

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        del facts
        self.asked += 1
        return [SAID]

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        del facts, priorities
        self.asked += 1
        return [FOUND]


@dataclass(frozen=True)
class Mute:
    """A model that gives no usable answer: the rules behind it stand in."""

    fallback: Talker = field(default_factory=Talker)

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        return self.fallback.score(facts)

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        return self.fallback.analyse(facts, priorities)


@dataclass(frozen=True)
class Eloquent(Mute):
    """A model that has an answer of its own."""

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        del facts
        return [SAID]


@pytest.fixture
def journal() -> MemoryJournal[object]:
    return MemoryJournal()


def test_each_is_asked_once_in_a_campaign(journal: MemoryJournal[object]) -> None:
    talker = Talker()
    scorer: Scorer = recorded("scorer", talker, "builtin", journal)
    analyst: Analyst = recorded("analyst", talker, "builtin", journal)
    for _ in range(3):
        assert scorer.score([]) == (SAID,)
        assert analyst.analyse([], [SAID]) == (FOUND,)
    assert talker.asked == 2


def test_what_was_said_in_an_earlier_session_is_not_asked_again(
    journal: MemoryJournal[object],
) -> None:
    recorded("scorer", Talker(), "builtin", journal).score([])
    silent = Talker()
    assert recorded("scorer", silent, "builtin", journal).score([]) == (SAID,)
    assert silent.asked == 0


def test_the_record_says_who_answered(journal: MemoryJournal[object]) -> None:
    recorded("scorer", Eloquent(), "openai:x", journal).score([])
    assert journal.steps[PRIORITIES] == Priorities((SAID,), "openai:x")


def test_the_record_says_when_the_rules_stood_in(journal: MemoryJournal[object]) -> None:
    recorded("scorer", Mute(), "openai:x", journal).score([])
    recorded("analyst", Mute(), "openai:x", journal).analyse([], [])
    assert journal.steps[PRIORITIES] == Priorities((SAID,), "builtin", instead_of="openai:x")
    assert journal.steps[ANALYSIS] == Analysis((FOUND,), "builtin", instead_of="openai:x")


def test_roles_that_answer_anew_each_time_are_left_as_they_are(
    journal: MemoryJournal[object],
) -> None:
    evaluator = RuleEvaluator()
    assert recorded("evaluator", evaluator, "builtin", journal) is evaluator
