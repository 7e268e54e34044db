"""Nesting rules that opt does not print, learned by trying.

`loop(licm)` aborts and `loop-mssa(licm)` works; `loop-unroll-full` is the other way round; and
`repeat<2>(...)` went away at some version.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from perfwright.toolchain.process import Limits, Runner

_LIMITS = Limits(wall=60.0)

# A loop nest with a branch, a load and a store that loop passes find work in: two loop
# passes that disagree about MemorySSA abort only when they run on a loop.
_LOOP_NEST = b"""
define i32 @f(ptr %a, ptr %b, i32 %n, i1 %c) {
entry:
  br label %outer
outer:
  %i = phi i32 [ 0, %entry ], [ %i.next, %outer.latch ]
  br label %loop
loop:
  %j = phi i32 [ 0, %outer ], [ %j.next, %latch ]
  %s = load i32, ptr %b
  br i1 %c, label %then, label %latch
then:
  %p = getelementptr i32, ptr %a, i32 %j
  %v = load i32, ptr %p
  %w = add i32 %v, %s
  store i32 %w, ptr %p
  br label %latch
latch:
  %j.next = add i32 %j, 1
  %more = icmp slt i32 %j.next, 8
  br i1 %more, label %loop, label %outer.latch
outer.latch:
  %i.next = add i32 %i, 1
  %again = icmp slt i32 %i.next, %n
  br i1 %again, label %outer, label %exit
exit:
  ret i32 %n
}
"""
_ADAPTOR_PROBES = {
    "module": "module(no-op-module)",
    "cgscc": "cgscc(no-op-cgscc)",
    "devirt": "cgscc(devirt<2>(no-op-cgscc))",
    "function": "function(no-op-function)",
    "loop": "function(loop(no-op-loop))",
    "loop-mssa": "function(loop-mssa(no-op-loop))",
    "machine-function": "function(machine-function(no-op-machine-function))",
    "coro-cond": "coro-cond(no-op-module)",
    "repeat": "repeat<2>(no-op-module)",  # gone since LLVM 18 or so
}
# These neither optimise nor belong into a search; some write files or to standard output.
_NOT_PROBED = ("print", "no-op", "invalidate", "dot-")


def adaptors(opt: Path, runner: Runner) -> tuple[str, ...]:
    """The nesting words that this opt takes."""
    return tuple(name for name, text in _ADAPTOR_PROBES.items() if _accepts(opt, text, b"", runner))


def memory_ssa(
    opt: Path, loop_passes: Iterable[str], runner: Runner
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which loop passes need MemorySSA around them, and which refuse it."""
    needs, refuses = [], []
    for name in dict.fromkeys(loop_passes):
        if name.startswith(_NOT_PROBED):
            continue
        plain = _accepts(opt, f"function(loop({name}))", _LOOP_NEST, runner)
        with_memory_ssa = _accepts(opt, f"function(loop-mssa({name}))", _LOOP_NEST, runner)
        if with_memory_ssa and not plain:
            needs.append(name)
        elif plain and not with_memory_ssa:
            refuses.append(name)
    return tuple(needs), tuple(refuses)


def _accepts(opt: Path, pipeline: str, module: bytes, runner: Runner) -> bool:
    return runner(
        [opt, f"-passes={pipeline}", "-disable-output", "-"], stdin=module, limits=_LIMITS
    ).ok
