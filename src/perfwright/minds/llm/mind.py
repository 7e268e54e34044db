"""A mind with models in some of its roles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial
from perfwright.minds.llm import providers
from perfwright.minds.llm.client import Line, Patience
from perfwright.minds.llm.exec_mind import ATTEMPTS, PREFIX
from perfwright.minds.llm.ledger import Caps, Recorder, SpentError
from perfwright.minds.llm.prices import price_of
from perfwright.minds.llm.roles import (
    ModelAnalyst,
    ModelEvaluator,
    ModelReasoner,
    ModelScorer,
    Study,
    Warn,
)
from perfwright.minds.team import RoleMind


@dataclass(frozen=True)
class Frugal:
    """Implements core's `Mind`: when a limit is reached, nothing further is proposed."""

    inner: RoleMind
    warn: Warn

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """What the roles propose; nothing once a limit is reached, which ends the search."""
        try:
            return self.inner.propose(situation)
        except SpentError as error:
            self.warn(f"{error.fact}: what has been found until then is kept")
            return ()

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """What the evaluator says; it has words of its own once a limit is reached."""
        return self.inner.learn(situation, trial)


@dataclass(frozen=True)
class Connection:
    """How models are reached.

    Attributes:
        sleep: waits between attempts; tests pass one that does not.
        guests: minds that are known by name only here and now.
    """

    recorder: Recorder
    caps: Caps = field(default_factory=Caps)
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep
    guests: Mapping[str, providers.Guest] = field(default_factory=lambda: providers.NO_GUESTS)

    def line(self, mind: str, role: str) -> Line:
        """A line to the model of this name.

        Raises:
            UserError: the name means nothing.
            MindError: its key is missing.
        """
        chosen = providers.choose(mind, role, timeout=self.patience.timeout, guests=self.guests)
        patience = self.patience
        if mind.startswith(PREFIX):
            patience = replace(patience, attempts=min(ATTEMPTS, patience.attempts))
        return Line(
            name=chosen.name,
            model=chosen.model,
            recorder=self.recorder,
            caps=self.caps,
            patience=patience,
            secrets=chosen.secrets,
            constrained=chosen.constrained,
            price=price_of,
            sleep=self.sleep,
        )


def model_role(role: str, line: Line, study: Study) -> Any:
    """A role played by a model."""
    kinds: dict[str, Callable[[Line, Study], Any]] = {
        "scorer": ModelScorer,
        "analyst": ModelAnalyst,
        "reasoner": ModelReasoner,
        "evaluator": ModelEvaluator,
    }
    return kinds[role](line, study)
