"""The rules of this repository that no linter knows.  Each says what to do when it fails."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from perfwright.core.campaign import Status
from perfwright.core.trial import TrialState
from perfwright.core.verdict import Verdict
from perfwright.toolchain.process import run

ROOT = Path(__file__).resolve().parents[2]

LINES_PER_MODULE = 400
LONG_MODULES: dict[str, str] = {}
"""Modules that may be longer than `LINES_PER_MODULE`, with the reason."""

BROAD_EXCEPTS: dict[str, str] = {
    "src/perfwright/cli/main.py": "what nobody foresaw becomes exit status 6 and one line",
}
"""Where everything may be caught without being raised again, with the reason."""

DOORS_TO_SUBPROCESSES = {
    "src/perfwright/toolchain/process.py": "the door",
    "suites/check.py": "runs with nothing installed, so without perfwright as well",
}
"""Where programs may be started, with the reason."""

COMMANDS = {"help", "setup", "demo", "test", "lint", "bench-quick", "bench", "clean"}
"""What `make` can always do; scripts depend on these names."""

GLOSSARY = re.findall(
    r"\w+",
    "program workload oracle target toolchain unit level edit claim candidate trial verdict "
    "incumbent baseline round campaign journal mind role evidence recipe rival",
)


# --- what is in the repository -------------------------------------------------------------


@cache
def files(*patterns: str) -> tuple[Path, ...]:
    """The files that are, or are about to be, under version control."""
    git = ["git", "-C", str(ROOT), "-c", "safe.directory=*"]
    listed = run([*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    if not listed.ok:
        pytest.skip("the rules are about a git work tree, and this is none")
    paths = {ROOT / name for name in listed.text.split("\0") if name}
    kept = {p for p in paths if p.is_file() and any(p.match(g) for g in patterns or ("*",))}
    return tuple(sorted(kept))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources() -> list[Path]:
    return [path for path in files("*.py") if name(path).startswith("src/")]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- nothing of the machine it was written on ------------------------------------------------

# Each with its letters apart, so that the rule does not find itself.
TRACES = {
    "an option or address of a package index": (
        r"index[-]url|find[-]links|[/]simple/"
        r"|https?://[^ )\"]*/(?:dists|pool)/|py[p]i\.org|files\.pythonhosted|deb\.debian"
    ),
    "a path of somebody's machine": (
        r"(?<![\w.$}])/(?:root|work|workspace|(?:home|Users)/(?!user\b|me\b)\w+)/"
    ),
    "a key": (
        r"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9_-]{24,}|\bgh[pousr]_[A-Za-z0-9]{30,}"
        r"|\bAKIA[0-9A-Z]{16}\b|\bxox[abp]-[0-9A-Za-z-]{20,}"
    ),
}


@pytest.mark.parametrize("kind", TRACES)
def test_no_file_holds_traces_of_a_machine(kind: str) -> None:
    pattern = re.compile(TRACES[kind])

    def found() -> Iterator[str]:
        for path in files():
            text = path.read_text(encoding="utf-8", errors="replace")
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{name(path)}:{line}: {kind}: {match[0]!r}; take it out"

    assert not list(found())


# --- sources ---------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for path in files("*.py") if not name(path).startswith("tests/")]
    assert not [name(path) for path in modules if not ast.get_docstring(tree(path))]


def test_modules_are_short() -> None:
    def found() -> Iterator[str]:
        for path in sources():
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LINES_PER_MODULE and name(path) not in LONG_MODULES:
                yield f"{name(path)}: {lines} lines; which two nouns are in it?"

    assert not list(found())


def test_long_modules_are_still_long() -> None:
    for module in LONG_MODULES:
        lines = (ROOT / module).read_text(encoding="utf-8").splitlines()
        assert len(lines) > LINES_PER_MODULE, f"{module}: take it off LONG_MODULES"


def test_nothing_swallows_errors_that_nobody_foresaw() -> None:
    def found() -> Iterator[str]:
        for path in files("*.py"):
            for node in ast.walk(tree(path)):
                if (
                    isinstance(node, ast.ExceptHandler)
                    and catches_everything(node)
                    and not raises_again(node)
                    and name(path) not in BROAD_EXCEPTS
                ):
                    yield f"{name(path)}:{node.lineno}: name the errors that can happen here"

    assert not list(found())


def catches_everything(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = {"Exception", "BaseException"}
    return any(k is None or (isinstance(k, ast.Name) and k.id in broad) for k in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_there_is_one_door_to_subprocesses() -> None:
    calls = re.compile(r"subprocess|pty|os\.(system|popen|exec\w+|spawn\w+|posix_spawnp?)")

    def found() -> Iterator[str]:
        for path in files("*.py"):
            for line, used in names_used(tree(path)):
                if calls.fullmatch(used) and name(path) not in DOORS_TO_SUBPROCESSES:
                    yield f"{name(path)}:{line}: {used}; use perfwright.toolchain.process"

    assert not list(found())


def names_used(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Imported modules, and attributes of `os`, with their lines."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"


def layers() -> set[str]:
    """The packages that have a place among the import layers."""
    contracts = project()["tool"]["importlinter"]["contracts"]
    found = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return set(re.findall(r"perfwright\.(\w+)", " ".join(found)))


def test_every_package_has_its_layer() -> None:
    paths = [path.relative_to(ROOT / "src" / "perfwright") for path in sources()]
    packages = {path.parts[0].removesuffix(".py") for path in paths} - {"__init__", "__main__"}
    assert not packages - layers(), "give it one under [tool.importlinter] in pyproject.toml"


def test_the_architecture_page_shows_every_layer() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.partition("## Layers")[2].partition("Packages on one line")[0]
    assert layers() - set(re.findall(r"\w+", drawing)) == set()


# --- commands ----------------------------------------------------------------------------------


def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def targets() -> dict[str, str]:
    """Targets of the Makefile with what `make help` says about them."""
    rule = re.compile(r"^(?P<name>[a-z][\w-]*):(?!=)[^#\n]*(?:## (?P<help>.+))?$", re.MULTILINE)
    return {m["name"]: m["help"] or "" for m in rule.finditer(makefile())}


def test_the_promised_commands_are_there() -> None:
    assert targets().keys() >= COMMANDS


def test_every_command_is_explained() -> None:
    assert not [target for target, text in targets().items() if not text]


def test_make_help_lists_every_command() -> None:
    shown = run(["make", "--no-print-directory", "-C", str(ROOT), "help"])
    listed = {line.split()[1] for line in shown.text.splitlines()}
    assert listed == set(targets())


def test_no_command_is_mistaken_for_a_file() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", makefile(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(targets())


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = "make test"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert command in script.splitlines()
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/lock", ".ci/run"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = ROOT / script
    shell = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#!").split()[-1]
    assert path.stat().st_mode & 0o111 == 0o111
    assert run([shell, "-n", path]).ok


# --- pinned packages ---------------------------------------------------------------------------

PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>\S+)(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)"
)


@cache
def pins(which: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of every package in one of the requirements files."""
    text = (ROOT / "requirements" / f"{which}.txt").read_text(encoding="utf-8")
    found = {}
    for line in re.sub(r" *\\\n +", " ", text).splitlines():
        if line.startswith("#"):
            continue
        match = PIN.fullmatch(line)
        assert match, f"requirements/{which}.txt: neither a pin with hashes nor a comment: {line!r}"
        found[match["name"]] = (match["version"], match["hashes"].count("--hash"))
    return found


def direct(which: str) -> list[Requirement]:
    wanted = list(project()["project"]["dependencies"])
    if which == "dev":
        wanted += project()["dependency-groups"]["dev"] + project()["build-system"]["requires"]
    return [Requirement(text) for text in wanted]


@pytest.mark.parametrize("which", ["runtime", "dev"])
def test_what_the_project_needs_is_pinned_with_hashes(which: str) -> None:
    for requirement in direct(which):
        pinned = pins(which).get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not pinned: make lock"
        assert requirement.specifier.contains(pinned[0]), f"{requirement}: make lock"


def test_developers_run_on_the_versions_that_users_get() -> None:
    assert {p: pins("dev").get(p) for p in pins("runtime")} == pins("runtime")


def test_compiled_packages_are_pinned_for_every_machine() -> None:
    # One machine's files alone would be one or two hashes: a lock made from a local folder.
    for package in ("numpy", "scipy", "pydantic-core"):
        assert pins("runtime")[package][1] > 20


# --- documents ---------------------------------------------------------------------------------

LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")


def prose(path: Path) -> str:
    """The text of a Markdown file without its code."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_links_between_documents_resolve() -> None:
    def found() -> Iterator[str]:
        for path in files("*.md"):
            for match in LINK.finditer(prose(path)):
                file, _, anchor = match["target"].partition("#")
                if re.match(r"[a-z]+:", file):
                    continue
                target = (path.parent / file).resolve() if file else path
                if not target.exists():
                    yield f"{name(path)}: there is no {file}"
                elif anchor and anchor not in anchors(target):
                    yield f"{name(path)}: {file or 'it'} has no heading #{anchor}"

    assert not list(found())


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## Unreleased$", text, re.MULTILINE)


def glossary() -> set[str]:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return set(re.findall(r"\*\*([\w -]+)\*\*", text))


def test_the_glossary_explains_the_words_of_the_project() -> None:
    assert set(GLOSSARY) <= glossary()


@pytest.mark.parametrize("kind", [TrialState, Verdict, Status])
def test_the_glossary_explains_every_state_that_is_printed(kind: type[StrEnum]) -> None:
    assert {str(state) for state in kind} <= glossary()


def decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_from_one_without_gaps() -> None:
    assert [int(path.name[:4]) for path in decisions()] == [*range(1, len(decisions()) + 1)]


def test_the_index_of_decisions_lists_all() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in decisions() if f"]({path.name})" not in index]


def test_every_decision_says_context_choice_and_consequence() -> None:
    parts = ["Context", "Choice", "Consequence"]
    for path in decisions():
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == parts, name(path)
