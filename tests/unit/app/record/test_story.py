from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.app.record.story import Story, loop_settings, read_story
from perfwright.app.request import TuneRequest
from perfwright.core.budget import Budget
from perfwright.core.campaign import Settings as LoopSettings
from perfwright.core.campaign import Status
from perfwright.core.events import Warned
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.testing.mind import draft

Recorder = Callable[..., str]


def told(name: str) -> Story:
    with JournalStore.open(Settings.load().home) as store:
        record = store.find(name)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        return read_story(store.replay_campaign(record.id), request)


def test_a_campaign_that_ended_is_told_in_full(improved: str) -> None:
    story = told(improved)
    assert story.ground is not None
    assert story.outcome is not None
    assert story.outcome.status is Status.IMPROVED
    assert story.trials == story.outcome.trials
    assert [lesson.trial for lesson in story.lessons] == [trial.id for trial in story.trials]


def test_running_it_over_its_record_comes_to_the_same(improved: str) -> None:
    story = told(improved)
    assert story.replayed == story.outcome


def test_what_was_said_on_the_way_is_part_of_it(recorded: Recorder) -> None:
    warned = (Warned("the machine is noisy", "close the browser"),)
    assert told(recorded(draft("fast"), warned=warned)).warned == warned


@pytest.mark.parametrize("die_at", range(1, 60, 9))
def test_an_interrupted_campaign_is_told_as_far_as_it_got(recorded: Recorder, die_at: int) -> None:
    drafts = [draft("fast"), draft("quick")]
    whole, part = told(recorded(*drafts)), told(recorded(*drafts, die_at=die_at))
    assert part.outcome is None or part == whole
    assert part.trials == whole.trials[: len(part.trials)]
    assert part.lessons == whole.lessons[: len(part.lessons)]
    assert part.ground in (None, whole.ground)


def test_before_the_first_step_there_is_nothing_to_tell(recorded: Recorder) -> None:
    assert told(recorded(draft("fast"), die_at=1)) == Story(None, (), (), None)


def test_a_request_says_how_long_the_loop_goes_on(tmp_path: Path) -> None:
    request = TuneRequest(program=tmp_path, rounds=None, seconds=600)
    assert loop_settings(request) == LoopSettings(Budget(rounds=None, seconds=600))


def test_null_candidates_are_measured_although_they_are_alike(tmp_path: Path) -> None:
    assert not loop_settings(TuneRequest(program=tmp_path, null_candidates=True)).deduplicate
