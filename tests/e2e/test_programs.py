"""Programs in every shape that `tune` takes; no rounds, since the shape is what is tested."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

User = Any
Write = Callable[[Path, Mapping[str, str]], Path]

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#ifdef __cplusplus
extern "C"
#endif
unsigned step(unsigned x, unsigned k);
int main(int count, char **words)
{
    unsigned n = count > 1 ? (unsigned)atoi(words[1]) : 4000000u, x = 1;
    for (unsigned i = 0; i < n; i++)
        x = step(x, i & 7);
    printf("%u\\n", x);
    return 0;
}
"""
STEP = "unsigned step(unsigned x, unsigned k) { return x * 1664525u + k; }\n"
CXX_STEP = 'extern "C" ' + STEP
TWO_UNITS = {"main.c": MAIN, "lib/step.c": STEP}

READS = """\
#include <stdio.h>
#include <stdlib.h>
static char buffer[1 << 16];
int main(int count, char **words)
{
    const char *scale = getenv("SCALE");
    FILE *table = fopen("data/table.txt", "r");
    unsigned factor, sum;
    if (count != 2 || !scale || !table || fscanf(table, "%u", &factor) != 1)
        return 1;
    size_t size = fread(buffer, 1, sizeof buffer, stdin);
    sum = (unsigned)atoi(scale);
    for (int round = 0; round < 300; round++)
        for (size_t i = 0; i < size; i++)
            sum = sum * factor + (unsigned char)buffer[i];
    FILE *out = fopen("out.txt", "w");
    fprintf(out, "%u\\n", sum);
    fclose(out);
    printf("%g\\n", sum / 3.0 + size);
    return 3;
}
"""

BUILDS: Mapping[str, Mapping[str, str]] = {
    "make with an archive": {
        **TWO_UNITS,
        "Makefile": "CFLAGS = -O2\nprog: main.o lib/libstep.a\n\t$(CC) -o $@ main.o -Llib -lstep\n"
        "lib/libstep.a: lib/step.o\n\t$(AR) rcs $@ $^\n",
        "perfwright.toml": '[program]\nname = "prog"\nbuild = "make"\nbinary = "prog"\n',
    },
    "cmake": {
        **TWO_UNITS,
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(prog C)\n"
        "add_library(step STATIC lib/step.c)\nadd_executable(prog main.c)\n"
        "target_link_libraries(prog step)\n",
        "perfwright.toml": '[program]\nname = "prog"\n'
        'build = "cmake -DCMAKE_BUILD_TYPE=Release -B out . && cmake --build out"\n'
        'binary = "out/prog"\n',
    },
}


def no_gain(said: Any) -> dict[str, Any]:
    """The document of a campaign that looked at the program and tried nothing."""
    assert said.status == 0, said.err
    document: dict[str, Any] = said.document
    assert (document["status"], document["rounds"]) == ("no-gain", [])
    assert document["baseline"]["seconds"] > 0
    return document


@pytest.mark.parametrize("name", BUILDS)
def test_units_are_captured_from_a_build(user: User, written: Write, name: str) -> None:
    if not shutil.which(name.partition(" ")[0]):
        pytest.skip(f"{name} is not installed")
    written(user.cwd, BUILDS[name])
    assert no_gain(user.types("tune", ".", "--rounds", "0", "--json"))["program"] == "prog"


def test_one_file_with_arguments_and_spaces_in_paths(user: User, written: Write) -> None:
    folder = written(user.cwd / "my files", {"a prog.c": MAIN + STEP, "x y.txt": "1"})
    tune = ("tune", "--rounds", "0", "--json", folder / "a prog.c", "--", "3000000", "x y.txt")
    assert no_gain(user.types(*tune))["program"] == "a prog"


def test_a_compilation_database_from_a_read_only_folder(user: User, written: Write) -> None:
    folder = written(user.cwd / "p", TWO_UNITS)
    entries = [
        f'{{"directory": "{folder}", "file": "{name}", "command": "cc -O2 -c {name}"}}'
        for name in TWO_UNITS
    ]
    (folder / "compile_commands.json").write_text(f"[{', '.join(entries)}]")
    paths = [*folder.rglob("*"), folder]
    for path in paths:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    no_gain(user.types("tune", folder, "--rounds", "0", "--json", "--", "3000000"))
    assert set(folder.rglob("*")) | {folder} == set(paths)
    folder.chmod(0o755)
    (folder / "lib").chmod(0o755)


def test_input_files_variables_results_and_tolerances(user: User, written: Write) -> None:
    toml = """\
[program]
sources = ["reads.c"]
[[workload]]
args = ["x"]
stdin = "data/in put"
env = { SCALE = "7" }
files = ["data/table.txt"]
[[workload]]
args = ["y"]
stdin = "data/table.txt"
env = { SCALE = "8" }
role = "confirm"
[oracle]
exit = 3
files = ["out.txt"]
stdout = { rel = 1e-9 }
"""
    files = {"perfwright.toml": toml, "reads.c": READS, "data/in put": "abc" * 9999}
    written(user.cwd, {**files, "data/table.txt": "31\n"})
    no_gain(user.types("tune", "perfwright.toml", "--rounds", "0", "--json"))
    assert not (user.cwd / "out.txt").exists()


def test_cpp_on_another_toolchain_for_this_cpu(
    user: User, written: Write, each_toolchain: Any
) -> None:
    toml = '[program]\nname = "prog"\nsources = ["main.cpp", "lib/step.cc"]\n'
    written(user.cwd, {"main.cpp": MAIN, "lib/step.cc": CXX_STEP, "perfwright.toml": toml})
    options = ("--cpu", "native", "--toolchain", str(each_toolchain.major))
    document = no_gain(user.types("tune", ".", "--rounds", "0", "--json", *options))
    assert document["toolchain"]["version"] == each_toolchain.version
    assert document["target"]["cpu"] not in ("generic", "native")


def test_limits_on_time_and_size_are_kept(user: User, written: Write) -> None:
    toml = '[program]\nname = "prog"\nsources = ["main.c", "lib/step.c"]\n'
    written(user.cwd, {**TWO_UNITS, "perfwright.toml": toml})
    options = ("--time", "60s", "--rounds", "1", "--max-size", "0.5")
    said = user.types("tune", ".", "--json", *options)
    assert said.status == 0, said.err
    trials = [trial for round_ in said.document["rounds"] for trial in round_["trials"]]
    assert {trial["state"] for trial in trials} <= {"rejected", "identical", "unbuildable"}
    assert any("over --max-size 0.5" in trial["reason"] for trial in trials)


def test_a_weak_oracle_is_gone_on_with_when_asked_to(user: User, written: Write) -> None:
    source = "int main(void) { volatile int s = 0; for (int i = 0; i < 9999999; i++) s += i; }\n"
    written(user.cwd, {"a.c": source})
    document = no_gain(user.types("tune", "a.c", "--rounds", "0", "--json", "--weak-oracle"))
    assert any(warning["text"].startswith("weak oracle") for warning in document["warnings"])


def test_results_go_where_they_are_wanted(user: User, written: Write) -> None:
    written(user.cwd, {"a.c": MAIN + STEP})
    document = no_gain(user.types("tune", "a.c", "--rounds", "0", "--json", "--out", "results"))
    assert document["report"] == str(user.cwd / "results" / "report.html")
    shown = user.types("show", "last", "--json", cwd=user.home)
    assert shown.document["report"] == document["report"]
