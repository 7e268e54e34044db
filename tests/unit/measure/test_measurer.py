from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.core import events
from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Build, Measurer, PairLog, Refusal, WrongResultError
from perfwright.core.verdict import Verdict
from perfwright.measure.confirm import ConfirmDesign
from perfwright.measure.counters import CountersUnavailableError
from perfwright.measure.measurer import (
    SIMULATED,
    MeasureSettings,
    PairedMeasurer,
    PairRecord,
    Rig,
)
from perfwright.measure.metric import Metric
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import ProgramSpec, Workload
from perfwright.testing.conformance_workshop import MeasurerConformance
from perfwright.testing.executor import ScriptedExecutor, answer, timed
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.reporter import RecordingReporter
from perfwright.units import Seconds

ROOT = Path("/p")
TRUE = {"base": 0.10, "fast": 0.08, "slow": 0.12, "other": 0.09}
FEW = ConfirmDesign(looks=(8, 12))


def build(name: str, layouts: int = 0) -> Build:
    """A build named by its one edit; its binaries are `fast`, `fast.1`, `fast.2`, ..."""
    candidate = Candidate() if name == "base" else Candidate((Edit("pipeline", name),))
    binaries = tuple(name if number == 0 else f"{name}.{number}" for number in range(layouts + 1))
    return Build(candidate, f"code {name}", 1000, binaries)


def spec(train: int = 1, confirm: int = 0) -> ProgramSpec:
    roles = ["train"] * train + ["confirm"] * confirm
    return ProgramSpec(
        path=ROOT,
        root=ROOT,
        name="prog",
        build_dir=ROOT,
        workloads=tuple(
            Workload(id=f"{role}-{n}", role=role, args=(f"{role}-{n}",), cwd=ROOT)  # type: ignore[arg-type]
            for n, role in enumerate(roles)
        ),
    )


def refuse(expected: Expected, run: Run, result: RunResult) -> Refusal | None:
    right = result.exited and result.stdout == expected.result.stdout
    return None if right else Refusal(f"{expected.workload.id}: {result.ending()}", run.reproducer)


def name_of(run: Run) -> str:
    """The name of the binary that a run executes, with its layout."""
    assert run.program is not None
    return run.program.name


def arm_of(run: Run) -> str:
    """The name of the build that a run belongs to."""
    return name_of(run).partition(".")[0]


@dataclass
class Bench:
    """A measurer over scripted runs, and all that it touches."""

    log: MemoryJournal[PairRecord] = field(default_factory=MemoryJournal)
    reporter: RecordingReporter = field(default_factory=RecordingReporter)
    executor: ScriptedExecutor = field(default_factory=lambda: ScriptedExecutor(answers(TRUE)))
    program: ProgramSpec = field(default_factory=spec)
    built: list[tuple[str, int]] = field(default_factory=list)
    rig: dict[str, Any] = field(default_factory=dict)
    layouts: bool = True

    def measurer(self) -> PairedMeasurer:
        reference = Reference(
            {
                w.id: Expected(w, answer(), Seconds(0.1), Seconds(0.1))
                for w in self.program.workloads
            }
        )
        rig = Rig(
            runs=ProgramRuns(self.program, ROOT),
            executor=self.executor,
            reference=reference,
            log=self.log,
            binary=lambda digest: Path("/store") / digest,
            refuse=refuse,
            **self.rig,
        )
        return PairedMeasurer(rig, self.build, MeasureSettings(confirm=FEW), self.reporter)

    def build(self, candidate: Candidate, layouts: int) -> Build | Refusal:
        name = candidate.edits[0].text if candidate.edits else "base"
        self.built.append((name, layouts))
        return build(name, layouts) if self.layouts else Refusal("there is no lld")

    def programs(self) -> list[str]:
        return [name_of(run) for run in self.executor.runs]


def answers(
    seconds: dict[str, float], noise: float = 0.01, **more: Any
) -> Callable[[Run, int], RunResult]:
    """Times by the part of the binary's name before the number of its layout."""
    script = timed(seconds, noise=noise, **more)

    def short(run: Run, number: int) -> RunResult:
        return script(replace(run, program=Path(arm_of(run))), number)

    return short


ARMS = (build("fast"), build("other"), build("base"))


def test_a_faster_candidate_is_called_faster_by_about_its_ratio() -> None:
    over_other, over_base = Bench().measurer().select("trial 1.1", ARMS)
    assert over_other.verdict is Verdict.FASTER
    assert over_other.ratio == pytest.approx(0.09 / 0.08, rel=0.02)
    assert over_base.verdict is Verdict.FASTER
    assert over_base.ratio == pytest.approx(0.10 / 0.08, rel=0.02)
    assert over_other.pairs == over_base.pairs < 15


def test_a_slower_candidate_is_called_slower() -> None:
    comparison = Bench().measurer().select("trial", (build("slow"), build("base")))[0]
    assert comparison.verdict is Verdict.SLOWER


def test_equal_programs_are_not_called_different() -> None:
    bench = Bench(executor=ScriptedExecutor(answers({"base": 0.1, "twin": 0.1})))
    comparison = bench.measurer().select("trial", (build("twin"), build("base")))[0]
    assert comparison.verdict in {Verdict.SAME, Verdict.INCONCLUSIVE}


def test_arms_take_turns_and_each_runs_once_a_block() -> None:
    bench = Bench()
    bench.measurer().select("trial", ARMS)
    arms = [arm_of(run) for run in bench.executor.runs]
    blocks = [arms[i : i + 3] for i in range(0, len(arms), 3)]
    assert all(sorted(block) == ["base", "fast", "other"] for block in blocks)
    assert len({tuple(block) for block in blocks}) > 1


def test_a_search_takes_turns_over_random_layouts_the_same_for_all_arms() -> None:
    bench = Bench()
    bench.measurer().select("trial", ARMS)
    layouts = [name.partition(".")[2] for name in bench.programs()]
    blocks = [set(layouts[i : i + 3]) for i in range(3, len(layouts), 3)]
    assert all(len(block) == 1 for block in blocks)
    assert len({block.pop() for block in blocks[:8]}) == min(8, len(blocks))


def test_without_random_layouts_a_search_uses_the_delivered_ones() -> None:
    bench = Bench(layouts=False)
    assert bench.measurer().select("trial", ARMS)[0].verdict is Verdict.FASTER
    assert set(bench.programs()) == {"fast", "other", "base"}


def test_two_ways_of_building_one_program_can_be_called_the_same() -> None:
    bench = Bench(executor=ScriptedExecutor(answers({"base": 0.1, "staged": 0.1}, noise=0.002)))
    found = bench.measurer().same_speed("identity", build("staged"), build("base"))
    assert found.verdict is Verdict.SAME


def test_every_block_has_one_setting_for_all_arms_and_another_for_the_next() -> None:
    bench = Bench(rig={"cpu": 3})
    bench.measurer().select("trial", ARMS)
    settings = [run.setting for run in bench.executor.runs]
    blocks = [set(settings[i : i + 3]) for i in range(3, len(settings), 3)]
    assert all(len(block) == 1 for block in blocks)
    assert len({block.pop().env_bytes for block in blocks}) > 1
    assert all(setting.aslr and setting.cpu == 3 for setting in settings)


def test_the_first_block_warms_up_and_is_not_recorded() -> None:
    bench = Bench()
    comparison = bench.measurer().select("trial", ARMS)[0]
    assert len(bench.executor.runs) == 3 * (comparison.pairs + 1)
    assert len(bench.log.recorded("trial")) == comparison.pairs


def test_several_workloads_count_by_their_geometric_mean() -> None:
    def script(run: Run, number: int) -> RunResult:
        halved = arm_of(run) == "fast" and run.argv[1] == "train-0"
        return answer(seconds=0.1 if halved else 0.2)

    bench = Bench(executor=ScriptedExecutor(script), program=spec(train=2))
    comparison = bench.measurer().select("trial", (build("fast"), build("base")))[0]
    assert comparison.ratio == pytest.approx(math.sqrt(2))
    assert comparison.pairs == len(bench.log.recorded("trial"))


def test_a_restarted_measurer_times_only_what_is_missing() -> None:
    whole = Bench()
    expected = whole.measurer().select("trial", ARMS)
    for cut in (1, 4):
        log: MemoryJournal[PairRecord] = MemoryJournal()
        for record in whole.log.recorded("trial")[:cut]:
            log.append("trial", record)
        again = Bench(log=log)
        comparisons = again.measurer().select("trial", ARMS)
        assert [r.block for r in log.recorded("trial")] == list(range(comparisons[0].pairs))
        assert len(again.executor.runs) == 3 * (1 + comparisons[0].pairs - cut)
        assert comparisons[0].verdict is expected[0].verdict


def test_an_interrupted_block_is_run_again_with_the_same_setting() -> None:
    plain = answers(TRUE)

    def broken(run: Run, number: int) -> RunResult:
        if number == 7:
            raise KeyboardInterrupt
        return plain(run, number)

    bench = Bench(executor=ScriptedExecutor(broken))
    with pytest.raises(KeyboardInterrupt):
        bench.measurer().select("trial", ARMS)
    assert [record.block for record in bench.log.recorded("trial")] == [0]
    interrupted = bench.executor.runs[6].setting
    bench.executor = ScriptedExecutor(plain)
    bench.measurer().select("trial", ARMS)
    assert bench.executor.runs[3].setting == interrupted


def test_the_same_seed_gives_the_same_order() -> None:
    first, second, other = Bench(), Bench(), Bench(rig={"seed": 1})
    for bench in (first, second, other):
        bench.measurer().select("trial", ARMS)
    assert first.programs() == second.programs()
    assert first.programs() != other.programs()


def test_pruning_may_spend_fewer_pairs() -> None:
    noisy = answers({"base": 0.1, "fast": 0.0995}, noise=0.05)
    bench = Bench(executor=ScriptedExecutor(noisy))
    assert bench.measurer().attribute("without", build("fast"), build("base")).pairs <= 15


def test_a_wrong_result_names_the_build_and_nothing_is_recorded_of_its_block() -> None:
    plain = answers(TRUE)

    def script(run: Run, number: int) -> RunResult:
        result = plain(run, number)
        late = number > 8 and arm_of(run) == "fast"
        return replace(result, stdout=b"41\n") if late else result

    bench = Bench(executor=ScriptedExecutor(script))
    with pytest.raises(WrongResultError, match="train-0") as caught:
        bench.measurer().select("trial", ARMS)
    assert caught.value.build.code == ARMS[0].code
    assert len(bench.log.recorded("trial")) == 2


def test_one_time_limit_on_a_busy_machine_is_forgiven_two_are_not() -> None:
    plain = answers(TRUE)

    def script(hangs: Sequence[int]) -> Callable[[Run, int], RunResult]:
        return lambda run, n: RunResult(Outcome.TIME_LIMIT) if n in hangs else plain(run, n)

    assert Bench(executor=ScriptedExecutor(script([4]))).measurer().select("trial", ARMS)
    with pytest.raises(WrongResultError):
        Bench(executor=ScriptedExecutor(script([4, 5]))).measurer().select("trial", ARMS)


def test_when_the_time_is_up_the_verdict_is_as_it_stands_also_on_replay() -> None:
    left = iter([False, False, True])
    bench = Bench(rig={"out_of_time": lambda _: next(left)})
    comparison = bench.measurer().select("trial", ARMS)[0]
    assert (comparison.verdict, comparison.pairs) == (Verdict.INCONCLUSIVE, 3)
    assert bench.log.recorded("trial")[-1].ended
    bench.executor.runs.clear()
    assert bench.measurer().select("trial", ARMS)[0] == comparison
    assert not bench.executor.runs


def test_the_lock_is_held_only_while_something_is_timed() -> None:
    held: list[str] = []

    @contextmanager
    def lock() -> Any:
        held.append("taken")
        yield
        held.append("given back")

    bench = Bench(rig={"lock": lock})
    bench.measurer().select("trial", ARMS)
    bench.measurer().select("trial", ARMS)
    assert held == ["taken", "given back"]


def test_instructions_are_counted_when_they_are_the_metric() -> None:
    def script(run: Run, number: int) -> RunResult:
        assert run.counters
        count = 900 if arm_of(run) == "fast" else 1000
        return replace(answer(), instructions=count)

    bench = Bench(executor=ScriptedExecutor(script), rig={"metric": Metric.INSTRUCTIONS})
    comparison = bench.measurer().select("trial", (build("fast"), build("base")))[0]
    assert comparison.ratio == pytest.approx(10 / 9)
    assert comparison.verdict is Verdict.FASTER


def test_pairs_and_warnings_are_heard() -> None:
    def script(run: Run, number: int) -> RunResult:
        return answer(seconds=0.001 if arm_of(run) == "fast" else 0.0011)

    bench = Bench(executor=ScriptedExecutor(script))
    bench.measurer().select("trial", (build("fast"), build("base")))
    pairs = [event.pairs for event in bench.reporter.of(events.PairTimed)]
    assert pairs == list(range(1, len(pairs) + 1))
    assert len(bench.reporter.of(events.Warned)) == 1


def test_the_confirmation_is_over_random_layouts_on_the_confirm_workloads() -> None:
    bench = Bench(program=spec(train=1, confirm=1))
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert report.overall.verdict is Verdict.FASTER
    assert report.overall.ratio == pytest.approx(0.10 / 0.08, rel=0.02)
    assert (report.layouts, report.overall.pairs) == (8, 8)
    assert list(report.workloads) == ["confirm-1"]
    assert {run.argv[1] for run in bench.executor.runs} == {"confirm-1"}
    laid_out = {name for name in bench.programs() if name.startswith("fast.")}
    assert laid_out == {f"fast.{number}" for number in range(1, 9)}


def test_the_delivered_layout_is_reported_apart() -> None:
    def script(run: Run, number: int) -> RunResult:
        lucky = name_of(run) == "fast"
        return answer(seconds=0.05 if lucky else 0.1)

    bench = Bench(executor=ScriptedExecutor(script))
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert report.delivered.ratio == pytest.approx(2.0)
    assert report.overall.ratio == pytest.approx(1.0)
    assert bench.measurer().confirm("confirm", build("fast"), build("base")) == report.overall


def test_an_unclear_confirmation_takes_more_layouts() -> None:
    gains = iter([1.02, 1.03, 0.99, 1.04, 1.01, 1.02, 0.995, 1.03, 1.02, 1.02, 1.02, 1.02])
    gain = {f"fast.{number}": next(gains) for number in range(1, 13)}

    def script(run: Run, _: int) -> RunResult:
        return answer(seconds=0.1 / gain.get(name_of(run), 1.0))

    bench = Bench(executor=ScriptedExecutor(script))
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert (report.layouts, report.overall.verdict) == (12, Verdict.FASTER)
    assert bench.built == [("fast", 8), ("base", 8), ("fast", 12), ("base", 12)]


def test_a_recorded_confirmation_needs_neither_runs_nor_builds() -> None:
    bench = Bench()
    first = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    bench.built.clear()
    bench.executor.runs.clear()
    assert bench.measurer().confirm_in_full("confirm", build("fast"), build("base")) == first
    assert (bench.built, bench.executor.runs) == ([], [])


def test_a_workload_that_became_slower_spoils_the_confirmation() -> None:
    def script(run: Run, number: int) -> RunResult:
        factor = 1.0
        if arm_of(run) == "fast":
            factor = 0.5 if run.argv[1] == "train-0" else 1.1
        return answer(seconds=0.1 * factor)

    bench = Bench(executor=ScriptedExecutor(script), program=spec(train=2))
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert report.overall.verdict is Verdict.FASTER
    assert report.harmed == ("train-1",)
    assert report.comparison.verdict is Verdict.INCONCLUSIVE
    assert "slower on train-1" in report.comparison.method


def test_without_random_layouts_the_delivered_one_must_do_and_that_is_said() -> None:
    bench = Bench(layouts=False)
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert (report.layouts, report.comparison.verdict) == (0, Verdict.FASTER)
    assert "no lld" in bench.reporter.of(events.Warned)[0].text


def test_a_confirmation_whose_time_is_up_judges_the_layouts_it_has() -> None:
    rounds = iter([False] * 7 + [False] * 6 + [True])
    bench = Bench(rig={"out_of_time": lambda _: next(rounds, True)})
    report = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert report.layouts == 7
    again = bench.measurer().confirm_in_full("confirm", build("fast"), build("base"))
    assert again == report


class TestMeasurer(MeasurerConformance):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench()

    @pytest.fixture
    def log(self, bench: Bench) -> PairLog[PairRecord]:
        return bench.log

    @pytest.fixture
    def reopen(self, bench: Bench) -> Callable[[], Measurer]:
        return bench.measurer

    @pytest.fixture
    def arms(self) -> tuple[Build, ...]:
        return ARMS


def counting(bench: Bench) -> PairedMeasurer:
    """A measurer of counts without noise: a hundred instructions a millisecond."""

    def count(run: Run, _number: int) -> RunResult:
        return replace(answer(), instructions=int(TRUE[arm_of(run)] * 100_000))

    bench.executor = ScriptedExecutor(count)
    bench.rig = {"metric": Metric.INSTRUCTIONS}
    return replace(bench.measurer(), settings=SIMULATED)


def test_without_noise_every_layout_runs_once_and_nothing_warms_up() -> None:
    bench = Bench()
    comparison = counting(bench).select("trial", (build("fast"), build("base")))[0]
    assert comparison.verdict is Verdict.FASTER
    assert comparison.ratio == pytest.approx(0.10 / 0.08)
    assert len(bench.programs()) == len(set(bench.programs())) <= 16


def test_without_noise_eight_layouts_confirm() -> None:
    bench = Bench()
    report = counting(bench).confirm_in_full("confirm", build("fast"), build("base"))
    assert report.comparison.verdict is Verdict.FASTER
    assert (report.layouts, report.delivered.pairs) == (8, 1)
    assert report.delivered.verdict is Verdict.INCONCLUSIVE


def test_what_no_simulation_knows_is_inconclusive_and_not_wrong() -> None:
    bench = Bench()
    measurer = counting(bench)

    def refused(_run: Run, _number: int) -> RunResult:
        raise CountersUnavailableError("not countable", cause="AVX-512")

    bench.executor.script = refused
    said = measurer.select("trial", ARMS)
    assert [(one.verdict, one.pairs) for one in said] == [(Verdict.INCONCLUSIVE, 0)] * 2
