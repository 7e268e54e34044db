"""`include recipe.mk` in Makefiles as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from perfwright.errors import UserError
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.recipe.exports import export
from perfwright.toolchain.discovery import Toolchain

Bench = Any  # conftest.Bench: test folders are no packages
PLANS = ["options", "whole-program", "pipeline", "one-unit"]

INCLUDE = "include recipe.mk\n"
VARIABLES = "CC = gcc\nCXX = g++\nCFLAGS = -O2\nCXXFLAGS = $(CFLAGS)\n"
RULES = """\
prog: main.o lib/libstep.a
	$(CC) $(LDFLAGS) -o $@ $^
lib/libstep.a: lib/step.o
	$(AR) rcs $@ $^
main.o lib/step.o: %.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
"""
CXX_RULES = RULES.replace("$(CC)", "$(CXX)").replace("CFLAGS", "CXXFLAGS").replace("%.c", "%.cc")
PLACES = {
    "top": INCLUDE + VARIABLES + RULES,
    "after the variables": VARIABLES + INCLUDE + RULES,
    "end": VARIABLES + RULES + INCLUDE,
}


def ready(bench: Bench, plan: BuildPlan | str, toolchain: Toolchain, makefile: str) -> None:
    bench.sources()
    bench.write("recipe.mk", export(bench.recipe(plan, toolchain), "make"))
    bench.write("Makefile", makefile)


@pytest.mark.llvm
@pytest.mark.parametrize("name", PLANS)
def test_every_kind_of_recipe_gives_the_code_that_was_measured(
    bench: Bench, each_toolchain: Toolchain, name: str
) -> None:
    ready(bench, name, each_toolchain, PLACES["top"])
    bench.make()
    assert bench.code() == bench.measured(bench.plan(name), each_toolchain)
    assert bench.code() != bench.measured(PLAIN, each_toolchain)


@pytest.mark.llvm
def test_a_build_with_link_time_optimisation_can_be_one_without(
    bench: Bench, toolchain: Toolchain
) -> None:
    variables = VARIABLES.replace("-O2", "-O2 -flto") + "LDFLAGS = -flto -fuse-ld=lld\n"
    ready(bench, "per-unit", toolchain, variables + RULES + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan("per-unit"), toolchain, ["-flto"])
    assert bench.code() == bench.measured(PLAIN, toolchain, [])
    assert bench.code() != bench.measured(PLAIN, toolchain, ["-flto"])


@pytest.mark.llvm
def test_options_reach_the_link_time_optimisation_of_a_build_that_has_it(
    bench: Bench, each_toolchain: Toolchain
) -> None:
    variables = VARIABLES.replace("-O2", "-O2 -flto") + "LDFLAGS = -flto -fuse-ld=lld\n"
    ready(bench, "of-flto", each_toolchain, variables + RULES + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan("of-flto"), each_toolchain, ["-flto"])
    compiled = bench.plan("of-flto").model_copy(update={"link_flags": ()})
    assert bench.code() != bench.measured(compiled, each_toolchain, ["-flto"])


@pytest.mark.llvm
@pytest.mark.parametrize("place", PLACES)
def test_the_place_of_the_include_does_not_matter(
    bench: Bench, toolchain: Toolchain, place: str
) -> None:
    ready(bench, "one-unit", toolchain, PLACES[place])
    bench.make()
    assert bench.code() == bench.measured(bench.plan("one-unit"), toolchain)


@pytest.mark.llvm
@pytest.mark.parametrize("place", PLACES)
def test_variables_of_the_command_line_do_not_push_the_recipe_out(
    bench: Bench, toolchain: Toolchain, place: str
) -> None:
    ready(bench, "whole-program", toolchain, PLACES[place].replace("-O2", "-O0"))
    bench.make("CC=cc", "CFLAGS=-O2", "LDFLAGS=-s")
    assert bench.code() == bench.measured(bench.plan("whole-program"), toolchain)


@pytest.mark.llvm
def test_cpp_programs_get_the_flags_by_cxxflags(bench: Bench, toolchain: Toolchain) -> None:
    ready(bench, "options", toolchain, INCLUDE + VARIABLES + CXX_RULES)
    for old in bench.folder.rglob("*.c"):
        old.rename(old.with_suffix(".cc"))
    bench.make()
    assert bench.code() == bench.measured(bench.plan("options"), toolchain)


@pytest.mark.llvm
def test_variables_made_of_cflags_at_once_have_the_flags_too(
    bench: Bench, toolchain: Toolchain
) -> None:
    makefile = VARIABLES + "FLAGS := $(CFLAGS)\n" + RULES.replace("$(CFLAGS)", "$(FLAGS)")
    ready(bench, "options", toolchain, makefile + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan("options"), toolchain)


@pytest.mark.llvm
def test_simply_expanded_flags_and_flags_of_one_target_keep_theirs(
    bench: Bench, toolchain: Toolchain
) -> None:
    makefile = VARIABLES.replace(" = ", " := ") + RULES + "lib/step.o: CFLAGS += -DHERE\n"
    ready(bench, "one-unit", toolchain, makefile + INCLUDE)
    assert "-DHERE" in bench.make().text
    assert bench.code() == bench.measured(bench.plan("one-unit"), toolchain)


@pytest.mark.llvm
@pytest.mark.parametrize("name", ["options", "whole-program"])
def test_a_build_in_one_command_with_werror_works(
    bench: Bench, toolchain: Toolchain, name: str
) -> None:
    rule = "prog: main.c lib/step.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^\n"
    ready(bench, name, toolchain, VARIABLES.replace("-O2", "-O2 -Werror -Wall") + rule + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan(name), toolchain)


@pytest.mark.llvm
@pytest.mark.parametrize("name", ["whole-program", "pipeline"])
def test_rules_without_the_variables_get_the_flags_by_the_compiler(
    bench: Bench, each_toolchain: Toolchain, name: str
) -> None:
    rules = RULES.replace("$(LDFLAGS)", "").replace("$(CFLAGS)", "-O2 -Werror")
    ready(bench, name, each_toolchain, VARIABLES + rules + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan(name), each_toolchain)


@pytest.mark.llvm
def test_implicit_rules_work(bench: Bench, toolchain: Toolchain) -> None:
    makefile = "CFLAGS = -O2\nVPATH = lib\nprog: main.o step.o\n\t$(LINK.o) $^ -o $@\n"
    ready(bench, "one-unit", toolchain, makefile + INCLUDE)
    bench.make()
    assert bench.code() == bench.measured(bench.plan("one-unit"), toolchain)


def test_bitcode_in_archives_needs_the_archiver_of_the_same_llvm(bench: Bench) -> None:
    text = export(bench.recipe("whole-program"), "make")
    assert "override AR := llvm-ar-22\noverride RANLIB := llvm-ranlib-22\n" in text
    assert "AR" not in export(bench.recipe("options"), "make")


def test_characters_that_mean_something_to_make_are_escaped(bench: Bench) -> None:
    plan = BuildPlan(compile_flags=("-DA=$x#y",), unit_flags={"a%b.c": ("-DB",)})
    text = export(bench.recipe(plan), "make")
    assert r"'-DA=$$x\#y'" in text
    assert r"$(filter %/a\%b.c,$(abspath $<))" in text


@pytest.mark.parametrize(
    "plan",
    [
        BuildPlan(unit_pipelines={"main.c": "default<O3>"}),
        BuildPlan(unit_flags={"main.c#2": ("-DA",)}),
        BuildPlan(unit_flags={"a file.c": ("-DA",)}),
    ],
)
def test_what_a_makefile_cannot_say_is_refused(bench: Bench, plan: BuildPlan) -> None:
    with pytest.raises(UserError) as caught:
        export(bench.recipe(plan), "make")
    assert "--format shell" in caught.value.hint
