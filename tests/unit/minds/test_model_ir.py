"""Which IR a model is shown."""

from __future__ import annotations

from perfwright.minds.llm.ir import beginning, ir_part, loops_only

LOOP = """define i32 @sum(ptr %0, i32 %1) {
entry:
br label %outer
outer:
%i = phi i32 [ 0, %entry ], [ %i2, %latch ]
br label %inner
inner:
%j = phi i32 [ 0, %outer ], [ %j2, %inner ]
%j2 = add i32 %j, 1
%c = icmp eq i32 %j2, %1
br i1 %c, label %latch, label %inner
latch:
%i2 = add i32 %i, 1
%d = icmp eq i32 %i2, %1
br i1 %d, label %exit, label %outer
exit:
ret i32 %i
}"""
FLAT = "define void @flat() {\n" + "call void @x()\n" * 40 + "ret void\n}"
SMALL = "define void @small() {\nret void\n}"


def test_functions_are_shown_whole_the_hottest_first() -> None:
    text = ir_part(["sum", "small"], {"small": SMALL, "sum": LOOP}, 2000)
    assert text.index("@sum") < text.index("@small")
    assert "exit:" in text
    assert "Left out" not in text


def test_of_a_function_too_long_its_innermost_loops_are_shown() -> None:
    text = ir_part(["sum"], {"sum": LOOP}, len(LOOP) - 20)
    assert "%j2 = add i32 %j, 1" in text
    assert "%i2 = add" not in text
    assert "; only its innermost loops: 12 lines left out" in text


def test_what_does_not_fit_even_so_is_named() -> None:
    text = ir_part(["small", "flat"], {"small": SMALL, "flat": FLAT}, 100)
    assert "Left out as too long: flat." in text
    assert "@small" in text


def test_of_the_hottest_there_is_always_something() -> None:
    text = ir_part(["flat", "small"], {"small": SMALL, "flat": FLAT}, 200)
    assert "define void @flat() {" in text
    assert "more lines left out" in text


def test_names_in_quotes_are_names_too() -> None:
    lines = ["define void @f() {", '"a b":', 'br label %"a b"', "}"]
    assert loops_only(lines)[:3] == lines[:3]


def test_loops_that_overlap_are_shown_once() -> None:
    jumps = "define void @f() {\na:\nbr label %b\nb:\nbr label %a\nc:\nbr label %b\n}"
    shown = loops_only(jumps.splitlines())
    assert [line for line in shown if line.endswith(":")] == ["a:", "b:", "c:"]


def test_a_function_without_loops_has_no_loops_to_show() -> None:
    assert loops_only(FLAT.splitlines()) == []


def test_a_beginning_says_how_much_is_missing() -> None:
    assert beginning(["a"] * 50, 70) == ["a"] * 5 + ["; 45 more lines left out"]
