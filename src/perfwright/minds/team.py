"""A mind made of four roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial
from perfwright.minds.roles import Analyst, Evaluator, Reasoner, Scorer


@dataclass(frozen=True)
class RoleMind:
    """Implements `perfwright.core.protocols.Mind` by asking four roles in turn."""

    scorer: Scorer
    analyst: Analyst
    reasoner: Reasoner
    evaluator: Evaluator

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """Score, analyse, reason."""
        facts = situation.ground.facts
        priorities = self.scorer.score(facts)
        diagnoses = self.analyst.analyse(facts, priorities)
        return self.reasoner.reason(situation, diagnoses)

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """Evaluate."""
        return self.evaluator.evaluate(situation, trial)
