"""When a search has run dry: further rounds would find nothing either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perfwright.core.trial import Trial, TrialState


@dataclass(frozen=True)
class Saturation:
    """A search is saturated after so many rounds in a row.

    `fruitless` rounds had nothing to measure; `gainless` ones accepted nothing, which counts
    only where nobody has said how many rounds there are to be.
    """

    fruitless: int = 3
    gainless: int = 8

    def reason(self, trials: Sequence[Trial], done: int, *, open_ended: bool) -> str:
        """Why a search with these trials is saturated after `done` rounds; empty if it is not."""

        def since(counts: Callable[[Trial], bool]) -> int:
            return done - max((trial.round for trial in trials if counts(trial)), default=0)

        if since(lambda trial: trial.state is TrialState.MEASURED) >= self.fruitless:
            return f"{self.fruitless} rounds in a row had nothing to measure"
        if open_ended and since(lambda trial: trial.accepted) >= self.gainless:
            return f"{self.gainless} rounds in a row gained nothing; --rounds sets their number"
        return ""
