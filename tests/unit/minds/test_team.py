from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial
from perfwright.minds.roles import Diagnosis, Priority
from perfwright.minds.team import RoleMind
from perfwright.testing.mind import draft
from perfwright.testing.situations import FACTS, first_situation, measured

PRIORITY = Priority("work", 1.0, "all of it")
DIAGNOSIS = Diagnosis("long-loop", "work.c:1", 1.0, "a long loop", ("rem-1",))


@dataclass
class Roles:
    """All four of them; writes down who was asked with what."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        self.asked.append(("score", facts))
        return [PRIORITY]

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> list[Diagnosis]:
        self.asked.append(("analyse", facts, priorities))
        return [DIAGNOSIS]

    def reason(self, situation: Situation, diagnoses: Sequence[Diagnosis]) -> list[Candidate]:
        self.asked.append(("reason", situation, diagnoses))
        return [draft("a")]

    def evaluate(self, situation: Situation, trial: Trial) -> Lesson:
        self.asked.append(("evaluate", situation, trial))
        return Lesson(trial.id, "because")


def test_a_proposal_goes_through_scorer_analyst_and_reasoner() -> None:
    roles, situation = Roles(), first_situation()
    assert RoleMind(roles, roles, roles, roles).propose(situation) == [draft("a")]
    assert roles.asked == [
        ("score", FACTS),
        ("analyse", FACTS, [PRIORITY]),
        ("reason", situation, [DIAGNOSIS]),
    ]


def test_learning_is_the_evaluators_business() -> None:
    roles, situation, trial = Roles(), first_situation(), measured(draft("a"), 1.1)
    assert RoleMind(roles, roles, roles, roles).learn(situation, trial) == Lesson("1.1", "because")
    assert roles.asked == [("evaluate", situation, trial)]
