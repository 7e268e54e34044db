"""Campaigns in a journal of this test's own, by scripted doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from perfwright.app.campaign.tune import plan_for, prepare
from perfwright.app.record.story import WARNED, loop_settings
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.campaign import Campaign, Outcome, Status
from perfwright.core.candidate import Candidate
from perfwright.core.events import Warned, silent
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Journal, Mind, Situation
from perfwright.errors import MindError, PerfwrightError
from perfwright.measure.executor import NativeExecutor
from perfwright.settings import Settings
from perfwright.store.campaign import CampaignJournal
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan
from perfwright.testing.journal import CrashError, CrashingJournal, CrashPoints, crash
from perfwright.testing.measurer import ScriptedPair
from perfwright.testing.mind import ScriptedMind, draft
from perfwright.testing.program import ScriptedObserver, ScriptedProgram
from perfwright.testing.situations import FACTS
from perfwright.testing.team import ScriptedTeam

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.10, "quick": 1.05, "slow": 0.9},
    luck={"lucky": 1.10},
    invalid={"absurd": "no such pass"},
    unbuildable={"huge": "out of memory"},
    wrong={"unsafe": "stdout differs"},
    inert={"idle"},
)

SORTING = """\
static long twice(long x) { return 2 * x; }
__attribute__((noinline)) long total(const long *v, int n)
{
    long sum = 0;
    for (int i = 0; i < n; i++) sum += twice(v[i]);
    for (int i = 0; i < n; i++) sum ^= v[i] << 1;
    return sum;
}
int main(int argc, char **argv)
{
    long v[64];
    (void)argv;
    for (int i = 0; i < 64; i++) v[i] = i * argc;
    return (int)total(v, 64) & 1;
}
"""

Recorder = Callable[..., str]


def plan_of(request: TuneRequest, program: str = "tiny") -> Plan:
    """What the journal of such a campaign begins with."""
    context = {"version": "22.1.8", "triple": "x86_64-pc-linux-gnu", "cpu": "znver4"}
    return Plan(
        program=program,
        path=request.program,
        settings={"request": request.model_dump(mode="json"), "context": context},
        seed=request.seed,
    )


@pytest.fixture
def recorded(perfwright_home: Path) -> Recorder:
    """Runs a campaign to its end, or to `die_at`; returns its id."""

    def record(
        *drafts: Candidate,
        facts: tuple[Fact, ...] = FACTS,
        warnings: tuple[str, ...] = (),
        warned: tuple[Warned, ...] = (),
        mind: Mind | None = None,
        die_at: int | None = None,
        ending: Callable[[Outcome], Outcome] = lambda outcome: outcome,
        program: str = "tiny",
        **asked: Any,
    ) -> str:
        request = TuneRequest(program=perfwright_home / f"{program}.c", **asked)
        with (
            JournalStore.open(Settings.load().home) as store,
            store.create_campaign(plan_of(request, program)) as journal,
        ):
            points = CrashPoints(die_at, crash)
            team = _team(mind or drafts, journal, CrashingJournal(journal, points))
            team.observer = ScriptedObserver(PROGRAM, facts, warnings)
            campaign = Campaign(team.team, loop_settings(request))
            _finish(journal, lambda: ending(campaign.run()), warned)
            return journal.campaign

    return record


def _team(
    mind: Mind | Sequence[Candidate], journal: CampaignJournal, steps: Journal
) -> ScriptedTeam:
    return ScriptedTeam(PROGRAM, mind, journal=steps, pairs=journal.pairs(ScriptedPair))


def _finish(
    journal: CampaignJournal, run: Callable[[], Outcome], warned: tuple[Warned, ...]
) -> None:
    try:
        outcome = run()
    except CrashError:
        journal.finish(Status.INTERRUPTED)
    except PerfwrightError as error:
        journal.finish(Status.FAILED, cause=error.summary)
    else:
        journal.once(WARNED, tuple[Warned, ...], lambda: warned)
        journal.finish(outcome.status, outcome)


@pytest.fixture
def improved(recorded: Recorder) -> str:
    """A campaign that met with everything, and found something."""
    return recorded(draft("absurd"), draft("fast", "idle"), draft("unsafe"), draft("slow"))


class SilentMind(ScriptedMind):
    """A mind that cannot be reached."""

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """Raises `MindError`."""
        del situation
        raise MindError("no answer", cause="the network is down")


@pytest.fixture
def silent_mind() -> Mind:
    """A mind that cannot be reached."""
    return SilentMind([])


@pytest.fixture(scope="session")
def sorting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """The workplace of a campaign on a small program of one unit; nothing is run in it."""
    folder = tmp_path_factory.mktemp("sorting")
    (folder / "work.c").write_text(SORTING)
    (folder / "perfwright.toml").write_text(
        '[program]\nname = "sorting"\nsources = ["work.c"]\ncflags = ["-O3"]\n'
    )
    setup = prepare(TuneRequest(program=folder))
    with (
        JournalStore.open(setup.settings.home) as store,
        store.create_campaign(plan_for(setup)) as journal,
    ):
        nobody = cast("NativeExecutor", None)
        yield Workplace(setup, journal, nobody, Meter(), silent)
