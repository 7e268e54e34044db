"""What an edit may not use, although the tools know it, each with the reason.

Three tables: passes, `-mllvm` options, and (the other way round) the clang flags that may be
used at all.  They keep a search away from what prints, instruments, crashes on purpose or
changes what the program means.  They are no proof of safety: all edits go through the oracle.
Passes that stand in the tool's own -O pipelines are never refused.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from perfwright.toolchain.registry import Option, OptionType


@dataclass(frozen=True)
class Rule:
    """Names that match `pattern` in full, and why they are special."""

    pattern: str
    reason: str

    def matches(self, name: str) -> bool:
        """Whether the whole name fits."""
        return re.fullmatch(self.pattern, name) is not None


_PASSES = (
    Rule(r"(print|view|dot|verify)[-<].*|print|lint|.*-eval|instcount|count-visits", "it prints"),
    Rule(r"func-properties-stats|kernel-info|check-debugify|prof-(verify|inject)", "it prints"),
    Rule(r"trigger-.*|helloworld|debugify|normalize", "it is there to test LLVM"),
    Rule(
        r"strip-?.*|metarenamer|instnamer|extract-blocks|loop-extract|internalize|rewrite-symbols"
        r"|embed-bitcode|name-anon-globals|redundant-dbg-inst-elim",
        "it changes symbols or drops information, not speed",
    ),
    Rule(
        r"asan|hwasan|msan|nsan|rtsan|tsan|tsan-module|tysan|dfsan|san(cov|md)-module|memprof.*"
        r"|pgo-(instr|force).*|instrprof|instrorderfile|insert-gcov-profiling|sample-profile|pseudo-probe.*|ctx-.*"
        r"|kcfi|cfguard|bounds-checking|safe-stack|stack-protector|jmc-instrumenter",
        "it instruments the program",
    ),
    Rule(r"lower-invoke", "it drops exception handling"),
    Rule(r"lower-atomic", "it drops atomicity"),
    Rule(r"lower-(emutls|global-dtors|ifunc)|hipstdpar-.*|dxil-.*", "it is for other platforms"),
    Rule(
        r".*-eh-prepare|callbr-prepare|codegenprepare|gc-lowering|shadow-stack-gc-lowering"
        r"|rewrite-statepoints-for-gc|place-safepoints|atomic-expand|pre-isel-intrinsic-lowering"
        r"|free-machine-function|interleaved-access|select-optimize|indirectbr-expand"
        r"|expand-(ir-insts|large.*|fp|reductions|memcmp)",
        "it is a part of code generation, which runs it itself",
    ),
    Rule(
        r"function-import|inliner-ml-.*|memprof-.*|loop-predication", "it needs data from outside"
    ),
)

_OPTIONS = (
    Rule(
        r".*(fp-math|fp-contract|denormal|float-precision|float-abi|-fma\b|signed-zeros|nans|infs"
        r"|allow-contract).*",
        "it may change the results of floating-point arithmetic",
    ),
    Rule(r".*thread-model.*|.*single-thread.*", "it assumes a single thread"),
    Rule(
        r".*(whole-program|closed-world|devirt|implicit-null|assume-|ignore-|disable-verify"
        r"|vector-library|trap-unreachable|no-trap|hot-cold-new|drop-type-tests|finite-loop"
        r"|dereferenceable-at-point|incomplete-ir|strip-global|coldcc|type-check).*"
        r"|adce-remove-loops|delinearize-use-fixed.*",
        "it assumes something about the program that nobody has checked",
    ),
    Rule(
        r"(x86|aarch64|arm)-(lvi|slh|seses|speculative|indirect|experimental-lvi).*|.*(stackprotect"
        r"|stack-protect|safe-?stack|harden|cfguard|kcfi|branch-targets|shadow).*",
        "it weakens or adds protection",
    ),
    Rule(
        r"(asan|hwasan|msan|tsan|dfsan|nsan|rtsan|tysan|ubsan|sancov|sanitizer|sanmd|memprof|pgo"
        r"|profile|instr|sample|gcov|xray|csspgo|pseudo-probe|bounds-checking|lower-allow|fs|icp)-.*"
        r"|cs-profile-generate|(indexed-)?codegen-data-.*|extbinary-.*|.*-instrumentation",
        "it is for instrumentation and profiles",
    ),
    Rule(r"enable-ml-inliner|regalloc-enable-.*advisor", "it needs a model from outside"),
    Rule(
        r"(.*-)?(export|show|printing|printer|output|file|filename|dir|dirname|directory|log|replay"
        r"|interactive|plugin|monitoring)(-.*)?|polly-(import|optimized-scops)(-.*)?|misched-dcpl"
        r"|debugify-.*|only-simple-regions|.*-verbosity",
        "it prints, or reads or writes files",
    ),
    Rule(
        r"(print|view|dump|dot|debug|stats|track|time|pass-remarks|verify|help|version|write|emit"
        r"|save|callgraph|cfg|info-output|rng|crash|dwarf|mc|as|asm)(-.*)?|.*-(print|dump|view|debug"
        r"|dot|stats|verify|trace|report|remarks?)(-.*)?",
        "it is for people who watch the compiler",
    ),
    Rule(
        r".*(stress|bisect|crash|fuzz|mutat|inject|abort|for-testing|testing|simulate|random).*",
        "it is there to test LLVM",
    ),
    Rule(
        r"(stop|start)-(after|before).*|.*-syntax|compile-twice|filetype|mtriple|m(arch|cpu|attr)|O[0-3sz]"
        r"|(relocation|code|exception|thread)-model|.*-sections|emulated-tls|tls-size|run-pass",
        "clang sets it itself",
    ),
)

FLAGS = (
    Rule(r"-mprefer-vector-width=(none|128|256|512)", "width of vectors that are preferred"),
    Rule(r"-mtune=[A-Za-z0-9_.+-]+", "the CPU to schedule for; the instructions stay the same"),
    Rule(r"-f(no-)?vectorize", "loop vectorisation"),
    Rule(r"-f(no-)?slp-vectorize", "vectorisation of straight-line code"),
    Rule(r"-f(no-)?unroll-loops", "loop unrolling"),
    Rule(r"-f(no-)?inline-functions|-finline-hint-functions", "which calls may be inlined"),
    Rule(r"-falign-functions=(1|2|4|8|16|32|64|128|256)", "alignment of functions, in bytes"),
    Rule(r"-falign-loops=(1|2|4|8|16|32|64|128|256)", "alignment of loops, in bytes"),
    Rule(r"-f(no-)?plt", "whether calls of shared libraries go through a stub"),
    Rule(r"-f(no-)?jump-tables", "whether a switch may become a jump table"),
    Rule(r"-f(no-)?omit-frame-pointer", "whether a register is kept for the frame"),
    Rule(r"-f(no-)?(function|data)-sections", "a section for each function or datum"),
    Rule(r"-mbranches-within-32B-boundaries", "branches do not cross 32-byte boundaries"),
)
"""The clang flags that an edit may set: none of them changes what a program means."""
_LONGEST_FLAG = 100


def pass_reason(name: str, head: str = "") -> str | None:
    """Why an edit may not bring in this pass; `None` when it may."""
    for rule in _PASSES:
        if rule.matches(name) or (head and rule.matches(head)):
            return rule.reason
    return None


def option_reason(option: Option) -> str | None:
    """Why an edit may not set this option; `None` when it may."""
    if "clang" not in option.tools:
        return f"clang does not take it (only {', '.join(option.tools)})"
    if option.type is OptionType.STRING:
        return "it takes a name, a list or a file"
    for rule in _OPTIONS:
        if rule.matches(option.name):
            return rule.reason
    return None


def nearest_flags(flag: str, count: int = 3) -> tuple[Rule, ...]:
    """The rules of the allowed flags that look most like this one, nearest first."""

    asked = flag.partition("=")[0][:_LONGEST_FLAG]

    def likeness(rule: Rule) -> float:
        name = rule.pattern.partition("=")[0].replace("(no-)?", "no-" * ("no-" in asked))
        return difflib.SequenceMatcher(None, asked, name).ratio()

    return tuple(sorted(FLAGS, key=likeness, reverse=True)[:count])


def flag_allowed(flag: str) -> bool:
    """Whether an edit may set this clang flag."""
    return any(rule.matches(flag) for rule in FLAGS)
