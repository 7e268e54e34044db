"""The compiler launcher: `perfwright cc` and `perfwright c++`.

It runs the real clang with the same arguments, always, and what clang prints and returns is
what the build sees; so autoconf, CMake and libtool find a clang.  On top of that it does one
of two things: with PERFWRIGHT_CAPTURE=FOLDER it records every compile and link step there,
and with extra flags it applies a recipe to the steps where these mean something.

Build systems start it thousands of times, so this module imports little.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.errors import PerfwrightError
from perfwright.program.driver import (
    Invocation,
    Language,
    Stage,
    expand_response_files,
    parse,
)
from perfwright.program.recorder import Step, record_step
from perfwright.toolchain.process import replace_process, run_attached

CAPTURE_VARIABLE = "PERFWRIGHT_CAPTURE"
TOOLCHAIN_VARIABLE = "PERFWRIGHT_TOOLCHAIN"
TROUBLE_LOG = "trouble.log"
"""In the folder of records: a line for each step that could not be recorded."""

Execute = Callable[[Sequence[str], bytes | None], int]
"""Runs a command with our own standard streams, or with the bytes as its standard input, and
gives its exit status."""


@dataclass(frozen=True)
class ExtraFlags:
    """What a recipe adds to a build."""

    compile: tuple[str, ...] = ()
    """To every step that compiles C or C++ to code."""
    link: tuple[str, ...] = ()
    """To every step that links a program or a shared library."""
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """To the step that compiles one source alone, behind `compile`; by unit name, which is the
    end of the source's path."""


def launch(
    argv: Sequence[str],
    language: Language,
    environ: Mapping[str, str],
    *,
    extra: ExtraFlags = ExtraFlags(),
    execute: Execute | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
) -> int:
    """Run clang as it would have run, and record the step or apply the recipe.

    Args:
        argv: the arguments after `cc` or `c++`, as the build gave them.
        language: `c` for clang, `c++` for clang++.
        environ: where PERFWRIGHT_CAPTURE and PERFWRIGHT_TOOLCHAIN are read.
        extra: flags of a recipe; none when only capturing.
        execute: runs the compiler; a double in tests.
        clock_ns: stamps the records, so that of two steps with one output the later counts.

    Returns:
        clang's own exit status, 128 + N when signal N ended it.

    Raises:
        ToolchainError: there is no clang.
    """
    clang = compiler(language, environ)
    capture = environ.get(CAPTURE_VARIABLE)
    if execute is None and not capture and extra == ExtraFlags():
        replace_process([clang, *argv])
    run = execute or _execute
    invocation = parse(expand_response_files(argv, _read_text), language)
    command = [str(clang), *with_extra(argv, invocation, extra)]
    if not capture or invocation.stage not in ("object", "link"):
        return run(command, None)
    stdin = sys.stdin.buffer.read() if _reads_stdin(invocation) else None
    status = run(command, stdin)
    if status == 0:
        step = Step(
            folder=Path(capture),
            invocation=invocation,
            language=language,
            tools=clang.parent,
            cwd=Path.cwd(),
            environ=environ,
            stdin=stdin,
            time_ns=clock_ns(),
        )
        try:
            record_step(step)
        except (OSError, ValueError, PerfwrightError) as error:
            _note_trouble(step.folder, invocation, error)
    return status


def compiler(language: Language, environ: Mapping[str, str]) -> Path:
    """The real clang or clang++ of the selected toolchain.

    PERFWRIGHT_TOOLCHAIN is a version (`22`), a prefix, or a folder with a clang; the last is
    taken as it is, without asking any tool, which is what captured builds do.

    Raises:
        ToolchainError: there is none.
    """
    name = "clang++" if language == "c++" else "clang"
    wanted = environ.get(TOOLCHAIN_VARIABLE) or None
    if wanted is not None and (Path(wanted) / name).is_file():
        return Path(wanted) / name
    # Imported late: the common case above needs no discovery.
    from perfwright.toolchain.discovery import packaged, select  # noqa: PLC0415

    return packaged(name, wanted, environ) or select(wanted, environ=environ).tool(name)


def with_extra(argv: Sequence[str], invocation: Invocation, extra: ExtraFlags) -> list[str]:
    """The arguments with a recipe's flags at the end, where they mean something.

    Nothing is added to steps that only tell, preprocess or assemble: clang would call the
    flags unused, which `-Werror` makes an error.
    """
    added: list[str] = []
    if invocation.sources and invocation.stage in _code_stages(extra):
        added += (*extra.compile, *_unit_flags(invocation, extra))
    if invocation.stage == "link" and not any(w.name == "-r" for w in invocation.words):
        added += extra.link
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    return [*words[:end], *added, *words[end:]]


def _unit_flags(invocation: Invocation, extra: ExtraFlags) -> tuple[str, ...]:
    if len(invocation.sources) != 1:  # the flags of a command hold for all its sources
        return ()
    parts = Path(os.path.abspath(invocation.sources[0].name)).parts  # noqa: PTH100 - keep links
    named = [(Path(name).parts, flags) for name, flags in extra.units.items()]
    fitting = [(len(end), flags) for end, flags in named if parts[-len(end) :] == end]
    return max(fitting)[1] if fitting else ()


def _code_stages(extra: ExtraFlags) -> tuple[Stage, ...]:
    # With -flto, `-S` writes LLVM IR where the build expects assembly.
    lto = any(flag.startswith("-flto") for flag in extra.compile)
    return ("object", "link") if lto else ("assembly", "object", "link")


def _reads_stdin(invocation: Invocation) -> bool:
    return any(word.is_input and word.name == "-" for word in invocation.words)


def _read_text(name: str) -> str | None:
    try:
        return Path(name).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None


def _execute(argv: Sequence[str], stdin: bytes | None) -> int:
    """Run with our own standard streams: colours, prompts and order stay as they are."""
    sys.stdout.flush()
    sys.stderr.flush()
    status = run_attached(argv, stdin)
    return status if status >= 0 else 128 - status


def _note_trouble(folder: Path, invocation: Invocation, error: Exception) -> None:
    """Whatever goes wrong while recording is noted, and never breaks the build."""
    inputs = " ".join(word.name for word in invocation.words if word.is_input)
    with suppress(OSError), (folder / TROUBLE_LOG).open("a", encoding="utf-8") as stream:
        stream.write(f"{Path.cwd()}: {inputs}: {error}".replace("\n", " ") + "\n")


def main(arguments: Sequence[str]) -> int:
    """`python -m perfwright.program.launcher c|c++ ARGUMENTS`: what the shims start."""
    language: Language = "c++" if arguments[0] == "c++" else "c"
    try:
        return launch(arguments[1:], language, os.environ)
    except PerfwrightError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
