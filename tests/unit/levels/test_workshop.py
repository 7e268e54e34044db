"""Candidates built for real, from a tiny C program of two units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.core.candidate import BASELINE, Candidate, Claim, Edit
from perfwright.core.protocols import Build, Refusal, Repaired
from perfwright.evidence.disassembly import disassemble, instruction_mix
from perfwright.levels.fixed import AS_HANDED_OVER, FixedLevel
from perfwright.levels.pipeline.level import NAME, PipelineLevel
from perfwright.levels.protocol import Mended
from perfwright.levels.workshop import EditWorkshop, Guards, Inside
from perfwright.measure.counting import Count
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.program.build import DEFAULT_LIMITS
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.testing.conformance_workshop import WorkshopConformance
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, run

Edited = Callable[..., Candidate]
Programs = Callable[..., CapturedBuild]
Workshops = Callable[..., EditWorkshop]

VECTORS = """\
void scale(float *v, long n) { for (long i = 0; i < n; i++) v[i] *= 3.0f; }
long work(const int *v, long n)
{
    static float f[64];
    for (int i = 0; i < 64; i++) f[i] = (float)v[i];
    scale(f, n < 64 ? n : 64);
    return (long)f[n % 64];
}
"""


@pytest.fixture(scope="module")
def program(programs: Programs) -> CapturedBuild:
    return programs()


@pytest.fixture(scope="module")
def workshop(workshops: Workshops, toolchain: Toolchain, program: CapturedBuild) -> EditWorkshop:
    """Of the LLVM that perfwright would choose; hot is `work`."""
    return workshops(toolchain, program, hot=("work",))


def built(made: Build | Refusal) -> Build:
    assert isinstance(made, Build), made
    return made


def seen(looked: Inside | Refusal) -> Inside:
    assert isinstance(looked, Inside), looked
    return looked


def refused(said: object) -> Refusal:
    assert isinstance(said, Refusal)
    return said


def binary(workshop: EditWorkshop, candidate: Candidate) -> Path:
    """The file that a candidate was built as."""
    assert built(workshop.build(candidate))
    return workshop.site.folder / candidate.id / "tiny"


def vector_instructions(workshop: EditWorkshop, candidate: Candidate, symbol: str) -> int:
    path = binary(workshop, candidate)
    code = disassemble(path, [symbol], workshop.site.toolchain, run)
    return sum(instruction_mix(c.instructions, c.architecture).vector for c in code)


@pytest.mark.llvm
class TestEditWorkshop(WorkshopConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def workshop(
        cls, workshops: Workshops, each_toolchain: Toolchain, program: CapturedBuild
    ) -> EditWorkshop:
        return workshops(each_toolchain, program, hot=("work",))

    @pytest.fixture(
        params=["option unroll-count=8", "link whole-program", "remove loop-vectorize#1"]
    )
    def good(self, edited: Edited, request: pytest.FixtureRequest) -> Candidate:
        return edited(str(request.param))

    @pytest.fixture(params=[("option zzz=1",), ("option unroll-count=2", "option unroll-count=4")])
    def bad(self, edited: Edited, request: pytest.FixtureRequest) -> Candidate:
        return edited(*request.param)


# --- repair: several levels at once ---------------------------------------------------------


@dataclass(frozen=True)
class Whispers:
    """A level that makes every edit lower case, and takes nothing that is secret."""

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        if any("secret" in edit.text for edit in edits):
            return Refusal("it is secret")
        quiet = {edit: (Edit(edit.level, edit.text.lower()),) for edit in edits}
        mended = tuple(dict.fromkeys(edit for found in quiet.values() for edit in found))
        repairs = tuple(f"{edit.text} is too loud" for edit in edits if edit not in mended)
        return Mended(mended, repairs, quiet)

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        flags = (*base.compile_flags, *(f"-D{edit.level}_{edit.text}" for edit in edits))
        return base.model_copy(update={"compile_flags": flags})


@pytest.fixture
def whispering(workshop: EditWorkshop) -> EditWorkshop:
    return EditWorkshop(workshop.site, {"one": Whispers(), "two": Whispers()})


LOUD, QUIET = Edit("one", "HEY"), Edit("one", "hey")


@pytest.mark.llvm
def test_each_level_mends_its_own_edits(whispering: EditWorkshop) -> None:
    draft = Candidate((Edit("two", "A"), LOUD, Edit("two", "b")))
    said = whispering.repair(draft)
    assert isinstance(said, Repaired)
    assert said.candidate.edits == (Edit("two", "a"), Edit("two", "b"), QUIET)
    assert said.repairs == ("A is too loud", "HEY is too loud")


@pytest.mark.llvm
def test_claims_follow_their_edits_through_repair(whispering: EditWorkshop) -> None:
    draft = Candidate((LOUD,), (Claim(LOUD, "it helps", ("rem-1",)),))
    said = whispering.repair(draft)
    assert isinstance(said, Repaired)
    assert said.candidate.claims == (Claim(QUIET, "it helps", ("rem-1",)),)


@pytest.mark.llvm
def test_what_was_expected_stays_through_repair(whispering: EditWorkshop) -> None:
    said = whispering.repair(Candidate((LOUD,), expects="less time", confidence=0.8))
    assert isinstance(said, Repaired)
    assert (said.candidate.expects, said.candidate.confidence) == ("less time", 0.8)


@pytest.mark.llvm
def test_a_claim_for_an_edit_that_is_not_there_is_dropped(whispering: EditWorkshop) -> None:
    said = whispering.repair(Candidate((LOUD,), (Claim(Edit("one", "other"), "it helps"),)))
    assert isinstance(said, Repaired)
    assert said.candidate.claims == ()


@pytest.mark.llvm
def test_the_refusal_of_one_level_is_the_candidates(whispering: EditWorkshop) -> None:
    draft = Candidate((LOUD, Edit("two", "secret")))
    assert whispering.repair(draft) == Refusal("it is secret")


@pytest.mark.llvm
def test_every_level_adds_to_the_plan(whispering: EditWorkshop) -> None:
    plan = whispering.plan(Candidate((Edit("two", "b"), QUIET)))
    assert isinstance(plan, BuildPlan)
    assert plan.compile_flags == ("-Done_hey", "-Dtwo_b")


@pytest.mark.llvm
@pytest.mark.parametrize("stage", ["repair", "plan", "build", "look"])
def test_an_edit_of_a_level_that_is_not_in_the_campaign_is_never_left_out(
    whispering: EditWorkshop, stage: str
) -> None:
    said = getattr(whispering, stage)(Candidate((QUIET, Edit("source", "x"))))
    assert refused(said).reason == "there is no level 'source' in this campaign; known: one, two"


# --- build ----------------------------------------------------------------------------------


@pytest.mark.llvm
def test_the_baseline_is_the_users_own_build(workshop: EditWorkshop) -> None:
    assert workshop.plan(BASELINE) == PLAIN
    assert built(workshop.build(BASELINE)).candidate == BASELINE


@pytest.mark.llvm
def test_layouts_differ_in_the_order_of_functions_and_are_reproducible(
    workshop: EditWorkshop,
) -> None:
    first, second = workshop.build(BASELINE, 2), workshop.build(BASELINE, 2)
    assert first == second
    assert len(set(built(first).binaries)) > 1


@pytest.mark.llvm
def test_every_binary_is_kept(
    workshops: Workshops, toolchain: Toolchain, program: CapturedBuild
) -> None:
    workshop = workshops(toolchain, program)
    for digest in built(workshop.build(BASELINE, 1)).binaries:
        assert run([workshop.site.folder.parent / digest]).text == "745268\n"


@pytest.mark.llvm
def test_a_program_that_does_not_compile_is_refused_with_a_line_to_paste(
    workshops: Workshops, programs: Programs, toolchain: Toolchain
) -> None:
    workshop = workshops(toolchain, programs(work="long work(int x) { return y; }"))
    said = refused(workshop.build(BASELINE))
    assert "undeclared" in said.reason
    assert "work.c" in said.reproducer
    assert not said.unpromising


@pytest.mark.llvm
def test_a_recipes_plan_builds_to_the_code_of_its_edits(
    workshop: EditWorkshop, edited: Edited
) -> None:
    candidate = edited("option unroll-count=8")
    plan = workshop.plan(candidate)
    assert isinstance(plan, BuildPlan)
    fixed = EditWorkshop(workshop.site, {"recipe": FixedLevel(plan)})
    assert built(fixed.build(AS_HANDED_OVER)).code == built(workshop.build(candidate)).code


@pytest.mark.llvm
def test_an_edit_for_one_unit_leaves_the_code_of_the_others(
    workshops: Workshops, programs: Programs, toolchain: Toolchain, edited: Edited
) -> None:
    """Also where the user's level is not the one that the edited pipeline comes from."""
    workshop = workshops(toolchain, programs("-O2"), hot=("main", "work"))
    before = seen(workshop.look(BASELINE)).functions
    after = seen(workshop.look(edited("remove in work.c: loop-vectorize#1"))).functions
    assert before["main"] == after["main"]


# --- roads ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vectors(workshops: Workshops, programs: Programs, each_toolchain: Toolchain) -> EditWorkshop:
    """A program whose only vector code is a loop over floats."""
    return workshops(each_toolchain, programs(work=VECTORS), hot=("work",))


@pytest.mark.llvm
@pytest.mark.parametrize("road", [(), ("link whole-program",)], ids=["staged", "whole-program"])
def test_an_edited_pipeline_reaches_the_machine_code(
    vectors: EditWorkshop, edited: Edited, road: tuple[str, ...]
) -> None:
    plain = edited(*road)
    # slp-vectorizer would make vectors of what is left
    scalar = edited(*road, "remove loop-vectorize#1", "remove slp-vectorizer#1")
    where = "main" if road else "work"
    assert vector_instructions(vectors, plain, where) > vector_instructions(vectors, scalar, where)


@pytest.mark.llvm
def test_a_whole_program_is_inlined_across_its_units(vectors: EditWorkshop, edited: Edited) -> None:
    def functions(*texts: str) -> set[str]:
        path = binary(vectors, edited(*texts))
        return {code.name for code in disassemble(path, [], vectors.site.toolchain, run)}

    assert "work" in functions()
    assert "work" not in functions("link whole-program")
    assert "work" not in functions("link whole-program", "remove gvn#1")


@pytest.mark.llvm
def test_a_whole_programs_pipeline_is_run_by_lld_and_not_before(
    vectors: EditWorkshop, edited: Edited
) -> None:
    """What is measured is what a stock clang and lld build from the same words."""
    candidate = edited("link whole-program", "remove loop-vectorize#1")
    plan = vectors.plan(candidate)
    assert isinstance(plan, BuildPlan)
    assert plan.pipeline is not None
    clang, site = vectors.site.toolchain.tool("clang"), vectors.site
    output = site.folder / "by-hand"
    sources = [unit.source for unit in site.captured.units]
    words = [*plan.compile_words(), *plan.link_words()]
    by_hand = run([clang, "-O3", *words, *sources, "-o", output], cwd=site.captured.root)
    assert by_hand.ok, by_hand.explain()
    hand, ours = (
        [c.normalised() for c in disassemble(path, ["main"], site.toolchain, run)]
        for path in (output, binary(vectors, candidate))
    )
    assert hand == ours


@pytest.mark.llvm
def test_a_neutral_edit_of_passes_gives_the_program_s_own_results_on_both_roads(
    vectors: EditWorkshop, edited: Edited
) -> None:
    expected = run([binary(vectors, BASELINE)]).stdout
    for road in ((), ("link whole-program",)):
        candidate = edited(*road, "repeat instcombine#1 x2", "option unroll-count=4")
        assert run([binary(vectors, candidate)]).stdout == expected


# --- guards ---------------------------------------------------------------------------------


@pytest.mark.llvm
@pytest.mark.parametrize(
    ("guards", "option"),
    [(Guards(size=1.01), "--max-size"), (Guards(compile_time=1e-6), "--max-compile-time")],
)
def test_what_grows_too_much_is_refused_as_unpromising(
    workshop: EditWorkshop, edited: Edited, guards: Guards, option: str
) -> None:
    guarded = EditWorkshop(workshop.site, workshop.levels, guards)
    said = refused(guarded.build(edited("option unroll-count=8")))
    assert said.unpromising
    assert option in said.reason


@pytest.mark.llvm
def test_the_reason_says_how_much_it_grows(workshop: EditWorkshop, edited: Edited) -> None:
    candidate = edited("option unroll-count=8")
    grown = built(workshop.build(candidate)).size_bytes / built(workshop.build(BASELINE)).size_bytes
    guarded = EditWorkshop(workshop.site, workshop.levels, Guards(size=1.25))
    said = refused(guarded.build(candidate))
    assert said.reason == f"code grows {grown:.2f}-fold, over --max-size 1.25"


@pytest.mark.llvm
def test_limits_that_are_kept_do_not_matter(workshop: EditWorkshop, edited: Edited) -> None:
    guarded = EditWorkshop(workshop.site, workshop.levels, Guards(size=50, compile_time=1e6))
    candidate = edited("option unroll-count=8")
    assert guarded.build(candidate) == workshop.build(candidate)


@pytest.mark.llvm
def test_the_baseline_is_not_guarded_against_itself(workshop: EditWorkshop) -> None:
    guarded = EditWorkshop(workshop.site, workshop.levels, Guards(0.5, 0.5))
    assert built(guarded.build(BASELINE))


# --- limits ---------------------------------------------------------------------------------


@dataclass
class Clocked:
    """Runs everything, says that it took so long, and remembers the limits."""

    seconds: float
    limits: list[Limits] = field(default_factory=list)

    def __call__(self, argv: Any, *, limits: Limits = DEFAULT_LIMITS, **more: Any) -> ProcessResult:
        self.limits.append(limits)
        return replace(run(argv, limits=limits, **more), seconds=self.seconds)


@pytest.mark.llvm
@pytest.mark.parametrize(
    ("seconds", "wall"), [(0.01, 60.0), (2.0, 120.0), (100.0, DEFAULT_LIMITS.wall)]
)
def test_a_candidate_that_compiles_twenty_times_as_long_as_the_baseline_hangs(
    workshop: EditWorkshop, edited: Edited, tmp_path: Path, seconds: float, wall: float
) -> None:
    """Two units and a link of so many seconds each: that is the baseline."""
    clocked = Clocked(seconds)
    site = replace(workshop.site, runner=clocked, folder=tmp_path, objects=tmp_path / "objects")
    afresh = EditWorkshop(site, workshop.levels)
    built(afresh.build(BASELINE))
    assert {limits.wall for limits in clocked.limits} == {DEFAULT_LIMITS.wall}
    clocked.limits.clear()
    built(afresh.build(edited("option unroll-count=8")))
    assert {limits.wall for limits in clocked.limits} == {wall}
    assert None not in {limits.memory for limits in clocked.limits}


# --- looking inside -------------------------------------------------------------------------


@pytest.mark.llvm
def test_consequences_are_what_changed_in_hot_code(workshop: EditWorkshop, edited: Edited) -> None:
    build = built(workshop.build(edited("option unroll-count=8")))
    baseline = built(workshop.build(BASELINE))
    facts = {fact.id: fact for fact in workshop.consequences(build, baseline)}
    assert facts["dcode-work"].data["symbol"] == "work"
    assert facts["dsize-total"].data["delta"]
    assert len(facts) <= 12


@pytest.mark.llvm
def test_all_sorts_of_consequences_are_among_the_first(
    workshop: EditWorkshop, edited: Edited
) -> None:
    baseline, build = (
        built(workshop.build(c)) for c in (BASELINE, edited("option unroll-count=8"))
    )
    first = workshop.consequences(build, baseline)[:3]
    assert [fact.id.partition("-")[0] for fact in first] == ["drem", "dcode", "dsize"]


@pytest.mark.llvm
def test_consequences_are_the_same_for_who_has_not_built_it(
    workshop: EditWorkshop, edited: Edited
) -> None:
    """As when a campaign is resumed between two steps."""
    build = built(workshop.build(edited("option unroll-count=8")))
    baseline = built(workshop.build(BASELINE))
    other = EditWorkshop(workshop.site, workshop.levels, hot=workshop.hot)
    assert other.consequences(build, baseline) == workshop.consequences(build, baseline)


@pytest.mark.llvm
def test_the_incumbents_own_changes_are_not_told_against_it(
    workshop: EditWorkshop, edited: Edited
) -> None:
    unrolled, more = (
        edited("option unroll-count=8"),
        edited("option unroll-count=8", "flag -funroll-loops"),
    )
    incumbent, build = built(workshop.build(unrolled)), built(workshop.build(more))
    facts = workshop.consequences(build, incumbent)
    assert not [fact for fact in facts if fact.id.startswith("inc-")]
    assert [fact for fact in facts if "unrolled" in fact.text]


@pytest.mark.llvm
def test_against_the_incumbent_comes_first(workshop: EditWorkshop, edited: Edited) -> None:
    incumbent = built(workshop.build(edited("option unroll-count=8")))
    build = built(workshop.build(edited("option unroll-count=2")))
    facts = workshop.consequences(build, incumbent)
    own = [fact.id.startswith("inc-") for fact in facts]
    assert own == sorted(own, reverse=True)
    assert own[0]
    assert not own[-1]
    assert all(
        ("against the incumbent" in fact.text) is is_own
        for fact, is_own in zip(facts, own, strict=True)
    )


@pytest.mark.llvm
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("option unroll-count=8", "now unrolled loop by a factor of 8"),
        ("remove loop-vectorize#1", "no longer vectorized loop"),
        ("link whole-program", "now 'work' inlined into 'main'"),
    ],
)
def test_every_road_tells_what_its_passes_now_do(
    workshop: EditWorkshop, edited: Edited, edit: str, said: str
) -> None:
    everywhere = EditWorkshop(workshop.site, workshop.levels)
    baseline, build = built(everywhere.build(BASELINE)), built(everywhere.build(edited(edit)))
    texts = [fact.text for fact in everywhere.consequences(build, baseline)]
    assert any(said in text for text in texts), texts


@pytest.mark.llvm
def test_remarks_are_made_once_for_each_candidate(workshop: EditWorkshop, edited: Edited) -> None:
    asked: list[object] = []

    def counted(argv: Any, **more: Any) -> ProcessResult:
        asked.extend(argv)
        return run(argv, **more)

    site = replace(workshop.site, runner=counted)
    other = EditWorkshop(site, workshop.levels, hot=("work",))
    baseline, build = (
        built(other.build(candidate)) for candidate in (BASELINE, edited("option unroll-count=4"))
    )
    other.consequences(build, baseline)
    first = asked.count("-fsave-optimization-record=yaml")
    other.consequences(build, baseline)
    assert first == 2 * len(site.captured.units)
    assert asked.count("-fsave-optimization-record=yaml") == first


@pytest.mark.llvm
def test_without_remarks_the_other_consequences_are_told(
    workshop: EditWorkshop, edited: Edited
) -> None:
    def broken(argv: Any, **more: Any) -> ProcessResult:
        done = run(argv, **more)
        return replace(done, status=1) if "-fsave-optimization-record=yaml" in argv else done

    site = replace(workshop.site, runner=broken)
    mute = EditWorkshop(site, workshop.levels, hot=("work",))
    baseline, build = (built(mute.build(c)) for c in (BASELINE, edited("option unroll-count=8")))
    sorts = {fact.id.partition("-")[0] for fact in mute.consequences(build, baseline)}
    assert sorts == {"dcode", "dsize"}


@pytest.mark.llvm
def test_counts_come_first_and_not_with_drafts(workshop: EditWorkshop, edited: Edited) -> None:
    baseline, build = (
        built(workshop.build(c)) for c in (BASELINE, edited("option unroll-count=8"))
    )
    counts = {baseline.code: 2_000_000, build.code: 1_500_000}
    counting = EditWorkshop(
        workshop.site,
        workshop.levels,
        hot=("work",),
        count=lambda made: Count("train", "simulated", counts[made.code]),
    )
    assert counting.consequences(build, baseline)[0].text == (
        "instructions 2 M -> 1.5 M (-25.00%), simulated, one run of workload train"
    )
    assert counting.changes(build, baseline) == workshop.consequences(build, baseline)


@pytest.mark.llvm
def test_looking_names_the_hot_functions_and_their_code(
    workshop: EditWorkshop, edited: Edited
) -> None:
    before, after = workshop.look(BASELINE), workshop.look(edited("option unroll-count=8"))
    assert seen(before).functions.keys() == {"work"}
    assert seen(before).functions != seen(after).functions
    assert seen(after).code == built(workshop.build(edited("option unroll-count=8"))).code


@pytest.mark.llvm
def test_padding_inside_hot_code_is_a_change(workshop: EditWorkshop, edited: Edited) -> None:
    aligned = workshop.look(edited("option align-all-nofallthru-blocks=5"))
    assert seen(aligned).functions != seen(workshop.look(BASELINE)).functions


@pytest.mark.llvm
def test_without_a_profile_every_function_is_looked_at(
    workshops: Workshops, toolchain: Toolchain, program: CapturedBuild
) -> None:
    assert {"main", "work"} <= seen(workshops(toolchain, program).look(BASELINE)).functions.keys()


@pytest.mark.llvm
def test_a_draft_is_mended_before_it_is_looked_at_and_says_so(
    workshop: EditWorkshop, edited: Edited
) -> None:
    mended, plain = (
        workshop.look(edited(f"option {n}=8")) for n in ("unroll-cuont", "unroll-count")
    )
    assert seen(mended).functions == seen(plain).functions
    assert seen(mended).repairs
    assert not seen(plain).repairs


@pytest.mark.llvm
def test_a_draft_is_compiled_once(workshop: EditWorkshop, edited: Edited) -> None:
    candidate = edited("option unroll-count=2")
    assert workshop.look(candidate) is workshop.look(candidate)


@pytest.mark.llvm
def test_a_pipeline_that_opt_does_not_take_is_refused_with_a_line_to_paste(
    vectors: EditWorkshop, edited: Edited
) -> None:
    """Here nobody knows that `licm` needs `loop-mssa`: lld would abort."""
    level = vectors.levels[NAME]
    assert isinstance(level, PipelineLevel)
    known = level.repairer.vocabulary.registry
    vocabulary = Vocabulary(replace(known, needs_memory_ssa=()))
    ignorant = replace(level, repairer=replace(level.repairer, vocabulary=vocabulary))
    said = refused(ignorant.repair(edited("link whole-program", "insert licm after gvn#1").edits))
    assert "LICM requires MemorySSA" in said.reason
    assert "loop(licm)" in said.reproducer
