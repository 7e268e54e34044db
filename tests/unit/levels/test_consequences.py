"""What two builds of a tiny C program of two units are said to differ in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build
from perfwright.levels import consequences
from perfwright.levels.workshop import EditWorkshop
from perfwright.program.captured import CapturedBuild
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import ProcessResult, run

Edited = Callable[..., Candidate]
Programs = Callable[..., CapturedBuild]
Workshops = Callable[..., EditWorkshop]

LOOPS = 70
MANY_LOOPS = "\n".join(
    [
        "long work(const int *v, long n)",
        "{",
        "    long sum = 0;",
        *(
            f"    for (long i = 0; i < n; i++) sum = sum * 31 + v[i] * {3 + k}L;"
            for k in range(LOOPS)
        ),
        "    return sum;",
        "}\n",
    ]
)


@pytest.fixture(scope="module", params=["-flto", "-flto=thin"])
def linked(
    request: Any, workshops: Workshops, programs: Programs, toolchain: Toolchain
) -> EditWorkshop:
    """Of a program whose own build optimises at the link."""
    flags = f"-O3 {request.param}"
    return workshops(toolchain, programs(flags, ldflags=f"{flags} -fuse-ld=lld"))


@pytest.fixture(scope="module")
def workshop(workshops: Workshops, programs: Programs, toolchain: Toolchain) -> EditWorkshop:
    return workshops(toolchain, programs())


def made(workshop: EditWorkshop, candidate: Candidate) -> Build:
    build = workshop.build(candidate)
    assert isinstance(build, Build), build
    return build


def told(workshop: EditWorkshop, candidate: Candidate) -> list[Fact]:
    """What it says of a candidate against the baseline."""
    return list(workshop.consequences(made(workshop, candidate), made(workshop, BASELINE)))


def remarks(facts: list[Fact]) -> list[str]:
    return [fact.text for fact in facts if fact.id.startswith("drem-")]


@pytest.mark.llvm
def test_a_program_that_is_optimised_at_the_link_is_recorded_there(linked: EditWorkshop) -> None:
    """The baseline as well as a candidate: inlining into another unit happens at the link."""
    baseline = linked._version(BASELINE)
    assert baseline is not None
    found = linked._view(baseline).remarks
    assert found is not None
    assert {"main.c", "work.c"} <= found.merged
    said = {(group.unit, group.remark.message[:24]) for group in found.groups}
    assert ("main.c", "'work' inlined into 'mai") in said
    assert any(group.remark.pass_name == "asm-printer" for group in found.groups)


@pytest.mark.llvm
def test_options_reach_the_code_generation_at_the_link(
    linked: EditWorkshop, edited: Edited
) -> None:
    aligned = made(linked, edited("option align-all-nofallthru-blocks=6"))
    assert aligned.code != made(linked, BASELINE).code


@pytest.mark.llvm
def test_linkers_take_the_machine_code_of_fat_objects_which_edits_of_passes_reach(
    workshops: Workshops, programs: Programs, toolchain: Toolchain, edited: Edited
) -> None:
    fat = workshops(toolchain, programs("-O3 -flto -ffat-lto-objects", ldflags="-fuse-ld=lld"))
    plain = workshops(toolchain, programs("-O3", ldflags="-fuse-ld=lld"))
    assert made(fat, BASELINE).code == made(plain, BASELINE).code
    for text in ("option unroll-count=3", "remove loop-unroll#1"):
        assert made(fat, edited(text)).code == made(plain, edited(text)).code


@pytest.mark.llvm
def test_what_passes_did_at_the_link_is_gone_when_units_are_optimised_alone(
    linked: EditWorkshop, edited: Edited
) -> None:
    said = remarks(told(linked, edited("link per-unit")))
    assert any("no longer 'work' inlined into 'main'" in text for text in said), said
    assert not [text for text in said if "missed" in text]
    assert all(text.endswith("(with the whole program before, per unit now)") for text in said)


@pytest.mark.llvm
def test_against_a_baseline_of_units_the_whole_program_is_not_said_to_miss_more_or_less(
    workshop: EditWorkshop, edited: Edited
) -> None:
    said = remarks(told(workshop, edited("link whole-program")))
    assert said
    assert not [text for text in said if "missed" in text]
    assert all(text.endswith("(per unit before, with the whole program now)") for text in said)


@pytest.mark.llvm
@pytest.mark.parametrize("edit", ["link whole-program", "option in main.c: unroll-runtime=false"])
def test_nothing_is_told_of_a_candidate_with_the_same_code(
    workshops: Workshops, programs: Programs, toolchain: Toolchain, edited: Edited, edit: str
) -> None:
    """Such as that of an option for a unit whose code is made at the link."""
    flags = "-O3 -flto"
    captured = programs(flags, ldflags=f"{flags} -fuse-ld=lld -Xlinker --lto-O3")
    linked = workshops(toolchain, captured)
    candidate = edited(edit)
    if made(linked, candidate).code != made(linked, BASELINE).code:
        pytest.skip("this LLVM makes other code of it")
    assert told(linked, candidate) == []


@pytest.mark.llvm
def test_no_remarks_are_recorded_for_the_same_code(workshop: EditWorkshop, edited: Edited) -> None:
    asked: list[object] = []

    def listening(argv: Any, **more: Any) -> ProcessResult:
        asked.extend(argv)
        return run(argv, **more)

    site = replace(workshop.site, runner=listening)
    other = EditWorkshop(site, workshop.levels)
    assert told(other, edited("insert no-op-function after gvn#1")) == []
    assert "-fsave-optimization-record=yaml" not in asked


@pytest.mark.llvm
def test_every_place_of_many_is_compared(
    workshops: Workshops, programs: Programs, toolchain: Toolchain, edited: Edited
) -> None:
    looping = workshops(toolchain, programs(work=MANY_LOOPS), hot=("work",))
    facts = told(looping, edited("option unroll-count=3"))
    unrolled = [fact for fact in facts if "now unrolled loop by a factor of 3" in fact.text]
    assert [fact.data["places"] for fact in unrolled] == [LOOPS]


@pytest.mark.llvm
def test_remarks_that_were_not_all_kept_are_not_compared(
    workshop: EditWorkshop, edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consequences, "_MOST_REMARKS", 1)
    other = EditWorkshop(workshop.site, workshop.levels)
    facts = told(other, edited("option unroll-count=8"))
    assert facts
    assert not remarks(facts)


@pytest.mark.llvm
def test_remarks_of_the_last_candidates_are_remembered(
    workshop: EditWorkshop, edited: Edited
) -> None:
    other = EditWorkshop(workshop.site, workshop.levels)
    for count in (2, 3, 5, 8):
        told(other, edited(f"option unroll-count={count}"))
    assert other._recorder is not None
    assert len(other._recorder._known) == 5


@pytest.mark.llvm
def test_remarks_of_old_candidates_are_forgotten_and_made_again(
    workshop: EditWorkshop, edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consequences, "_MOST_KNOWN", 2)
    other = EditWorkshop(workshop.site, workshop.levels)
    first = told(other, edited("option unroll-count=8"))
    assert told(other, edited("option unroll-count=2")) != first
    assert other._recorder is not None
    assert len(other._recorder._known) == 2
    assert told(other, edited("option unroll-count=8")) == first


@pytest.mark.llvm
def test_the_size_of_all_code_is_the_one_of_the_build(
    workshop: EditWorkshop, edited: Edited
) -> None:
    build, baseline = (made(workshop, c) for c in (edited("option unroll-count=8"), BASELINE))
    facts = {fact.id: fact for fact in workshop.consequences(build, baseline)}
    sizes = facts["dsize-total"].data
    assert (sizes["before"], sizes["after"]) == (baseline.size_bytes, build.size_bytes)
