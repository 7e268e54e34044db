"""A campaign as far as its journal tells it, without running anything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from perfwright.app.request import AGENT, TuneRequest
from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings, Team
from perfwright.core.events import Warned
from perfwright.core.protocols import Ground, Lesson
from perfwright.core.saturation import Saturation
from perfwright.core.trial import Trial
from perfwright.minds.recorded import ANALYSIS, PRIORITIES
from perfwright.minds.roles import Analysis, Priorities
from perfwright.store.campaign import CampaignJournal, RecordEndsError

WARNED = "warned"
"""The step that records what was said on the way."""


@dataclass(frozen=True)
class Story:
    """What is known of a campaign; `outcome` is missing while it has not ended."""

    ground: Ground | None
    trials: tuple[Trial, ...]
    lessons: tuple[Lesson, ...]
    outcome: Outcome | None
    warned: tuple[Warned, ...] = ()
    """What was said on the way, besides the warnings of the ground."""
    replayed: Outcome | None = None
    """What the loop comes to when it is run over the record again."""
    priorities: Priorities | None = None
    analysis: Analysis | None = None
    """What the scorer and the analyst said; missing where there were none, or no record."""


def loop_settings(request: TuneRequest) -> Settings:
    """What the request says to the loop itself."""
    return Settings(
        budget=Budget(rounds=request.rounds, seconds=request.seconds),
        deduplicate=not request.null_candidates,
        # An agent that looks on says itself when it is enough.
        saturation=None if request.mind == AGENT else Saturation(),
    )


def read_story(journal: CampaignJournal, request: TuneRequest) -> Story:
    """Run the loop over the record alone: every finished step answers from there.

    The first step that is not on record ends the story.
    """
    absent: Any = Absent()
    team = Team(absent, absent, absent, absent, absent, journal)
    campaign = Campaign(team, loop_settings(request))
    outcome = journal.outcome()
    replayed: Outcome | None = None
    with contextlib.suppress(RecordEndsError):
        replayed = campaign.run()
    return Story(
        ground=campaign.ground,
        trials=tuple(campaign.trials),
        lessons=tuple(campaign.lessons),
        outcome=outcome,
        warned=_step(journal, WARNED, tuple[Warned, ...]) or (),
        replayed=replayed,
        priorities=_step(journal, PRIORITIES, Priorities),
        analysis=_step(journal, ANALYSIS, Analysis),
    )


def _step(journal: CampaignJournal, key: str, kind: Any) -> Any:
    """The outcome of a step beside the loop's; `None` if it is not on record."""
    with contextlib.suppress(RecordEndsError):
        return journal.once(key, kind, tuple)
    return None


class Absent:
    """Stands for everyone who must not be asked when only the record counts.

    The loop may name what it would ask; only the asking is where the record ends.
    """

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def asked(*_: object, **__: object) -> NoReturn:
            raise RecordEndsError(f"the record ends before {name!r} was asked")

        return asked
