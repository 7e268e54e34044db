from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from perfwright.errors import ToolchainError
from perfwright.program import launcher
from perfwright.program.driver import Language, parse
from perfwright.program.launcher import ExtraFlags, compiler, launch, with_extra
from perfwright.program.records import keys_in_file, read_records
from perfwright.program.scratch import make_shims
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import ProcessResult, run

RECIPE = ExtraFlags(compile=("-fnew",), link=("-Wl,-new",))


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "llvm"
    folder.mkdir()
    for name in ("clang", "clang++"):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("line", "added"),
    [
        ("-c a.c", "-fnew"),
        ("-S a.c", "-fnew"),
        ("a.c -o a", "-fnew -Wl,-new"),
        ("a.o -o a", "-Wl,-new"),
        ("-shared a.o -o a.so", "-Wl,-new"),
        ("-r a.o b.o -o c.o", ""),
        ("-c a.s", ""),
        ("-c a.S", ""),
        ("-E a.c", ""),
        ("-MM a.c", ""),
        ("--version", ""),
        ("-v", ""),
        ("-### a.c", ""),
        ("-print-prog-name=ld", ""),
    ],
)
def test_a_recipe_is_added_where_it_means_something(line: str, added: str) -> None:
    argv = line.split()
    assert with_extra(argv, parse(argv, "c"), RECIPE) == [*argv, *added.split()]


@pytest.mark.parametrize(
    ("line", "added"),
    [
        ("-c src/a.c", "-fnew -fa"),
        ("-c ../src/a.c", "-fnew -fa"),
        ("-c other/a.c", "-fnew -fother"),
        ("-c b.c", "-fnew"),
        ("-c src/a.c b.c", "-fnew"),
    ],
)
def test_flags_of_a_unit_go_to_the_step_that_compiles_it_alone(line: str, added: str) -> None:
    argv = line.split()
    units = {"a.c": ("-fother",), "src/a.c": ("-fa",)}
    extra = ExtraFlags(compile=("-fnew",), units=units)
    assert with_extra(argv, parse(argv, "c"), extra) == [*argv, *added.split()]


def test_a_recipe_goes_before_the_word_that_ends_the_options() -> None:
    argv = ["-c", "--", "a.c"]
    assert with_extra(argv, parse(argv, "c"), RECIPE) == ["-c", "-fnew", "--", "a.c"]


def test_assembly_output_is_not_asked_for_lto_which_would_make_it_ir() -> None:
    argv = ["-S", "a.c"]
    extra = ExtraFlags(compile=("-flto", "-Xclang", "-disable-llvm-passes"))
    assert with_extra(argv, parse(argv, "c"), extra) == argv


@pytest.mark.parametrize(("language", "name"), [("c", "clang"), ("c++", "clang++")])
def test_a_folder_with_a_clang_is_taken_as_it_is(
    tools: Path, language: Language, name: str
) -> None:
    assert compiler(language, {"PERFWRIGHT_TOOLCHAIN": str(tools)}) == tools / name


def test_an_absent_toolchain_is_an_error() -> None:
    with pytest.raises(ToolchainError):
        compiler("c", {"PERFWRIGHT_TOOLCHAIN": "16", "PATH": ""})


def recording(calls: list[list[str]], status: int = 0) -> Callable[..., int]:
    def execute(argv: Sequence[str], stdin: bytes | None) -> int:
        calls.append(list(argv))
        return status

    return execute


def test_the_same_arguments_reach_clang_and_its_status_comes_back(
    tools: Path, tmp_path: Path
) -> None:
    calls: list[list[str]] = []
    (tmp_path / "args").write_text("-O2 a.c")
    argv = ["-DX= a b", f"@{tmp_path / 'args'}", "-c", "-", "--", ""]
    environ = {"PERFWRIGHT_TOOLCHAIN": str(tools)}
    assert launch(argv, "c", environ, execute=recording(calls, 3)) == 3
    assert calls == [[str(tools / "clang"), *argv]]


def test_without_capture_or_recipe_the_launcher_becomes_clang(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []

    class ReplacedError(Exception):
        pass

    def replace(argv: Sequence[str | os.PathLike[str]]) -> None:
        became.append([str(word) for word in argv])
        raise ReplacedError

    monkeypatch.setattr(launcher, "replace_process", replace)
    with pytest.raises(ReplacedError):
        launch(["--version"], "c++", {"PERFWRIGHT_TOOLCHAIN": str(tools)})
    assert became == [[str(tools / "clang++"), "--version"]]


def test_a_step_that_fails_is_not_recorded(tools: Path, tmp_path: Path) -> None:
    environ = {"PERFWRIGHT_TOOLCHAIN": str(tools), "PERFWRIGHT_CAPTURE": str(tmp_path / "r")}
    launch(["-c", "a.c"], "c", environ, execute=recording([], 1))
    assert not (tmp_path / "r").exists()


def test_a_record_that_cannot_be_written_never_breaks_the_build(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.c").touch()
    (tmp_path / "occupied").touch()
    for folder in (tmp_path / "occupied", tmp_path / "absent"):
        environ = {"PERFWRIGHT_TOOLCHAIN": str(tools), "PERFWRIGHT_CAPTURE": str(folder)}
        assert launch(["-c", "a.c"], "c", environ, execute=recording([])) == 0


# --- with a real clang


class Place:
    """A folder in which the launcher runs as a build would start it."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.folder = folder
        self.records = folder / "records"
        self.records.mkdir()
        self.toolchain = toolchain
        self.shims = folder / "shims"
        make_shims(self.shims, {})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)

    def cc(self, line: str, stdin: bytes = b"", capture: bool = True) -> ProcessResult:
        env = {
            "PERFWRIGHT_TOOLCHAIN": str(self.toolchain.folder),
            "PERFWRIGHT_CAPTURE": str(self.records) if capture else "",
        }
        return run([str(self.shims / "cc"), *line.split()], cwd=self.folder, env=env, stdin=stdin)

    def clang(self, line: str, stdin: bytes = b"") -> ProcessResult:
        clang = str(self.toolchain.tool("clang"))
        return run([clang, *line.split()], cwd=self.folder, stdin=stdin)

    def compiled(self) -> list[str]:
        return [record["source"] for record in read_records(self.records, "compile")]


@pytest.fixture
def place(tmp_path: Path, toolchain: Toolchain) -> Place:
    made = Place(tmp_path, toolchain)
    made.write(
        a_c="int b(void);\nint main(void) { return b() - 2; }\n", b_c="int b(void) { return 2; }\n"
    )
    return made


@pytest.mark.llvm
@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "-v",
        "-E a.c",
        "-MM a.c",
        "-print-prog-name=ld",
        "-### -O2 -c a.c",
        "-fsyntax-only -Wall absent.c",
        "",
    ],
)
def test_what_clang_prints_and_returns_is_what_the_build_sees(place: Place, line: str) -> None:
    ours, clangs = place.cc(line), place.clang(line)
    assert (ours.status, ours.stdout) == (clangs.status, clangs.stdout)
    assert ours.stderr == clangs.stderr
    assert place.compiled() == []


@pytest.mark.llvm
def test_an_object_file_carries_the_key_of_its_step(place: Place) -> None:
    assert place.cc("-O2 -c a.c -oout.o").ok
    (record,) = read_records(place.records, "compile")
    assert keys_in_file(place.folder / "out.o") == (record["key"],)
    assert record["flags"] == ["-O2"]
    assert record["output"] == str(place.folder / "out.o")


@pytest.mark.llvm
def test_several_sources_in_one_step_are_several_units(place: Place) -> None:
    assert place.cc("-c a.c b.c").ok
    assert sorted(place.compiled()) == ["a.c", "b.c"]
    keys = keys_in_file(place.folder / "a.o") + keys_in_file(place.folder / "b.o")
    assert len(set(keys)) == 2


@pytest.mark.llvm
def test_a_link_step_names_the_units_that_are_in_its_output(place: Place) -> None:
    place.cc("-c b.c")
    assert place.cc("-O1 a.c b.o -o prog -lm").ok
    (link,) = read_records(place.records, "link")
    by_source = {r["source"]: r["key"] for r in read_records(place.records, "compile")}
    assert set(link["keys"]) == set(by_source.values())
    assert [item["kind"] for item in link["items"]] == ["option", "unit", "file", "option"]
    assert link["items"][2]["keys"] == [by_source["b.c"]]
    assert run([place.folder / "prog"]).ok


@pytest.mark.llvm
def test_a_source_on_standard_input_is_kept(place: Place) -> None:
    assert place.cc("-x c - -c -o in.o", stdin=b"int x;\n").ok
    (record,) = read_records(place.records, "compile")
    assert Path(record["saved"]).read_bytes() == b"int x;\n"
    assert keys_in_file(place.folder / "in.o") == (record["key"],)


@pytest.mark.llvm
def test_response_files_are_understood(place: Place) -> None:
    place.write(args="-O2 -c 'a.c'\n-o r.o")
    assert place.cc("@args").ok
    assert keys_in_file(place.folder / "r.o")


@pytest.mark.llvm
@pytest.mark.parametrize("flag", ["-flto", "-flto=thin"])
def test_bitcode_objects_carry_keys_as_well(place: Place, flag: str) -> None:
    assert place.cc(f"-O2 {flag} -c a.c b.c").ok
    assert place.cc(f"-O2 {flag} -fuse-ld=lld a.o b.o -o prog").ok
    assert len(keys_in_file(place.folder / "prog")) == 2
    assert run([place.folder / "prog"]).ok


@pytest.mark.llvm
def test_assembly_is_recorded_as_a_unit_that_stays_as_it_is(place: Place) -> None:
    assert place.clang("-S b.c -o s.s").ok
    assert place.cc("-c s.s").ok
    (record,) = read_records(place.records, "compile")
    assert record["input_type"] == "assembler"
    assert keys_in_file(place.folder / "s.o") == (record["key"],)


@pytest.mark.llvm
def test_output_that_is_no_file_is_left_alone(place: Place) -> None:
    result = place.cc("-c a.c -o /dev/null")
    assert result.ok
    assert result.stderr == b""


@pytest.mark.llvm
def test_a_failing_compile_says_what_clang_says(place: Place) -> None:
    place.write(bad_c="int x = ;\n")
    ours, clangs = place.cc("-c bad.c"), place.clang("-c bad.c")
    assert (ours.status, ours.stderr) == (clangs.status, clangs.stderr)


@pytest.mark.llvm
def test_an_archive_tells_which_members_are_units(place: Place) -> None:
    place.cc("-c b.c")
    place.clang("-S b.c -o other.s")
    place.clang("-c other.s -o other.o")
    archiver = place.toolchain.tool("llvm-ar")
    run([archiver, "rcs", "libb.a", "b.o"], cwd=place.folder)
    run([archiver, "rcs", "libmixed.a", "b.o", "other.o"], cwd=place.folder)
    for words in ("-L. -lb", "-Wl,--whole-archive,libb.a,--no-whole-archive", "libmixed.a"):
        assert place.cc(f"a.c {words} -o prog").ok
    links = read_records(place.records, "link")
    files = [item for link in links for item in link["items"] if item["kind"] == "file"]
    assert [(Path(f["path"]).name, f["whole"], f["form"]) for f in files] == [
        ("libb.a", True, "archive"),
        ("libb.a", True, "archive"),
        ("libmixed.a", False, "archive"),
    ]
    whole = [item["texts"] for item in links[1]["items"] if item["kind"] == "option"]
    assert whole == [["-Xlinker", "--whole-archive"], ["-Xlinker", "--no-whole-archive"]]


def test_main_prints_an_error_of_ours_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERFWRIGHT_TOOLCHAIN", "16")
    assert launcher.main(["c", "--version"]) == 3
    assert capsys.readouterr().err.startswith("LLVM 16 is too old")
