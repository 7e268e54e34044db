"""What a pipeline loses when it is printed as text, and how to give it back.

`-print-pipeline-passes` is "best-effort only".  The text of `default<O3>` is not -O3; seen on
LLVM 19 and 22, each of these changed the code of ordinary C programs:

* `inline` parses back with the threshold of -O2 (225; -O3 uses 250), and without the higher
  threshold for calls in hot loops (525), which only -O3 uses;
* `loop-unroll-full` parses back with the size limit of -O2 (150; -O3 uses 300);
* `coro-split` parses back without the frame optimisation that all levels above O0 use.

Options and one parameter mend these: then text and alias gave the same bitcode for every
program tried, for `default`, `lto`, `thinlto` and the pre-link pipelines alike.  One loss stays:
the second loop unswitching of -O3, which runs only where `indvars` asks for it, prints as
`extra-simple-loop-unswitch-passes` and parses back as nothing (LLVM 22), or prints as a plain
`simple-loop-unswitch` that always runs (LLVM 19).  So compare before relying on it:
`perfwright.pipeline.validate.same_code`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from perfwright.pipeline.tree import Adaptor, Node, Param, Pass, Pipeline
from perfwright.toolchain.registry import OptionTable

_REUSE_STORAGE = Param("reuse-storage")
_O3_INLINE_THRESHOLD = "250"  # llvm::InlineConstants::OptAggressiveThreshold, printed nowhere
# What LLVM 19 to 22 start with; the option table of the tool goes first.
_FALLBACK = {"locally-hot-callsite-threshold": "525", "unroll-threshold-aggressive": "300"}


def text_options(
    level: str, table: OptionTable | None = None, chosen: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The options that a pipeline text of this level needs to mean what the level means.

    They go to opt as they are, to clang behind `-mllvm`, to lld in `-Wl,-mllvm,...`.

    Args:
        level: `O0` to `O3`, `Os`, `Oz`; only O3 needs any.
        table: the tool's options, for their initial values.
        chosen: options that the candidate sets itself (name to value): they win.
    """
    if level != "O3":
        return ()
    chosen = chosen or {}

    def value(name: str) -> str:
        option = table.find(name) if table else None
        return chosen.get(name) or (option and option.initial) or _FALLBACK[name]

    needed = {
        "inlinedefault-threshold": _O3_INLINE_THRESHOLD,
        "locally-hot-callsite-threshold": value("locally-hot-callsite-threshold"),
        "unroll-threshold-default": value("unroll-threshold-aggressive"),
    }
    return tuple(f"-{name}={needed[name]}" for name in needed if name not in chosen)


def restored(pipeline: Pipeline, level: str) -> Pipeline:
    """The pipeline with the parameters that printing lost at this level given back."""
    if level == "O0":
        return pipeline
    return Pipeline(tuple(_restored(node) for node in pipeline.nodes))


def _restored(node: Node) -> Node:
    if isinstance(node, Adaptor):
        return replace(node, children=tuple(_restored(child) for child in node.children))
    if node == Pass("coro-split"):
        return replace(node, params=(_REUSE_STORAGE,))
    return node
