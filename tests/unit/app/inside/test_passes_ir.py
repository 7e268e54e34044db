"""IR around any run of any pass of a real build."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import cast

import pytest

from perfwright.app.campaign.tune import plan_for, prepare
from perfwright.app.inside.blocks import block_lines
from perfwright.app.inside.builds import assembly, mended, optimised_ir
from perfwright.app.inside.passes_ir import Moment, PassesIr, When
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.candidate import BASELINE, Candidate, Edit
from perfwright.core.events import silent
from perfwright.core.evidence import Fact
from perfwright.errors import UserError
from perfwright.evidence.irdump import lean, read_dumps
from perfwright.measure.executor import NativeExecutor
from perfwright.store.journal import JournalStore
from perfwright.toolchain.process import run

pytestmark = pytest.mark.llvm

FACTS = tuple(
    Fact(f"fun-{name}", "function", "opt", "work.c:1", name, {"symbol": name, "unit": "work.c"})
    for name in ("total", "twice", "main")
)


MIX = """\
__attribute__((noinline)) void mix(int *restrict x, const int *restrict y, int n, int f)
{
    for (int i = 0; i < n; i++) { if (f) x[i] += y[i] * 3; else x[i] -= y[i]; }
}
__attribute__((noinline)) long total(const long *v)
{
    long sum = 0;
    for (int i = 0; i < 4; i++) sum += v[i];
    return sum;
}
int main(int argc, char **argv)
{
    int a[64] = {argc}, b[64] = {argc};
    (void)argv;
    mix(a, b, 64, argc);
    return a[0] + (int)total((long[4]){argc});
}
"""
TWIN = """\
static __attribute__((noinline)) long work(const int *v, int n)
{
    long sum = 0;
    for (int i = 0; i < n; i++) sum = sum * FACTOR + v[i];
    return sum;
}
long NAME(const int *v, int n) { return work(v, n); }
"""
CALLER = """\
long fx(const int *, int), fy(const int *, int);
int main(int argc, char **argv)
{
    int v[64] = {argc};
    (void)argv;
    return (int)(fx(v, argc) + fy(v, argc));
}
"""
Program = Callable[..., Workplace]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Makes the workplace of a campaign on sources, by name, built with these flags; each once."""
    with ExitStack() as opened:

        @cache
        def made(cflags: str, **sources: str) -> Workplace:
            folder = tmp_path_factory.mktemp("small")
            names = [name.replace("_", ".") for name in sources]
            for name, text in zip(names, sources.values(), strict=True):
                (folder / name).write_text(text)
            words = ", ".join(f'"{flag}"' for flag in cflags.split())
            (folder / "perfwright.toml").write_text(
                f'[program]\nname = "small"\nsources = {names}\ncflags = [{words}]\n'
            )
            setup = prepare(TuneRequest(program=folder))
            store = opened.enter_context(JournalStore.open(setup.settings.home))
            journal = opened.enter_context(store.create_campaign(plan_for(setup)))
            return Workplace(setup, journal, cast("NativeExecutor", None), Meter(), silent)

        yield made


def facts(*functions: str) -> tuple[Fact, ...]:
    named = [name.split(":") for name in functions]
    return tuple(
        Fact(f"fun-{s}-{u}", "function", "opt", u, s, {"symbol": s, "unit": u}) for u, s in named
    )


def edited(place: Workplace, *texts: str) -> Candidate:
    return mended(place, Candidate(tuple(Edit("pipeline", text) for text in texts))).candidate


def shown(place: Workplace, moment: Moment, *edits: str, symbol: str = "total") -> list[str]:
    return PassesIr(place, FACTS).ir(symbol, moment, edited(place, *edits)).splitlines()


def test_the_ir_after_a_pass_is_that_of_the_function_alone(sorting: Workplace) -> None:
    head, first, *rest = shown(sorting, Moment("gvn"))

    assert head == "; after gvn of total, run 1 of 1"
    assert first.startswith("define ")
    assert "@total(" in first
    assert rest[-1] == "}"
    assert not any("!" in line or "#" in line for line in rest)


def test_a_pass_of_loops_shows_the_loop_of_the_run_that_is_asked_for(sorting: Workplace) -> None:
    first = shown(sorting, Moment("indvars", "before", 1))
    second = shown(sorting, Moment("indvars", "before", 2))

    assert first[0].startswith("; before indvars of total, run 1 of 2 on loop ")
    assert "; Loop:" in first
    assert first[1:] != second[1:]


def test_a_place_tells_runs_of_one_pass_apart(sorting: Workplace) -> None:
    early = shown(sorting, Moment("simplifycfg#1", "before"))
    late = shown(sorting, Moment("simplifycfg#8", "after"))

    assert early[0] == "; before simplifycfg#1 of total, run 1 of 1"
    assert any("alloca" in line for line in early)
    assert not any("alloca" in line for line in late)


def test_a_place_in_a_loop_has_a_run_for_each_loop(sorting: Workplace) -> None:
    assert "run 2 of 2" in shown(sorting, Moment("licm#1", "before", 2))[0]


def test_a_pass_that_is_not_in_o3_is_shown_with_the_edit_that_puts_it_there(
    sorting: Workplace,
) -> None:
    insert = "insert nary-reassociate after gvn#1"

    assert "nary-reassociate" in shown(sorting, Moment("nary-reassociate"), insert)[0]
    assert shown(sorting, Moment("gvn#1"), insert)[1:] == shown(sorting, Moment("gvn#1"))[1:]
    with pytest.raises(UserError, match="not part of this pipeline") as caught:
        shown(sorting, Moment("nary-reassociate"))
    assert "insert nary-reassociate" in caught.value.hint


def test_options_of_an_edit_act_on_what_is_shown(sorting: Workplace) -> None:
    assert any(" x i64>" in line for line in shown(sorting, Moment("loop-vectorize")))
    scalar = shown(sorting, Moment("loop-vectorize"), "option force-vector-width=1")
    assert not any(" x i64>" in line for line in scalar)


def test_a_pipeline_of_its_own_has_places_of_its_own(sorting: Workplace) -> None:
    own = "pipeline function(sroa,gvn,instcombine)"

    assert shown(sorting, Moment("gvn#1"), own)[1:] == shown(sorting, Moment("gvn"), own)[1:]


@pytest.mark.parametrize(
    ("symbol", "moment", "said"),
    [
        ("nope", Moment("gvn"), "unknown function 'nope'"),
        ("total", Moment("gvm"), "unknown pass 'gvm'"),
        ("total", Moment("gvn#7"), "there is no gvn#7"),
        ("total", Moment("gvn", "after", 9), "there is no run 9 of gvn on total: it ran once"),
        ("total", Moment("gvn", "after", 0), "there is no run 0"),
        ("total", Moment("function"), "function is no pass"),
        ("total", Moment("loop#1"), "loop is no pass"),
        ("total", Moment("gvn -o /tmp/x"), "is not a place"),
        ("twice", Moment("loop-vectorize"), "never ran on twice"),
    ],
)
def test_what_is_not_there_is_an_error_that_helps(
    sorting: Workplace, symbol: str, moment: Moment, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        shown(sorting, moment, symbol=symbol)
    assert said in caught.value.summary


def test_the_linkers_passes_are_not_shown(sorting: Workplace) -> None:
    with pytest.raises(UserError, match="in the linker"):
        shown(sorting, Moment("gvn"), "link whole-program")


def test_functions_are_shown_inlined_and_not_yet_vectorised(sorting: Workplace) -> None:
    found = PassesIr(sorting, FACTS).functions(["main", "total", "twice", "nope"])

    assert list(found) == ["main", "total"]
    assert "phi i64" in found["total"]
    assert "call" not in found["total"]
    assert " x i64>" not in found["total"]


# --- what is shown is what is built -----------------------------------------------------------


def runs_of(place: Workplace, name: str, pass_name: str, when: When, *edits: str) -> list[str]:
    """What is shown of all runs, without the first lines."""
    looking, candidate = PassesIr(place, facts(name)), edited(place, *edits)
    symbol = name.partition(":")[2]
    first = looking.ir(symbol, Moment(pass_name, when), candidate)
    count = int(first.partition(" of ")[2].partition(", run 1 of ")[2].split()[0].rstrip(","))
    texts = [looking.ir(symbol, Moment(pass_name, when, n + 1), candidate) for n in range(count)]
    return [text.partition("\n")[2] for text in texts]


def _unnamed(text: str) -> str:
    """IR without the names of values, which clang throws away and opt keeps."""
    return re.sub(r"^[\w.-]+:", "v:", re.sub(r"%[\w.-]+", "%v", text), flags=re.MULTILINE)


@pytest.mark.parametrize("flags", ["-O1", "-O2 -fno-vectorize", "-Os", "-O3"])
def test_the_places_are_those_of_the_pipeline_that_the_unit_is_built_with(
    program: Program, flags: str
) -> None:
    place = program(flags, p_c=MIX)
    source = place.captured.units[0].source
    words = ["-mllvm", "-print-after=instcombine", "-mllvm", "-filter-print-funcs=mix"]
    clang = place.setup.toolchain.tool("clang")
    said = run([clang, *flags.split(), *words, "-c", source, "-o", "/dev/null"])
    truth = [_unnamed(lean(dump.text.splitlines())) for dump in read_dumps(said.error_text)]
    places = [f"instcombine#{n + 1}" for n in range(len(truth))]

    assert len(truth) >= 2
    shown = [runs_of(place, "p.c:mix", at, "after") for at in places]
    assert [[_unnamed(text) for text in texts] for texts in shown] == [[each] for each in truth]


def test_whose_places_are_counted_is_said_where_it_is_not_o3(program: Program) -> None:
    place = program("-Os", p_c=MIX)
    looking, moment = PassesIr(place, facts("p.c:mix")), Moment("instcombine#1")

    built = looking.ir("mix", moment).splitlines()[0]
    with_passes = looking.ir("mix", moment, edited(place, "insert licm after gvn")).splitlines()[0]
    assert built.endswith("run 1 of 1, of -Os, as it is built; edits of passes start from -O3")
    assert with_passes.endswith(
        ", of -O3, where edits of passes start; without them it is built at -Os"
    )


def test_what_the_linker_optimises_is_not_shown_as_what_is_built(program: Program) -> None:
    place = program("-O3 -flto", p_c=MIX)
    looking = PassesIr(place, facts("p.c:mix"))

    shows: list[Callable[[], str]] = [
        lambda: looking.ir("mix", Moment("gvn")),
        lambda: looking.ir("mix", Moment("gvn#1")),
        lambda: looking.functions(["mix"])["mix"],
        lambda: optimised_ir(place, BASELINE, "p.c", "mix"),
    ]
    for show in shows:
        with pytest.raises(UserError, match="in the linker") as caught:
            show()
        assert "link per-unit" in caught.value.hint
    alone = edited(place, "link per-unit")
    assert "run 1 of 1" in looking.ir("mix", Moment("gvn"), alone)
    assert optimised_ir(place, alone, "p.c", "mix").startswith("define ")


def test_a_program_that_needs_lto_for_its_vtables_can_be_looked_at(program: Program) -> None:
    flags = "-O3 -flto -fwhole-program-vtables -fvirtual-function-elimination -fvisibility=hidden"
    source = "int main() { int s = 0; for (int i = 0; i < 9; i++) s ^= i * s; return s; }"
    place = program(flags, p_cpp=source)

    assert optimised_ir(place, edited(place, "link per-unit"), "p.cpp", "main")
    staged = edited(place, "link per-unit", "insert licm after gvn#1")
    assert "run 1 of 1" in PassesIr(place, facts("p.cpp:main")).ir("main", Moment("gvn"), staged)


# --- with edits -------------------------------------------------------------------------------


def test_what_is_inserted_behind_a_place_has_not_run_after_it(program: Program) -> None:
    place = program("-O3", p_c=MIX)
    insert = "insert reg2mem after sroa#1"

    plain = runs_of(place, "p.c:mix", "sroa#1", "after")
    assert runs_of(place, "p.c:mix", "sroa#1", "after", insert) == plain
    assert "alloca" not in plain[0]


def test_what_is_inserted_before_a_place_has_run_before_it(program: Program) -> None:
    place = program("-O3", p_c=MIX)
    shown = runs_of(place, "p.c:mix", "gvn#1", "before", "insert reg2mem before gvn#1")

    assert "alloca" in shown[0]


def test_a_place_that_is_moved_is_shown_where_it_runs(program: Program) -> None:
    place = program("-O3", p_c=MIX)
    moved = runs_of(place, "p.c:mix", "gvn#1", "before", "move gvn#1 after slp-vectorizer#1")

    assert " x i32>" in moved[0]
    assert " x i32>" not in runs_of(place, "p.c:mix", "gvn#1", "before")[0]


def test_a_place_that_is_removed_is_not_shown(program: Program) -> None:
    place = program("-O3", p_c=MIX)

    with pytest.raises(UserError, match=r"gvn#1 is not there any more\n.*these edits remove it"):
        runs_of(place, "p.c:mix", "gvn#1", "before", "remove gvn#1")


def test_each_repetition_is_a_run(program: Program) -> None:
    place = program("-O3", p_c=MIX)
    repeat = "repeat instcombine#1 x3"
    before = runs_of(place, "p.c:mix", "instcombine#1", "before", repeat)
    after = runs_of(place, "p.c:mix", "instcombine#1", "after", repeat)

    assert len(before) == 3
    assert before[1:] == after[:2]


@pytest.mark.parametrize("at", ["", "#1"])
def test_before_and_after_are_of_one_run_also_where_a_loop_is_begun_anew(
    program: Program, at: str
) -> None:
    """LLVM unswitches the loop, and goes over both loops that come of it again."""
    place = program("-O3", p_c=MIX)
    looking = PassesIr(place, facts("p.c:mix"))
    asked = f"simple-loop-unswitch{at}"
    before, after = (looking.ir("mix", Moment(asked, when)) for when in ("before", "after"))

    assert "run 1 of 3 on loop" in before
    assert "run 1 of 3 on loop" in after
    assert "which is gone or begun anew: the whole function" in after.splitlines()[0]
    assert after.splitlines()[1].startswith("define ")
    assert before.count("br i1 %") > 1


def test_after_a_loop_was_unrolled_away_there_is_the_function(program: Program) -> None:
    place = program("-O3", p_c=MIX)
    (after,) = runs_of(place, "p.c:total", "loop-unroll-full#1", "after")

    assert after.startswith("define ")
    assert "phi" not in after


# --- functions of one name --------------------------------------------------------------------


def test_functions_of_one_name_are_shown_by_their_units(program: Program) -> None:
    place = program(
        "-O3",
        m_c=CALLER,
        x_c=TWIN.replace("NAME", "fx").replace("FACTOR", "31"),
        y_c=TWIN.replace("NAME", "fy").replace("FACTOR", "63"),
    )
    known = facts("x.c:work", "y.c:work")
    looking = PassesIr(place, known)

    with pytest.raises(UserError, match=r"2 units define a work\n.*x\.c:work, y\.c:work"):
        looking.ir("work", Moment("gvn"))
    assert ", 31" in looking.ir("x.c:work", Moment("sroa#1"))
    assert ", 63" in looking.ir("y.c:work", Moment("sroa#1"))
    with pytest.raises(UserError, match="2 functions of this build are called work"):
        assembly(place, BASELINE, "work")
    assert assembly(place, BASELINE, "x.c:work") != assembly(place, BASELINE, "y.c:work")
    for odd in ("x.c:", "", "work,main"):  # the disassembler would take more than one function
        with pytest.raises(UserError, match="is not in this build"):
            assembly(place, BASELINE, odd)
    with pytest.raises(UserError, match=r"m\.c:work is not in this build"):
        block_lines(place, known, "m.c:work")
