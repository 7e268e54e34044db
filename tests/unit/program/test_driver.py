from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.program import driver_options
from perfwright.program.driver import Language, expand_response_files, language_of, parse
from perfwright.toolchain.discovery import discover
from perfwright.toolchain.process import run


def flags(line: str, language: Language = "c") -> str:
    return " ".join(parse(line.split(), language).compile_flags())


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("-c a.c", "object"),
        ("a.c -o a", "link"),
        ("a.o b.o -lm", "link"),
        ("-S a.c", "assembly"),
        ("-E a.c", "preprocess"),
        ("-c -E a.c", "preprocess"),
        ("-MM a.c", "preprocess"),
        ("-fsyntax-only a.c", "preprocess"),
        ("-MMD -MP -c a.c", "object"),
        ("--version", "query"),
        ("-v", "query"),
        ("-v a.c", "link"),
        ("-### a.c", "query"),
        ("-print-prog-name=ld", "query"),
        ("-print-search-dirs", "query"),
        ("-dumpmachine", "query"),
        ("-cc1 -triple x a.c", "query"),
        ("-O2", "query"),
    ],
)
def test_the_stage_is_the_earliest_one_that_an_option_asks_for(line: str, stage: str) -> None:
    assert parse(line.split(), "c").stage == stage


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("-c a.c -o b.o", "b.o"),
        ("-c a.c -ob.o", "b.o"),
        ("-c -o first.o a.c -o last.o", "last.o"),
        ("-c a.c", None),
        ("a.c -objcmt-atomic-property", None),
        ("a.c --output=b", "b"),
    ],
)
def test_the_output_is_read_in_all_its_spellings(line: str, output: str | None) -> None:
    assert parse(line.split(), "c").output == output


def test_without_an_output_an_object_file_is_named_after_its_source() -> None:
    invocation = parse(["-c", "src/a.c", "../b.cc"], "c")
    assert [invocation.object_of(word) for word in invocation.sources] == ["a.o", "b.o"]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("-O2 -Iinc -I inc -DA=1 -c a.c -o a.o", "-O2 -Iinc -I inc -DA=1"),
        ("-O2 -MD -MP -MF a.d -MT a.o -MQ x -c a.c", "-O2"),
        ("-Wp,-MD,a.d -Wall -c a.c", "-Wall"),
        ("-O2 a.c b.o -L. -L lib -lm -l z -Wl,-z,now -Xlinker -x -static -s -o a", "-O2"),
        ("-shared -fPIC -pthread -fuse-ld=lld -rdynamic a.c", "-fPIC -pthread"),
        ("-x c a -x none b.o -O1", "-O1"),
        ("-xc++ a -O1", "-O1"),
        ("-mllvm -unroll-count=2 -Xclang -load -c a.c", "-mllvm -unroll-count=2 -Xclang -load"),
        (
            "-target riscv64-linux-gnu --target=x --sysroot /x -c a.c",
            "-target riscv64-linux-gnu --target=x --sysroot /x",
        ),
        ("-T script.ld -e start -u sym -z now -O1 a.c", "-O1"),
        ("-save-temps=obj -O1 -c a.c", "-O1"),
        ("-include a.c -c b.c", "-include a.c"),
    ],
)
def test_a_unit_keeps_the_flags_that_matter_to_compiling(line: str, kept: str) -> None:
    assert flags(line) == kept


def test_a_value_that_looks_like_a_source_is_no_input() -> None:
    invocation = parse(["-include", "pre.c", "-MF", "dep.c", "-c", "a.c"], "c")
    assert [word.name for word in invocation.sources] == ["a.c"]


@pytest.mark.parametrize(
    ("line", "language", "types"),
    [
        (
            "a.c b.cc c.C d.s e.S f.i g.ii h.o i.a j.ll",
            "c",
            "c c++ c++ assembler assembler-with-cpp cpp-output c++-cpp-output object object ir",
        ),
        ("a.c a.i", "c++", "c++ c++-cpp-output"),
        ("-x c++ a.c -x none b.c", "c", "c++ c"),
        ("-x c -", "c", "c"),
        ("-", "c", "other"),
        ("-x c-header a.h", "c", "other"),
        ("a.h a.m a.f90", "c", "other other other"),
        ("-- -a.c", "c", "c"),
    ],
)
def test_inputs_are_told_by_suffix_and_by_x(line: str, language: Language, types: str) -> None:
    words = parse(line.split(), language).words
    assert [word.input_type for word in words if word.is_input] == types.split()


def test_a_link_command_keeps_everything_but_output_and_x_in_order() -> None:
    line = "-x c a.c -x none -O2 -Wl,--start-group b.o c.a -Wl,--end-group -lm -o a -MMD"
    words = parse(line.split(), "c").link_words()
    kept = " ".join(text for word in words for text in word.texts)
    assert kept == "a.c -O2 -Wl,--start-group b.o c.a -Wl,--end-group -lm"


def test_response_files_are_replaced_by_their_words() -> None:
    files = {"one": "-O2 '-DA=x y' @two", "two": 'b.c\n"c d.c"'}
    words = expand_response_files(["@one", "@absent", "-c"], files.get)
    assert words == ("-O2", "-DA=x y", "b.c", "c d.c", "@absent", "-c")


def test_a_response_file_that_names_itself_ends() -> None:
    assert expand_response_files(["@me"], {"me": "-O2 @me"}.get).count("-O2") == 10


@pytest.mark.parametrize(
    ("name", "language"), [("a.c", "c"), ("a.cpp", "c++"), ("a.C", "c++"), ("a.s", None)]
)
def test_the_suffix_tells_the_language(name: str, language: str | None) -> None:
    assert language_of(name) == language


WORDS = st.sampled_from(
    ["a.c", "b.o", "-O2", "-I", "-Iinc", "-o", "-ox", "-x", "c", "-", "-lm", "-Wl,-z,now", "-mllvm"]
)


@given(st.lists(WORDS))
def test_taking_apart_loses_and_reorders_nothing(argv: list[str]) -> None:
    words = parse(argv, "c").words
    assert [text for word in words for text in word.texts] == argv


@pytest.mark.llvm
def test_every_installed_clang_takes_a_value_after_the_listed_options(tmp_path: Path) -> None:
    # `--config` reads its file before anything else is looked at.
    pairs = [(name, f"value{name}.c") for name in driver_options.TAKES_NEXT - {"--config"}]
    for toolchain in discover():
        words = [word for pair in pairs for word in pair]
        argv = [str(toolchain.tool("clang")), "-###", *words, "-x", "c", "-c", "sentinel.c"]
        said = run(argv, cwd=tmp_path).error_text  # some of the options write files
        missing = [line for line in said.splitlines() if "no such file or directory" in line]
        assert [line for line in missing if "'value" in line and ".c'" in line] == []
        assert any("sentinel.c" in line for line in missing)
