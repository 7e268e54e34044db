from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.core.campaign import Status
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Situation
from perfwright.minds.builtin import builtin_mind
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.levers import called
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.roles import Bench
from perfwright.minds.team import RoleMind
from perfwright.testing.conformance_mind import MindConformance
from perfwright.testing.program import ScriptedObserver, ScriptedProgram
from perfwright.testing.team import ScriptedTeam

Benches = Callable[..., Bench]


class TestBuiltinMind(MindConformance):
    @pytest.fixture
    def mind(self, benches: Benches) -> RoleMind:
        return builtin_mind(benches())

    @pytest.fixture
    def situation(self, situations: Callable[..., Situation]) -> Situation:
        made: Situation = situations()
        return made

    def test_it_has_something_to_propose(self, mind: RoleMind, situation: Situation) -> None:
        """Else the suite would have nothing to look at."""
        assert mind.propose(situation)


class TestBuiltinMindThatKnowsNothing(MindConformance):
    """With facts that say little: no profile, no counts."""

    @pytest.fixture
    def mind(self, benches: Benches) -> RoleMind:
        return builtin_mind(benches())


@pytest.fixture
def hopes(hot_facts: tuple[Fact, ...]) -> list[str]:
    """The first edits of the levers that this program calls for, one of each group."""
    found: dict[str, str] = {}
    for lever in called(RuleAnalyst().analyse(hot_facts, ShareScorer().score(hot_facts))):
        found.setdefault(lever.lever.group, lever.edits[0].text)
    return list(found.values())


def team(program: ScriptedProgram, facts: tuple[Fact, ...], bench: Bench) -> ScriptedTeam:
    made = ScriptedTeam(program, builtin_mind(bench))
    made.observer = ScriptedObserver(program, facts)
    return made


def test_it_finds_what_pays_and_pruning_drops_the_rest(
    hot_facts: tuple[Fact, ...], hopes: list[str], benches: Benches
) -> None:
    program = ScriptedProgram(speedups={hopes[0]: 1.10, hopes[1]: 0.98})
    outcome = team(program, hot_facts, benches()).run()
    assert outcome.status is Status.IMPROVED
    assert [edit.text for edit in outcome.final.edits] == [hopes[0]]


def test_it_gets_past_levers_that_break_the_program(
    hot_facts: tuple[Fact, ...], hopes: list[str], benches: Benches
) -> None:
    program = ScriptedProgram(
        speedups={hopes[2]: 1.10}, wrong={hopes[0]: "crash"}, invalid={hopes[1]: "too large"}
    )
    outcome = team(program, hot_facts, benches()).run()
    assert outcome.status is Status.IMPROVED
    assert [edit.text for edit in outcome.final.edits] == [hopes[2]]


def test_it_claims_nothing_where_there_is_nothing(
    hot_facts: tuple[Fact, ...], benches: Benches
) -> None:
    outcome = team(ScriptedProgram(), hot_facts, benches()).run()
    assert outcome.status is Status.NO_GAIN
    assert not outcome.final.edits
