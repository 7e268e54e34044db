"""What every reporter must do."""

from __future__ import annotations

import pytest

from perfwright.core import events
from perfwright.core.trial import Contribution, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.testing.mind import draft
from perfwright.testing.situations import measured, refused

_COMPARISON = Comparison(Verdict.FASTER, 1.05, 1.02, 1.08, 30)

EVENTS: tuple[events.Event, ...] = (
    events.StageBegan("observe"),
    events.Warned("the machine is noisy", "close the browser"),
    events.RoundBegan(1, 0),
    events.StageBegan("measure", "1.1"),
    events.PairTimed(7, 1.02),
    events.TrialEnded(measured(draft("a", "b"), 1.05), 1.05),
    *(
        events.TrialEnded(refused(draft("c"), state, "[for] a {reason}\n in lines"), 1.05)
        for state in TrialState
        if state is not TrialState.MEASURED
    ),
    events.EditPriced(Contribution("pipeline: a", _COMPARISON, resolved=False), kept=True),
    events.Confirmed(_COMPARISON, ("large",)),
)
"""One of every event, with text that a careless renderer stumbles over."""


class ReporterConformance:
    """Provide the fixture `reporter`."""

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
    def test_it_hears_every_event_in_silence(
        self,
        reporter: events.Reporter,
        event: events.Event,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Nothing is raised, and standard output is left to results."""
        reporter(event)
        assert capsys.readouterr().out == ""
