from __future__ import annotations

import json
from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.program.spec import Oracle, ProgramSpec, load
from perfwright.program.tables import EXAMPLES, File, Tolerance

FULL = """\
[program]
name = "qsort"
language = "c"
sources = ["qsort.c", "src/swap.c"]
cflags = ["-O2", "-Iinclude"]
ldflags = ["-lm"]

[[workload]]
args = ["large", "3"]
stdin = "data/input"
env = { THREADS = "1" }
files = ["data/input"]
cwd = "data"
timeout = "2m"

[[workload]]
role = "confirm"
args = ["other"]
timeout = 1.5

[[workload]]

[oracle]
test = "make check"
stdout = { rel = 1e-9, abs = 1e-12 }
files = ["out.bin"]
exit = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("qsort.c", "src/swap.c", "data/input"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "perfwright.toml"
    path.write_text(text)
    return path


def error_of(folder: Path, text: str) -> UserError:
    path = write(folder, text)
    with pytest.raises(UserError) as caught:
        load(path)
    assert caught.value.fact.startswith(f"{path}:")
    assert caught.value.exit_status == 2
    return caught.value


def test_every_key_of_the_file_is_read_with_absolute_paths(folder: Path) -> None:
    spec = load(write(folder, FULL))
    assert (spec.name, spec.language, spec.root) == ("qsort", "c", folder)
    assert spec.sources == (folder / "qsort.c", folder / "src/swap.c")
    assert (spec.cflags, spec.ldflags) == (("-O2", "-Iinclude"), ("-lm",))
    first = spec.workloads[0]
    assert first.args == ("large", "3")
    assert first.stdin == folder / "data/input"
    assert first.env == {"THREADS": "1"}
    assert first.files == (folder / "data/input",)
    assert first.cwd == folder / "data"
    assert first.timeout == 120.0
    assert spec.oracle == Oracle(
        test="make check", stdout=Tolerance(rel=1e-9, abs=1e-12), files=("out.bin",), exit=3
    )


def test_workloads_are_numbered_by_role(folder: Path) -> None:
    spec = load(write(folder, FULL))
    assert [workload.id for workload in spec.workloads] == ["train-1", "confirm-1", "train-2"]
    assert [workload.id for workload in spec.train] == ["train-1", "train-2"]
    assert [workload.id for workload in spec.confirm] == ["confirm-1"]
    assert not spec.confirms_on_train


def test_without_a_confirm_workload_the_train_ones_confirm_and_that_is_said(folder: Path) -> None:
    spec = load(write(folder, '[program]\nsources = ["qsort.c"]\n[[workload]]\nargs = ["1"]\n'))
    assert spec.confirm == spec.train
    assert spec.confirms_on_train


def test_what_is_left_out_has_a_default(folder: Path) -> None:
    spec = load(write(folder, '[program]\nsources = ["qsort.c"]\n'))
    assert (spec.name, spec.language, spec.cflags) == (folder.name, "c", ("-O3",))
    assert spec.oracle == Oracle(stdout="exact", exit=0)
    (only,) = spec.workloads
    assert (only.id, only.args, only.cwd, only.timeout) == ("train-1", (), folder, None)


def test_a_folder_is_its_file(folder: Path) -> None:
    path = write(folder, FULL)
    assert load(folder) == load(path)


def test_a_build_keeps_its_command_folder_and_binary(folder: Path) -> None:
    text = '[program]\nbuild = "make -j2"\nbuild_dir = "src"\nbinary = "bin/prog"\n'
    spec = load(write(folder, text))
    assert (spec.build, spec.build_dir, spec.binary) == ("make -j2", folder / "src", "bin/prog")


def test_files_that_a_build_may_make_need_not_exist_yet(folder: Path) -> None:
    text = '[program]\nbuild = "make"\nbinary = "p"\n[[workload]]\nstdin = "made"\ncwd = "out"\n'
    assert load(write(folder, text)).workloads[0].stdin == folder / "made"


def test_a_benchmark_command_of_the_user_stands_for_arguments(folder: Path) -> None:
    text = '[program]\nsources=["qsort.c"]\n[[workload]]\nrun="make bench"\nmetric="s: ([0-9]+)"\n'
    workload = load(write(folder, text)).workloads[0]
    assert (workload.run, workload.metric) == ("make bench", "s: ([0-9]+)")


def test_a_source_file_alone_is_a_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "data")
    spec = load(Path("../qsort.c"), ["3", "data.txt"])
    assert (spec.name, spec.language, spec.root) == ("qsort", "c", folder)
    assert spec.sources == (folder / "qsort.c",)
    assert spec.cflags == ("-O3",)
    (workload,) = spec.workloads
    assert (workload.args, workload.cwd) == (("3", "data.txt"), folder / "data")


@pytest.mark.parametrize("suffix", [".cc", ".cpp", ".cxx", ".C"])
def test_the_suffix_of_a_source_tells_the_language(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.touch()
    assert load(path).language == "c++"


def test_one_cpp_source_makes_the_program_cpp(folder: Path) -> None:
    (folder / "b.cpp").touch()
    spec = load(write(folder, '[program]\nsources = ["qsort.c", "b.cpp"]\n'))
    assert spec.language == "c++"


@pytest.mark.parametrize("place", [".", "build"])
def test_a_folder_with_a_compilation_database_is_a_program(tmp_path: Path, place: str) -> None:
    (tmp_path / "build").mkdir()
    database = tmp_path / place / "compile_commands.json"
    database.write_text("[]")
    spec = load(tmp_path, ["5"])
    assert (spec.compile_commands, spec.train[0].args) == (database, ("5",))


def test_a_file_without_sources_takes_the_compilation_database_beside_it(folder: Path) -> None:
    (folder / "compile_commands.json").write_text("[]")
    spec = load(write(folder, '[program]\nname = "x"\nldflags = ["-lz"]\n'))
    assert spec.compile_commands == folder / "compile_commands.json"
    assert spec.ldflags == ("-lz",)


def test_a_spec_survives_json(folder: Path) -> None:
    spec = load(write(folder, FULL))
    assert ProgramSpec.model_validate_json(spec.model_dump_json()) == spec


PROGRAM = '[program]\nsources = ["qsort.c"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: program is missing"),
        ('[program]\nsource = ["qsort.c"]\n', ":2: unknown key 'source' in [program]"),
        (PROGRAM + "[[workloads]]\n", ":3: unknown key 'workloads'"),
        (PROGRAM + "[workload]\nargs = []\n", ":3: workload: should be a valid list"),
        ('[program]\nsources = "qsort.c"\n', ":2: program.sources: should be a valid list"),
        (PROGRAM + "[[workload]]\nargs = [3]\n", ":4: workload[0].args[0]: should be a valid str"),
        (
            PROGRAM + "[[workload]]\nenv = { N = 1 }\n",
            ":4: workload[0].env.N: should be a valid",
        ),
        (PROGRAM + '[[workload]]\nrole = "test"\n', ":4: workload[0].role: should be 'train' or"),
        (PROGRAM + '[oracle]\nexit = "0"\n', ":4: oracle.exit: should be a valid integer"),
        (PROGRAM + "[oracle]\nexit = true\n", ":4: oracle.exit: should be a valid integer"),
        (PROGRAM + 'language = "fortran"\n', ":3: program.language: should be 'c' or 'c++'"),
        ("[program]\n", ":1: the program has neither sources nor a build"),
        ('[program]\nsources = ["absent.c"]\n', ":2: the source absent.c does not exist"),
        ('[program]\nsources = ["data/input"]\n', ":2: data/input is no source file that clang"),
        (PROGRAM + 'build = "make"\n', ":3: both sources and a build are given"),
        ('[program]\nbuild = "make"\n', ":2: program.binary is missing"),
        (
            '[program]\nbuild = "make"\nbinary = "p"\ncflags = ["-O2"]\n',
            ":4: program.cflags has no effect on a build",
        ),
        (
            '[program]\nbuild = "make"\nbinary = "p"\nbuild_dir = "../x"\n',
            ":4: program.build_dir leads out of the program's folder",
        ),
        (PROGRAM + '[[workload]]\nstdin = "no"\n', ":4: no does not exist"),
        (PROGRAM + '[[workload]]\nfiles = ["data/input", "no"]\n', ":4: no does not exist"),
        (PROGRAM + '[[workload]]\ntimeout = "soon"\n', ":4: 'soon' is not a duration"),
        (PROGRAM + "[[workload]]\ntimeout = 0\n", ":4: timeout must be more than nothing"),
        (PROGRAM + '[[workload]]\nrole = "confirm"\n', ":4: no workload has the role train"),
        (PROGRAM + '[[workload]]\nmetric = "x"\n', ":4: a metric is given without a command"),
        (
            PROGRAM + '[[workload]]\nrun = "x"\nargs = ["1"]\n',
            ":4: a workload has both run and args or stdin",
        ),
        (PROGRAM + '[[workload]]\nrun = "x"\nmetric = "("\n', ":5: metric is no regular expres"),
        (PROGRAM + '[[workload]]\nrun = "x"\nmetric = "a"\n', ":5: metric must mark one number"),
    ],
)
def test_a_mistake_is_named_by_line_and_key_with_a_way_out(
    folder: Path, text: str, said: str
) -> None:
    error = error_of(folder, text)
    assert said in error.fact
    assert error.hint


def test_a_wrong_oracle_names_its_line(folder: Path) -> None:
    error = error_of(folder, PROGRAM + '[oracle]\nstdout = "fuzzy"\n')
    assert error.fact.endswith(":4: oracle.stdout: should be 'exact'")
    assert error.cause == "it is 'fuzzy'"
    assert "rel" in error.hint


def test_an_unknown_tolerance_names_the_known_ones(folder: Path) -> None:
    error = error_of(folder, PROGRAM + "[oracle]\nstdout = { relative = 1e-9 }\n")
    assert error.fact.endswith(":4: unknown key 'relative' in [oracle.stdout]")
    assert error.cause == "known: abs, rel"


def test_a_negative_tolerance_is_refused(folder: Path) -> None:
    error = error_of(folder, PROGRAM + "[oracle]\nstdout = { rel = -1.0 }\n")
    assert ":4: oracle.stdout.rel: should be greater than or equal to 0" in error.fact


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.c", "there is no"),
        ("data/input", "is no program"),
        ("data", "holds no program"),
    ],
)
def test_what_is_no_program_is_refused(folder: Path, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load(folder / name)
    assert caught.value.hint


def test_arguments_do_not_go_with_a_file_that_says_how_to_run(folder: Path) -> None:
    with pytest.raises(UserError, match="already says how to run"):
        load(write(folder, FULL), ["3"])


def test_there_is_an_example_for_every_key() -> None:
    definitions = File.model_json_schema()["$defs"]
    keys = {key for table in definitions.values() for key in table["properties"]}
    assert keys <= EXAMPLES.keys(), json.dumps(sorted(keys - EXAMPLES.keys()))
