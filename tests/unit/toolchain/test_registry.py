from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from perfwright.errors import ToolchainError
from perfwright.toolchain.about import read_option_table, read_pass_registry
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult
from perfwright.toolchain.registry import (
    Option,
    OptionTable,
    OptionType,
    PassKind,
    PassRegistry,
    merge_options,
    parse_initial_values,
    parse_options,
    parse_passes,
)

NO_LIMITS = Limits()

LISTING = """\
Module passes:
  globalopt
  verify
Module passes with params:
  print<structural-hash><detailed;call-target-ignored>
  alloc-token<mode=<mode>>
Module analyses:
  globals-aa
Module alias analyses:
  globals-aa
CGSCC passes:
Function passes:
  print<loops>
  verify
Function passes with params:
  scalarizer<load-store;no-load-store;min-bits=N;>
LoopNest passes:
  loop-flatten
Loop passes with params:
  licm<allowspeculation;no-allowspeculation>
Machine function passes (WIP):
  dead-mi-elimination
"""

HELP = """\
OVERVIEW: something

USAGE: opt [options] <input bitcode file>

OPTIONS:

General options:

  -S                                 - Write output as LLVM assembly
  -W                                 - Alias for --no-warn
  --amdgpu-use-native[=<string>]     - Comma separated list
  --basic-block-sections=<all | <function list (file)> | none>  - Emit sections
  IT block support
      --arm-default-it               - Generate any type of IT block
  --inline-threshold=<int>           - Control the amount of inlining (default = 225)
  --memory-limit=<ulong>             - 
  Optimizations available (use "-passes=" for the new pass manager)
      --aa                           - Function Alias Analysis Results
      --licm                         - Loop Invariant Code Motion
  --ratio=<number>                   - A ratio
  --regalloc=<value>                 - Register allocator to use
    =greedy                          -   greedy register allocator
    =basic                           -   basic register allocator
  --tail-folding=<string>            - Kinds of tail folding
                                       disabled      (Initial) nothing
  --unroll-count=<uint>              - Use this unroll count
"""  # noqa: W291 - opt pads an empty help text

INITIAL = """\
  -S                       = 0        (default: 0)
  --inline-threshold       = 225      (default: 225)
  --unroll-count           = 0        (default: *no default*)
    --regalloc             = greedy   (default: )
    --accel                = *unknown option value*
  --ratio                  = 1.500000e+00 (default: 1.500000e+00)
    -                      = arm-default-it (default: arm-default-it)
"""


def test_passes_are_listed_by_what_they_run_on() -> None:
    registry = parse_passes(LISTING)
    assert registry.kinds("globalopt") == {PassKind.MODULE}
    assert registry.kinds("loop-flatten") == {PassKind.LOOPNEST}
    assert registry.kinds("dead-mi-elimination") == {PassKind.MACHINE_FUNCTION}
    assert registry.kinds("nothing") == set()


def test_a_name_listed_for_two_kinds_has_both() -> None:
    assert parse_passes(LISTING).kinds("verify") == {PassKind.MODULE, PassKind.FUNCTION}


def test_parameters_are_told_apart_from_brackets_in_names() -> None:
    listed = {info.name: info.parameters for info in parse_passes(LISTING).passes}
    assert listed["print<loops>"] is None
    assert listed["print<structural-hash>"] == ("detailed", "call-target-ignored")
    assert listed["alloc-token"] == ("mode=<mode>",)
    assert listed["scalarizer"] == ("load-store", "no-load-store", "min-bits=N")


def test_analyses_are_listed_once_a_kind() -> None:
    registry = parse_passes(LISTING)
    assert [info.name for info in registry.analyses] == ["globals-aa"]
    assert registry.analysis_kinds("globals-aa") == {PassKind.MODULE}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("S", OptionType.BOOL),
        ("amdgpu-use-native", OptionType.STRING),
        ("basic-block-sections", OptionType.STRING),
        ("arm-default-it", OptionType.BOOL),
        ("inline-threshold", OptionType.INT),
        ("memory-limit", OptionType.UINT),
        ("ratio", OptionType.NUMBER),
        ("regalloc", OptionType.ENUM),
        ("tail-folding", OptionType.STRING),
        ("unroll-count", OptionType.UINT),
    ],
)
def test_the_type_of_an_option_is_what_its_help_shows(name: str, expected: OptionType) -> None:
    assert parse_options(HELP, "opt")[name].type is expected


def test_aliases_and_legacy_pass_switches_are_no_options() -> None:
    assert not {"W", "aa", "licm"} & parse_options(HELP, "opt").keys()


def test_an_enum_lists_its_values() -> None:
    assert parse_options(HELP, "opt")["regalloc"].values == ("greedy", "basic")


def test_initial_values_are_those_that_are_printed() -> None:
    assert parse_initial_values(INITIAL) == {
        "S": "0",
        "inline-threshold": "225",
        "regalloc": "greedy",
        "ratio": "1.500000e+00",
    }


def test_tools_are_merged_and_initial_values_added() -> None:
    opt, clang = parse_options(HELP, "opt"), parse_options(HELP, "clang")
    del clang["S"]
    table = merge_options([opt, clang], parse_initial_values(INITIAL))
    assert table.find("inline-threshold") == Option(
        "inline-threshold",
        OptionType.INT,
        initial="225",
        help="Control the amount of inlining (default = 225)",
        tools=("opt", "clang"),
    )
    only_opt = table.find("S")
    assert only_opt is not None
    assert (only_opt.initial, only_opt.tools) == ("false", ("opt",))
    assert "S" not in table.names("clang")


def scripted(*, ok: bool = True) -> object:
    def runner(
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limits: Limits = NO_LIMITS,
    ) -> ProcessResult:
        words = tuple(os.fspath(word) for word in argv)
        out = ""
        if "--print-passes" in words:
            out = LISTING
        elif "-print-pipeline-passes" in words:
            out = f"globalopt,function(licm),{stdin.decode().strip().replace(' ', '')},verify\n"
        elif "loop(licm)" in words[1]:
            return ProcessResult(words, cwd, 1, b"", b"LLVM ERROR: LICM requires MemorySSA")
        return ProcessResult(words, cwd, 0 if ok else 1, out.encode(), b"unknown option")

    return runner


def test_pipelines_are_kept_without_the_verify_that_opt_appends() -> None:
    registry = read_pass_registry(Path("opt"), triple="t", runner=scripted())  # type: ignore[arg-type]
    assert registry.pipelines["default<O3>"] == 'globalopt,function(licm),targettriple="t"'


def test_loop_passes_that_abort_without_memory_ssa_are_learned_by_trying() -> None:
    registry = read_pass_registry(Path("opt"), runner=scripted())  # type: ignore[arg-type]
    assert registry.needs_memory_ssa == ("licm",)
    assert registry.refuses_memory_ssa == ()


def test_an_opt_that_cannot_be_asked_is_a_toolchain_error() -> None:
    with pytest.raises(ToolchainError, match="cannot be asked"):
        read_pass_registry(Path("opt"), runner=scripted(ok=False))  # type: ignore[arg-type]


def test_registries_and_tables_survive_json() -> None:
    registry = read_pass_registry(Path("opt"), runner=scripted())  # type: ignore[arg-type]
    table = merge_options([parse_options(HELP, "opt")], {})
    for kind, value in ((PassRegistry, registry), (OptionTable, table)):
        adapter = TypeAdapter(kind)
        assert adapter.validate_json(adapter.dump_json(value)) == value


@pytest.mark.llvm
def test_installed_opt_tells_its_passes_pipelines_and_nesting(each_toolchain: Toolchain) -> None:
    registry = read_pass_registry(each_toolchain.tool("opt"))
    assert registry.kinds("gvn") == {PassKind.FUNCTION}
    assert registry.kinds("inline") == {PassKind.CGSCC}
    assert "licm" in registry.needs_memory_ssa
    assert "loop-unroll-full" in registry.refuses_memory_ssa
    assert {"cgscc", "devirt", "function", "loop", "loop-mssa"} <= set(registry.adaptors)
    assert len(registry.pipelines) == 5 * 6
    assert not any(text.endswith("verify") for text in registry.pipelines.values())


@pytest.mark.llvm
def test_installed_tools_tell_their_options(each_toolchain: Toolchain) -> None:
    tool = each_toolchain.tool
    table = read_option_table(tool("opt"), tool("clang"), tool("ld.lld"))
    threshold = table.find("inline-threshold")
    assert threshold is not None
    assert (threshold.type, threshold.initial) == (OptionType.INT, "225")
    assert threshold.tools == ("opt", "clang", "lld")
    passes = table.find("passes")
    assert passes is not None
    assert passes.tools == ("opt",)
    assert len(table.names("clang")) > 2000
