from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from perfwright.errors import ToolchainError
from perfwright.program.captured import CapturedBuild, LinkItem, LinkStep, Unit
from perfwright.program.linker import link_option, linker_words
from perfwright.program.plan import (
    NO_LTO,
    PLAIN,
    BuildPlan,
    Paths,
    bitcode_argv,
    link_argv,
    machine_options,
    optimisation_level,
    optimised_by_linker,
    overlay_file,
    unit_steps,
)
from perfwright.toolchain.discovery import Toolchain

LLVM = Path("/llvm/bin")
TOOLS = {name: LLVM / name for name in ("clang", "clang++", "opt", "ld.lld")}
TOOLCHAIN = Toolchain("22.1.8", 22, LLVM, TOOLS, "fingerprint")
WITHOUT_LLD = Toolchain("22.1.8", 22, LLVM, {"clang": LLVM / "clang"}, "fingerprint")
PATHS = Paths(Path("out.o"), Path("a.bc"), Path("a.opt.bc"))
QUIET = "-w -fno-crash-diagnostics"


def unit(name: str = "a.c", input_type: str = "c", argv: str = "-O2 -Iinc") -> Unit:
    return Unit(
        name=name,
        source=Path("/p") / name,
        cwd=Path("/p"),
        argv=tuple(argv.split()),
        input_type=input_type,
        key="k",
    )


def steps(plan: BuildPlan, what: Unit | None = None, paths: Paths = PATHS) -> list[str]:
    return [" ".join(step.argv) for step in unit_steps(what or unit(), plan, TOOLCHAIN, paths)]


def captured(driver: str = "c") -> CapturedBuild:
    items = (LinkItem(unit="a.c"), LinkItem(words=("-lm",)), LinkItem(words=("x.o", "-pthread")))
    return CapturedBuild(
        origin="sources",
        root=Path("/p"),
        binary_name="prog",
        units=(unit(),),
        link=LinkStep.model_validate({"driver": driver, "cwd": "/p", "items": items}),
    )


def link(plan: BuildPlan, driver: str = "c") -> str:
    objects = {"a.c": Path("/o/a.o")}
    return " ".join(link_argv(captured(driver), plan, TOOLCHAIN, objects, Path("/out/prog")))


def test_the_empty_plan_is_the_users_own_command() -> None:
    assert steps(PLAIN) == [f"/llvm/bin/clang -O2 -Iinc {QUIET} -x c -c /p/a.c -o out.o"]


def test_the_plans_flags_stand_behind_the_users_and_those_of_the_unit_last() -> None:
    plan = BuildPlan(compile_flags=("-O3",), unit_flags={"a.c": ("-fa",), "b.c": ("-fb",)})
    assert "-O2 -Iinc -O3 -fa -w" in steps(plan)[0]


def test_cpp_is_compiled_by_the_cpp_driver() -> None:
    (line,) = steps(PLAIN, unit("a.cpp", "c++"))
    assert line.startswith("/llvm/bin/clang++ ")
    assert "-x c++ -c /p/a.cpp" in line


def test_a_layout_needs_function_sections_and_lld() -> None:
    plan = BuildPlan(layout_seed=7)
    assert "-ffunction-sections" in steps(plan)[0]
    assert "-fuse-ld=lld -Xlinker --shuffle-sections=.text*=8 -o" in link(plan)


def test_a_whole_program_is_linked_at_o3_by_lld() -> None:
    plan = BuildPlan(whole_program=True)
    assert "-O2 -Iinc -flto -w" in steps(plan)[0]
    assert link(plan).endswith("-fuse-ld=lld -flto -Xlinker --lto-O3 -o /out/prog")


def test_a_pipeline_over_the_program_takes_unoptimised_units_and_keeps_its_commas() -> None:
    plan = BuildPlan(whole_program=True, pipeline="inline,function(sroa,gvn)")
    assert "-flto -Xclang -disable-llvm-passes -w" in steps(plan)[0]
    assert "-Xlinker --lto-newpm-passes=inline,function(sroa,gvn) -o" in link(plan)


def test_the_staged_road_is_clang_opt_and_clang_that_runs_no_passes() -> None:
    plan = BuildPlan(
        unit_pipelines={"a.c": "default<O3>"}, compile_flags=("-mllvm", "-unroll-count=2")
    )
    raw = f"-O3 {' '.join(NO_LTO)} -Xclang -disable-llvm-passes"
    user = "-O2 -Iinc -mllvm -unroll-count=2"
    assert steps(plan) == [
        f"/llvm/bin/clang {user} {raw} -emit-llvm {QUIET} -x c -c /p/a.c -o a.bc",
        "/llvm/bin/opt -passes=default<O3> -relocation-model=pic -unroll-count=2 a.bc -o a.opt.bc",
        f"/llvm/bin/clang {user} {raw} {QUIET} -x ir -c a.opt.bc -o out.o",
    ]


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        *(("-O2", "-O3"), ("", "-O3"), ("-Ofast -O2", "-O3")),
        *(("-Ofast", "-Ofast"), ("-O2 -Ofast", "-Ofast")),
        ("-Ofast -fno-finite-math-only", "-Ofast -fno-finite-math-only"),
    ],
)
def test_no_road_takes_the_fast_math_of_ofast_away(flags: str, level: str) -> None:
    user, plan = unit(argv=flags), BuildPlan(unit_pipelines={"a.c": "default<O3>"})
    front, _, back = steps(plan, user)
    captured = " ".join(bitcode_argv(user, PLAIN, TOOLCHAIN, Path("a.bc")))
    assert all(f"{level} -fno-lto" in line for line in (front, back, captured))


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ("-O2", "-relocation-model=pic"),
        ("-fno-pie", "-relocation-model=static"),
        ("-fno-PIC -fPIE", "-relocation-model=pic"),
        ("-fPIC -fno-pic -mcmodel=large", "-relocation-model=static -code-model=large"),
    ],
)
def test_opt_is_told_of_the_machine_what_clang_knows(flags: str, options: str) -> None:
    assert " ".join(machine_options(flags.split())) == options


def test_a_unit_without_a_pipeline_takes_the_plain_road_beside_staged_ones() -> None:
    plan = BuildPlan(unit_pipelines={"b.c": "default<O3>"})
    assert len(steps(plan)) == 1
    assert (plan.road(unit()), plan.road(unit("b.c"))) == ("plain", "staged")


def test_ir_in_place_of_a_source_is_optimised_like_the_source() -> None:
    plan = BuildPlan(inputs={"a.c": Path("/e/a.ll")})
    assert steps(plan) == [f"/llvm/bin/clang -O2 -Iinc {QUIET} -x ir -c /e/a.ll -o out.o"]


def test_assembly_in_place_of_a_source_takes_only_flags_about_the_machine() -> None:
    plan = BuildPlan(inputs={"a.c": Path("/e/a.s")}, compile_flags=("-mllvm", "-x", "-mavx2"))
    (line,) = steps(plan, unit(argv="-O2 -march=znver3 -target x86_64-linux-gnu"))
    flags = "-march=znver3 -target x86_64-linux-gnu -mavx2"
    assert line == f"/llvm/bin/clang {flags} {QUIET} -x assembler -c /e/a.s -o out.o"


def test_a_fixed_unit_is_built_as_the_user_builds_it() -> None:
    plan = BuildPlan(compile_flags=("-O3",), whole_program=True)
    (line,) = steps(plan, unit("a.S", "assembler-with-cpp"))
    assert line == f"/llvm/bin/clang -O2 -Iinc {QUIET} -x assembler-with-cpp -c /p/a.S -o out.o"


def test_files_that_are_read_are_listed_and_overlaid_on_request() -> None:
    paths = Paths(Path("o"), Path("b"), Path("c"), Path("deps"), Path("over.yaml"))
    plan = BuildPlan(overlay={Path("/p/a.h"): Path("/e/a.h")})
    assert "-MD -MF deps -ivfsoverlay over.yaml" in steps(plan, paths=paths)[0]
    assert "-ivfsoverlay" not in steps(PLAIN, paths=paths)[0]


def test_an_overlay_names_originals_and_replacements() -> None:
    plan = BuildPlan(overlay={Path("/p/a b.c"): Path("/e/1.c"), Path("/p/a.h"): Path("/e/2")})
    overlay = json.loads(overlay_file(plan))
    assert overlay["use-external-names"] is False
    assert [(root["name"], root["external-contents"]) for root in overlay["roots"]] == [
        ("/p/a b.c", "/e/1.c"),
        ("/p/a.h", "/e/2"),
    ]


def test_the_link_keeps_the_users_order_and_the_plans_flags_stand_last() -> None:
    plan = BuildPlan(link_flags=("-Wl,-O1",))
    assert link(plan) == f"/llvm/bin/clang /o/a.o -lm x.o -pthread {QUIET} -Wl,-O1 -o /out/prog"


def test_a_cpp_program_is_linked_by_the_cpp_driver() -> None:
    assert link(PLAIN, "c++").startswith("/llvm/bin/clang++ ")


def test_without_lld_a_plan_that_needs_it_says_what_to_install() -> None:
    plan = BuildPlan(layout_seed=1)
    with pytest.raises(ToolchainError) as caught:
        link_argv(captured(), plan, WITHOUT_LLD, {"a.c": Path("a.o")}, Path("prog"))
    assert caught.value.hint == "apt-get install lld-22"
    assert link_argv(captured(), PLAIN, WITHOUT_LLD, {"a.c": Path("a.o")}, Path("prog"))


def test_words_for_the_linker_are_not_split_at_commas() -> None:
    assert linker_words("--x=a,b", "y") == ("-Xlinker", "--x=a,b", "-Xlinker", "y")
    assert link_option("-o=1,2") == ("-Xlinker", "-mllvm", "-Xlinker", "-o=1,2")


def test_bitcode_is_unoptimised_but_ready_for_o3() -> None:
    argv = bitcode_argv(unit(), BuildPlan(compile_flags=("-mavx2",)), TOOLCHAIN, Path("a.bc"))
    assert " ".join(argv) == (
        f"/llvm/bin/clang -O2 -Iinc -mavx2 -O3 {' '.join(NO_LTO)} -Xclang -disable-llvm-passes "
        f"-emit-llvm {QUIET} -x c -c /p/a.c -o a.bc"
    )


def test_the_words_of_a_plan_are_the_ones_that_it_is_built_with() -> None:
    plan = BuildPlan(
        compile_flags=("-O3",), whole_program=True, pipeline="sroa", link_flags=("-s",)
    )
    assert " ".join(plan.compile_words()) in steps(plan)[0]
    assert " ".join(plan.link_words()) in link(plan)


@pytest.mark.parametrize(
    "fields",
    [
        {"pipeline": "sroa"},
        {"whole_program": True, "unit_pipelines": {"a.c": "sroa"}},
        {"inputs": {"a.c": Path("a.txt")}},
        {"layout_seed": -1},
        {"unknown": 1},
    ],
)
def test_a_plan_that_no_road_can_build_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BuildPlan.model_validate(fields)


def test_a_plan_survives_json() -> None:
    plan = BuildPlan(unit_flags={"a.c": ("-fa",)}, overlay={Path("/a"): Path("/b")}, layout_seed=3)
    assert BuildPlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("flags", "plan", "linked"),
    [
        ("-O2 -flto", PLAIN, True),
        ("-flto=thin", PLAIN, True),
        ("-flto -fno-lto", PLAIN, False),
        ("-flto-jobs=4", PLAIN, False),
        ("-flto", BuildPlan(compile_flags=NO_LTO), False),
        ("-flto", BuildPlan(unit_pipelines={"a.c": "sroa"}), False),
        ("-flto", BuildPlan(unit_pipelines={"b.c": "sroa"}), True),
        ("-O2", BuildPlan(whole_program=True), True),
        ("-flto -ffat-lto-objects", PLAIN, False),
        ("-flto -ffat-lto-objects -fno-fat-lto-objects", PLAIN, False),
        ("-flto -fno-fat-lto-objects", PLAIN, True),
    ],
)
def test_the_last_word_on_lto_says_where_a_unit_is_optimised(
    flags: str, plan: BuildPlan, linked: bool
) -> None:
    assert optimised_by_linker(unit(argv=flags), plan) is linked


@pytest.mark.parametrize(
    ("flags", "level"),
    [("", "O0"), ("-O3 -Os", "Os"), ("-O", "O1"), ("-Og", "O1"), ("-Ofast", "O3"), ("-O4", "O3")],
)
def test_the_last_level_is_the_one_of_the_pipeline(flags: str, level: str) -> None:
    assert optimisation_level(unit(argv=flags), PLAIN) == level
