from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from perfwright.errors import ProgramError, UserError
from perfwright.program.build import Built, build, build_baseline
from perfwright.program.capture import capture, from_commands, from_sources
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import PLAIN
from perfwright.program.spec import load
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

MAIN = "int twice(int);\nint main(int n, char **a) { (void)a; return twice(n) - 2; }\n"
TWICE = "#ifndef FACTOR\n#define FACTOR 2\n#endif\nint twice(int x) { return FACTOR * x; }\n"
UNUSED = "int unused(int x) { return x - 7; }\n"


class Project:
    """A program in a folder, and its capture."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.folder = folder / "the program"
        self.scratch = folder / "scratch"
        self.out = folder / "out"
        self.toolchain = toolchain
        self.write("main.c", MAIN)
        self.write("twice.c", TWICE)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def capture(self, build: str, binary: str = "prog", **environ: str) -> CapturedBuild:
        command = json.dumps(build)  # a JSON string is a TOML string
        self.write("perfwright.toml", f'[program]\nbuild = {command}\nbinary = "{binary}"\n')
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **environ}
        return capture(load(self.folder), self.toolchain, self.scratch, environ=env)

    def error(self, build: str, binary: str = "prog") -> ProgramError:
        with pytest.raises(ProgramError) as caught:
            self.capture(build, binary)
        assert caught.value.hint
        return caught.value

    def replay(self, captured: CapturedBuild) -> Built:
        result = build(captured, PLAIN, self.toolchain, self.out)
        assert isinstance(result, Built), str(result)
        return result


@pytest.fixture
def project(tmp_path: Path, toolchain: Toolchain) -> Project:
    return Project(tmp_path, toolchain)


def names(captured: CapturedBuild) -> list[str]:
    return [unit.name for unit in captured.units]


def code(path: Path) -> bytes:
    with path.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".text")
        assert section is not None
        return bytes(section.data())


MAKEFILE = """\
CC = gcc -DFACTOR=2
CFLAGS = -O2 -Wall -MMD -MP
bin/prog: main.o src/libtwice.a
\tmkdir -p bin
\t$(CC) $(CFLAGS) main.o src/libtwice.a -lm -o linked && mv linked bin/prog
src/libtwice.a: src/twice.o src/unused.o
\tar rcs $@ $^
"""


@pytest.mark.llvm
def test_a_makefile_with_an_archive_is_captured_and_replayed_to_the_same_code(
    project: Project,
) -> None:
    project.write("Makefile", MAKEFILE)
    project.write("src/twice.c", TWICE)
    project.write("src/unused.c", UNUSED)
    captured = project.capture("make -j4", "bin/prog")
    assert names(captured) == ["main.c", "src/twice.c"]
    assert (captured.binary_name, captured.binary_place) == ("prog", "bin/prog")
    assert captured.units[0].argv == ("-DFACTOR=2", "-O2", "-Wall")
    assert captured.notes == ()
    built = project.replay(captured)
    assert code(built.binary) == code(captured.root / "bin/prog")
    assert run([built.binary]).ok


@pytest.mark.llvm
def test_the_users_folder_stays_as_it_was(project: Project) -> None:
    project.write("Makefile", "prog: main.c twice.c\n\t$(CC) $^ -o $@\n")
    project.capture("make")
    found = sorted(path.name for path in project.folder.rglob("*"))
    assert found == ["Makefile", "main.c", "perfwright.toml", "twice.c"]


@pytest.mark.llvm
def test_object_files_that_lie_about_are_compiled_anew(project: Project) -> None:
    project.write("Makefile", "prog: main.o twice.o\n\tcc $^ -o $@\n")
    clang = str(project.toolchain.tool("clang"))
    assert run(["make", f"CC={clang}"], cwd=project.folder).ok
    assert names(project.capture("make")) == ["main.c", "twice.c"]


@pytest.mark.llvm
def test_a_compiler_given_by_its_path_is_overridden_through_make(project: Project) -> None:
    clang = project.toolchain.tool("clang")
    project.write("Makefile", f"CC = {clang}\nprog: main.o twice.o\n\t$(CC) $^ -o $@\n")
    captured = project.capture("make")
    assert names(captured) == ["main.c", "twice.c"]


CONFIGURE = """\
set -e
: ${CC:=gcc}
echo 'int main(void) { return 0; }' > conftest.c
$CC -o conftest conftest.c && ./conftest
$CC -dumpversion > /dev/null
echo '#define X 1' | $CC -E - > /dev/null
if $CC -c absent.c 2> /dev/null; then exit 1; fi
echo 'int x;' | $CC -x c -c -o conftest.o -
rm -f conftest*
for source in main twice; do gcc -O1 -c $source.c -o $source.o; done
gcc main.o twice.o -o prog -Wl,-s
strip prog
"""


@pytest.mark.llvm
def test_a_script_that_probes_its_compiler_and_names_gcc_is_captured(project: Project) -> None:
    project.write("build.sh", CONFIGURE)
    captured = project.capture("sh build.sh")
    assert names(captured) == ["main.c", "twice.c"]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_a_cmake_project_is_captured_though_it_was_configured_before(project: Project) -> None:
    project.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.10)\nproject(p CXX C)\n"
        "add_library(two STATIC twice.c unused.c)\nadd_executable(prog main.cpp)\n"
        "target_link_libraries(prog two)\n",
    )
    project.write("unused.c", UNUSED)
    project.write("main.cpp", 'extern "C" int twice(int);\nint main() { return twice(1) - 2; }\n')
    project.write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n")
    command = "cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build -j2"
    captured = project.capture(command, "build/prog")
    assert names(captured) == ["main.cpp", "twice.c"]
    assert captured.link.driver == "c++"
    built = project.replay(captured)
    assert code(built.binary) == code(captured.root / "build/prog")


LIBTOOL_LIKE = """\
set -e
mkdir -p .libs
for source in main twice; do
  $CC -O2 -c $source.c -fPIC -DPIC -o .libs/$source.o
  $CC -O2 -c $source.c -o $source.o > /dev/null 2>&1
done
ar cru .libs/libtwice.a twice.o
$CC -O2 -o .libs/prog main.o .libs/libtwice.a
printf '#!/bin/sh\\nexec .libs/prog "$@"\\n' > prog
chmod +x prog
"""


@pytest.mark.llvm
def test_the_program_behind_a_libtool_script_is_captured(project: Project) -> None:
    project.write("build.sh", LIBTOOL_LIKE)
    captured = project.capture("sh build.sh")
    assert names(captured) == ["main.c", "twice.c"]
    assert captured.units[0].argv == ("-O2",)
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_units_are_found_through_a_partial_link(project: Project) -> None:
    captured = project.capture(
        "cc -c main.c twice.c && ld -r main.o twice.o -o all.o && "
        "rm main.o twice.o && cc all.o -o prog"
    )
    assert names(captured) == ["main.c", "twice.c"]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
@pytest.mark.parametrize("after", ["cp prog final", "mv prog final", "strip -o final prog"])
def test_a_binary_is_found_after_it_was_copied_moved_or_stripped(
    project: Project, after: str
) -> None:
    captured = project.capture(
        f"cc -c main.c twice.c; cc main.o twice.o -o prog; cc -Dx main.c twice.c -o other; {after}",
        "final",
    )
    assert [unit.argv for unit in captured.units] == [(), ()]


@pytest.mark.llvm
def test_a_binary_without_any_trace_is_found_when_it_is_the_only_one(project: Project) -> None:
    strip = project.toolchain.tool("llvm-strip")
    captured = project.capture(f"cc main.c twice.c -o prog; {strip} -o final prog", "final")
    assert names(captured) == ["main.c", "twice.c"]


@pytest.mark.llvm
def test_of_two_programs_the_wanted_one_is_captured(project: Project) -> None:
    project.write("check.c", MAIN)
    build = "cc -c main.c check.c twice.c; cc main.o twice.o -o prog; cc check.o twice.o -o check"
    assert names(project.capture(build)) == ["main.c", "twice.c"]
    assert names(project.capture(build, "check")) == ["check.c", "twice.c"]


@pytest.mark.llvm
def test_an_object_name_that_is_used_again_means_what_it_meant_at_the_link(
    project: Project,
) -> None:
    captured = project.capture(
        "cc -c twice.c -o x.o; cc -c main.c; cc main.o x.o -o prog; cc -DFACTOR=9 -c twice.c -o x.o"
    )
    assert [unit.argv for unit in captured.units] == [(), ()]


@pytest.mark.llvm
def test_a_source_that_the_build_deletes_is_kept(project: Project) -> None:
    project.write("inc/factor.h", "#define FACTOR 2\n")
    make = "(echo '#include \"factor.h\"'; cat twice.c) > inc/gen.c"
    captured = project.capture(f"{make}; cc -c inc/gen.c; rm inc/gen.c; cc main.c gen.o -o prog")
    assert names(captured) == ["main.c", "inc/gen.c"]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_a_source_on_standard_input_is_a_unit(project: Project) -> None:
    captured = project.capture("cc -x c -c -o in.o - < twice.c; cc main.c in.o -o prog")
    assert names(captured) == ["main.c", "stdin"]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_a_source_that_is_linked_twice_is_two_units(project: Project) -> None:
    captured = project.capture(
        "cc -c twice.c -o 1.o; cc -Dtwice=thrice -DFACTOR=3 -c twice.c -o 2.o; "
        "cc main.c 1.o 2.o -o prog"
    )
    assert names(captured) == ["main.c", "twice.c", "twice.c#2"]
    assert captured.units[2].argv == ("-Dtwice=thrice", "-DFACTOR=3")
    assert captured.unit("twice.c#2") is captured.units[2]


@pytest.mark.llvm
def test_assembly_is_built_but_is_no_unit_to_edit(project: Project) -> None:
    project.write("empty.s", ".text\n.globl empty\nempty: ret\n")
    captured = project.capture("cc -O1 main.c twice.c empty.s -o prog")
    assert names(captured) == ["main.c", "twice.c"]
    assert [unit.name for unit in captured.fixed_units] == ["empty.s"]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_what_is_not_compiled_by_the_launcher_stays_in_its_place(project: Project) -> None:
    clang = project.toolchain.tool("clang")
    project.write("unused.c", UNUSED)
    captured = project.capture(
        f"{clang} -c twice.c -o foreign.o; cc -c unused.c; ar rcs libmix.a foreign.o unused.o; "
        "cc main.c -L. -lmix -lm -o prog"
    )
    assert names(captured) == ["main.c"]
    built = project.replay(captured)
    assert run([built.binary]).ok


@pytest.mark.llvm
def test_a_shared_library_of_the_build_is_found_and_said_not_to_be_tuned(
    project: Project,
) -> None:
    captured = project.capture(
        "cc -shared -fPIC twice.c -o x.o -c; cc -shared x.o -o libtwo.so; "
        "cc main.c -L. -ltwo -o prog"
    )
    assert names(captured) == ["main.c"]
    assert "libtwo.so is a shared library of this build" in captured.notes[0]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_link_flags_keep_their_order(project: Project) -> None:
    captured = project.capture(
        "cc -c twice.c; ar rcs libtwo.a twice.o; "
        "cc -static main.c -Wl,--start-group libtwo.a -lm -Wl,--end-group -pthread -o prog"
    )
    words = [item.unit or " ".join(item.words) for item in captured.link.items]
    assert words == [
        "-static",
        "main.c",
        "-Wl,--start-group",
        "twice.c",
        "-lm",
        "-Wl,--end-group",
        "-pthread",
    ]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_a_build_that_optimises_at_link_time_is_captured(project: Project) -> None:
    captured = project.capture(
        "cc -O2 -flto -c main.c twice.c; cc -O2 -flto -fuse-ld=lld main.o twice.o -o prog"
    )
    assert names(captured) == ["main.c", "twice.c"]
    assert code(project.replay(captured).binary) == code(captured.root / "prog")


@pytest.mark.llvm
def test_variables_that_clang_reads_belong_to_the_unit(project: Project) -> None:
    project.write("inc/f.h", "#define FACTOR 2\n")
    project.write("twice.c", "#include <f.h>\n" + TWICE)
    captured = project.capture("CPATH=inc cc -c twice.c; cc main.c twice.o -o prog")
    assert captured.unit("twice.c").env == {"CPATH": "inc"}
    assert run([project.replay(captured).binary]).ok


@pytest.mark.llvm
def test_a_captured_build_survives_json(project: Project) -> None:
    captured = project.capture("cc main.c twice.c -lm -o prog")
    assert CapturedBuild.model_validate_json(captured.model_dump_json()) == captured


@pytest.mark.llvm
def test_a_step_that_cannot_be_recorded_is_noted(project: Project) -> None:
    captured = project.capture(
        "cc -c twice.c -o t.o; cp main.c x.c; cc -O1 -c main.c twice.c; cc main.o t.o -o prog; "
        'rm -r "$PERFWRIGHT_CAPTURE/sources"; touch "$PERFWRIGHT_CAPTURE/sources"; cc -c x.c'
    )
    assert names(captured) == ["main.c", "twice.c"]
    assert captured.notes[0].startswith("1 steps of the build could not be recorded, the first: ")
    assert "x.c" in captured.notes[0]


@pytest.mark.llvm
def test_a_failing_build_shows_its_last_lines(project: Project) -> None:
    error = project.error("echo one; cc -c absent.c")
    assert error.fact.startswith("the build fails: echo one; cc -c absent.c: exit status 1")
    assert "no such file or directory: 'absent.c'" in error.cause
    assert error.exit_status == 4


@pytest.mark.llvm
def test_a_build_by_another_compiler_is_said_to_be_unseen(project: Project) -> None:
    clang = project.toolchain.tool("clang")
    error = project.error(f"{clang} main.c twice.c -o prog")
    assert error.fact == "no unit of prog was captured"
    assert "$CC" in error.hint


@pytest.mark.llvm
def test_a_link_by_another_program_is_said_to_be_unseen(project: Project) -> None:
    clang = project.toolchain.tool("clang")
    error = project.error(f"cc -c main.c twice.c; {clang} main.o twice.o -o prog")
    assert error.fact == "the link of prog was not seen"


@pytest.mark.llvm
def test_a_missing_binary_lists_what_was_linked(project: Project) -> None:
    error = project.error("mkdir bin; cc main.c twice.c -o bin/real")
    assert error.fact == "the build made no prog"
    assert error.cause == "it linked: bin/real"


def test_listed_sources_become_units_with_the_flags_of_the_file(project: Project) -> None:
    project.write("asm.s", "")
    project.write(
        "perfwright.toml",
        '[program]\nname = "p"\nsources = ["main.c", "twice.c", "asm.s"]\ncflags = ["-O2"]\n'
        'ldflags = ["-lm", "-pthread"]\n',
    )
    captured = from_sources(load(project.folder))
    assert names(captured) == ["main.c", "twice.c"]
    assert captured.units[0].argv == ("-O2",)
    assert captured.units[0].cwd == project.folder
    assert [unit.name for unit in captured.fixed_units] == ["asm.s"]
    words = [item.unit or item.words for item in captured.link.items]
    assert words == ["main.c", "twice.c", "asm.s", ("-lm", "-pthread")]


@pytest.mark.parametrize(
    ("sources", "language", "types", "driver"),
    [
        (["a.c"], None, ["c"], "c"),
        (["a.c", "b.cpp"], None, ["c", "c++"], "c++"),
        (["a.c"], "c++", ["c++"], "c++"),
        (["a.c", "b.cpp"], "c++", ["c", "c++"], "c++"),
    ],
)
def test_the_language_decides_on_compiler_and_linker(
    tmp_path: Path, sources: list[str], language: str | None, types: list[str], driver: str
) -> None:
    for name in sources:
        (tmp_path / name).touch()
    told = f'language = "{language}"\n' if language else ""
    (tmp_path / "perfwright.toml").write_text(f"[program]\n{told}sources = {json.dumps(sources)}\n")
    captured = from_sources(load(tmp_path))
    assert [unit.input_type for unit in captured.units] == types
    assert captured.link.driver == driver


@pytest.mark.llvm
def test_a_compilation_database_is_captured(project: Project) -> None:
    directory = str(project.folder)
    entries = [
        {"directory": directory, "file": "main.c", "command": "gcc -O2 -MD -c main.c -o m.o"},
        {
            "directory": directory,
            "file": "twice.c",
            "arguments": ["ccache", "cc", "-DFACTOR=2", "-c", "twice.c"],
        },
        {"directory": directory, "file": "main.c", "command": "cc -O2 -c main.c -o again.o"},
    ]
    project.write("compile_commands.json", json.dumps(entries))
    captured = capture(load(project.folder), project.toolchain, project.scratch)
    assert captured.origin == "compile_commands"
    assert [(u.name, u.argv) for u in captured.units] == [
        ("main.c", ("-O2",)),
        ("twice.c", ("-DFACTOR=2",)),
    ]
    assert run([project.replay(captured).binary]).ok


@pytest.mark.parametrize("text", ["{", "{}", '[{"file": "a.c"}]', "[1]", "[]"])
def test_a_broken_or_empty_compilation_database_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "compile_commands.json").write_text(text)
    with pytest.raises(UserError, match=r"compile_commands\.json") as caught:
        from_commands(load(tmp_path), tmp_path / "compile_commands.json")
    assert caught.value.hint


@pytest.mark.llvm
def test_a_program_without_main_is_said_to_have_none(project: Project) -> None:
    project.write("perfwright.toml", '[program]\nname = "lib"\nsources = ["twice.c"]\n')
    captured = from_sources(load(project.folder))
    with pytest.raises(ProgramError, match="lib has no main function") as caught:
        build_baseline(captured, project.toolchain, project.out)
    assert caught.value.exit_status == 4


@pytest.mark.llvm
def test_a_program_that_does_not_compile_says_where(project: Project) -> None:
    project.write("twice.c", "int twice(int x) { return y; }\n")
    project.write("perfwright.toml", '[program]\nsources = ["main.c", "twice.c"]\n')
    captured = from_sources(load(project.folder))
    with pytest.raises(ProgramError, match=r"compile of twice\.c") as caught:
        build_baseline(captured, project.toolchain, project.out)
    assert "use of undeclared identifier 'y'" in caught.value.cause
