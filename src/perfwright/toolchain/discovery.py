"""Which LLVM toolchains are installed, and where each of their tools is.

Looked for in `$PERFWRIGHT_LLVM` (prefixes or folders of executables, separated by `:`), on
PATH (`clang-22`, ..., plain `clang` whose version tells) and in `/usr/lib/llvm-*/bin`, the
layout of Debian's packages.  What PERFWRIGHT_LLVM names comes first, then LLVM 22 when it
is there, then the newest.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.errors import InternalError, ToolchainError
from perfwright.toolchain.process import Limits, Runner, run

PREFERRED_MAJOR = 22
"""The LLVM that perfwright is developed on (DESIGN.md, section 4)."""

MINIMUM_MAJOR = 17
"""Older LLVMs lack options that perfwright needs; they are not offered."""

TOOLS: Mapping[str, str] = {
    "clang": "clang-{}",
    "clang++": "clang-{}",
    "opt": "llvm-{}",
    "llc": "llvm-{}",
    "llvm-ar": "llvm-{}",
    "llvm-as": "llvm-{}",
    "llvm-cov": "llvm-{}",
    "llvm-cxxfilt": "llvm-{}",
    "llvm-diff": "llvm-{}",
    "llvm-dis": "llvm-{}",
    "llvm-extract": "llvm-{}",
    "llvm-link": "llvm-{}",
    "llvm-mc": "llvm-{}",
    "llvm-mca": "llvm-{}",
    "llvm-nm": "llvm-{}",
    "llvm-objcopy": "llvm-{}",
    "llvm-objdump": "llvm-{}",
    "llvm-profdata": "llvm-{}",
    "llvm-profgen": "llvm-{}",
    "llvm-readelf": "llvm-{}",
    "llvm-readobj": "llvm-{}",
    "llvm-reduce": "llvm-{}",
    "llvm-remarkutil": "llvm-{}",
    "llvm-size": "llvm-{}",
    "llvm-strip": "llvm-{}",
    "llvm-symbolizer": "llvm-{}",
    "lld": "lld-{}",
    "ld.lld": "lld-{}",
    "llvm-bolt": "bolt-{}",
    "FileCheck": "llvm-{}-tools",
}
"""The tools that perfwright may ask for, with the Debian package that brings each."""

_DEBIAN_FOLDERS = "llvm-*/bin"
_ANCHOR = re.compile(r"(?P<tool>clang|opt)(-(?P<major>\d+))?")
_VERSION = re.compile(r"\b(?:clang|LLVM) version (?P<version>(?P<major>\d+)\.\d+(?:\.\d+)?)")
_COMPLETE = ("clang", "opt")
_ASK = Limits(wall=30.0)


@dataclass(frozen=True)
class Toolchain:
    """One installed LLVM.

    Two toolchains are equal when version, folder and fingerprint are.
    """

    version: str
    """As the tools print it: `22.1.8`."""
    major: int
    folder: Path
    """Where its executables are: `/usr/lib/llvm-22/bin`."""
    tools: Mapping[str, Path] = field(compare=False, repr=False)
    """Those of `TOOLS` that are installed, by name."""
    fingerprint: str
    """Changes when any of the tools is replaced; the key of everything kept about them."""

    def has(self, name: str) -> bool:
        """Whether the tool is installed."""
        return self._find(name) is not None

    def tool(self, name: str) -> Path:
        """The executable of one tool, for example `clang++`, `opt` or `ld.lld`.

        Raises:
            ToolchainError: it is not installed; the hint is the command that installs it.
        """
        path = self._find(name)
        if path is None:
            raise ToolchainError(
                f"LLVM {self.version} has no {name}",
                cause=f"neither {self.folder / name} nor {name}-{self.major} on PATH exists",
                hint=f"apt-get install {self.package(name)}",
            )
        return path

    def missing(self) -> tuple[str, ...]:
        """The tools of `TOOLS` that are not installed."""
        return tuple(name for name in TOOLS if name not in self.tools)

    def package(self, name: str) -> str:
        """The Debian package that brings a tool: `lld-22` for `ld.lld`."""
        return TOOLS.get(name, "llvm-{}").format(self.major)

    def _find(self, name: str) -> Path | None:
        known = self.tools.get(name)
        if known is not None:
            return known
        beside = self.folder / name
        return beside if name not in TOOLS and _is_program(beside) else None


@dataclass(frozen=True)
class Host:
    """What the toolchain says about the machine that it runs on."""

    triple: str
    """`x86_64-pc-linux-gnu`"""
    cpu: str
    """The name that `-march=native` stands for: `znver4`."""


def discover(
    *,
    runner: Runner = run,
    environ: Mapping[str, str] | None = None,
    debian_root: Path = Path("/usr/lib"),
) -> list[Toolchain]:
    """All installed toolchains from LLVM 17 on, the one to use first.

    What PERFWRIGHT_LLVM names goes before LLVM 22, and that before the newest.

    Args:
        runner: how tools are asked for their version.
        environ: where PATH and PERFWRIGHT_LLVM are read; the process's own when `None`.
        debian_root: the folder that holds `llvm-22`, `llvm-19`, ...
    """
    variables = os.environ if environ is None else environ
    path = _path_folders(variables)
    named = _toolchains(_named_folders(variables), runner, path)
    others = _toolchains([*path, *sorted(debian_root.glob(_DEBIAN_FOLDERS))], runner, path)
    by_preference = [
        *sorted(named, key=_preference, reverse=True),
        *sorted(others, key=_preference, reverse=True),
    ]
    return list(dict.fromkeys(by_preference))


def select(
    spec: str | os.PathLike[str] | None = None,
    *,
    runner: Runner = run,
    environ: Mapping[str, str] | None = None,
    debian_root: Path = Path("/usr/lib"),
) -> Toolchain:
    """The toolchain that a user names, or the preferred one.

    Args:
        spec: a version or its beginning (`22`, `22.1.8`), a folder (a prefix or its `bin`),
            the path of a clang, or `None` for the first that has a clang and an opt.
        runner: how tools are asked for their version.
        environ: see `discover`.
        debian_root: see `discover`.

    Raises:
        ToolchainError: there is none, none of that version, or the folder holds none.
    """
    if spec is not None and os.sep in os.fspath(spec):
        return _at_path(Path(spec), runner, os.environ if environ is None else environ)
    installed = discover(runner=runner, environ=environ, debian_root=debian_root)
    if spec is None:
        complete = [t for t in installed if t.has("clang") and t.has("opt")]
        if complete or installed:
            return (complete or installed)[0]
        raise _none_installed("no LLVM from version 17 on is installed", PREFERRED_MAJOR, [])
    wanted = os.fspath(spec)
    for toolchain in installed:
        if f"{toolchain.version}.".startswith(f"{wanted}."):
            return toolchain
    head = wanted.partition(".")[0]
    if head.isdigit() and int(head) < MINIMUM_MAJOR:
        raise ToolchainError(
            f"LLVM {wanted} is too old",
            cause=f"perfwright needs LLVM {MINIMUM_MAJOR} or later",
            hint=_install(PREFERRED_MAJOR),
        )
    raise _none_installed(
        f"LLVM {wanted} is not installed", int(head) if head.isdigit() else None, installed
    )


def packaged(name: str, wanted: str | None, environ: Mapping[str, str]) -> Path | None:
    """A tool of the toolchain that `select` would choose, without asking every LLVM installed.

    That takes a tenth of a second, which is much for a compiler launcher.  `None` when it is
    not plain from the names of packages.

    Args:
        name: the tool.
        wanted: a major version; the preferred one when `None`.
        environ: where PATH and PERFWRIGHT_LLVM are read.
    """
    major = wanted or str(PREFERRED_MAJOR)
    if environ.get("PERFWRIGHT_LLVM") or not major.isdigit():
        return None
    clang, opt = (shutil.which(f"{tool}-{major}", path=environ.get("PATH")) for tool in _COMPLETE)
    if clang is None or opt is None:
        return None
    beside = Path(clang).resolve().parent / name
    return beside if _is_program(beside) else None


def host(toolchain: Toolchain, *, runner: Runner = run) -> Host:
    """Triple and CPU of this machine, as the toolchain names them.

    Raises:
        ToolchainError: the toolchain has no clang, or clang does not say.
    """
    clang = toolchain.tool("clang")
    triple = runner([clang, "-print-target-triple"], limits=_ASK)
    # The driver shows what it makes of `native` without compiling anything.
    native = runner(
        [clang, "-###", "-march=native", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"],
        limits=_ASK,
    )
    if not triple.ok:
        raise ToolchainError(
            "clang does not tell its target", cause=triple.explain(), hint="perfwright doctor"
        )
    cpu = re.search(r'"-target-cpu" "([^"]+)"', native.error_text)
    return Host(triple=triple.text.strip(), cpu=cpu[1] if cpu else "generic")


def _preference(toolchain: Toolchain) -> tuple[bool, tuple[int, ...]]:
    numbers = tuple(int(part) for part in toolchain.version.split("."))
    return toolchain.major == PREFERRED_MAJOR, numbers


def _path_folders(environ: Mapping[str, str]) -> list[Path]:
    return [Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part]


def _named_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for part in environ.get("PERFWRIGHT_LLVM", "").split(os.pathsep):
        if part:
            yield from (Path(part) / "bin", Path(part))


def _at_path(path: Path, runner: Runner, environ: Mapping[str, str]) -> Toolchain:
    folders = [path.parent] if path.is_file() else [path / "bin", path]
    found = _toolchains(folders, runner, _path_folders(environ))
    if path.is_file():
        real = path.resolve()
        found = [t for t in found if t.has("clang") and t.tool("clang").resolve() == real] or found
    if found:
        return found[0]
    raise ToolchainError(
        f"no LLVM from version {MINIMUM_MAJOR} on at {path}",
        cause="it holds neither a clang nor an opt that tells such a version",
        hint="name the folder that holds clang, or a version such as --toolchain 22",
    )


def _toolchains(
    folders: Iterable[Path], runner: Runner, path_folders: Sequence[Path]
) -> list[Toolchain]:
    """One toolchain per version and real folder; the first anchor seen of each counts."""
    found: dict[tuple[str, Path], Toolchain] = {}
    asked: set[Path] = set()
    for anchor in _anchors(folders):
        real = anchor.resolve()
        if real in asked:
            continue
        asked.add(real)
        version = _version(anchor, runner)
        if version is None or int(version.partition(".")[0]) < MINIMUM_MAJOR:
            continue
        if (version, real.parent) not in found:
            found[version, real.parent] = _assemble(version, real.parent, path_folders)
    return list(found.values())


def _anchors(folders: Iterable[Path]) -> Iterator[Path]:
    """The clangs and opts in the folders: their versions tell which toolchains there are."""
    for folder in dict.fromkeys(folders):
        try:
            names = sorted(entry.name for entry in os.scandir(folder))
        except OSError:  # PATH and PERFWRIGHT_LLVM may name folders that are not there
            continue
        for name in names:
            if _ANCHOR.fullmatch(name) and _is_program(folder / name):
                yield folder / name


def _version(path: Path, runner: Runner) -> str | None:
    try:
        match = _VERSION.search(runner([path, "--version"], limits=_ASK).text)
    except (ToolchainError, InternalError):  # for another machine, or a broken script
        return None
    return match["version"] if match else None


def _assemble(version: str, folder: Path, path_folders: Sequence[Path]) -> Toolchain:
    major = int(version.partition(".")[0])
    tools = {name: path for name in TOOLS if (path := _locate(name, major, folder, path_folders))}
    return Toolchain(version, major, folder, tools, _fingerprint(version, folder, tools))


def _locate(name: str, major: int, folder: Path, path_folders: Sequence[Path]) -> Path | None:
    """`NAME-22` or `NAME` beside the anchor, else `NAME-22` on PATH.

    A plain name counts only where it cannot be of another version: never from elsewhere on
    PATH, and in a folder of several versions only beside the plain clang of this one.
    """
    suffixed = f"{name}-{major}"
    places = [folder / name, folder / suffixed]
    if _holds_other_versions(folder, major):
        plain_is_ours = (folder / "clang").resolve() == (folder / f"clang-{major}").resolve()
        places = [folder / suffixed, folder / name] if plain_is_ours else [folder / suffixed]
    places += [path / suffixed for path in path_folders]
    return next((place for place in places if _is_program(place)), None)


def _holds_other_versions(folder: Path, major: int) -> bool:
    matches = (_ANCHOR.fullmatch(entry.name) for entry in folder.glob("clang-[0-9]*"))
    return any(match and match["major"] and int(match["major"]) != major for match in matches)


def _fingerprint(version: str, folder: Path, tools: Mapping[str, Path]) -> str:
    """A hash over version, place, size and time stamp of the tools and of libLLVM.

    The library counts because the tools of distributions are small and linked to it.
    """
    digest = hashlib.sha256(version.encode())
    libraries = sorted((folder.parent / "lib").glob("libLLVM*.so*"))
    for path in [*(tools[name] for name in sorted(tools)), *libraries]:
        real = path.resolve()
        if real.exists():
            status = real.stat()
            digest.update(f"\0{path.name}\0{real}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _install(major: int) -> str:
    return f"apt-get install clang-{major} llvm-{major} lld-{major}"


def _none_installed(fact: str, major: int | None, installed: Sequence[Toolchain]) -> ToolchainError:
    if installed:
        cause = "installed: " + ", ".join(f"{t.version} ({t.folder})" for t in installed)
    else:
        cause = "looked in $PERFWRIGHT_LLVM, on PATH and in /usr/lib/llvm-*/bin"
    return ToolchainError(fact, cause=cause, hint=_install(major or PREFERRED_MAJOR))
