"""What every mind must do."""

from __future__ import annotations

import copy

import pytest

from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Mind, Situation
from perfwright.core.trial import TrialState
from perfwright.testing.situations import after, first_situation, measured, refused


class MindConformance:
    """Provide the fixture `mind`; override `situation` if yours needs richer facts."""

    @pytest.fixture
    def situation(self) -> Situation:
        """The beginning of a campaign."""
        return first_situation()

    @pytest.fixture
    def drafts(self, mind: Mind, situation: Situation) -> tuple[Candidate, ...]:
        """What the mind proposes first."""
        return tuple(mind.propose(situation))

    def test_it_proposes_candidates_with_edits(self, drafts: tuple[Candidate, ...]) -> None:
        """The empty candidate is the baseline; proposing it is no proposal."""
        assert all(candidate.edits for candidate in drafts)

    def test_every_claim_speaks_for_an_edit(self, drafts: tuple[Candidate, ...]) -> None:
        """A claim about something else would be shown to users as if it were true."""
        for candidate in drafts:
            assert {claim.edit for claim in candidate.claims} <= set(candidate.edits)

    def test_every_claim_cites_what_is_known(
        self, drafts: tuple[Candidate, ...], situation: Situation
    ) -> None:
        """Evidence is cited by ids that exist."""
        known = {fact.id for fact in situation.ground.facts}
        cited = {id for draft in drafts for claim in draft.claims for id in claim.evidence}
        assert cited <= known

    def test_the_same_situation_has_the_same_answer(self, mind: Mind, situation: Situation) -> None:
        """A mind keeps no state between calls, whatever it was asked in between."""
        first = tuple(mind.propose(situation))
        for candidate in first[:1]:
            trial = measured(candidate, 1.05)
            mind.propose(after(situation, trial, mind.learn(situation, trial)))
        assert tuple(mind.propose(copy.deepcopy(situation))) == first

    @pytest.mark.parametrize("ratio", [0.9, 1.0, 1.1])
    def test_it_learns_from_a_measured_trial(
        self, mind: Mind, situation: Situation, drafts: tuple[Candidate, ...], ratio: float
    ) -> None:
        """The lesson names its trial."""
        for candidate in drafts[:1]:
            assert mind.learn(situation, measured(candidate, ratio)).trial == "1.1"

    @pytest.mark.parametrize("state", [s for s in TrialState if s is not TrialState.MEASURED])
    def test_it_learns_from_a_failed_trial(
        self, mind: Mind, situation: Situation, drafts: tuple[Candidate, ...], state: TrialState
    ) -> None:
        """Failures teach as well, and the mind goes on proposing (or gives up) after them."""
        for candidate in drafts[:1]:
            trial = refused(candidate, state, "for a reason")
            lesson = mind.learn(situation, trial)
            assert lesson.trial == trial.id
            mind.propose(after(situation, trial, lesson))
