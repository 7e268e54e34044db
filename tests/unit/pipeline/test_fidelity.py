from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.core.protocols import Refusal
from perfwright.pipeline.fidelity import restored, text_options
from perfwright.pipeline.tree import parse
from perfwright.pipeline.validate import same_code
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run
from perfwright.toolchain.registry import Option, OptionTable, OptionType, PassRegistry

# LLVM 19 and 22 reckon 240 for the first call.
INLINED_AT_250 = """
#define S(k) s ^= t[k] * (k + 3);
static int helper(int n, int b, int *t) {
  int s = 0;
  for (int i = 0; i < n; i++) {
    if (t[i] > b) s += t[i] * b; else if (t[i] < -b) s -= t[i]; else s ^= t[i];
    t[i] = s;
    S(0) S(1) S(2) S(3) S(4) S(5) S(6) S(7) S(8) S(9) S(10) S(11) S(12) S(13)
  }
  return s;
}
int twice(int n, int *t) { return helper(n, 3, t) + helper(n, n, t); }
"""

CALLED_IN_A_HOT_LOOP = """
static unsigned big(unsigned s, unsigned *t) {
#define S(k) if (s & k) t[k & 15] += s * k; else t[(k + 1) & 15] ^= s + k; \\
  s = (s >> 3) * (k + 7) + t[k & 7];
  S(1) S(2) S(4) S(8) S(16) S(32) S(64) S(128)
  return s;
}
unsigned f(unsigned n, unsigned *t) {
  unsigned r = 0;
  for (unsigned i = 0; i < n; i++)
    for (unsigned j = 0; j < n; j++) r += big(i * j, t);
  return r + big(n, t) + big(n + 1, t);
}
"""

FULLY_UNROLLED = """
int a[4];
unsigned f(unsigned x) {
  for (int i = 0; i < 16; i++) {
    x = (x ^ (x >> 3)) * 2654435761u + (x << 7);
    x ^= x >> 11;
    a[i & 3] += x;
  }
  return x;
}
"""

PROGRAMS = {
    "inlining at 250": INLINED_AT_250,
    "inlining in hot loops": CALLED_IN_A_HOT_LOOP,
    "full unrolling at 300": FULLY_UNROLLED,
}


@pytest.fixture(scope="module", params=PROGRAMS)
def unit(
    request: pytest.FixtureRequest,
    each_toolchain: Toolchain,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Unoptimised bitcode of a program that shows one of the losses."""
    folder = tmp_path_factory.mktemp("unit")
    source = folder / "unit.c"
    source.write_text(PROGRAMS[request.param])
    bitcode = folder / "unit.bc"
    capture = ("-O3", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c")
    result = run([each_toolchain.tool("clang"), *capture, source, "-o", bitcode])
    assert result.ok, result.explain()
    return bitcode


@pytest.mark.llvm
def test_the_text_with_its_options_makes_the_code_of_o3(
    unit: Path, each_toolchain: Toolchain, each_registry: PassRegistry
) -> None:
    text = restored(parse(each_registry.pipelines["default<O3>"]), "O3")
    opt = each_toolchain.tool("opt")
    options = text_options("O3")
    assert same_code("default<O3>", text, unit, opt=opt, second_options=options) is True


@pytest.mark.llvm
def test_the_text_alone_does_not(
    unit: Path, each_toolchain: Toolchain, each_registry: PassRegistry
) -> None:
    text = each_registry.pipelines["default<O3>"]
    alone = same_code("default<O3>", text, unit, opt=each_toolchain.tool("opt"))
    assert alone is False


@pytest.mark.llvm
def test_each_printed_pipeline_and_its_print_by_us_make_the_same_code(
    each_toolchain: Toolchain, each_registry: PassRegistry, loops_ir: bytes
) -> None:
    opt = each_toolchain.tool("opt")
    for alias, text in each_registry.pipelines.items():
        level = alias.partition("<")[2][:-1]
        ours = restored(parse(text), level)
        same = same_code(alias, ours, loops_ir, opt=opt, second_options=text_options(level))
        assert same is True, (alias, same if isinstance(same, Refusal) else "")


def test_only_o3_needs_options() -> None:
    assert [text_options(level) for level in ("O0", "O1", "O2", "Os", "Oz")] == [()] * 5
    assert text_options("O3") == (
        "-inlinedefault-threshold=250",
        "-locally-hot-callsite-threshold=525",
        "-unroll-threshold-default=300",
    )


def test_the_tools_own_initial_values_go_before_ours() -> None:
    table = OptionTable(
        (
            Option("locally-hot-callsite-threshold", OptionType.INT, initial="600"),
            Option("unroll-threshold-aggressive", OptionType.UINT, initial="400"),
        )
    )
    assert text_options("O3", table)[1:] == (
        "-locally-hot-callsite-threshold=600",
        "-unroll-threshold-default=400",
    )


def test_what_the_candidate_sets_itself_wins() -> None:
    chosen = {"locally-hot-callsite-threshold": "9", "unroll-threshold-aggressive": "600"}
    assert text_options("O3", None, chosen) == (
        "-inlinedefault-threshold=250",
        "-unroll-threshold-default=600",
    )


def test_the_parameter_of_coro_split_is_given_back_above_o0() -> None:
    tree = parse("cgscc(devirt<4>(inline,coro-split))")
    assert str(restored(tree, "O3")) == "cgscc(devirt<4>(inline,coro-split<reuse-storage>))"
    assert restored(tree, "O0") == tree
