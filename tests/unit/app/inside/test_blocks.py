"""Blocks of a real build, and what llvm-mca says of one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perfwright.app.inside.blocks import block_lines, speed_text
from perfwright.app.inside.builds import built, mended
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import BASELINE, Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.errors import UserError
from perfwright.evidence.blocks import Blocks
from perfwright.evidence.disassembly import disassemble
from perfwright.evidence.mca import Throughput
from perfwright.toolchain.process import run

SPEED = Throughput(8, 2.5, 3.2, 2.0, "resources", "ALU")


def listed(place: Workplace, *facts: Fact) -> tuple[str, ...]:
    return block_lines(place, facts, "total")


@pytest.mark.llvm
def test_loops_and_blocks_are_listed_in_few_lines(sorting: Workplace) -> None:
    head, *loops, sizes = listed(sorting)

    assert head.startswith("total: ")
    assert loops[0].startswith("loop 1: b")
    assert sizes.startswith("instructions a block: b0:")


@pytest.mark.llvm
def test_a_loop_of_the_baseline_has_the_share_that_a_fact_gives_it(sorting: Workplace) -> None:
    binary = sorting.artefacts.path(built(sorting, BASELINE).binaries[0])
    (code,) = disassemble(binary, ["total"], sorting.setup.toolchain, run)
    start = Blocks(code).loops[0].start
    data: dict[str, str | int | float] = {"symbol": "total", "start": start, "share": 0.42}
    fact = Fact("code-total-loop1", "code", "llvm-mca", "total", "", data)

    assert listed(sorting, fact)[1].endswith("42.0 % of the run time")
    assert "of the run time" not in " ".join(listed(sorting))


@pytest.mark.llvm
def test_a_loop_is_simulated_and_shown(sorting: Workplace) -> None:
    head, *code = block_lines(sorting, (), "total", "loop 1")

    assert head.startswith("loop 1 of total on ")
    assert "cycles" in head
    assert "IPC" in head
    assert code


@pytest.mark.llvm
def test_a_draft_has_blocks_of_its_own(sorting: Workplace) -> None:
    draft = Candidate((Edit("pipeline", "option force-vector-width=1"),))
    built = mended(sorting, draft).candidate

    assert block_lines(sorting, (), "total", "", built) != listed(sorting)


@pytest.mark.llvm
def test_for_a_processor_that_llvm_mca_does_not_know_the_code_is_shown_alone(
    sorting: Workplace,
) -> None:
    setup = sorting.setup
    asked = setup.request.model_copy(update={"cpu": "made-up-7"})
    elsewhere = replace(setup, request=asked)
    place = replace(sorting, setup=elsewhere)
    place.workshop = sorting.workshop
    head, *code = block_lines(place, (), "total", "b0")

    assert head.startswith("b0 of total: llvm-mca cannot simulate")
    assert code


@pytest.mark.llvm
@pytest.mark.parametrize(("symbol", "block"), [("total", "b999"), ("twice", "")])
def test_what_is_not_in_the_build_is_said(sorting: Workplace, symbol: str, block: str) -> None:
    with pytest.raises(UserError, match=r"there is no block|is not in this build"):
        block_lines(sorting, (), symbol, block)


@pytest.mark.parametrize(
    ("speed", "said"),
    [
        (SPEED, "bound by resources, busiest unit ALU"),
        (replace(SPEED, bottleneck="none", busiest=""), "no bottleneck"),
        (replace(SPEED, has_calls=True), "calls not counted"),
    ],
)
def test_an_estimate_is_a_line(speed: Throughput, said: str) -> None:
    assert speed_text(speed).startswith("8 instructions in 2.5 cycles, IPC 3.20, 2.0 cycles for")
    assert speed_text(speed).endswith(said)
