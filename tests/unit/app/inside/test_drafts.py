from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import pytest

from perfwright.app.inside.drafts import WorkshopBench
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.protocols import Refusal
from perfwright.levels.workshop import EditWorkshop, Inside
from perfwright.minds.roles import Draft
from perfwright.testing.mind import draft

PLAIN = Inside("c0de", 100, {"work": ("ret",), "main": ("ret",)})


@dataclass(frozen=True)
class Looks:
    """A workshop that has compiled everything already."""

    inside: Mapping[str, Inside | Refusal]

    def look(self, candidate: Candidate) -> Inside | Refusal:
        return self.inside[candidate.id]


DRAFT = draft("fast")
Benches = Callable[..., Draft | Refusal]


@pytest.fixture
def drafted() -> Benches:
    """The answer for `DRAFT`, whose inside is given, against the baseline."""

    def make(mine: Inside | Refusal, other: Inside | Refusal = PLAIN) -> Draft | Refusal:
        looks = Looks({DRAFT.id: mine, BASELINE.id: other})
        return WorkshopBench(cast("EditWorkshop", looks)).draft(DRAFT, BASELINE)

    return make


def test_functions_whose_code_differs_have_changed(drafted: Benches) -> None:
    mine = Inside("1234", 120, {"work": ("nop", "ret"), "main": ("ret",)})
    assert drafted(mine) == Draft("1234", 120, ("work",))


def test_a_function_that_is_gone_or_new_has_changed(drafted: Benches) -> None:
    mine = Inside("1234", 120, {"main": ("ret",), "main.cold": ("ret",)})
    assert drafted(mine) == Draft("1234", 120, ("main.cold", "work"))


def test_other_code_elsewhere_is_no_change_of_hot_code(drafted: Benches) -> None:
    assert drafted(Inside("1234", 120, PLAIN.functions)) == Draft("1234", 120, ())


def test_a_draft_that_does_not_compile_is_refused(drafted: Benches) -> None:
    assert drafted(Refusal("crash")) == Refusal("crash")


def test_without_a_reference_there_is_nothing_to_say(drafted: Benches) -> None:
    assert drafted(PLAIN, Refusal("crash")) == Refusal("crash")


def test_a_draft_that_had_to_be_mended_is_refused(drafted: Benches) -> None:
    """Of an option that this LLVM lacks, repair makes a similar one: what came of that would
    be learned of the wrong lever."""
    mended = Inside("1234", 120, {"work": ()}, ("unknown option a: b",))
    assert drafted(mended) == Refusal("not as drafted: unknown option a: b")
