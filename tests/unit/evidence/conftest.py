"""Text of tools from `tests/cases/evidence`, and tiny programs built by real tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ToolchainError
from perfwright.evidence.functions import UnitInput
from perfwright.evidence.location import SourceRoot
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, run

CASES = Path(__file__).parents[2] / "cases" / "evidence"


@pytest.fixture(scope="session")
def case() -> Callable[[str], str]:
    """The text of one file of `tests/cases/evidence`."""

    def read(name: str) -> str:
        return (CASES / name).read_text()

    return read


@dataclass
class ScriptedTools:
    """Tools of a made-up toolchain, and a runner that answers for them.

    `answers` are looked up by the name of the tool, or by the first word after it as in
    `llvm-profdata show`; what has no answer is not installed.
    """

    answers: Mapping[str, ProcessResult]
    calls: list[tuple[str, ...]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)

    def tool(self, name: str) -> Path:
        if not any(key.split()[0] == name for key in self.answers):
            raise ToolchainError(f"there is no {name}")
        return Path("/tools", name)

    def run(
        self,
        argv: Sequence[object],
        *,
        stdin: bytes = b"",
        **_options: Any,
    ) -> ProcessResult:
        words = tuple(str(word) for word in argv)
        self.calls.append(words)
        self.inputs.append(stdin)
        name = Path(words[0]).name
        for key in (f"{name} {words[1]}" if len(words) > 1 else name, name):
            if key in self.answers:
                return self.answers[key]
        raise ToolchainError(f"cannot run {name!r}")


@pytest.fixture
def scripted() -> Callable[..., ScriptedTools]:
    """Makes scripted tools: `scripted({"llvm-cxxfilt": answer("text")})`."""
    return ScriptedTools


@pytest.fixture(scope="session")
def answer() -> Callable[..., ProcessResult]:
    """Makes the result of a process."""

    def make(stdout: str = "", stderr: str = "", status: int = 0) -> ProcessResult:
        return ProcessResult(("tool",), None, status, stdout.encode(), stderr.encode())

    return make


@dataclass(frozen=True)
class BuiltProgram:
    """A tiny program, built in all the ways that evidence wants."""

    toolchain: Toolchain
    units: tuple[UnitInput, ...]
    binary: Path
    instrumented: Path | None
    root: SourceRoot


def build(
    toolchain: Toolchain, folder: Path, *sources: str, args: Sequence[str] = ()
) -> BuiltProgram:
    """Build some of the sources in `tests/cases/evidence/tiny`."""
    tiny = CASES / "tiny"
    clang = toolchain.tool("clang++" if sources[0].endswith("pp") else "clang")

    def compile_(*words: object, may_fail: bool = False) -> bool:
        result = run([clang, "-O2", "-gline-tables-only", *map(str, words)], cwd=tiny)
        assert result.ok or may_fail, result.explain()
        return result.ok

    units = []
    objects = []
    for source in sources:
        stem = folder / source
        bitcode, remarks, compiled = (Path(f"{stem}{end}") for end in (".bc", ".yaml", ".o"))
        compile_("-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", source, "-o", bitcode)
        record = ("-fsave-optimization-record=yaml", f"-foptimization-record-file={remarks}")
        compile_(*args, *record, "-c", source, "-o", compiled)
        units.append(UnitInput(source, bitcode, remarks, str(tiny)))
        objects.append(compiled)
    binary, instrumented = folder / "program", folder / "instrumented"
    compile_(*objects, "-o", binary)
    counting = ("-fprofile-instr-generate", "-fcoverage-mapping")
    # Not every installation has the profile runtime of compiler-rt.
    counts = compile_(*counting, *sources, "-o", instrumented, may_fail=True)
    return BuiltProgram(
        toolchain, tuple(units), binary, instrumented if counts else None, SourceRoot(str(tiny))
    )


@pytest.fixture(scope="session")
def tiny(each_toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> BuiltProgram:
    """Two C units with local functions of the same name."""
    folder = tmp_path_factory.mktemp(f"tiny-{each_toolchain.major}")
    return build(each_toolchain, folder, "main.c", "work.c")


@pytest.fixture(scope="session")
def shapes(each_toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> BuiltProgram:
    """One C++ unit with templates, overloads and a lambda."""
    folder = tmp_path_factory.mktemp(f"shapes-{each_toolchain.major}")
    return build(each_toolchain, folder, "shapes.cpp")


@dataclass
class ProgramDouble:
    """Runs a program in the open; counts how often."""

    arguments: tuple[str, ...] = ()
    runs: int = 0

    def __call__(
        self,
        binary: Path,
        *,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        **_options: Any,
    ) -> ProcessResult:
        self.runs += 1
        return run([*prefix, binary, *self.arguments], env=env, limits=Limits(wall=30.0))


@pytest.fixture
def program() -> Callable[..., ProgramDouble]:
    """Makes a way to run a program with arguments."""
    return ProgramDouble
