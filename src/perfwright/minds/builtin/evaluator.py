"""Says what is to be learned from a trial: what changed in the code, and whether it paid."""

from __future__ import annotations

from dataclasses import dataclass

from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Verdict

_CITED = 3


@dataclass(frozen=True)
class RuleEvaluator:
    """Explains a verdict by the largest changes of the code, and names the next direction."""

    def evaluate(self, situation: Situation, trial: Trial) -> Lesson:
        """One cause and one direction for any state that a trial can end in."""
        del situation
        cited = trial.consequences[:_CITED]
        what = "; ".join(fact.text for fact in cited)
        cause = f"{_FATE[_fate(trial)]}{f' ({what})' if what else ''}"
        if trial.state is not TrialState.MEASURED and trial.reason:
            cause = f"{cause}: {trial.reason}"
        return Lesson(trial.id, cause, _NEXT[_fate(trial)], tuple(fact.id for fact in cited))


def _fate(trial: Trial) -> str:
    if trial.state is TrialState.MEASURED and trial.verdict is not None:
        return trial.verdict.value
    return trial.state.value


_FATE = {
    Verdict.FASTER.value: "the edits paid",
    Verdict.SLOWER.value: "the edits did harm",
    Verdict.SAME.value: "the edits changed code that does not matter for the time",
    Verdict.INCONCLUSIVE.value: "no difference could be told from noise",
    TrialState.REJECTED.value: "the draft was not valid",
    TrialState.UNBUILDABLE.value: "the compiler did not get through",
    TrialState.IDENTICAL.value: "the edits changed no machine code",
    TrialState.WRONG.value: "the program no longer gives the right result",
}

_NEXT = {
    Verdict.FASTER.value: "keep them and add the next ideas",
    Verdict.SLOWER.value: "roll back; try the ideas that were not part of it",
    Verdict.SAME.value: "roll back; look at other causes",
    Verdict.INCONCLUSIVE.value: "roll back; look for something larger",
    TrialState.REJECTED.value: "leave the refused edit out",
    TrialState.UNBUILDABLE.value: "leave these edits alone",
    TrialState.IDENTICAL.value: "look for levers that reach the hot code",
    TrialState.WRONG.value: "leave these edits alone",
}
