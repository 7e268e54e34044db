from __future__ import annotations

from collections.abc import Iterable

from perfwright.evidence.location import Location
from perfwright.evidence.remarks import Remark, RemarkKind
from perfwright.evidence.tally import RemarkCount, RemarkSummary, RemarkTally


def remark(
    function: str = "f",
    kind: RemarkKind = "missed",
    message: str = "no",
    line: int = 1,
    hotness: int | None = None,
) -> Remark:
    return Remark(
        kind, "licm", "Name", function, Location("a.c", line, 2), message, {}, {}, hotness
    )


def tally(*remarks: Remark, limit: int = 64) -> RemarkTally:
    made = RemarkTally(distinct_limit=limit)
    made.add("a.c", remarks)
    return made


def functions(summary: RemarkSummary) -> Iterable[str]:
    return [group.remark.function for group in summary.groups]


def test_identical_remarks_are_one_group_with_a_count() -> None:
    summary = tally(remark(), remark(), remark(line=2)).summary()
    assert [(g.remark.place, g.count) for g in summary.groups] == [
        (Location("a.c", 1, 2), 2),
        (Location("a.c", 2, 2), 1),
    ]


def test_remarks_of_two_units_stay_apart() -> None:
    made = tally(remark())
    made.add("b.c", [remark()])
    assert [group.unit for group in made.summary().groups] == ["a.c", "b.c"]


def test_counts_are_per_function_and_pass() -> None:
    summary = tally(remark(), remark(kind="passed"), remark("g", kind="analysis")).summary()
    assert summary.counts == (
        RemarkCount("a.c", "f", "licm", passed=1, missed=1),
        RemarkCount("a.c", "g", "licm", analysis=1),
    )


def test_the_hottest_function_comes_first() -> None:
    shares = {"f": 0.1, "g": 0.9}
    summary = tally(remark("f"), remark("g"), remark("h")).summary(
        lambda _, name: shares.get(name, 0)
    )
    assert functions(summary) == ["g", "f", "h"]
    assert [count.function for count in summary.counts] == ["g", "f", "h"]


def test_in_a_function_hot_places_and_missed_chances_come_first() -> None:
    summary = tally(
        remark(kind="passed", line=1), remark(line=2), remark(kind="passed", line=3, hotness=9)
    ).summary()
    assert [g.remark.place.line for g in summary.groups if g.remark.place] == [3, 2, 1]


def test_memory_is_bounded_but_everything_is_counted() -> None:
    summary = tally(*(remark(message=str(n)) for n in range(100)), limit=10).summary()
    assert len(summary.groups) == 10
    assert summary.dropped == 90
    assert summary.counts[0].missed == 100


def test_the_remarks_of_one_function_can_be_asked_for() -> None:
    summary = tally(remark("f"), remark("g")).summary()
    assert [g.remark.function for g in summary.of("g")] == ["g"]
    assert summary.of("g", "other.c") == ()
