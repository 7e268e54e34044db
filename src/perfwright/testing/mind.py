"""Minds that follow a script or a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial


def draft(*texts: str, level: str = "pipeline") -> Candidate:
    """A candidate with these edits, each with a claim."""
    edits = tuple(Edit(level, text) for text in texts)
    return Candidate(edits, tuple(Claim(edit, f"{edit.text} should help") for edit in edits))


class ScriptedMind:
    """Proposes its drafts in order, `width` at a time, until there are none left.

    A draft counts as used when it has become a trial: what was proposed behind a measured
    draft is proposed again.  `learned` lists the trials it was shown.
    """

    def __init__(self, drafts: Sequence[Candidate], width: int = 3) -> None:
        self.drafts = tuple(drafts)
        self.width = width
        self.learned: list[str] = []

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """See `perfwright.core.protocols.Mind`."""
        used = len(situation.trials)
        return self.drafts[used : used + self.width]

    def learn(self, situation: Situation, trial: Trial) -> Lesson:  # noqa: ARG002 - no use for it
        """See `perfwright.core.protocols.Mind`."""
        self.learned.append(trial.id)
        return Lesson(trial.id, trial.reason or f"it was {trial.verdict}")


class WanderingMind:
    """Adds random edits to the incumbent; the same seed and situation, the same drafts."""

    def __init__(self, edits: Sequence[str], seed: int = 0, width: int = 2) -> None:
        self.edits = tuple(edits)
        self.seed = seed
        self.width = width

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """See `perfwright.core.protocols.Mind`."""
        dice = random.Random(f"{self.seed}/{len(situation.trials)}")
        present = [edit.text for edit in situation.incumbent.edits]
        absent = [text for text in self.edits if text not in present]
        wanted = [
            dice.sample(absent, min(len(absent), dice.randint(1, 3))) for _ in range(self.width)
        ]
        return [draft(*present, *more) for more in wanted if more]

    def learn(self, situation: Situation, trial: Trial) -> Lesson:  # noqa: ARG002 - no use for it
        """See `perfwright.core.protocols.Mind`."""
        return Lesson(trial.id, trial.reason or f"it was {trial.verdict}")
