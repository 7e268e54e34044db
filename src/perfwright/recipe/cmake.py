"""A recipe for CMake."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from perfwright.program.plan import BuildPlan
from perfwright.recipe.head import head, quiet
from perfwright.recipe.model import Recipe
from perfwright.recipe.tools import ToolNames

_USE = """\
# In a fresh build folder:  cmake -DCMAKE_TOOLCHAIN_FILE=/path/to/recipe.cmake ...
# Or, where clang of this LLVM is the compiler already, in CMakeLists.txt behind project():
#   include(recipe.cmake)                                        (CMake 3.19 or later)"""

# CMake reads a toolchain file from these two modules, several times and before it knows the
# compilers; the options need a project that does.
_AS_TOOLCHAIN_FILE = r'if(CMAKE_PARENT_LIST_FILE MATCHES "/CMake(Determine)?System\\.cmake$")'

_UNIT_FLAGS = """\
  function(perfwright_unit folder unit flags)
    set_property(
      SOURCE "${CMAKE_SOURCE_DIR}/${unit}" DIRECTORY "${folder}"
      APPEND_STRING PROPERTY COMPILE_FLAGS " ${flags}")
    get_property(inside DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
    foreach(one IN LISTS inside)
      perfwright_unit("${one}" "${unit}" "${flags}")
    endforeach()
  endfunction()"""
# Properties of sources count in the folder that names the source, and that is known at the end.
_AT_THE_END = 'cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL perfwright_unit'


def cmake(recipe: Recipe, plan: BuildPlan, tools: ToolNames) -> str:
    """A toolchain file that sets the compilers and adds to the options of every target."""
    return "\n".join([*head(recipe, "#"), _USE, *_lines(plan, tools), ""])


def _lines(plan: BuildPlan, tools: ToolNames) -> Iterator[str]:
    yield _AS_TOOLCHAIN_FILE
    yield f"  set(CMAKE_C_COMPILER {_argument(tools.cc)})"
    yield f"  set(CMAKE_CXX_COMPILER {_argument(tools.cxx)})"
    if plan.whole_program:  # object files are bitcode
        yield f"  set(CMAKE_AR {_argument(tools.ar)})"
        yield f"  set(CMAKE_RANLIB {_argument(tools.ranlib)})"
        yield f"  set(CMAKE_NM {_argument(tools.nm)})"
    yield '  set(CMAKE_PROJECT_INCLUDE "${CMAKE_CURRENT_LIST_FILE}")'
    yield "  return()"
    yield "endif()"
    yield "get_property(perfwright_trying GLOBAL PROPERTY IN_TRY_COMPILE)"
    yield "if(NOT perfwright_trying)"
    yield "  include_guard(GLOBAL)"
    for words, command in (
        (plan.compile_words(), "add_compile_options"),
        (plan.link_words(), "add_link_options"),
    ):
        if words:
            # CMake drops the second of two equal words unless they are one option.
            listed = f"SHELL:{_shell(words)}".replace(";", r"\;")
            yield f"  {command}({_argument(listed)})"
    if plan.unit_flags:
        yield _UNIT_FLAGS
    for unit, flags in plan.unit_flags.items():
        yield f'  {_AT_THE_END} "${{CMAKE_SOURCE_DIR}}"'
        yield f"    {_argument(unit)} {_argument(_shell(flags))})"
    yield "endif()"


def _shell(words: Iterable[str]) -> str:
    return shlex.join(quiet(tuple(words)))


def _argument(text: str) -> str:
    """A bracket argument: nothing in it means anything to CMake."""
    fence = "="
    while f"]{fence}]" in text or text.endswith(f"]{fence}"):
        fence += "="
    return f"[{fence}[{text}]{fence}]"
