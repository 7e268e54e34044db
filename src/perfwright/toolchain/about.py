"""What a toolchain says about itself, asked once and cached until its tools change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from perfwright.errors import ToolchainError
from perfwright.toolchain import probing
from perfwright.toolchain.cache import cached
from perfwright.toolchain.discovery import Host, Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.toolchain.registry import (
    OptionTable,
    PassKind,
    PassRegistry,
    merge_options,
    parse_initial_values,
    parse_options,
    parse_passes,
)

_LIMITS = Limits(wall=60.0)


def pass_registry(toolchain: Toolchain, host: Host) -> PassRegistry:
    """Its passes, pipelines for the host's triple, and nesting rules.

    Raises:
        ToolchainError: it has no opt, or one that cannot be asked.
    """
    return cached(
        toolchain,
        f"passes-{host.triple}",
        PassRegistry,
        lambda: read_pass_registry(toolchain.tool("opt"), triple=host.triple),
    )


def option_table(toolchain: Toolchain) -> OptionTable:
    """The options of its opt, clang and, where there is one, lld.

    Raises:
        ToolchainError: it has no opt or clang, or one that cannot be asked.
    """
    lld = toolchain.tool("ld.lld") if toolchain.has("ld.lld") else None
    return cached(
        toolchain,
        "options",
        OptionTable,
        lambda: read_option_table(toolchain.tool("opt"), toolchain.tool("clang"), lld),
    )


_PIPELINE_NAMES = ("default", "lto-pre-link", "lto", "thinlto-pre-link", "thinlto")
_LEVELS = ("O0", "O1", "O2", "O3", "Os", "Oz")


def read_pass_registry(opt: Path, *, triple: str = "", runner: Runner = run) -> PassRegistry:
    """Ask one opt for its passes, pipelines and nesting rules; about 100 runs of 20 ms.

    Args:
        opt: the tool.
        triple: the target whose pipelines are wanted: some backends add passes of their own.
        runner: runs it.

    Raises:
        ToolchainError: this opt cannot be asked.
    """
    listed = parse_passes(_text(runner([opt, "--print-passes"], limits=_LIMITS)))
    if not listed.passes:
        raise ToolchainError(
            f"{opt} lists no passes", cause="--print-passes printed none", hint="perfwright doctor"
        )
    loop_kinds = (PassKind.LOOP, PassKind.LOOPNEST)
    loop_passes = [info.name for info in listed.passes if info.kind in loop_kinds]
    needs, refuses = probing.memory_ssa(opt, loop_passes, runner)
    return replace(
        listed,
        pipelines=dict(_read_pipelines(opt, triple, runner)),
        adaptors=probing.adaptors(opt, runner),
        needs_memory_ssa=needs,
        refuses_memory_ssa=refuses,
    )


def read_option_table(
    opt: Path, clang: Path, lld: Path | None = None, *, runner: Runner = run
) -> OptionTable:
    """Ask opt, clang and (where there is one) ld.lld for their options; about 5 runs.

    Raises:
        ToolchainError: one of them cannot be asked.
    """
    compile_nothing: Sequence[str | Path] = (clang, "-x", "c", "-fsyntax-only", "-", "-mllvm")
    help_lines: list[tuple[str, Sequence[str | Path]]] = [
        ("opt", (opt, "--help-hidden")),
        ("clang", (*compile_nothing, "--help-hidden")),
    ]
    if lld is not None:
        help_lines.append(("lld", (lld, "-mllvm", "--help-hidden")))
    tables = [parse_options(_text(runner(argv, limits=_LIMITS)), tool) for tool, argv in help_lines]
    initial = {
        **parse_initial_values(
            _text(runner([*compile_nothing, "--print-all-options"], limits=_LIMITS))
        ),
        **parse_initial_values(
            _text(
                runner([opt, "--print-all-options", "-disable-output", "-"], limits=_LIMITS),
            )
        ),
    }
    return merge_options(tables, initial)


def _text(result: ProcessResult) -> str:
    if not result.ok:
        tool = Path(result.argv[0]).name
        raise ToolchainError(
            f"{tool} cannot be asked about itself", cause=result.explain(), hint="perfwright doctor"
        )
    return result.text


def _read_pipelines(opt: Path, triple: str, runner: Runner) -> Iterator[tuple[str, str]]:
    module = f'target triple = "{triple}"\n'.encode() if triple else b""
    for name in _PIPELINE_NAMES:
        for level in _LEVELS:
            alias = f"{name}<{level}>"
            result = runner(
                [opt, f"-passes={alias}", "-print-pipeline-passes", "-disable-output", "-"],
                stdin=module,
                limits=_LIMITS,
            )
            if result.ok:
                yield alias, result.text.strip().removesuffix(",verify")
