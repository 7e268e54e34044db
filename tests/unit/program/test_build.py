from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from perfwright.program.bitcode import UnitBitcode, capture_bitcode
from perfwright.program.build import (
    DEFAULT_LIMITS,
    BuildFailure,
    Built,
    Kind,
    build,
    classify,
)
from perfwright.program.capture import from_sources
from perfwright.program.captured import CapturedBuild
from perfwright.program.linker import link_option
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.program.spec import load
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, run
from perfwright.units import Bytes

MAIN = """\
#include "sum.h"
static long table[64];
int main(int n, char **a) {
  (void)a;
  for (int i = 0; i < 64; i++) table[i] = i * n;
  return sum(table, 64) == 2016 * n ? ANSWER : 1;
}
"""
SUM = """\
#include "sum.h"
long sum(const long *v, int n) { long s = 0; for (int i = 0; i < n; i++) s += v[i]; return s; }
"""
HEADER = "long sum(const long *v, int n);\n#define ANSWER 0\n"


@pytest.fixture
def program(tmp_path: Path) -> CapturedBuild:
    folder = tmp_path / "a program"
    folder.mkdir()
    for name, text in {"main.c": MAIN, "sum.c": SUM, "sum.h": HEADER}.items():
        (folder / name).write_text(text)
    (folder / "perfwright.toml").write_text(
        '[program]\nname = "prog"\nsources = ["main.c", "sum.c"]\ncflags = ["-O3", "-Werror"]\n'
    )
    return from_sources(load(folder))


def made(result: Built | BuildFailure) -> Built:
    assert isinstance(result, Built), str(result)
    return result


def failed(result: Built | BuildFailure) -> BuildFailure:
    assert isinstance(result, BuildFailure)
    return result


def code(path: Path) -> bytes:
    with path.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".text")
        assert section is not None
        return bytes(section.data())


O3 = "default<O3>"
ROADS = {
    "plain": PLAIN,
    "options": BuildPlan(compile_flags=("-mllvm", "-unroll-threshold=1")),
    "layout": BuildPlan(layout_seed=5),
    "lto": BuildPlan(whole_program=True),
    "pipeline": BuildPlan(whole_program=True, pipeline=O3, layout_seed=0),
    "lld-option": BuildPlan(
        whole_program=True, pipeline=O3, link_flags=link_option("-unroll-threshold=1")
    ),
    "staged": BuildPlan(unit_pipelines={"main.c": O3, "sum.c": O3}),
    "codegen-only": BuildPlan(unit_pipelines={"sum.c": ""}),
}


@pytest.mark.llvm
@pytest.mark.parametrize("road", ROADS)
def test_every_road_builds_a_program_that_works(
    program: CapturedBuild, each_toolchain: Toolchain, tmp_path: Path, road: str
) -> None:
    built = made(build(program, ROADS[road], each_toolchain, tmp_path / "out"))
    assert built.binary == tmp_path / "out/prog"
    assert run([built.binary]).ok
    assert built.reused == 0
    assert 0 < built.code_size < built.size
    assert built.compile_seconds > 0
    assert built.link_seconds > 0


@pytest.mark.llvm
@pytest.mark.parametrize("flags", [(), ("-fno-pie",)], ids=["pic", "static"])
def test_the_staged_road_gives_the_code_of_the_plain_one(
    program: CapturedBuild, each_toolchain: Toolchain, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    link = ("-no-pie",) if flags else ()

    def built(name: str, road: BuildPlan) -> Built:
        plan = road.model_copy(update={"compile_flags": flags, "link_flags": link})
        return made(build(program, plan, each_toolchain, tmp_path / name))

    plain, staged = built("plain", PLAIN), built("staged", ROADS["staged"])
    assert code(staged.binary) == code(plain.binary)


@pytest.mark.llvm
def test_layouts_differ_and_are_the_same_for_the_same_seed(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    codes = {
        (seed, code(made(build(program, BuildPlan(layout_seed=seed), toolchain, out)).binary))
        for seed, out in ((n % 4, tmp_path / str(n)) for n in range(8))
    }
    assert len(codes) == 4
    assert len({text for _, text in codes}) > 1


@pytest.mark.llvm
def test_what_did_not_change_is_not_compiled_again(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    store = tmp_path / "objects"

    def reused(plan: BuildPlan, name: str) -> int:
        return made(build(program, plan, toolchain, tmp_path / name, store=store)).reused

    assert reused(PLAIN, "first") == 0
    assert reused(PLAIN, "again") == 2
    assert reused(BuildPlan(link_flags=("-Wl,-O1",)), "link") == 2
    assert reused(BuildPlan(unit_flags={"sum.c": ("-fno-vectorize",)}), "unit") == 1
    assert reused(BuildPlan(compile_flags=("-mllvm", "-unroll-count=2")), "all") == 0
    (program.root / "sum.h").write_text(HEADER + "\n/* changed */\n")
    assert reused(PLAIN, "header") == 0


@pytest.mark.llvm
def test_an_overlay_stands_for_sources_and_headers(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    edited = tmp_path / "edited.h"
    edited.write_text(HEADER.replace("ANSWER 0", "ANSWER 42"))
    plan = BuildPlan(overlay={program.root / "sum.h": edited})
    built = made(build(program, plan, toolchain, tmp_path / "out"))
    assert run([built.binary]).status == 42
    assert (program.root / "sum.h").read_text() == HEADER


@pytest.mark.llvm
def test_ir_and_assembly_stand_for_a_unit(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    captured = capture_bitcode(program, toolchain, tmp_path / "bc")
    assert isinstance(captured, dict)
    assembly = tmp_path / "sum.s"
    clang = str(toolchain.tool("clang"))
    assert run([clang, "-O1", "-S", program.units[1].source, "-o", assembly]).ok
    plain = made(build(program, PLAIN, toolchain, tmp_path / "plain"))
    ir = BuildPlan(inputs={"sum.c": captured["sum.c"].plain})
    from_ir = made(build(program, ir, toolchain, tmp_path / "ir"))
    assert code(from_ir.binary) == code(plain.binary)
    by_hand = BuildPlan(inputs={"sum.c": assembly}, whole_program=True)
    assert run([made(build(program, by_hand, toolchain, tmp_path / "s")).binary]).ok


@pytest.mark.llvm
def test_bitcode_is_unoptimised_and_has_lines_and_remarks(
    program: CapturedBuild, each_toolchain: Toolchain, tmp_path: Path
) -> None:
    captured = capture_bitcode(program, each_toolchain, tmp_path / "bc")
    assert isinstance(captured, dict)
    assert list(captured) == ["main.c", "sum.c"]
    unit = captured["sum.c"]
    assert isinstance(unit, UnitBitcode)
    texts = [
        run([str(each_toolchain.tool("opt")), "-S", str(path)]).text
        for path in (unit.plain, unit.lines)
    ]
    assert "alloca" in texts[0]
    assert "optnone" not in texts[0]
    assert ["DILocation" in text for text in texts] == [False, True]
    assert "Pass:            loop-vectorize" in unit.remarks.read_text()


# --- failures


@pytest.mark.llvm
def test_a_compile_error_is_a_value_that_can_be_reproduced(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    plan = BuildPlan(unit_flags={"sum.c": ("-Dsum=+",)})
    failure = failed(build(program, plan, toolchain, tmp_path / "out"))
    assert (failure.kind, failure.stage, failure.unit) == ("error", "compile", "sum.c")
    assert "error: expected" in failure.reason
    again = run(["/bin/sh", "-c", failure.reproducer])
    assert again.status == 1
    assert failure.reason.splitlines()[0] in again.error_text


@pytest.mark.llvm
@pytest.mark.parametrize(
    "plan",
    [
        BuildPlan(unit_pipelines={"sum.c": "no-such-pass"}),
        BuildPlan(whole_program=True, pipeline="function(licm"),
    ],
)
def test_a_pipeline_that_opt_refuses_is_invalid_before_anything_is_built(
    program: CapturedBuild, each_toolchain: Toolchain, tmp_path: Path, plan: BuildPlan
) -> None:
    failure = failed(build(program, plan, each_toolchain, tmp_path / "out"))
    assert (failure.kind, failure.stage, failure.unit) == ("invalid", "pipeline", None)
    assert "pass" in failure.reason or "pipeline" in failure.reason


@pytest.mark.llvm
def test_an_unknown_option_of_llvm_is_an_error(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    plan = BuildPlan(compile_flags=("-mllvm", "-no-such-option"))
    failure = failed(build(program, plan, toolchain, tmp_path / "out"))
    assert (failure.kind, failure.stage) == ("error", "compile")
    assert "no-such-option" in failure.reason


@pytest.mark.llvm
@pytest.mark.parametrize("plan", [PLAIN, BuildPlan(layout_seed=1)], ids=["ld", "lld"])
def test_what_the_linker_lacks_is_in_the_reason(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path, plan: BuildPlan
) -> None:
    lacking = plan.model_copy(update={"link_flags": ("-lnosuch",)})
    failure = failed(build(program, lacking, toolchain, tmp_path / "out"))
    assert (failure.kind, failure.stage) == ("error", "link")
    assert "-lnosuch" in failure.reason
    assert "linker command failed" not in failure.reason


def result(
    status: int = 1, stderr: str = "", timed_out: bool = False, argv: tuple[str, ...] = ("clang",)
) -> ProcessResult:
    return ProcessResult(argv, None, status, b"", stderr.encode(), 1.0, timed_out)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (result(1, "a.c:1:1: error: no"), "error"),
        (result(-9, timed_out=True), "timeout"),
        (result(-9), "memory"),
        (result(1, "clang: error: unable to execute command: Killed"), "memory"),
        (result(-6, "LLVM ERROR: out of memory"), "memory"),
        (result(-11), "crash"),
        (result(-6, "LLVM ERROR: Broken module found"), "crash"),
        (result(139, "PLEASE submit a bug report to ..."), "crash"),
        (result(254, "error: linker command failed due to signal (use -v ..."), "crash"),
    ],
)
def test_the_end_of_a_tool_is_told_from_its_status_and_words(
    outcome: ProcessResult, kind: Kind
) -> None:
    assert classify(outcome) == kind


class Tools:
    """Stands for clang: writes outputs, and fails as told where a word is on the command line."""

    def __init__(self, word: str, outcome: ProcessResult) -> None:
        self.word = word
        self.outcome = outcome
        self.limits: list[Limits | None] = []

    def __call__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        limits: Limits | None = None,
        **_: object,
    ) -> ProcessResult:
        words = tuple(str(word) for word in argv)
        self.limits.append(limits)
        if any(self.word in word for word in words):
            return self.outcome
        Path(words[-1]).write_bytes(b"made")
        return result(0, argv=words)


TOOLCHAIN = Toolchain(
    "22.1.8", 22, Path("/llvm"), {n: Path("/llvm") / n for n in ("clang", "opt", "ld.lld")}, "f"
)


@pytest.mark.parametrize(
    ("word", "place"),
    [("sum.c", "compile of sum.c"), ("opt.bc", "optimise of main.c"), ("-lm", "link")],
)
@pytest.mark.parametrize("kind", ["crash", "timeout", "memory"])
def test_a_crash_a_hang_and_lack_of_memory_are_values(
    program: CapturedBuild, tmp_path: Path, word: str, place: str, kind: str
) -> None:
    outcomes = {
        "crash": result(-11, "Stack dump:\n0. Program arguments"),
        "timeout": result(-9, timed_out=True),
        "memory": result(-6, "LLVM ERROR: out of memory"),
    }
    plan = BuildPlan(unit_pipelines={"main.c": ""}, link_flags=("-lm",))
    tools = Tools(word, outcomes[kind])
    failure = failed(build(program, plan, TOOLCHAIN, tmp_path / "out", tools))
    assert str(failure).startswith(f"{place}: {kind}: ")


def test_every_command_runs_under_the_limits(program: CapturedBuild, tmp_path: Path) -> None:
    tools, limits = Tools("nothing", result()), Limits(wall=7.0)
    made(build(program, PLAIN, TOOLCHAIN, tmp_path / "out", tools, limits=limits))
    assert set(tools.limits) == {limits}
    assert len(tools.limits) == 3


@pytest.mark.parametrize(
    ("gib", "workers", "each"), [(40, 2, 20), (40, 16, 20), (40, 1, 40), (6, 2, 4), (3, 2, 3)]
)
def test_units_that_are_compiled_at_a_time_share_the_memory(
    program: CapturedBuild, tmp_path: Path, gib: int, workers: int, each: int
) -> None:
    """There are two; a unit gets 4 GiB where the limit allows it, and the link all."""
    tools, limits = Tools("nothing", result()), Limits(memory=Bytes(gib * 2**30))
    out = tmp_path / "out"
    made(build(program, PLAIN, TOOLCHAIN, out, tools, limits=limits, workers=workers))
    memory = [given.memory for given in tools.limits if given is not None]
    assert memory == [each * 2**30, each * 2**30, gib * 2**30]


def test_no_tool_has_all_memory_unless_it_is_told_so() -> None:
    assert DEFAULT_LIMITS.memory is not None
    assert DEFAULT_LIMITS.memory >= 8 * 2**30


@pytest.mark.llvm
def test_a_candidate_that_eats_the_memory_is_stopped(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    hungry = BuildPlan(compile_flags=("-mllvm", "-align-all-blocks=31"))
    limits = Limits(memory=Bytes(2**30))
    failure = failed(build(program, hungry, toolchain, tmp_path / "out", limits=limits))
    assert failure.kind == "memory", failure


def test_of_several_failing_units_the_first_is_named(
    program: CapturedBuild, tmp_path: Path
) -> None:
    tools = Tools("-c", result(1, "error: no"))
    failure = failed(build(program, PLAIN, TOOLCHAIN, tmp_path / "out", tools))
    assert failure.unit == "main.c"
    assert str(failure) == "compile of main.c: error: error: no"
