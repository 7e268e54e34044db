"""Whatever is wrong: the right exit status, one JSON object, and words without a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

User = Any  # conftest.User: test folders are no packages
Write = Callable[[Path, Mapping[str, str]], Path]

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

RANDOM = (
    '#include <stdio.h>\nint main(void) { unsigned x; FILE *f = fopen("/dev/urandom", "r");\n'
    "if (!f || fread(&x, 4, 1, f) != 1) return 9;\n%s return 0; }\n"
)
OK = '#include <stdio.h>\nint main(void) { puts("fine"); return 0; }\n'
TOML = '[program]\nsources = ["a.c"]\n'


def refused(said: Any, status: int, *facts: str) -> dict[str, Any]:
    """What the document says, after everything that holds for all failures."""
    assert said.status == status, said.err
    document: dict[str, Any] = said.document
    assert document["status"] == "failed"
    assert document["cause"]
    told = said.err[said.err.index("perfwright: ") :]
    assert "\n  try: " in told
    for fact in facts:
        assert fact in told
    return document


# --- the command line: 2, or 3 for the toolchain ---------------------------------------------

COMMAND_LINES = {
    "--rounds -1": ("invalid value for '--rounds'", "perfwright tune --help"),
    "--bogus": ("no such option: --bogus", "perfwright tune --help"),
    "--time 10x": ("'10x' is not a duration", "write for example 90s, 10m"),
    "--mind builtn": ("unknown mind 'builtn'", "try:   --mind builtin"),
    "--metric cycle": ("unknown metric 'cycle'", "known: cycles, "),
    "--levels pipelin": ("unknown level 'pipelin'", "try:   pipeline"),
    "--cpu znver": ("unknown CPU 'znver'", "known: znver"),
    "--out a.c": ("cannot write to a.c", "name another folder with --out"),
}


@pytest.mark.parametrize("options", COMMAND_LINES)
def test_a_wrong_option_is_bad_usage(user: User, written: Write, options: str) -> None:
    written(user.cwd, {"a.c": OK})
    said = user.types("tune", "a.c", "--json", *options.split())
    document = refused(said, 2, *COMMAND_LINES[options])
    assert document["campaign"] is None
    assert not (user.home / "work").exists()


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ("23", ("LLVM 23 is not installed", "apt-get install clang-23")),
        ("15", ("LLVM 15 is too old",)),
        ("/nowhere/llvm", ("no LLVM from version 17 on at /nowhere/llvm",)),
    ],
)
def test_a_toolchain_that_is_not_there_is_3(
    user: User, written: Write, options: str, facts: tuple[str, ...]
) -> None:
    written(user.cwd, {"a.c": OK})
    refused(user.types("tune", "a.c", "--json", "--toolchain", options), 3, *facts)


def test_a_toolchain_without_a_tool_is_3(user: User, written: Write, toolchain: Any) -> None:
    folder = user.cwd / "llvm"
    path = folder / "path"
    path.mkdir(parents=True)
    for name in ("clang", "opt"):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {toolchain.tool(name)} "$@"\n')
        script.chmod(0o755)
    for name in ("bwrap", "sh", "env", "ld"):
        found = next((p for p in os.defpath.split(":") if Path(p, name).exists()), None)
        if found:
            (path / name).symlink_to(Path(found, name))
    written(user.cwd, {"a.c": OK})
    said = user.types("tune", "a.c", "--json", PERFWRIGHT_LLVM=str(folder), PATH=str(path))
    refused(said, 3, " has no llvm-", f"apt-get install llvm-{toolchain.major}")


# --- the program's description: 2, with the place ----------------------------------------------

FILES: Mapping[str, tuple[Mapping[str, str], str, tuple[str, ...]]] = {
    "nothing": ({}, "missing.c", ("there is no ", "missing.c")),
    "no description": ({"x": ""}, ".", ("holds no program", "perfwright.toml")),
    "no source": ({"a.txt": ""}, "a.txt", ("is no program", ".cpp")),
    "syntax": (
        {"perfwright.toml": '[program]\nname = "a\n'},
        ".",
        ("perfwright.toml:2:", "no TOML"),
    ),
    "unknown key": (
        {"perfwright.toml": TOML + "cflag = []\n", "a.c": OK},
        ".",
        ("perfwright.toml:3: unknown key 'cflag' in [program]", "try:   cflags"),
    ),
    "wrong type": (
        {"perfwright.toml": TOML + "[[workload]]\nargs = [1]\n", "a.c": OK},
        ".",
        ("perfwright.toml:4: workload[0].args", 'args = ["data/large.txt", "3"]'),
    ),
    "missing input": (
        {"perfwright.toml": TOML + '[[workload]]\nstdin = "in.txt"\n', "a.c": OK},
        ".",
        ("perfwright.toml:4: in.txt does not exist",),
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_description_is_bad_input(user: User, written: Write, case: str) -> None:
    files, program, facts = FILES[case]
    written(user.cwd, files)
    assert refused(user.types("tune", program, "--json"), 2, *facts)["campaign"] is None


# --- the program: 4 ------------------------------------------------------------------------------

PROGRAMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "does not compile": (
        "int main(void) { return x; }\n",
        ("does not build with LLVM", "a.c:1:25: error: use of undeclared identifier 'x'"),
    ),
    "does not link": (
        "int nowhere(void);\nint main(void) { return nowhere(); }\n",
        ("does not build with LLVM", "undefined reference to `nowhere'"),
    ),
    "has no main": ("int f(void) { return 1; }\n", (" has no main function",)),
    "crashes": (
        "#include <stdlib.h>\nint main(void) { abort(); }\n",
        ("the program crashes on workload train-1: killed by SIGABRT",),
    ),
    "hangs": (
        "int main(void) { volatile int x = 1; while (x) ; return 0; }\n",
        ("does not end within 0.5 s", "timeout in perfwright.toml"),
    ),
    "fails": (
        "#include <stdio.h>\n"
        'int main(void) { fputs("no luck\\n", stderr); puts("x"); return 3; }\n',
        ("ends with exit status 3", "no luck", "[oracle] exit = 3"),
    ),
    "needs a file": (
        '#include <stdio.h>\nint main(void) { return fopen("data/in.txt", "r") == 0; }\n',
        ("ends with exit status 1", "where 0 is expected"),
    ),
    "prints addresses": (
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'int main(void) { printf("at %p\\n", malloc(9)); }\n',
        ("does not give the same result twice", "addresses", "do not print pointers"),
    ),
    "prints the time": (
        "#include <stdio.h>\n#include <time.h>\nint main(void) { struct timespec t;\n"
        'clock_gettime(CLOCK_MONOTONIC, &t); printf("took %ld ns\\n", t.tv_nsec); }\n',
        ("time stamps or durations", "print times to standard error"),
    ),
    "prints random numbers": (
        RANDOM % 'printf("%u\\n", x);',
        ("random numbers", "fix the seed"),
    ),
    "prints in any order": (
        RANDOM % 'for (unsigned i = 0; i < 99; i++) printf("line %u\\n", (i + x) % 99);',
        ("the order of lines", "sort what is printed"),
    ),
    "prints nothing": (
        "int main(void)\n"
        "{ volatile int s = 0; for (int i = 0; i < 9999999; i++) s += i; return 0; }\n",
        ("the oracle is too weak", "--weak-oracle goes on regardless"),
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_a_program_that_cannot_be_judged_is_4(user: User, written: Write, case: str) -> None:
    source, facts = PROGRAMS[case]
    description = TOML + '[[workload]]\ntimeout = "0.5s"\n' if case == "hangs" else TOML
    written(user.cwd, {"perfwright.toml": description, "a.c": source})
    document = refused(user.types("tune", ".", "--json"), 4, *facts)
    assert document["campaign"]
    assert document["toolchain"]["version"]


def test_an_argument_that_names_no_file_is_pointed_at(user: User, written: Write) -> None:
    source = (
        '#include <stdio.h>\nint main(int n, char **v) { return n > 1 && !fopen(v[1], "r"); }\n'
    )
    written(user.cwd, {"a.c": source})
    said = user.types("tune", "--json", "a.c", "--", "data.txt")
    refused(said, 4, f"there is no data.txt in {user.cwd}")


def test_a_build_that_fails_shows_what_it_said(user: User, written: Write) -> None:
    toml = '[program]\nbuild = "make"\nbinary = "a"\n'
    written(user.cwd, {"perfwright.toml": toml, "Makefile": "a: b.o\n\t$(CC) -o $@ $<\n"})
    refused(user.types("tune", ".", "--json"), 4, "the build fails: make", "No rule to make target")


# --- campaigns and recipes ------------------------------------------------------------------------

NO_CAMPAIGN = ("show", "explain", "replay", "resume")


@pytest.mark.parametrize("command", NO_CAMPAIGN)
def test_without_a_campaign_there_is_nothing_to_show(user: User, command: str) -> None:
    refused(user.types(command, "last", "--json"), 2, "there is no campaign yet", "perfwright tune")


def test_without_a_campaign_lists_are_empty(user: User) -> None:
    assert user.types("runs", "--json").json == {"campaigns": []}
    assert "no campaign yet" in user.types("runs").err
    assert user.types("clean", "--json").json["campaigns"] == 0
    for command in ("recipe", "report"):
        said = user.types(command, "last")
        assert (said.status, said.out) == (2, "")


@pytest.mark.parametrize("words", [(), ("tun",), ("--bogus",)])
def test_without_a_command_there_is_help(user: User, words: tuple[str, ...]) -> None:
    said = user.types(*words)
    assert (said.status, said.out) == (2, "")
    assert "perfwright --help" in said.err or "Commands:" in said.err


def test_a_file_that_is_no_recipe_is_bad_input(user: User, written: Write) -> None:
    written(user.cwd, {"r.toml": "[build]\n", "s.toml": "= 1"})
    refused_words = {
        "r.toml": "is no recipe of this version",
        "s.toml": "is no TOML",
        "t": "cannot read",
    }
    for name, words in refused_words.items():
        said = user.types("verify", name, "--json")
        assert (said.status, said.json["status"]) == (2, "failed")
        assert words in said.err
