"""IR around any run of any pass of a real build."""

from __future__ import annotations

import pytest

from perfwright.app.inside.builds import mended
from perfwright.app.inside.passes_ir import Moment, PassesIr
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.errors import UserError

pytestmark = pytest.mark.llvm

FACTS = tuple(
    Fact(f"fun-{name}", "function", "opt", "work.c:1", name, {"symbol": name, "unit": "work.c"})
    for name in ("total", "twice", "main")
)


def edited(place: Workplace, *texts: str) -> Candidate:
    return mended(place, Candidate(tuple(Edit("pipeline", text) for text in texts))).candidate


def shown(place: Workplace, moment: Moment, *edits: str, symbol: str = "total") -> list[str]:
    return PassesIr(place, FACTS).ir(symbol, moment, edited(place, *edits)).splitlines()


def test_the_ir_after_a_pass_is_that_of_the_function_alone(sorting: Workplace) -> None:
    head, first, *rest = shown(sorting, Moment("gvn"))

    assert head == "; after gvn of total, run 1 of 1"
    assert first.startswith("define ")
    assert "@total(" in first
    assert rest[-1] == "}"
    assert not any("!" in line or "#" in line for line in rest)


def test_a_pass_of_loops_shows_the_loop_of_the_run_that_is_asked_for(sorting: Workplace) -> None:
    first = shown(sorting, Moment("indvars", "before", 1))
    second = shown(sorting, Moment("indvars", "before", 2))

    assert first[0].startswith("; before indvars of total, run 1 of 2 on loop ")
    assert "; Loop:" in first
    assert first[1:] != second[1:]


def test_a_place_tells_runs_of_one_pass_apart(sorting: Workplace) -> None:
    early = shown(sorting, Moment("simplifycfg#1", "before"))
    late = shown(sorting, Moment("simplifycfg#8", "after"))

    assert early[0] == "; before simplifycfg#1 of total, run 1 of 1"
    assert any("alloca" in line for line in early)
    assert not any("alloca" in line for line in late)


def test_a_place_in_a_loop_has_a_run_for_each_loop(sorting: Workplace) -> None:
    assert "run 2 of 2" in shown(sorting, Moment("licm#1", "before", 2))[0]


def test_a_pass_that_is_not_in_o3_is_shown_with_the_edit_that_puts_it_there(
    sorting: Workplace,
) -> None:
    insert = "insert nary-reassociate after gvn#1"

    assert "nary-reassociate" in shown(sorting, Moment("nary-reassociate"), insert)[0]
    assert shown(sorting, Moment("gvn#1"), insert)[1:] == shown(sorting, Moment("gvn#1"))[1:]
    with pytest.raises(UserError, match="not part of this pipeline") as caught:
        shown(sorting, Moment("nary-reassociate"))
    assert "insert nary-reassociate" in caught.value.hint


def test_options_of_an_edit_act_on_what_is_shown(sorting: Workplace) -> None:
    assert any(" x i64>" in line for line in shown(sorting, Moment("loop-vectorize")))
    scalar = shown(sorting, Moment("loop-vectorize"), "option force-vector-width=1")
    assert not any(" x i64>" in line for line in scalar)


def test_a_pipeline_of_its_own_has_places_of_its_own(sorting: Workplace) -> None:
    own = "pipeline function(sroa,gvn,instcombine)"

    assert shown(sorting, Moment("gvn#1"), own)[1:] == shown(sorting, Moment("gvn"), own)[1:]


@pytest.mark.parametrize(
    ("symbol", "moment", "said"),
    [
        ("nope", Moment("gvn"), "unknown function 'nope'"),
        ("total", Moment("gvm"), "unknown pass 'gvm'"),
        ("total", Moment("gvn#7"), "there is no gvn#7"),
        ("total", Moment("gvn", "after", 9), "there is no run 9 of gvn on total: it ran once"),
        ("total", Moment("gvn", "after", 0), "there is no run 0"),
        ("total", Moment("function"), "function is no pass"),
        ("total", Moment("loop#1"), "loop is no pass"),
        ("total", Moment("gvn -o /tmp/x"), "is not a place"),
        ("twice", Moment("loop-vectorize"), "never ran on twice"),
    ],
)
def test_what_is_not_there_is_an_error_that_helps(
    sorting: Workplace, symbol: str, moment: Moment, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        shown(sorting, moment, symbol=symbol)
    assert said in caught.value.summary


def test_the_linkers_passes_are_not_shown(sorting: Workplace) -> None:
    with pytest.raises(UserError, match="in the linker"):
        shown(sorting, Moment("gvn"), "link whole-program")


def test_functions_are_shown_inlined_and_not_yet_vectorised(sorting: Workplace) -> None:
    found = PassesIr(sorting, FACTS).functions(["main", "total", "twice", "nope"])

    assert list(found) == ["main", "total"]
    assert "phi i64" in found["total"]
    assert "call" not in found["total"]
    assert " x i64>" not in found["total"]
