"""What every journal and every log of pairs must do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Journal, Lesson, PairLog, Refusal, Repaired
from perfwright.core.trial import Correctness
from perfwright.core.verdict import Comparison, Verdict
from perfwright.testing.measurer import ScriptedPair

_EDIT = Edit("pipeline", "-mllvm=-x=1: 'quoted', \u00fc")
_CANDIDATE = Candidate((_EDIT,), (Claim(_EDIT, "it helps", ("rem-1",)),))
_BUILD = Build(_CANDIDATE, "c0de", 512, ("ab" * 32,))
_FACT = Fact("f-1", "loop", "opt", "main", "text", {"n": 3, "share": 1.0, "hot": True, "x": "1"})
_COMPARISON = Comparison(Verdict.FASTER, 1.05, 1.01, math.inf, 20)

OUTCOMES: tuple[tuple[Any, Any], ...] = (
    (bool, False),
    (Build | Refusal, _BUILD),
    (Build | Refusal, Refusal("out of memory", "clang x.c")),
    (Repaired | Refusal, Repaired(_CANDIDATE, ("dropped one",))),
    (Repaired | Refusal, Refusal("no such pass")),
    (Correctness | Refusal, Correctness.TESTED),
    (Correctness | Refusal, Refusal("tested")),
    (tuple[Candidate, ...], ()),
    (tuple[Candidate, ...], (_CANDIDATE, Candidate())),
    (tuple[Candidate, ...] | Refusal, (_CANDIDATE,)),
    (tuple[Candidate, ...] | Refusal, Refusal("no answer")),
    (tuple[Fact, ...], (_FACT,)),
    (tuple[Comparison, ...], (_COMPARISON, _COMPARISON)),
    (Comparison, _COMPARISON),
    (Lesson, Lesson("1.1", "too large", "smaller", ("f-1",))),
    (Lesson | Refusal, Lesson("1.1", "")),
    (Ground, Ground(_BUILD, 0.4, "same-code", (_FACT,), ("noisy",))),
)
"""Every kind of outcome that a campaign asks a journal to keep, with a value of it."""


class JournalConformance:
    """Provide the fixture `reopen`: a function that opens the same journal, again and again.

    What was open before may be closed by it.
    """

    def test_a_step_is_computed_once(self, reopen: Callable[[], Journal]) -> None:
        """The second time, it answers from the record."""
        journal = reopen()
        assert journal.once("a", str, lambda: "first") == "first"
        assert journal.once("a", str, lambda: pytest.fail("computed again")) == "first"

    def test_a_step_survives_reopening(self, reopen: Callable[[], Journal]) -> None:
        """It was committed before `once` returned."""
        reopen().once("a", str, lambda: "first")
        assert reopen().once("a", str, lambda: pytest.fail("computed again")) == "first"

    def test_a_step_that_fails_is_not_recorded(self, reopen: Callable[[], Journal]) -> None:
        """The exception goes through; the next attempt computes."""

        def fail() -> str:
            raise KeyError("no")

        journal = reopen()
        with pytest.raises(KeyError):
            journal.once("a", str, fail)
        assert journal.once("a", str, lambda: "second") == "second"

    def test_a_step_may_ask_for_another(self, reopen: Callable[[], Journal]) -> None:
        """The inner one is committed first, and survives a failure of the outer one."""

        def outer() -> str:
            reopened.once("inner", str, lambda: "kept")
            raise KeyError("no")

        reopened = reopen()
        with pytest.raises(KeyError):
            reopened.once("outer", str, outer)
        assert reopen().once("inner", str, lambda: "computed again") == "kept"

    @pytest.mark.parametrize(("kind", "value"), OUTCOMES)
    def test_an_outcome_reads_back_as_what_it_was(
        self, reopen: Callable[[], Journal], kind: Any, value: Any
    ) -> None:
        """Equal, and of the same class; at once and from the record."""
        told = reopen().once("a", kind, lambda: value)
        read: Any = reopen().once("a", kind, lambda: pytest.fail("computed again"))
        assert (told, type(told)) == (value, type(value))
        assert (read, type(read)) == (value, type(value))


class PairLogConformance:
    """Provide the fixture `reopen`: a function that opens the same log of `ScriptedPair`s."""

    def test_pairs_come_back_in_order(self, reopen: Callable[[], PairLog[ScriptedPair]]) -> None:
        """In the order of timing, after reopening as well."""
        pairs = [ScriptedPair((0.1 * number, 0.2)) for number in range(12)]
        log = reopen()
        for pair in pairs:
            log.append("trial 1.1", pair)
        assert list(log.recorded("trial 1.1")) == pairs
        assert list(reopen().recorded("trial 1.1")) == pairs

    def test_labels_do_not_mix(self, reopen: Callable[[], PairLog[ScriptedPair]]) -> None:
        """Each comparison has its own pairs."""
        log = reopen()
        log.append("confirm", ScriptedPair((1.0, 2.0)))
        log.append("confirm/2", ScriptedPair((3.0, 4.0)))
        assert list(log.recorded("confirm")) == [ScriptedPair((1.0, 2.0))]
        assert list(log.recorded("con")) == []
