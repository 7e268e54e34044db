from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.app.campaign.observer import ProgramObserver, hot_symbols
from perfwright.app.campaign.tune import observer_of, plan_for, prepare
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.checks.mutation import Mutant, MutationCheck, OracleStrength
from perfwright.core.budget import Meter
from perfwright.core.events import silent
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import ProgramError
from perfwright.evidence.gather import Gatherer
from perfwright.evidence.gathered import Evidence
from perfwright.measure.executor import open_executor
from perfwright.store.journal import JournalStore

WORK = """\
#include <stdio.h>
__attribute__((noinline)) unsigned work(const unsigned *v, int n)
{
    unsigned sum = 0;
    for (int r = 0; r < 2000; r++)
        for (int i = 0; i < n; i++) sum += v[i] ^ sum << 3;
    return sum;
}
int main(void)
{
    unsigned v[200];
    for (int i = 0; i < 200; i++) v[i] = i * i;
    printf("%u\\n", work(v, 200));
    return 0;
}
"""
CAUGHT, MISSED = Mutant("work emptied", "the output differs"), Mutant("a constant changed", "")
STRONG, WEAK = OracleStrength((CAUGHT,)), OracleStrength((CAUGHT, MISSED, MISSED))

Looks = Callable[..., ProgramObserver]


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    """Makes the observer of a program.

    What takes long is taken for granted: what mutants show, and all evidence unless asked for.
    """
    with ExitStack() as stack:

        def make(
            source: str = WORK,
            *,
            cflags: str = "-O3",
            strength: OracleStrength = STRONG,
            gathering: bool = False,
            **asked: Any,
        ) -> ProgramObserver:
            monkeypatch.setattr(MutationCheck, "strength", lambda *_: strength)
            if not gathering:
                monkeypatch.setattr(Gatherer, "gather", lambda *_: Evidence())
            (tmp_path / "work.c").write_text(source)
            (tmp_path / "perfwright.toml").write_text(
                f'[program]\nname = "work"\nsources = ["work.c"]\ncflags = ["{cflags}"]\n'
            )
            setup = prepare(TuneRequest(program=tmp_path, **asked))
            store = stack.enter_context(JournalStore.open(setup.settings.home))
            journal = stack.enter_context(store.create_campaign(plan_for(setup)))
            clang = setup.toolchain.tool("clang")
            executor = stack.enter_context(open_executor(clang, setup.settings.cache))
            return observer_of(Workplace(setup, journal, executor, Meter(), silent))

        yield make


# --- what is known before the first round ---------------------------------------------------


@pytest.mark.llvm
def test_the_ground_is_what_was_built_run_and_gathered(looks: Looks) -> None:
    said: list[str] = []
    observer = replace(looks(gathering=True), note=said.append)
    ground: Ground = observer.observe()
    assert ground.identity == "same-code"
    assert ground.metric == "cpu"
    assert 0 < ground.baseline_seconds < 5
    assert not ground.baseline.candidate.edits
    assert hot_symbols(ground.facts) in [(), ("work",)], "profilers are not everywhere"
    assert {"function", "loop"} <= {fact.kind for fact in ground.facts}
    assert len({fact.id for fact in ground.facts}) == len(ground.facts)
    assert not any("oracle" in warning or "undefined" in warning for warning in ground.warnings)
    assert len(said) == 5


@pytest.mark.llvm
def test_another_level_than_o3_is_compared_with_it(looks: Looks) -> None:
    asked: list[str] = []

    def compare(label: str, one: Build, other: Build) -> Comparison:
        asked.append(label)
        assert one.code != other.code
        return Comparison(Verdict.SLOWER, 0.5, 0.4, 0.6, 9)

    ground = replace(looks(cflags="-O1"), compare=compare).observe()
    assert (ground.over_o3, "over-o3" in asked) == (0.5, True)


@pytest.mark.llvm
def test_o3_is_not_compared_with_itself(looks: Looks) -> None:
    assert looks().observe().over_o3 is None


@pytest.mark.llvm
def test_undefined_behaviour_is_a_loud_warning(looks: Looks) -> None:
    wild = WORK.replace("i * i", "2000000 * i * i")
    ground = looks(wild).observe()
    assert any(w.startswith("undefined behaviour in the program") for w in ground.warnings)


@pytest.mark.llvm
def test_a_weak_oracle_stops_the_campaign(looks: Looks) -> None:
    with pytest.raises(ProgramError) as error:
        looks(strength=WEAK).observe()
    assert error.value.fact == "the oracle is too weak: the oracle notices 1 of 3 mutants"
    assert "--weak-oracle" in error.value.hint


@pytest.mark.llvm
def test_a_weak_oracle_is_a_warning_when_the_user_says_so(looks: Looks) -> None:
    ground = looks(strength=WEAK, weak_oracle=True).observe()
    assert "weak oracle: the oracle notices 1 of 3 mutants" in ground.warnings


@pytest.mark.llvm
def test_without_optimisation_there_is_no_pipeline_to_compare_with(looks: Looks) -> None:
    assert looks(cflags="-g").observe().identity == "differs"


@pytest.mark.llvm
def test_the_staged_build_of_ofast_is_that_of_o3_with_its_fast_math(looks: Looks) -> None:
    sums = "double s; int main(void) { for (int i = 0; i < 9999999; i++) s += 1.5 * i; "
    assert looks(sums + "return s < 0; }", cflags="-Ofast").observe().identity == "same-code"


@pytest.mark.llvm
def test_a_program_that_does_not_build_is_its_authors_error(looks: Looks) -> None:
    with pytest.raises(ProgramError) as error:
        looks("int main(void) { return x; }").observe()
    assert "undeclared" in error.value.cause
    assert "work.c" in error.value.hint


@pytest.mark.llvm
def test_a_program_that_fails_cannot_be_judged(looks: Looks) -> None:
    with pytest.raises(ProgramError):
        looks("int main(void) { return 3; }").observe()


# --- hot symbols ----------------------------------------------------------------------------


def fact(symbol: str, share: float | str, kind: str = "function") -> Fact:
    return Fact(f"{kind}-{symbol}", kind, "opt", "", "", {"symbol": symbol, "share": share})


def test_hot_symbols_are_the_hottest_first() -> None:
    facts = [fact("warm", 0.1), fact("hot", 0.8), fact("cold", 0.01)]
    assert hot_symbols(facts) == ("hot", "warm")


def test_only_functions_with_a_measured_share_are_hot() -> None:
    unmeasured = Fact("fun-x", "function", "opt", "", "", {"symbol": "x"})
    assert hot_symbols([unmeasured, fact("line", 0.9, "profile"), fact("odd", "0.9")]) == ()
