; ModuleID = 'encode.bc'
source_filename = "src/encode.c"
target triple = "x86_64-pc-linux-gnu"

@.str = private unnamed_addr constant [9 x i8] c"@ignored\00", align 1
@handlers = internal global [2 x ptr] [ptr @on_table, ptr @"odd name"], align 16

; Function Attrs: nounwind uwtable
define dso_local i64 @encode(ptr noundef %0, i64 noundef %1) #0 !dbg !13 {
  %3 = icmp ult i64 %1, 2, !dbg !26
  br i1 %3, label %20, label %4, !dbg !27

4:                                                ; preds = %4, %2
  %5 = phi i64 [ %9, %4 ], [ 0, %2 ]
  %6 = load i32, ptr %0, align 4, !dbg !28
  %7 = call i32 @sample(ptr noundef %0, i32 noundef %6) #3, !dbg !29
  %8 = tail call i32 (ptr, ...) @printf(ptr noundef @.str, ptr @passed_on), !dbg !30
  call void @llvm.lifetime.end.p0(ptr %0), !dbg !30
  call void asm sideeffect "call @not_a_callee", "~{memory}"(), !dbg !30
  %9 = add nuw i64 %5, 1, !dbg !31
  %10 = icmp eq i64 %9, %1, !dbg !31
  br i1 %10, label %20, label %4, !dbg !32, !llvm.loop !40

20:                                               ; preds = %4, %2
  %21 = load ptr, ptr %0, align 8
  %22 = call i32 %21(i32 1), !dbg !33
  switch i32 %22, label %23 [
    i32 0, label %24
  ], !dbg !33

23:
  br label %24

24:
  %25 = select i1 true, i64 1, i64 2
  ret i64 %25, !dbg !33
}

define internal i32 @sample(ptr noundef %0, i32 noundef %1) #0 {
  %3 = sdiv i32 %1, 3
  %4 = fadd double 1.0, 2.0
  %5 = invoke i32 @thrower(i32 %3)
          to label %6 unwind label %7, !dbg !34

6:
  ret i32 %5

7:
  %8 = landingpad { ptr, i32 }
          cleanup
  resume { ptr, i32 } %8
}

define linkonce_odr void @"odd name"() {
  ret void
}

declare i32 @printf(ptr, ...)

!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1)
!1 = !DIFile(filename: "src/encode.c", directory: "/src/program")
!2 = !DIFile(filename: "src/inline.h", directory: "/src/program")
!13 = distinct !DISubprogram(name: "encode", scope: !1, file: !1, line: 26, type: !14, unit: !0)
!14 = !{}
!20 = distinct !DILexicalBlock(scope: !13, file: !1, line: 30, column: 5)
!21 = !DILexicalBlockFile(scope: !20, file: !2, discriminator: 0)
!26 = !DILocation(line: 28, column: 9, scope: !13)
!27 = !DILocation(line: 30, column: 5, scope: !20)
!28 = !DILocation(line: 31, column: 12, scope: !20)
!29 = !DILocation(line: 31, column: 19, scope: !20)
!30 = !DILocation(line: 7, column: 3, scope: !21)
!31 = !DILocation(line: 0, scope: !20)
!32 = !DILocation(line: 30, column: 5, scope: !20)
!33 = !DILocation(line: 36, column: 1, scope: !13)
!34 = !DILocation(line: 12, column: 2, scope: !13)
!40 = distinct !{!40, !32, !41, !42}
!41 = !DILocation(line: 34, column: 5, scope: !20)
!42 = !{!"llvm.loop.mustprogress"}
