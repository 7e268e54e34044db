"""A whole campaign over scripted doubles and the real journal.

    python -m perfwright.testing.scripted_campaign HOME [--seed N] [--die-at K]

Begins the campaign in HOME, or resumes the one that is there; prints its summary as JSON.
`--die-at K` kills the process (SIGKILL) at its K-th crash point.  Each pair that is really
timed leaves a line in `HOME/timed.txt`, whether or not it was committed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings, Status, Team
from perfwright.core.candidate import Candidate
from perfwright.store.campaign import CampaignJournal
from perfwright.store.journal import LAST, JournalStore
from perfwright.store.records import Plan
from perfwright.testing.journal import CrashingJournal, CrashingPairs, CrashPoints
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair
from perfwright.testing.mind import WanderingMind
from perfwright.testing.program import (
    ScriptedChecker,
    ScriptedObserver,
    ScriptedProgram,
    ScriptedWorkshop,
)

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.08, "quick": 1.05, "brisk": 1.03, "slow": 0.95},
    luck={"lucky": 1.04},
    invalid={"absurd": "no such pass"},
    unbuildable={"huge": "out of memory"},
    wrong={"unsafe": "stdout differs"},
    inert={"idle", "vain"},
)
"""Something of everything, so that a campaign passes every kind of step."""

EDITS = (*PROGRAM.speedups, *PROGRAM.luck, *PROGRAM.invalid, *PROGRAM.unbuildable)
EDITS += (*PROGRAM.wrong, *sorted(PROGRAM.inert))


@dataclass(frozen=True)
class _TimedPairs:
    """The pair log of a campaign, with a line in a file for each pair that comes to it."""

    log: CrashingPairs[ScriptedPair]
    file: Path

    def recorded(self, label: str) -> Sequence[ScriptedPair]:
        """See `perfwright.core.protocols.PairLog`."""
        return self.log.recorded(label)

    def append(self, label: str, record: ScriptedPair) -> None:
        """See `perfwright.core.protocols.PairLog`."""
        with self.file.open("a") as lines:
            lines.write(f"{label}\t{len(self.log.recorded(label))}\n")
        self.log.append(label, record)


SETTINGS = Settings(budget=Budget(rounds=4))


def die() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(home: Path, seed: int, points: CrashPoints) -> Outcome:
    """Run the campaign in `home` to its end, past these crash points."""
    with JournalStore.open(home) as store, _begun(store, home, seed) as journal:
        outcome = Campaign(team(journal, home, seed, points), SETTINGS).run()
        if journal.outcome() is None:
            journal.finish(outcome.status, outcome)
        return outcome


def _begun(store: JournalStore, home: Path, seed: int) -> CampaignJournal:
    """The campaign of this home: new, resumed, or replayed if it has ended."""
    campaigns = store.list()
    if not campaigns:
        return store.create_campaign(Plan("scripted", home, seed=seed))
    if campaigns[0].status == Status.INTERRUPTED:
        return store.open_campaign(LAST)
    return store.replay_campaign(LAST)


def team(journal: CampaignJournal, home: Path, seed: int, points: CrashPoints) -> Team:
    """Doubles around a real journal."""
    pairs = CrashingPairs(journal.pairs(ScriptedPair), points)
    log = _TimedPairs(pairs, home / "timed.txt")
    return Team(
        observer=ScriptedObserver(PROGRAM),
        mind=WanderingMind(EDITS, seed),
        workshop=ScriptedWorkshop(PROGRAM),
        checker=ScriptedChecker(PROGRAM),
        measurer=ScriptedMeasurer(PROGRAM, log, seed=seed, pairs=6),
        journal=CrashingJournal(journal, points),
        spent=journal.spent,
    )


def summary(outcome: Outcome) -> dict[str, object]:
    """What was decided, for comparing campaigns."""

    def texts(candidate: Candidate | None) -> list[str] | None:
        return [edit.text for edit in candidate.edits] if candidate else None

    return {
        "status": outcome.status,
        "final": texts(outcome.final),
        "unconfirmed": texts(outcome.unconfirmed),
        "trials": [
            {"id": t.id, "state": t.state, "verdict": t.verdict, "edits": texts(t.candidate)}
            for t in outcome.trials
        ],
        "speedup": outcome.confirmation.ratio if outcome.confirmation else None,
        "attribution": [str(part) for part in outcome.attribution],
    }


def main(arguments: Sequence[str]) -> None:
    """See the docstring of the module."""
    parser = argparse.ArgumentParser(prog="scripted_campaign")
    parser.add_argument("home", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--die-at", type=int)
    options = parser.parse_args(arguments)
    outcome = run(options.home, options.seed, CrashPoints(options.die_at, die))
    sys.stdout.write(json.dumps(summary(outcome), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
