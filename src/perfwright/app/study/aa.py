"""A/A: real campaigns with candidates that change nothing; how many of them claim a gain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel
from scipy import stats

from perfwright.app.campaign.tune import observer_of, plan_for, prepare
from perfwright.app.record.story import loop_settings
from perfwright.app.request import TuneRequest
from perfwright.app.setup import Setup
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.campaign import Campaign, Outcome, Status, Team
from perfwright.core.events import silent
from perfwright.core.protocols import Ground
from perfwright.levels.null import NAME as NULL
from perfwright.levels.null import NullLevel, NullMind
from perfwright.measure.executor import NativeExecutor, open_executor
from perfwright.store.journal import JournalStore

_CONFIDENCE = 0.95


class AAResult(BaseModel):
    """What a series of A/A campaigns came to.

    Attributes:
        trials, accepted: null candidates that were measured, and that the search took for
            faster.
        claimed: campaigns that confirmed a gain: false ones, all of them.
        bound: upper end of the 95 % interval of the rate of such campaigns (Clopper and
            Pearson, Biometrika 26, 1934).
        selections: the ratio of every trial over the baseline, for a look at their spread.
    """

    program: str
    campaigns: int
    trials: int
    accepted: int
    claimed: int
    bound: float
    pairs: int
    selections: list[float]

    def lines(self) -> Iterator[str]:
        """A report for people."""
        rate = 100 * self.claimed / max(1, self.campaigns)
        yield f"{self.campaigns} A/A campaigns on {self.program}, {self.pairs} timed pairs"
        yield f"  null candidates measured       {self.trials}"
        yield f"  taken for faster in the search {self.accepted}"
        yield f"  campaigns that claimed a gain  {self.claimed} ({rate:.1f} %)"
        yield f"  true rate, 95 % confidence     at most {100 * self.bound:.1f} %"


def upper_bound(claimed: int, campaigns: int) -> float:
    """The one-sided upper bound of a rate; 1 when nothing is known."""
    if claimed == campaigns:
        return 1.0
    return float(stats.beta.ppf(_CONFIDENCE, claimed + 1, campaigns - claimed))


def study(program: Path, campaigns: int, seed: int, note: Callable[[str], None]) -> AAResult:
    """Run so many A/A campaigns; the program is observed once for all of them.

    Ctrl-C ends the series early: the result is then about those that ended.

    Raises:
        PerfwrightError: the program cannot be built, run or judged.
    """
    outcomes: list[Outcome] = []
    ground: Ground | None = None
    setup = prepare(_request(program, seed))
    with (
        JournalStore.open(setup.settings.home) as store,
        open_executor(setup.toolchain.tool("clang"), setup.settings.cache) as executor,
        suppress(KeyboardInterrupt),
    ):
        for number in range(campaigns):
            setup = prepare(_request(program, seed + number))
            outcome = _campaign(setup, store, executor, ground)
            ground = outcome.ground
            outcomes.append(outcome)
            note(f"{number + 1} of {campaigns}: {outcome.status}")
    return _result(setup, outcomes)


def _request(program: Path, seed: int) -> TuneRequest:
    return TuneRequest(program=program, rounds=3, seed=seed, mind="builtin", null_candidates=True)


def _campaign(
    setup: Setup, store: JournalStore, executor: NativeExecutor, ground: Ground | None
) -> Outcome:
    meter = Meter()
    with store.create_campaign(plan_for(setup), lambda: meter.usage) as journal:
        levels = {NULL: NullLevel(setup.request.seed)}
        place = Workplace(setup, journal, executor, meter, silent, levels=levels)
        observe = (lambda: ground) if ground else observer_of(place).observe
        journal.once("observe", Ground, observe)
        team = Team(
            observer=observer_of(place),
            mind=NullMind(),
            workshop=place.workshop,
            checker=place.checker,
            measurer=place.measurer,
            journal=journal,
            spent=journal.spent,
        )
        outcome = Campaign(team, loop_settings(setup.request)).run()
        journal.finish(outcome.status, outcome)
        return outcome


def _result(setup: Setup, outcomes: list[Outcome]) -> AAResult:
    trials = [trial for outcome in outcomes for trial in outcome.trials]
    compared = [t.over_baseline for t in trials if t.over_baseline]
    confirmed = [o.confirmation for o in outcomes if o.confirmation]
    claimed = sum(outcome.status is Status.IMPROVED for outcome in outcomes)
    return AAResult(
        program=setup.spec.name,
        campaigns=len(outcomes),
        trials=len(trials),
        accepted=sum(trial.accepted for trial in trials),
        claimed=claimed,
        bound=upper_bound(claimed, len(outcomes)),
        pairs=sum(c.pairs for c in [*compared, *confirmed]),
        selections=[c.ratio for c in compared],
    )
