from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ProgramError
from perfwright.measure.metric import Metric, value
from perfwright.measure.reference import Expected, Reference, choose_metric
from perfwright.measure.runner import Outcome, RunLimits, RunResult
from perfwright.measure.workloads import ProgramRuns, first_limits, known_limits
from perfwright.program.spec import Oracle, ProgramSpec, Workload
from perfwright.testing.executor import answer
from perfwright.units import Seconds

BINARY = Path("/store/abc")
LIMITS = RunLimits()


def workload(root: Path, **values: Any) -> Workload:
    return Workload(**{"id": "train-1", "role": "train", "cwd": root, **values})


def program(root: Path, *workloads: Workload, **values: Any) -> ProgramSpec:
    return ProgramSpec(
        path=root / "perfwright.toml",
        root=root,
        name="qsort",
        build_dir=values.pop("build_dir", root),
        workloads=workloads,
        **values,
    )


def test_a_workload_runs_the_binary_under_the_programs_name(tmp_path: Path) -> None:
    one = workload(tmp_path, args=("data/in", "3"), env={"N": "1"})
    run = ProgramRuns(program(tmp_path, one), tmp_path).workload(one, BINARY, limits=LIMITS)
    assert run.argv == ("./qsort", "data/in", "3")
    assert (run.program, run.root, run.cwd) == (BINARY, tmp_path, ".")
    assert run.env == {"N": "1"}


def test_a_build_puts_the_name_where_it_leaves_the_binary(tmp_path: Path) -> None:
    one = workload(tmp_path, cwd=tmp_path / "data")
    runs = ProgramRuns(program(tmp_path, one), tmp_path, place="build/qsort")
    run = runs.workload(one, BINARY, limits=LIMITS)
    assert (run.argv, run.cwd) == (("../build/qsort",), "data")


def test_a_workload_may_run_outside_the_programs_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    one = workload(tmp_path / "program", cwd=elsewhere)
    runs = ProgramRuns(program(tmp_path / "program", one), tmp_path / "program")
    run = runs.workload(one, BINARY, limits=LIMITS)
    assert (run.root, run.cwd) == (elsewhere, ".")


def test_runs_see_the_copy_in_which_the_build_was_captured(tmp_path: Path) -> None:
    root, copy = tmp_path / "program", tmp_path / "copy"
    for folder in (root, copy):
        folder.mkdir()
    (root / "given").touch()
    (copy / "made").touch()
    one = workload(root, stdin=root / "made")
    two = workload(root, stdin=root / "given")
    runs = ProgramRuns(program(root, one, two), copy)
    assert runs.workload(one, BINARY, limits=LIMITS).stdin == copy / "made"
    assert runs.workload(two, BINARY, limits=LIMITS).stdin == root / "given"
    assert runs.workload(one, BINARY, limits=LIMITS).root == copy


def test_an_input_that_is_an_output_as_well_is_copied(tmp_path: Path) -> None:
    one = workload(tmp_path, files=(tmp_path / "table", tmp_path / "input"))
    spec = program(tmp_path, one, oracle=Oracle(files=("table",)))
    run = ProgramRuns(spec, tmp_path).workload(one, BINARY, limits=LIMITS)
    assert (run.copied, run.outputs, run.exposed) == (("table",), ("table",), ())


def test_an_input_outside_the_programs_folder_is_exposed(tmp_path: Path) -> None:
    one = workload(tmp_path, files=(Path("/data/input"),))
    run = ProgramRuns(program(tmp_path, one), tmp_path).workload(one, BINARY, limits=LIMITS)
    assert run.exposed == (Path("/data/input"),)


def test_a_users_own_benchmark_runs_in_a_copy_with_the_binary_in_its_place(tmp_path: Path) -> None:
    one = workload(tmp_path, run="make bench")
    runs = ProgramRuns(program(tmp_path, one), tmp_path, place="build/qsort")
    run = runs.workload(one, BINARY, limits=LIMITS)
    assert run.argv == ("/bin/sh", "-c", "make bench")
    assert (run.place, run.copy_tree) == ("build/qsort", True)


def test_a_users_own_test_runs_where_the_build_does(tmp_path: Path) -> None:
    spec = program(tmp_path, oracle=Oracle(test="make check"), build_dir=tmp_path / "src")
    run = ProgramRuns(spec, tmp_path, place="src/qsort").test(BINARY, limits=LIMITS)
    assert (run.argv[-1], run.cwd, run.copy_tree) == ("make check", "src", True)


def test_a_candidate_may_take_ten_times_as_long_but_five_seconds_at_least(tmp_path: Path) -> None:
    one = workload(tmp_path)
    assert first_limits(one).wall == 60.0
    assert known_limits(one, 2.0).wall == 20.0
    assert known_limits(one, 0.01).wall == 5.0
    own = workload(tmp_path, timeout=3.0)
    assert first_limits(own).wall == known_limits(own, 2.0).wall == 3.0


@pytest.mark.parametrize(("metric", "expected"), [(Metric.CPU, 0.3), (Metric.WALL, 0.5)])
def test_a_metric_is_one_number_of_a_run(tmp_path: Path, metric: Metric, expected: float) -> None:
    result = RunResult(Outcome.EXITED, user_seconds=0.2, sys_seconds=0.1, wall_seconds=0.5)
    assert value(result, workload(tmp_path), metric) == pytest.approx(expected)


def test_a_workloads_own_metric_is_the_last_match_in_its_output(tmp_path: Path) -> None:
    one = workload(tmp_path, run="make bench", metric=r"time: ([\d.]+)")
    result = answer(b"time: 9.0\nwarm\ntime: 1.25 s\n")
    assert value(result, one, Metric.CPU) == 1.25


@pytest.mark.parametrize("output", [b"nothing", b"time: 1.2.3", b"time: 0.0"])
def test_an_output_without_a_usable_number_is_the_programs_error(
    tmp_path: Path, output: bytes
) -> None:
    one = workload(tmp_path, run="make bench", metric=r"time: ([\d.]+)")
    with pytest.raises(ProgramError):
        value(answer(output), one, Metric.CPU)


def test_counters_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="instructions cannot be counted"):
        value(answer(), workload(tmp_path), Metric.INSTRUCTIONS)


def reference(root: Path, *times: tuple[float, float]) -> Reference:
    """A reference whose workloads take these (wall, CPU) seconds."""
    found = {}
    for number, (wall, cpu) in enumerate(times):
        one = workload(root, id=f"train-{number}")
        found[one.id] = Expected(one, answer(), Seconds(wall), Seconds(cpu))
    return Reference(found)


def test_a_program_on_several_cpus_is_compared_by_elapsed_time(tmp_path: Path) -> None:
    several = reference(tmp_path, (1.0, 0.9), (1.0, 1.9))
    assert choose_metric(None, several)[0] is Metric.WALL
    metric, warning = choose_metric(Metric.CPU, several)
    assert metric is Metric.CPU
    assert "--metric wall" in warning


def test_a_program_on_one_cpu_is_compared_by_cpu_time(tmp_path: Path) -> None:
    assert choose_metric(None, reference(tmp_path, (1.0, 1.1))) == (Metric.CPU, "")


def test_the_cheapest_workload_is_the_quickest_train_one(tmp_path: Path) -> None:
    found = reference(tmp_path, (2.0, 2.0), (0.5, 0.5), (1.0, 1.0))
    assert found.cheapest.workload.id == "train-1"
