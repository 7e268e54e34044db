"""Roles that do as little as possible, for ablation: what does a role contribute?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial
from perfwright.minds.builtin.levers import LEVEL, LEVERS
from perfwright.minds.roles import Diagnosis, Priority

_BUNDLE = 2


@dataclass(frozen=True)
class PlainScorer:
    """Every function matters alike, in the order in which they are listed."""

    top: int = 10

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """The first functions, all with the same weight."""
        functions = [fact for fact in facts if fact.kind == "function"][: self.top]
        return [
            Priority(str(fact.data.get("symbol", "")), 1.0, "not scored", (fact.id,))
            for fact in functions
        ]


@dataclass(frozen=True)
class PlainAnalyst:
    """Passes facts on without a diagnosis: a function that matters is all that it says."""

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """One diagnosis a function, of no particular kind."""
        texts = {fact.id: fact.text for fact in facts}
        return [
            Diagnosis(
                "hot-function",
                priority.symbol,
                priority.weight,
                " ".join(texts.get(name, "") for name in priority.evidence),
                priority.evidence,
                priority.symbol,
            )
            for priority in priorities
        ]


@dataclass(frozen=True)
class PlainReasoner:
    """Draws levers by lot, whatever was diagnosed or measured."""

    seed: int = 0

    def reason(self, situation: Situation, diagnoses: Sequence[Diagnosis]) -> Sequence[Candidate]:
        """Some random levers on top of the incumbent; the same situation, the same lot."""
        del diagnoses
        dice = random.Random(f"{self.seed}/{len(situation.trials)}")
        usable = [lever for lever in LEVERS if not any("{" in text for text in lever.edits)]
        edits = list(situation.incumbent.edits)
        claims = list(situation.incumbent.claims)
        for lever in dice.sample(usable, min(_BUNDLE, len(usable))):
            for text in lever.edits:
                edit = Edit(LEVEL, text)
                if edit not in edits:
                    edits.append(edit)
                    claims.append(Claim(edit, "drawn by lot"))
        draft = Candidate(tuple(edits), tuple(claims))
        return () if draft.id == situation.incumbent.id else (draft,)


@dataclass(frozen=True)
class PlainEvaluator:
    """Learns nothing but the state of a trial."""

    def evaluate(self, situation: Situation, trial: Trial) -> Lesson:
        """The state or the verdict, without cause or direction."""
        del situation
        return Lesson(trial.id, str(trial.verdict or trial.state))
