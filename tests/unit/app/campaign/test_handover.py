from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from perfwright.app.campaign.handover import hand_over
from perfwright.app.campaign.tune import plan_for, prepare
from perfwright.app.record.places import recipe_path, report_path, script_path
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.campaign import Outcome, Status
from perfwright.core.candidate import BASELINE, Candidate, Claim, Edit
from perfwright.core.events import silent
from perfwright.core.protocols import Build
from perfwright.core.trial import Contribution, Correctness
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError, ProgramError
from perfwright.measure.executor import NativeExecutor
from perfwright.recipe.model import Recipe
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.testing.situations import ground
from perfwright.toolchain.process import run

MAIN = '#include <stdio.h>\nlong work(long n);\nint main(void) { printf("%ld\\n", work(100)); }\n'
WORK = "long work(long n) { long s = 0; for (long i = 0; i < n; i++) s ^= i * s + 7; return s; }\n"

UNROLL = Edit("pipeline", "option unroll-count=8")
LINK = Edit("pipeline", "link whole-program")
FINAL = Candidate((UNROLL, LINK), (Claim(UNROLL, "the loop is long", ("loop-1",)),))
CONFIRMED = Comparison(Verdict.FASTER, 1.083, 1.071, 1.094, 40)

Places = Callable[..., Workplace]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Makes the workplace of a campaign on a small program; nothing is run in it."""
    with ExitStack() as stack:

        def make(work: str = WORK, cflags: tuple[str, ...] = ("-O3",), **asked: Any) -> Workplace:
            folder = tmp_path / "program"
            folder.mkdir()
            (folder / "main.c").write_text(MAIN)
            (folder / "work.c").write_text(work)
            (folder / "perfwright.toml").write_text(
                '[program]\nname = "tiny"\nsources = ["main.c", "work.c"]\n'
                f"cflags = {list(cflags)}\n"
            )
            setup = prepare(TuneRequest(program=folder, **asked))
            store = stack.enter_context(JournalStore.open(setup.settings.home))
            journal = stack.enter_context(store.create_campaign(plan_for(setup)))
            nobody = cast("NativeExecutor", None)
            return Workplace(setup, journal, nobody, Meter(), silent)

        yield make


def outcome(final: Candidate = FINAL, status: Status = Status.IMPROVED, **more: Any) -> Outcome:
    said: dict[str, Any] = {"confirmation": CONFIRMED, "correctness": Correctness.TESTED} | more
    return Outcome(status, ground(), final, (), **said)


def handed_over(place: Workplace, said: Outcome) -> Path:
    """The folder with the results."""
    hand_over(place, said)
    return place.setup.settings.home / "results" / place.journal.campaign


@pytest.mark.llvm
def test_a_recipe_says_what_was_confirmed(places: Places) -> None:
    place = places(seed=7)
    price = Contribution(str(UNROLL), Comparison(Verdict.FASTER, 1.05, 1.04, 1.06, 20), True)
    vague = Contribution(str(LINK), Comparison(Verdict.INCONCLUSIVE, 1.01, 0.9, 1.1, 15), False)
    folder = handed_over(place, outcome(attribution=(price, vague)))
    recipe = Recipe.load(folder / "recipe.toml")
    assert (recipe.campaign, recipe.seed) == (place.journal.campaign, 7)
    assert recipe.result.model_dump() == {
        "speedup": 1.083,
        "low": 1.071,
        "high": 1.094,
        "pairs": 40,
    }
    assert recipe.correct == "tested"
    unroll, link = recipe.edits
    assert (unroll.edit, unroll.claim, unroll.contribution) == (
        str(UNROLL),
        "the loop is long",
        1.05,
    )
    assert unroll.evidence == ("loop-1",)
    assert (link.edit, link.claim, link.contribution) == (str(LINK), "", None)


@pytest.mark.llvm
def test_a_recipe_says_what_it_stands_on(places: Places) -> None:
    place = places()
    recipe = Recipe.load(handed_over(place, outcome()) / "recipe.toml")
    assert recipe.toolchain == place.setup.toolchain.version
    assert recipe.triple == place.setup.host.triple
    assert {Path(name).name for name in recipe.sources} == {"main.c", "work.c", "perfwright.toml"}


@pytest.mark.llvm
def test_the_plan_of_a_recipe_builds_to_the_code_that_it_names(places: Places) -> None:
    place = places()
    recipe = Recipe.load(handed_over(place, outcome()) / "recipe.toml")
    assert recipe.build == place.workshop.plan(FINAL)
    build = place.workshop.build(FINAL)
    assert isinstance(build, Build)
    assert recipe.code == build.code


@pytest.mark.llvm
def test_other_code_than_the_confirmed_is_not_handed_over(places: Places) -> None:
    place = places()
    with pytest.raises(ProgramError, match="not what was confirmed"):
        hand_over(place, outcome(code="other"))
    build = place.workshop.build(FINAL)
    assert isinstance(build, Build)
    folder = handed_over(place, outcome(code=build.code))
    assert (folder / "recipe.toml").exists()


@pytest.mark.llvm
def test_a_source_that_changed_after_the_campaign_began_is_named(places: Places) -> None:
    place = places()
    source = place.setup.spec.root / "work.c"
    build = place.workshop.build(FINAL)
    assert isinstance(build, Build)
    source.write_text(WORK.replace("+ 7", "+ 9"))
    with pytest.raises(ProgramError, match="has changed") as error:
        hand_over(place, outcome(code=build.code))
    assert str(source) in error.value.cause
    assert f"perfwright resume {place.journal.campaign}" in error.value.hint


@pytest.mark.llvm
def test_what_is_handed_over_is_built_from_nothing(places: Places, tmp_path: Path) -> None:
    """Neither this session nor the store of objects notices a header before the known one."""
    early, late = tmp_path / "early", tmp_path / "late"
    for folder in (early, late):
        folder.mkdir()
    (late / "step.h").write_text("#define STEP 7\n")
    work = '#include "step.h"\n' + WORK.replace("7", "STEP")
    place = places(work, ("-O3", f"-I{early}", f"-I{late}"))
    build = place.workshop.build(FINAL)
    assert isinstance(build, Build)
    (early / "step.h").write_text("#define STEP 9\n")
    with pytest.raises(ProgramError, match="its machine code differs"):
        hand_over(place, outcome(code=build.code))


@pytest.mark.llvm
def test_the_script_builds_the_program_with_plain_tools(places: Places) -> None:
    place = places()
    folder = handed_over(place, outcome())
    script = folder / "recipe.sh"
    assert str(place.setup.spec.root) in script.read_text()
    made = run([script])
    assert made.ok, made.explain()
    built = run([folder / "tiny"])
    assert built.ok
    baseline = place.workshop.build(BASELINE)
    assert isinstance(baseline, Build)
    assert built.stdout == run([place.artefacts.path(baseline.binaries[0])]).stdout


@pytest.mark.llvm
@pytest.mark.parametrize("status", [Status.NO_GAIN, Status.INTERRUPTED, Status.FAILED])
def test_without_an_improvement_nothing_is_handed_over(places: Places, status: Status) -> None:
    assert not handed_over(places(), outcome(BASELINE, status, confirmation=None)).exists()


@pytest.mark.llvm
def test_results_go_where_the_user_wants_them(places: Places, tmp_path: Path) -> None:
    hand_over(places(out=tmp_path / "mine"), outcome())
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "recipe.sh",
        "recipe.toml",
    ]


@pytest.mark.llvm
def test_a_winner_that_no_longer_builds_is_our_fault(places: Places) -> None:
    with pytest.raises(InternalError) as error:
        hand_over(places(), outcome(Candidate((Edit("pipeline", "option zzz=1"),))))
    assert error.value.fact == "the final candidate no longer builds"
    assert error.value.cause


def test_results_are_found_by_the_record_of_the_campaign(improved: str) -> None:
    settings = Settings.load()
    with JournalStore.open(settings.home) as store:
        record = store.find(improved)
    names = [find(settings, record) for find in (recipe_path, report_path, script_path)]
    assert {path.parent for path in names} == {settings.home / "results" / improved}
    assert [path.name for path in names] == ["recipe.toml", "report.html", "recipe.sh"]
