"""What LLVM prints around passes, and IR without what tells nothing."""

from __future__ import annotations

import pytest

from perfwright.evidence.irdump import defined, lean, read_dumps

PRINTED = """\
a warning of the front end
; *** IR Dump Before LICMPass on loop %4 in function f ***

; Preheader:
  br label %4

; Loop:
4:                                                ; preds = %4, %1
  %5 = load i32, ptr %0, align 4, !tbaa !5
  br i1 %6, label %4, label %7, !llvm.loop !9

; Exit blocks
7:                                                ; preds = %4
  ret void
; *** IR Dump After LoopDeletionPass on loop %4 in function f (invalidated) ***
; Function Attrs: nounwind uwtable
define dso_local void @f(ptr noundef %0) local_unnamed_addr #0 !dbg !21 {
    #dbg_value(i32 %0, !25, !DIExpression(), !33)
  ret void, !dbg !41
}
"""


def test_each_run_of_a_pass_is_a_dump_of_its_own() -> None:
    loop, function = read_dumps(PRINTED)

    assert loop.where == "loop %4 in function f"
    assert (function.where, function.after, function.gone) == ("loop %4 in function f", True, True)
    assert defined(function.text) == "f"
    assert defined(loop.text) == ""


def test_without_dumps_there_are_none() -> None:
    assert read_dumps("warning: nothing of interest\n") == ()


def test_a_loop_keeps_its_parts_and_loses_metadata_alignment_and_predecessors() -> None:
    assert lean(read_dumps(PRINTED)[0].text.splitlines()).splitlines() == [
        "; Preheader:",
        "br label %4",
        "; Loop:",
        "4:",
        "%5 = load i32, ptr %0",
        "br i1 %6, label %4, label %7",
        "; Exit blocks",
        "7:",
        "ret void",
    ]


def test_a_function_loses_attributes_and_debug_records() -> None:
    text = lean(read_dumps(PRINTED)[1].text.splitlines())

    assert text == "define void @f(ptr %0) {\nret void\n}"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "  %1 = tail call fast double @f(double %0) #7",
            "%1 = tail call fast double @f(double %0)",
        ),
        ("  call void @llvm.lifetime.start.p0(i64 4, ptr %1)", ""),
        ("  %3 = add nuw nsw i32 %1, 1, !dbg !3, !tbaa !7", "%3 = add nuw nsw i32 %1, 1"),
        ("define i32 @f(ptr noalias readonly %0) #2 {", "define i32 @f(ptr noalias readonly %0) {"),
        (
            "call void @f(ptr align 1 %1, ptr nonnull align 8 %2)",
            "call void @f(ptr %1, ptr nonnull %2)",
        ),
        ("; Function Attrs: nounwind", ""),
        ("", ""),
    ],
)
def test_what_tells_an_optimiser_something_stays(line: str, kept: str) -> None:
    assert lean([line]) == kept


def test_a_quoted_name_is_a_name() -> None:
    assert defined('define void @"odd name"() {') == "odd name"
