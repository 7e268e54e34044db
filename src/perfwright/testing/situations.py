"""Situations to put a mind into."""

from __future__ import annotations

from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Lesson, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict

FACTS = (
    Fact(
        "fun-1", "function", "perf", "hot_loop", "hot_loop takes 92 % of the time", {"share": 92.0}
    ),
    Fact("rem-1", "remark", "clang -O3", "main.c:12:3", "loop not vectorized: unsafe dependence"),
)


def ground(facts: tuple[Fact, ...] = FACTS) -> Ground:
    """What is known of some program before the first round."""
    build = Build(BASELINE, "0" * 12, 16_384, ("0" * 64,))
    return Ground(build, 0.4, "same-code", facts)


def first_situation(facts: tuple[Fact, ...] = FACTS, rounds: int = 3) -> Situation:
    """Nothing has been tried."""
    return Situation(ground(facts), BASELINE, (), (), 1, rounds)


def measured(candidate: Candidate, ratio: float, *, trial: str = "1.1") -> Trial:
    """A trial that was measured, with an interval of one percent on either side."""
    low, high = ratio * 0.99, ratio * 1.01
    verdict = Verdict.FASTER if low > 1 else Verdict.SLOWER if high < 1 else Verdict.INCONCLUSIVE
    comparison = Comparison(verdict, ratio, low, high, pairs=20)
    return Trial(
        id=trial,
        round=int(trial.partition(".")[0]),
        candidate=candidate,
        state=TrialState.MEASURED,
        against_incumbent=comparison,
        over_baseline=comparison,
        accepted=verdict is Verdict.FASTER,
    )


def refused(candidate: Candidate, state: TrialState, reason: str, *, trial: str = "1.1") -> Trial:
    """A trial that ended before it was measured."""
    return Trial(trial, int(trial.partition(".")[0]), candidate, state, reason)


def after(situation: Situation, trial: Trial, lesson: Lesson) -> Situation:
    """The situation once this trial has ended and its lesson is learned."""
    return Situation(
        ground=situation.ground,
        incumbent=trial.candidate if trial.accepted else situation.incumbent,
        trials=(*situation.trials, trial),
        lessons=(*situation.lessons, lesson),
        round=situation.round + (trial.state is TrialState.MEASURED),
        rounds_left=situation.rounds_left,
    )
