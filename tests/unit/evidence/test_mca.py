from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perfwright.errors import ToolchainError
from perfwright.evidence.disassembly import Instruction
from perfwright.evidence.mca import assembly, parse_mca, simulate
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

BODY = (
    Instruction(0, "addq", "%rax, %rbx"),
    Instruction(4, "imulq", "%rbx, %rbx"),
    Instruction(8, "jne", "0x0 <f>", 0, "f"),
)


def test_figures_are_per_iteration(case: Callable[[str], str]) -> None:
    speed = parse_mca(case("mca-22.json"))
    assert speed.instructions == 5
    assert speed.cycles == pytest.approx(1.11)
    assert speed.ipc == pytest.approx(4.5045, rel=1e-4)
    assert speed.busiest == "Zn3BRU1"


def test_the_bottleneck_is_the_larger_pressure(case: Callable[[str], str]) -> None:
    assert parse_mca(case("mca-22.json")).bottleneck == "register dependencies"


def test_without_a_bottleneck_analysis_it_is_told_from_the_bounds(
    case: Callable[[str], str],
) -> None:
    text = case("mca-19.json")
    assert parse_mca(text).bottleneck == "resources"
    slow = text.replace('"TotalCycles": 111', '"TotalCycles": 1006')
    assert parse_mca(slow).bottleneck == "register dependencies"


def test_what_is_no_report_is_an_error() -> None:
    for text in ("", "{}", '{"CodeRegions": []}'):
        with pytest.raises(ToolchainError):
            parse_mca(text)


def test_targets_become_a_label() -> None:
    assert assembly(BODY).splitlines()[-1] == "\tjne .Lelsewhere"


def test_nothing_and_too_much_are_not_simulated(scripted: Callable[..., Any]) -> None:
    tools = scripted({})
    for body in ((), BODY * 400):
        with pytest.raises(ToolchainError):
            simulate(body, tools, tools.run)


@pytest.mark.llvm
def test_a_chain_of_multiplications_is_bound_by_dependencies(each_toolchain: Toolchain) -> None:
    speed = simulate(BODY, each_toolchain, run, triple="x86_64-linux-gnu", cpu="znver3")
    assert speed.bottleneck == "register dependencies"
    assert speed.cycles == pytest.approx(4.0, abs=0.5)


@pytest.mark.llvm
def test_calls_are_noted(each_toolchain: Toolchain) -> None:
    body = (*BODY, Instruction(12, "callq", "0x99 <g>", 0x99, "g"))
    assert simulate(body, each_toolchain, run, triple="x86_64-linux-gnu", cpu="znver3").has_calls
