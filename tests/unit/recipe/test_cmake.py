"""The recipe as CMake's toolchain file."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from perfwright.errors import UserError
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.recipe.exports import export
from perfwright.recipe.tools import ToolNames
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

Bench = Any
PLANS = ["options", "whole-program", "pipeline", "one-unit"]
LISTS = """\
cmake_minimum_required(VERSION 3.13)
project(prog C CXX)
set(CMAKE_C_FLAGS "-O2")
add_subdirectory(lib)
add_executable(prog main.c)
target_link_libraries(prog step)
"""
INNER = "project(inner C)\nadd_library(step STATIC step.c)\n"

needs_cmake = pytest.mark.skipif(not shutil.which("cmake"), reason="CMake is not installed")


def built(bench: Bench, *options: str) -> str:
    for words in (["-B", "build", *options], ["--build", "build"]):
        result = run(["cmake", *words], cwd=bench.folder)
        assert result.ok, result.explain() + result.text
    code: str = bench.code("build/prog")
    return code


def ready(bench: Bench, name: str, toolchain: Toolchain, lists: str = LISTS) -> str:
    bench.sources()
    bench.write("CMakeLists.txt", lists)
    bench.write("lib/CMakeLists.txt", INNER)
    text = export(bench.recipe(name, toolchain), "cmake")
    return f"-DCMAKE_TOOLCHAIN_FILE={bench.write('recipe.cmake', text)}"


@needs_cmake
@pytest.mark.llvm
@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja"])
def test_every_kind_of_recipe_gives_the_code_that_was_measured(
    bench: Bench, toolchain: Toolchain, name: str, generator: str
) -> None:
    if generator == "Ninja" and not shutil.which("ninja"):
        pytest.skip("ninja is not installed")
    option = ready(bench, name, toolchain)
    assert built(bench, option, "-G", generator) == bench.measured(bench.plan(name), toolchain)
    assert bench.code("build/prog") != bench.measured(PLAIN, toolchain)


@needs_cmake
@pytest.mark.llvm
@pytest.mark.parametrize(
    ("asking", "lto"),
    [
        ('set(CMAKE_C_FLAGS "-O2 -flto")', "-flto"),
        ("set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)", "-flto=thin"),
    ],
)
@pytest.mark.parametrize("name", ["per-unit", "of-flto"])
def test_a_recipe_for_a_build_with_link_time_optimisation(
    bench: Bench, toolchain: Toolchain, asking: str, lto: str, name: str
) -> None:
    lists = LISTS.replace("add_sub", f"{asking}\nadd_link_options(-fuse-ld=lld)\nadd_sub")
    option = ready(bench, name, toolchain, lists)
    assert built(bench, option) == bench.measured(bench.plan(name), toolchain, [lto])


@needs_cmake
@pytest.mark.llvm
def test_flags_of_the_command_line_do_not_push_the_recipe_out(
    bench: Bench, toolchain: Toolchain
) -> None:
    lists = LISTS.replace('set(CMAKE_C_FLAGS "-O2")\n', "")
    option = ready(bench, "options", toolchain, lists)
    made = built(bench, option, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O2")
    assert made == bench.measured(bench.plan("options"), toolchain)


@needs_cmake
@pytest.mark.llvm
def test_it_may_be_included_behind_project(bench: Bench, toolchain: Toolchain) -> None:
    lists = LISTS.replace("project(prog C CXX)\n", "project(prog C CXX)\ninclude(recipe.cmake)\n")
    ready(bench, "one-unit", toolchain, lists)
    made = built(bench, f"-DCMAKE_C_COMPILER={toolchain.tool('clang')}")
    assert made == bench.measured(bench.plan("one-unit"), toolchain)


def test_tools_that_are_not_on_path_are_named_in_full(bench: Bench) -> None:
    tools = ToolNames("/opt/l 22/clang", "/opt/l 22/clang++", "/opt/ar", "/opt/ranlib", "/opt/nm")
    text = export(bench.recipe("whole-program"), "cmake", tools=tools)
    assert "set(CMAKE_C_COMPILER [=[/opt/l 22/clang]=])" in text
    assert "set(CMAKE_AR [=[/opt/ar]=])" in text


def test_what_flags_cannot_say_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError):
        export(bench.recipe(BuildPlan(unit_pipelines={"main.c": "default<O3>"})), "cmake")
