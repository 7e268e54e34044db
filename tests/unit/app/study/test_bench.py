from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfwright.app.campaign.tune import Ended
from perfwright.app.request import TuneRequest
from perfwright.app.study import bench as module
from perfwright.app.study.bench import BenchRequest, BenchResult, bench
from perfwright.core.events import Reporter
from perfwright.errors import MindError, UserError
from perfwright.report.document import CampaignDocument

USAGE = {"requests": 0, "tokens": 0, "usd": 0.0, "seconds": 10.0, "compile_seconds": 2.0}
USAGE |= {"run_seconds": 7.0, "overhead_seconds": 1.0}


def document(name: str, status: str, speedup: float = 1.0, **more: Any) -> CampaignDocument:
    """How a campaign on one program ended."""
    result: dict[str, Any] = {
        "speedup": speedup,
        "low": speedup - 0.02,
        "high": speedup + 0.02,
        "pairs": 40,
    }
    result["correct"] = "by-construction"
    data: dict[str, Any] = {"campaign": f"{name}-1", "program": name, "status": status}
    data |= {"mind": "builtin", "seed": 0, "metric": "cpu", "usage": USAGE, "result": result}
    return CampaignDocument.model_validate(data | more)


@dataclass
class ScriptedTune:
    """Answers for `tune`, by program; remembers what it was asked."""

    answers: dict[str, Ended]
    asked: list[TuneRequest] = field(default_factory=list)

    def __call__(self, request: TuneRequest, _: Reporter) -> Ended:
        self.asked.append(request)
        return self.answers[request.program.name]


ANSWERS = {
    "adpcm": Ended(
        document("adpcm", "improved", 1.5, edits=["pipeline: option a=1", "pipeline: flag -b"])
    ),
    "crc": Ended(document("crc", "no-gain", 0.99)),
    "fft": Ended(document("fft", "failed", result=None, cause="it does not build")),
    "lz": Ended(document("lz", "improved", 1.1, edits=["pipeline: link whole-program"])),
}


@pytest.fixture
def tune(monkeypatch: pytest.MonkeyPatch) -> ScriptedTune:
    scripted = ScriptedTune(dict(ANSWERS))
    monkeypatch.setattr(module, "tune", scripted)
    return scripted


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    for name in sorted(ANSWERS, reverse=True):
        (folder / name).mkdir(parents=True)
        (folder / name / "perfwright.toml").touch()
    (folder / "notes").mkdir()
    return folder


@pytest.fixture
def run(tune: ScriptedTune, suite: Path) -> Callable[..., BenchResult]:
    """Runs the suite: `run(only=("crc",))`."""
    return lambda **asked: bench(BenchRequest(suite=suite, **asked), lambda _: None)


# --- which programs -------------------------------------------------------------------------


def test_every_program_of_the_suite_is_tuned_in_order(run: Callable[..., BenchResult]) -> None:
    assert [row.program for row in run().rows] == ["adpcm", "crc", "fft", "lz"]


def test_only_some_can_be_asked_for(run: Callable[..., BenchResult]) -> None:
    assert [row.program for row in run(only=("lz", "crc")).rows] == ["crc", "lz"]


def test_the_budget_is_the_same_for_all(
    run: Callable[..., BenchResult], tune: ScriptedTune, suite: Path
) -> None:
    run(rounds=5, seed=7, cpu="native", toolchain="19", only=("crc",))
    assert tune.asked == [
        TuneRequest(program=suite / "crc", rounds=5, seed=7, cpu="native", toolchain="19")
    ]


def test_an_unknown_program_is_an_error_with_the_nearest(run: Callable[..., BenchResult]) -> None:
    with pytest.raises(UserError) as error:
        run(only=("cr",))
    assert error.value.fact == "unknown program 'cr'"
    assert error.value.hint == "crc"


@pytest.mark.parametrize(
    ("name", "fact"), [("gone", "there is no folder"), ("suite/notes", "holds no program")]
)
def test_a_folder_without_programs_is_an_error(
    tune: ScriptedTune, suite: Path, name: str, fact: str
) -> None:
    with pytest.raises(UserError, match=fact):
        bench(BenchRequest(suite=suite.parent / name), lambda _: None)


def test_an_interruption_ends_the_suite(
    run: Callable[..., BenchResult], tune: ScriptedTune
) -> None:
    tune.answers["crc"] = Ended(document("crc", "interrupted", result=None), interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(tune.asked) == 2


# --- several methods ------------------------------------------------------------------------

MODEL = "http://127.0.0.1:1/v1#m"


@pytest.fixture
def both(run: Callable[..., BenchResult]) -> Callable[..., BenchResult]:
    """Runs two programs by rules and by a model without its evaluator."""
    methods = ("builtin", f" {MODEL} evaluator=none", "builtin")
    return lambda **asked: run(methods=methods, only=("crc", "lz"), **asked)


def test_a_method_may_give_roles_to_others_or_leave_them_out(
    both: Callable[..., BenchResult], tune: ScriptedTune
) -> None:
    both()
    assert [str(request.assignment) for request in tune.asked] == [
        "builtin",
        "builtin",
        f"{MODEL} evaluator=none",
        f"{MODEL} evaluator=none",
    ]


def test_the_table_names_methods_side_by_side(both: Callable[..., BenchResult]) -> None:
    lines = list(both().lines())
    assert lines[:4] == [
        "| program | method | speed-up | 95 % interval | what was kept |",
        "|---|---|---|---|---|",
        "| crc | builtin | no gain | 0.970 to 1.010 |  |",
        f"| crc | {MODEL} evaluator=none | no gain | 0.970 to 1.010 |  |",
    ]
    assert [line.partition(": ")[0] for line in lines[7::2]] == [
        "builtin",
        f"{MODEL} evaluator=none",
    ]


def test_what_models_were_asked_is_counted_failures_included(
    run: Callable[..., BenchResult], tune: ScriptedTune
) -> None:
    usage = {**USAGE, "requests": 3, "tokens": 500, "usd": 0.25}
    tune.answers["fft"] = Ended(document("fft", "failed", result=None, usage=usage))
    result = run(only=("crc", "fft"))
    assert [row.requests for row in result.rows] == [0, 3]
    assert "3 requests to models, 500 tokens, 0.2500 USD" in list(result.lines())[-1]


def test_each_method_has_a_folder_whatever_its_name(
    both: Callable[..., BenchResult], tmp_path: Path
) -> None:
    both(out=tmp_path / "out")
    kept = [p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("out/*/crc.json")]
    assert sorted(kept) == [
        "out/builtin/crc.json",
        "out/http:_127.0.0.1:1_v1#m_evaluator=none/crc.json",
    ]


def test_methods_whose_folders_would_be_the_same_do_not_share_one(
    run: Callable[..., BenchResult], tmp_path: Path
) -> None:
    run(methods=("exec:true a b", "exec:true a_b"), only=("crc",), out=tmp_path / "out")
    assert len(list(tmp_path.glob("out/*/crc.json"))) == 2


@pytest.mark.parametrize(
    ("method", "fact"),
    [("bultin", "unknown mind 'bultin'"), ("builtin scorer=a:b", "unknown mind"), ("", "no mind")],
)
def test_an_impossible_method_is_refused_before_anything_is_tuned(
    run: Callable[..., BenchResult], tune: ScriptedTune, method: str, fact: str
) -> None:
    with pytest.raises(UserError, match=fact):
        run(methods=("builtin", method))
    assert tune.asked == []


def test_a_missing_key_is_noticed_before_anything_is_tuned(
    run: Callable[..., BenchResult], tune: ScriptedTune
) -> None:
    with pytest.raises(MindError, match="no key for openai"):
        run(methods=("builtin", "openai:x"))
    assert tune.asked == []


# --- what is said ---------------------------------------------------------------------------


def test_the_table_can_go_into_a_readme(run: Callable[..., BenchResult]) -> None:
    assert list(run().lines()) == [
        "| program | speed-up | 95 % interval | what was kept |",
        "|---|---|---|---|",
        "| adpcm | 1.500 | 1.480 to 1.520 | `option a=1`, `flag -b` |",
        "| crc | no gain | 0.970 to 1.010 |  |",
        "| fft | failed: it does not build |  |  |",
        "| lz | 1.100 | 1.080 to 1.120 | `link whole-program` |",
        "",
        "builtin: geometric mean 1.182 over 3 programs (1.049 without the largest gain), "
        "2 improved, 1 failed; perfwright itself took 10.0 % of the time",
    ]


def test_without_a_gain_the_figure_is_one_whatever_was_measured(
    run: Callable[..., BenchResult],
) -> None:
    (row,) = run(only=("crc",)).rows
    assert row.speedup == 1.0
    assert (row.low, row.high) == (0.97, 1.01)


def test_a_failure_is_never_a_figure_and_not_in_the_means(run: Callable[..., BenchResult]) -> None:
    result = run(only=("fft",))
    assert result.rows[0].speedup is None
    assert result.rows[0].low is None
    (summary,) = result.summaries
    assert (summary.programs, summary.failed, summary.geometric_mean) == (0, 1, None)
    assert "1.000" not in "\n".join(result.lines())


def test_of_one_program_there_is_no_mean_without_the_largest(
    run: Callable[..., BenchResult],
) -> None:
    assert "without the largest" not in "\n".join(run(only=("lz",)).lines())


def test_an_interval_without_bounds_is_left_open(
    run: Callable[..., BenchResult], tune: ScriptedTune
) -> None:
    result = {"speedup": 1.0, "low": None, "high": None, "pairs": 3, "correct": "tested"}
    tune.answers["crc"] = Ended(document("crc", "no-gain", result=result))
    assert "| crc | no gain |  |  |" in run(only=("crc",)).lines()


def test_each_program_is_told_when_it_is_done(tune: ScriptedTune, suite: Path) -> None:
    said: list[str] = []
    bench(BenchRequest(suite=suite), said.append)
    assert said == [
        "adpcm: improved 1.500 in 10 s",
        "crc: no gain in 10 s",
        "fft: failed: it does not build in 10 s",
        "lz: improved 1.100 in 10 s",
    ]


def test_everything_is_kept_where_it_was_asked_for(
    run: Callable[..., BenchResult], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run(out=out)
    assert BenchResult.model_validate_json((out / "bench.json").read_text()) == result
    assert (out / "bench.md").read_text().splitlines() == list(result.lines())
    kept = json.loads((out / "builtin" / "crc.json").read_text())
    assert kept["schema"] == 1
    assert CampaignDocument.model_validate(kept) == ANSWERS["crc"].document
