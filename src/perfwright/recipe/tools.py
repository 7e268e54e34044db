"""What a build calls the tools of a recipe's LLVM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from perfwright.toolchain.discovery import Toolchain

_NAMES = ("clang", "clang++", "llvm-ar", "llvm-ranlib", "llvm-nm")


@dataclass(frozen=True)
class ToolNames:
    """Names or paths; an archiver that knows bitcode is one of LLVM's own."""

    cc: str
    cxx: str
    ar: str
    ranlib: str
    nm: str

    @classmethod
    def versioned(cls, major: int) -> Self:
        """The names that packages give: `clang-22`."""
        return cls(*(f"{name}-{major}" for name in _NAMES))

    @classmethod
    def installed(cls, toolchain: Toolchain, which: Callable[[str], str | None]) -> Self:
        """The same where PATH has them, else the paths of this toolchain's tools.

        Args:
            toolchain: the recipe's LLVM.
            which: looks a command up on PATH, as `shutil.which` does.
        """

        def name(tool: str) -> str:
            versioned = f"{tool}-{toolchain.major}"
            beside = toolchain.folder / tool
            return versioned if which(versioned) or not _exists(beside) else str(beside)

        return cls(*map(name, _NAMES))


def _exists(path: Path) -> bool:
    return path.is_file()
