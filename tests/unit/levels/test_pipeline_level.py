"""From edits in text form to what a build does differently."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from perfwright.core.candidate import Edit
from perfwright.core.protocols import Refusal
from perfwright.levels.pipeline.level import NAME, PipelineLevel
from perfwright.levels.protocol import Mended
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.program.linker import link_option, plugin_option
from perfwright.program.plan import NO_LTO, PLAIN, BuildPlan

UNITS = ("main.c", "src/work.c")
TEXT_OPTIONS = ("inlinedefault-threshold", "locally-hot-callsite-threshold")
"""Some of those that a pipeline needs as text, to mean what -O3 means."""


@dataclass
class ScriptedOpt:
    """Refuses pipelines that hold a text; remembers what it was asked."""

    bad: str = "no such text"
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def __call__(self, unit: str, pipeline: str, options: tuple[str, ...]) -> Refusal | None:
        self.asked.append((unit, pipeline, options))
        return Refusal(f"{unit}: opt crashed", "opt -x") if self.bad in pipeline else None


@pytest.fixture
def opt() -> ScriptedOpt:
    return ScriptedOpt()


@pytest.fixture
def level(repairer: EditRepairer, opt: ScriptedOpt) -> PipelineLevel:
    return PipelineLevel(repairer, UNITS, opt, host_cpu="znver4")


@pytest.fixture
def closed(repairer: EditRepairer, opt: ScriptedOpt) -> PipelineLevel:
    """Without the staged road."""
    return PipelineLevel(repairer, UNITS, opt, staged=lambda: False)


def edits(*texts: str) -> tuple[Edit, ...]:
    return tuple(Edit(NAME, text) for text in texts)


def planned(level: PipelineLevel, *texts: str, base: BuildPlan = PLAIN) -> BuildPlan:
    plan = level.plan(edits(*texts), base)
    assert isinstance(plan, BuildPlan), plan
    return plan


def refused(said: object) -> str:
    assert isinstance(said, Refusal)
    return said.reason


def passed(option: str) -> tuple[str, str]:
    return "-mllvm", option


# --- options, flags and the kind of link ----------------------------------------------------


def test_no_edits_are_the_users_own_build(level: PipelineLevel) -> None:
    assert planned(level) == PLAIN


def test_an_option_is_a_flag_of_the_users_own_road(level: PipelineLevel) -> None:
    plan = planned(level, "option unroll-count=8")
    assert plan == BuildPlan(compile_flags=passed("-unroll-count=8"))


def test_a_flag_goes_to_every_unit(level: PipelineLevel) -> None:
    assert planned(level, "flag -fno-vectorize").compile_flags == ("-fno-vectorize",)


def test_native_means_the_same_cpu_on_every_machine(level: PipelineLevel) -> None:
    assert planned(level, "flag -mtune=native").compile_flags == ("-mtune=znver4",)
    in_unit = planned(level, "flag in main.c: -mtune=native")
    assert in_unit.unit_flags == {"main.c": ("-mtune=znver4",)}


@pytest.mark.parametrize("flag", ["-mtune=skylake", "-mtune=native2", "-falign-loops=32"])
def test_other_values_stay_as_they_are(level: PipelineLevel, flag: str) -> None:
    assert planned(level, f"flag {flag}").compile_flags == (flag,)


def test_native_stays_when_nobody_knows_the_host(closed: PipelineLevel) -> None:
    assert planned(closed, "flag -mtune=native").compile_flags == ("-mtune=native",)


def test_the_base_comes_first(level: PipelineLevel) -> None:
    base = BuildPlan(compile_flags=("-march=znver4",), link_flags=("-march=znver4",))
    plan = planned(level, "option unroll-count=8", "link whole-program", base=base)
    assert plan.compile_flags == ("-march=znver4", *passed("-unroll-count=8"))
    assert plan.link_flags == ("-march=znver4", *link_option("-unroll-count=8"))


def test_a_whole_program_build_tells_options_to_the_linker_too(level: PipelineLevel) -> None:
    plan = planned(level, "link whole-program", "option unroll-count=8")
    assert plan.whole_program
    assert plan.pipeline is None
    assert plan.compile_flags == passed("-unroll-count=8")
    assert plan.link_flags == link_option("-unroll-count=8")


def test_per_unit_takes_link_time_optimisation_back_behind_all_else(level: PipelineLevel) -> None:
    base = BuildPlan(compile_flags=("-flto",), link_flags=("-flto",))
    plan = planned(level, "link per-unit", "option unroll-count=8", base=base)
    assert plan.compile_words() == ("-flto", "-mllvm", "-unroll-count=8", *NO_LTO)
    assert plan.link_words() == ("-flto", *NO_LTO)
    assert not plan.whole_program


@pytest.fixture
def flto(repairer: EditRepairer, opt: ScriptedOpt) -> PipelineLevel:
    """Of a program that has one unit built with -flto."""
    return PipelineLevel(repairer, UNITS, opt, linked=frozenset({"src/work.c"}))


def test_a_build_with_flto_tells_options_to_its_own_linker(flto: PipelineLevel) -> None:
    plan = planned(flto, "option unroll-count=8")
    assert plan.compile_flags == passed("-unroll-count=8")
    assert plan.link_flags == plugin_option("-unroll-count=8")
    assert planned(flto, "link whole-program", "option unroll-count=8").link_flags == link_option(
        "-unroll-count=8"
    )
    assert planned(flto, "link per-unit", "option unroll-count=8").link_flags == NO_LTO


@pytest.mark.parametrize("edit", ["remove gvn#1", "remove in src/work.c: gvn#1"])
def test_edits_of_passes_of_a_build_with_flto_say_what_becomes_of_its_link(
    flto: PipelineLevel, edit: str
) -> None:
    reason = refused(flto.plan(edits(edit), PLAIN))
    assert "do not reach src/work.c" in reason
    assert "link whole-program" in reason
    assert "link per-unit" in reason
    assert set(planned(flto, edit, "link per-unit").unit_pipelines) >= {"src/work.c"}


def test_a_unit_that_the_linker_does_not_optimise_takes_edits_of_passes(
    flto: PipelineLevel,
) -> None:
    assert set(planned(flto, "remove in main.c: gvn#1").unit_pipelines) == {"main.c"}


def test_without_whole_program_the_link_is_left_alone(level: PipelineLevel) -> None:
    for text in (
        "option in main.c: unroll-count=8",
        "option unroll-count=8",
        "insert licm after gvn#1",
    ):
        plan = planned(level, text)
        assert not plan.whole_program
        assert plan.link_flags == ()


# --- single units ---------------------------------------------------------------------------


def test_an_edit_for_one_unit_leaves_the_others(level: PipelineLevel) -> None:
    plan = planned(level, "option in src/work.c: unroll-count=8", "flag in main.c: -fno-vectorize")
    assert plan.compile_flags == ()
    assert plan.unit_flags == {
        "main.c": ("-fno-vectorize",),
        "src/work.c": passed("-unroll-count=8"),
    }


def test_a_unit_of_its_own_mind_says_so_behind_what_holds_for_all(level: PipelineLevel) -> None:
    """Of options given twice the last counts."""
    texts = ("option unroll-count=4", "option in main.c: unroll-count=8", "flag -fvectorize")
    plan = planned(level, *texts, "flag in main.c: -fno-vectorize")
    assert plan.compile_flags == ("-fvectorize", *passed("-unroll-count=4"))
    assert plan.unit_flags == {"main.c": ("-fno-vectorize", *passed("-unroll-count=8"))}


def test_saying_for_one_unit_what_holds_for_all_adds_nothing(level: PipelineLevel) -> None:
    plan = planned(level, "option unroll-count=4", "option in main.c: unroll-count=4")
    assert plan.unit_flags == {}


def test_a_unit_that_the_program_does_not_have_is_refused(level: PipelineLevel) -> None:
    said = refused(level.plan(edits("option in src/wrok.c: unroll-count=8"), PLAIN))
    assert "there is no unit 'src/wrok.c'" in said
    assert "known: src/work.c, main.c" in said


# --- passes: the staged road ----------------------------------------------------------------


def test_passes_for_all_units_make_a_pipeline_for_each(level: PipelineLevel) -> None:
    plan = planned(level, "remove loop-vectorize#1")
    assert tuple(plan.unit_pipelines) == UNITS
    assert plan.pipeline is None
    for text in plan.unit_pipelines.values():
        assert "loop-vectorize" not in text
        assert "slp-vectorizer" in text


def test_a_pipeline_as_text_brings_the_options_that_it_needs(level: PipelineLevel) -> None:
    plan = planned(level, "remove loop-vectorize#1")
    for name in UNITS:
        said = " ".join(plan.unit_flags[name])
        assert all(f"-mllvm -{option}=" in said for option in TEXT_OPTIONS)


def test_passes_for_one_unit_leave_the_others_on_the_users_road(level: PipelineLevel) -> None:
    plan = planned(level, "remove in src/work.c: loop-vectorize#1")
    assert tuple(plan.unit_pipelines) == ("src/work.c",)
    assert tuple(plan.unit_flags) == ("src/work.c",)
    assert plan.compile_flags == ()


def test_a_unit_gets_the_passes_for_all_and_its_own(level: PipelineLevel) -> None:
    texts = ("remove loop-vectorize#1", "remove in main.c: slp-vectorizer#1")
    pipelines = planned(level, *texts).unit_pipelines
    assert "slp-vectorizer" not in pipelines["main.c"]
    assert "slp-vectorizer" in pipelines["src/work.c"]
    assert not any("loop-vectorize" in text for text in pipelines.values())


def test_an_option_that_an_edit_sets_is_not_overruled_by_the_pipelines_own(
    level: PipelineLevel,
) -> None:
    texts = ("remove loop-vectorize#1", "option inlinedefault-threshold=700")
    plan = planned(level, *texts)
    assert plan.compile_flags == passed("-inlinedefault-threshold=700")
    assert "inlinedefault" not in " ".join(plan.unit_flags["main.c"])
    scoped = planned(level, texts[0], "option in main.c: inlinedefault-threshold=700")
    assert scoped.unit_flags["main.c"][-2:] == passed("-inlinedefault-threshold=700")


def test_a_closed_staged_road_is_refused_with_the_way_out(closed: PipelineLevel) -> None:
    said = refused(closed.plan(edits("remove loop-vectorize#1"), PLAIN))
    assert "staged road" in said
    assert "add link whole-program" in said


@pytest.mark.parametrize("text", ["option unroll-count=8", "flag -fno-vectorize"])
def test_a_closed_staged_road_does_not_matter_to_options(closed: PipelineLevel, text: str) -> None:
    assert planned(closed, text).unit_pipelines == {}


# --- passes: the whole program --------------------------------------------------------------


def test_passes_of_a_whole_program_are_lld_s_to_run(closed: PipelineLevel) -> None:
    plan = planned(closed, "link whole-program", "remove loop-vectorize#1")
    assert plan.pipeline is not None
    assert "loop-vectorize" not in plan.pipeline
    assert plan.unit_pipelines == {}
    assert plan.unit_flags == {}
    assert plan.compile_flags == ()


def test_a_whole_programs_pipeline_brings_its_options_to_the_linker(level: PipelineLevel) -> None:
    plan = planned(level, "link whole-program", "remove loop-vectorize#1")
    said = " ".join(plan.link_flags)
    assert all(f"-mllvm -Xlinker -{option}=" in said for option in TEXT_OPTIONS)


def test_an_option_of_one_unit_acts_before_the_link_of_a_whole_program(
    level: PipelineLevel,
) -> None:
    plan = planned(level, "link whole-program", "option in main.c: unroll-count=8")
    assert plan.unit_flags == {"main.c": ("-mllvm", "-unroll-count=8")}


def test_an_option_of_one_unit_is_refused_where_no_pass_runs_over_it(level: PipelineLevel) -> None:
    texts = ("link whole-program", "remove gvn#1", "option in main.c: unroll-count=8")
    said = refused(level.plan(edits(*texts), PLAIN))
    assert "'option in main.c: unroll-count=8' would do nothing" in said
    assert "write 'option unroll-count=8', for the whole program" in said


def test_passes_of_one_unit_do_not_go_with_a_whole_program(level: PipelineLevel) -> None:
    texts = ("link whole-program", "remove in main.c: loop-vectorize#1")
    assert "one pipeline over the merged program" in refused(level.plan(edits(*texts), PLAIN))


# --- what does not go together --------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        ("option unroll-count=4", "option unroll-count=8"),
        ("flag -fvectorize", "flag -fno-vectorize"),
        ("link whole-program", "link per-unit"),
        ("remove gvn#1", "repeat gvn#1 x2"),
        ("option in main.c: unroll-count=4", "option in main.c: unroll-count=8"),
    ],
)
def test_edits_that_contradict_each_other_are_refused(
    level: PipelineLevel, texts: tuple[str, str]
) -> None:
    assert "contradict" in refused(level.plan(edits(*texts), PLAIN))
    assert "contradict" in refused(level.repair(edits(*texts)))


@pytest.mark.parametrize("text", ["dance", "remove no-such-pass#1", "insert licm after"])
def test_what_is_no_edit_is_refused_and_not_raised(level: PipelineLevel, text: str) -> None:
    assert refused(level.plan(edits(text), PLAIN))


# --- what is not for edits ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "flag -fplugin=/tmp/evil.so",
        "flag in main.c: -fplugin=/tmp/evil.so",
        "flag -ftime-trace=/tmp/written.json",
        "flag -include/etc/passwd",
        "flag -fno-vectorize -fplugin=x.so",
        "option stats=true",
        "option in main.c: stats=true",
        "option info-output-file=written.txt",
        "option load=evil.so",
        "insert function(dot-cfg) after gvn#1",
        "insert in main.c: view-cfg after gvn#1",
        "insert print<loops> after gvn#1",
        "pipeline function(sroa,dot-cfg)",
        "pipeline in src/work.c: function(view-dom)",
    ],
)
def test_what_is_not_for_edits_is_never_planned(level: PipelineLevel, text: str) -> None:
    """It could run code or write files; whoever plans may not have asked `repair` before."""
    assert refused(level.repair(edits(text)))
    assert refused(level.plan(edits(text), PLAIN))
    assert refused(level.plan(edits("option unroll-count=8", text), PLAIN))


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("option unroll-count=1000000000", "option unroll-count=32"),
        ("option in main.c: unroll-count=1000000000", "option in main.c: unroll-count=32"),
        ("option unroll-cuont=8", "option unroll-count=8"),
        ("insert instcombine<max-iterations=1000000000> after gvn#1", "max-iterations=1000000;"),
    ],
)
def test_what_repair_would_change_is_not_planned_as_it_is(
    level: PipelineLevel, text: str, valid: str
) -> None:
    said = refused(level.plan(edits(text), PLAIN))
    assert "has not been repaired" in said
    assert valid in said


# --- repair ---------------------------------------------------------------------------------


def test_valid_edits_are_kept_as_they_are(level: PipelineLevel) -> None:
    valid = edits("option unroll-count=8", "link whole-program", "remove gvn#1")
    assert level.repair(valid) == Mended(valid, (), {edit: (edit,) for edit in valid})


def test_a_mended_edit_is_known_by_its_draft(level: PipelineLevel) -> None:
    (drafted,) = edits("-mllvm -unroll-cuont=8")
    mended = level.repair((drafted,))
    assert isinstance(mended, Mended)
    assert mended.edits == edits("option unroll-count=8")
    assert mended.origin == {drafted: mended.edits}
    assert any("unroll-cuont" in repair for repair in mended.repairs)


def test_drafts_that_come_to_the_same_are_one_edit(level: PipelineLevel) -> None:
    drafts = edits("option unroll-count=8", "-mllvm -unroll-count=8")
    mended = level.repair(drafts)
    assert isinstance(mended, Mended)
    assert mended.edits == drafts[:1]
    assert mended.origin == dict.fromkeys(drafts, drafts[:1])


def test_a_refusal_names_the_edit(level: PipelineLevel) -> None:
    assert refused(level.repair(edits("option zzz=8"))).startswith("option zzz=8: ")


def test_opt_has_the_last_word_on_a_pipeline(level: PipelineLevel, opt: ScriptedOpt) -> None:
    opt.bad = "lnicm"
    said = level.repair(edits("insert lnicm after gvn#1"))
    assert said == Refusal("main.c: opt crashed", "opt -x")


def test_opt_tries_every_unit_with_its_options(level: PipelineLevel, opt: ScriptedOpt) -> None:
    texts = ("remove gvn#1", "option unroll-count=4", "option in src/work.c: unroll-count=8")
    plan = planned(level, *texts)
    assert isinstance(level.repair(edits(*texts)), Mended)
    assert [(unit, pipeline) for unit, pipeline, _ in opt.asked] == [*plan.unit_pipelines.items()]
    assert [options[-1] for *_, options in opt.asked] == ["-unroll-count=4", "-unroll-count=8"]
    assert all("-inlinedefault-threshold=250" in options for *_, options in opt.asked)


def test_opt_tries_a_whole_programs_pipeline_on_each_unit(
    level: PipelineLevel, opt: ScriptedOpt
) -> None:
    texts = ("remove gvn#1", "link whole-program")
    assert isinstance(level.repair(edits(*texts)), Mended)
    assert [unit for unit, *_ in opt.asked] == list(UNITS)
    assert {pipeline for _, pipeline, _ in opt.asked} == {planned(level, *texts).pipeline}


def test_opt_is_not_asked_about_options(level: PipelineLevel, opt: ScriptedOpt) -> None:
    assert isinstance(level.repair(edits("option unroll-count=8", "link whole-program")), Mended)
    assert opt.asked == []


def test_a_plan_that_is_impossible_is_refused_before_opt_is_asked(
    closed: PipelineLevel, opt: ScriptedOpt
) -> None:
    assert "staged road" in refused(closed.repair(edits("remove gvn#1")))
    assert opt.asked == []


DRAFTS = (
    *("- `unroll-count = 8`", "option in main.c: unroll-count=10000000000", "-fno-plt"),
    *("add licm behind gvn#1", "insert in src/work.c: lnicm before licm#2", "delete gvn"),
    *("move gvn#1 after sroa#1", "repeat instcombine#1 x99", "set licm#1 no-allowspeculation"),
    *("set in main.c: loop-unroll#1 O2", "link whole program", "flag in main.c: -mtune=native"),
    *("pipeline sroa,early-cse,gvn", "pipeline in main.c: `sroa`,gvn", "pipeline loop(licm"),
    *("insert devirt(inline) after gvn#1", "insert require<globals-aa> after gvn#1"),
)


@pytest.mark.parametrize("draft", DRAFTS)
def test_what_repair_gives_is_planned(level: PipelineLevel, draft: str) -> None:
    mended = level.repair(edits(draft))
    assert isinstance(mended, Mended), mended
    assert isinstance(level.plan(mended.edits, PLAIN), BuildPlan)


@pytest.mark.parametrize(
    "text",
    [
        "- `unroll-count = 8`",
        "add licm behind gvn#1",
        "delete gvn",
        "link whole program",
        "-fno-plt",
    ],
)
def test_repair_comes_to_rest(level: PipelineLevel, text: str) -> None:
    once = level.repair(edits(text))
    assert isinstance(once, Mended), once
    again = level.repair(once.edits)
    assert isinstance(again, Mended)
    assert again.edits == once.edits
    assert not again.repairs
