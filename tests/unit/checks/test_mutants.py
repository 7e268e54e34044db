from __future__ import annotations

from itertools import islice

import pytest

from perfwright.checks.mutants import Kind, Site, draw, sites, weights
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

UNIT = """\
@table = global [1 x ptr] [ptr @by_table], align 8

define dso_local i32 @main(i32 noundef %0, ptr noundef %1) #0 {
  store i32 %0, ptr %3, align 4
  %4 = call i32 @hot(i32 noundef 3)
  %5 = load ptr, ptr @table, align 8
  ret i32 0
}

define internal { double, i64 } @"a b"(double noundef %x) {
  %1 = fsub double %x, 1.500000e+00
  ret { double, i64 } zeroinitializer
}

define internal i32 @hot(i32 noundef %n) #0 {
  store i32 %n, ptr %2, align 4
  store i32 7, ptr %3, align 4, !tbaa !5
  %4 = add nsw i32 %5, 1
  %6 = icmp slt i32 %4, 100
  %7 = fcmp olt double %8, %9
  %10 = getelementptr inbounds %struct.P, ptr %5, i32 0, i32 1
  store i32 %4, ptr %10, align 4
  ret i32 %4
}

define linkonce_odr void @by_table() {
  ret void
}

define void @nobody() {
  ret void
}

declare i32 @puts(ptr)
"""


def of(kind: Kind, function: str = "hot") -> list[Site]:
    return [s for s in sites("u.c", UNIT) if s.kind is kind and s.function == function]


def changed(site: Site) -> tuple[str, str]:
    """The lines that a site takes out and puts in."""
    before, after = UNIT.split("\n"), site.apply(UNIT).split("\n")
    gone = [line for line in before if line not in after]
    new = [line for line in after if line not in before]
    return " / ".join(gone).strip(), " / ".join(new).strip()


def test_a_constant_grows_by_one() -> None:
    assert [changed(site) for site in of(Kind.CONSTANT)] == [
        ("store i32 7, ptr %3, align 4, !tbaa !5", "store i32 8, ptr %3, align 4, !tbaa !5"),
        ("%4 = add nsw i32 %5, 1", "%4 = add nsw i32 %5, 2"),
        ("%6 = icmp slt i32 %4, 100", "%6 = icmp slt i32 %4, 101"),
    ]


def test_a_comparison_is_turned_round() -> None:
    assert [changed(site)[1] for site in of(Kind.COMPARISON)] == [
        "%6 = icmp sge i32 %4, 100",
        "%7 = fcmp uge double %8, %9",
    ]


def test_addition_becomes_subtraction() -> None:
    assert [changed(site)[1] for site in of(Kind.ARITHMETIC)] == ["%4 = sub nsw i32 %5, 1"]
    assert [changed(site)[1] for site in of(Kind.ARITHMETIC, "a b")] == [
        "%1 = fadd double %x, 1.500000e+00"
    ]


def test_a_store_is_dropped_unless_it_is_of_an_argument() -> None:
    assert [changed(site)[0] for site in of(Kind.STORE)] == [
        "store i32 7, ptr %3, align 4, !tbaa !5",
        "store i32 %4, ptr %10, align 4",
    ]


def test_a_function_is_emptied_whatever_it_returns() -> None:
    emptied = {s.function: s.replacement for s in sites("u.c", UNIT) if s.kind is Kind.EMPTY}
    assert emptied == {
        "a b": ("  ret { double, i64 } zeroinitializer",),
        "hot": ("  ret i32 zeroinitializer",),
        "by_table": ("  ret void",),
        "nobody": ("  ret void",),
    }


def test_a_site_says_what_it_changes() -> None:
    assert str(of(Kind.CONSTANT)[0]) == (
        "constant changed in hot: store i32 7, ptr %3, align 4 -> store i32 8, ptr %3, align 4"
    )


def test_what_main_cannot_reach_is_left_out() -> None:
    found = weights({"u.c": UNIT}, {})
    assert set(found) >= {"main", "hot", "by_table"}
    assert found["main"] > found["hot"] > found["by_table"]
    assert "nobody" not in found
    assert "a b" not in found


def test_shares_of_the_profile_are_weights_and_reach_inlined_functions() -> None:
    found = weights({"u.c": UNIT}, {"main": 0.8, "by_table": 0.15, "elsewhere": 0.05})
    assert found["main"] == 0.8
    assert found["hot"] == 0.4
    assert found["by_table"] == 0.2
    assert "elsewhere" not in found


def test_kinds_take_turns() -> None:
    order = list(draw(sites("u.c", UNIT), weights({"u.c": UNIT}, {}), 0))
    assert [site.kind for site in order[:5]] == list(Kind)


def test_the_same_seed_draws_the_same_mutants() -> None:
    found, weight = sites("u.c", UNIT), weights({"u.c": UNIT}, {})
    assert list(draw(found, weight, 7)) == list(draw(found, weight, 7))
    assert len({tuple(map(str, draw(found, weight, seed))) for seed in range(5)}) > 1


def test_hot_functions_come_first_more_often() -> None:
    found = [site for site in sites("u.c", UNIT) if site.kind is Kind.EMPTY]
    firsts = [next(draw(found, {"hot": 0.9, "by_table": 0.1}, n)).function for n in range(200)]
    assert 150 < firsts.count("hot") < 200


SOURCE = """
struct P { double a, b; };
struct P pair(double x) { struct P p = {x, 2}; return p; }
double scale(double x, struct P *p) { return p->a * x + p->b - 1.5; }
unsigned char narrow(unsigned char c) { return c == 255 ? 1 : c + 255; }
static int hot(int *a, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] > 3 && a[i] % 7) s += a[i] * 5; else s -= 2;
        a[i] = s & 7;
    }
    return s;
}
int main(int c, char **v) {
    int a[100] = {3}; struct P p = pair(c);
    switch (hot(a, 100)) { case 1: return 2; case 7: return (int)scale(2, &p); }
    return narrow((unsigned char)c);
}
"""


@pytest.mark.llvm
def test_every_mutant_of_real_code_is_valid_ir(each_toolchain: Toolchain) -> None:
    clang = [str(each_toolchain.tool("clang")), "-O3", "-Xclang", "-disable-llvm-passes", "-S"]
    text = run([*clang, "-emit-llvm", "-x", "c", "-", "-o", "-"], stdin=SOURCE.encode()).text
    found = sites("u.c", text)
    assert {site.kind for site in found} == set(Kind)
    opt = [str(each_toolchain.tool("opt")), "-passes=verify", "-disable-output", "-"]
    for site in islice(draw(found, weights({"u.c": text}, {}), 0), 25):
        result = run(opt, stdin=site.apply(text).encode())
        assert result.ok, f"{site}: {result.error_text}"
