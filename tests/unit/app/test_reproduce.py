"""A compiler that crashes or hangs ends a trial and no campaign, and what it did is saved."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings
from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Refusal
from perfwright.core.trial import TrialState
from perfwright.levels.protocol import Mended
from perfwright.levels.workshop import EditWorkshop, Site
from perfwright.program.capture import from_sources
from perfwright.program.plan import BuildPlan
from perfwright.program.spec import load
from perfwright.store.artefacts import ArtefactStore
from perfwright.testing.program import ScriptedProgram
from perfwright.testing.team import ScriptedTeam
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, run

SHA256 = Path(__file__).parents[3] / "suites" / "core" / "sha256"
CRASH = "-mllvm -tail-dup-placement-penalty=0"
HANG = "-DHANG"
TOO_SLOW = "-mllvm -for-ever"
GOOD = "-mllvm -unroll-threshold=7"


@dataclass(frozen=True)
class FlagLevel:
    """The text of an edit is flags of the compiler."""

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        broken = Refusal("opt: timed out after 120 s", "opt x.bc", broken="timeout")
        return broken if edits[0].text == TOO_SLOW else Mended(edits)

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        flags = tuple(word for edit in edits for word in edit.text.split())
        return base.model_copy(update={"compile_flags": flags})


def hanging(toolchain: Toolchain, folder: Path) -> Toolchain:
    """The toolchain with a clang that sleeps over `-DHANG` in a compilation to an object."""
    clang = folder / "clang"
    real = shlex.quote(str(toolchain.tool("clang")))
    clang.write_text(
        '#!/bin/sh\ncase "$*" in *-emit-llvm*) ;; *-DHANG*) exec sleep 60;; esac\n'
        f'exec {real} "$@"\n'
    )
    clang.chmod(0o755)
    return replace(toolchain, tools={**toolchain.tools, "clang": clang})


def impatient(argv: object, **more: object) -> ProcessResult:
    """Two seconds for each command, whatever it was to have."""
    return run(argv, **{**more, "limits": Limits(wall=2.0)})  # type: ignore[arg-type]


def campaign(toolchain: Toolchain, tmp_path: Path, *texts: str) -> Outcome:
    """A campaign whose mind proposes these edits, in their order."""
    site = Site(
        captured=from_sources(load(SHA256)),
        toolchain=toolchain,
        folder=tmp_path / "builds",
        objects=tmp_path / "objects",
        keep=ArtefactStore(tmp_path / "artefacts").add,
        runner=impatient,
        reproducers=tmp_path / "reproducers",
    )
    drafts = [Candidate((Edit("flag", text),)) for text in texts]
    scripted = ScriptedTeam(ScriptedProgram(speedups={GOOD: 1.3}), drafts)
    team = replace(scripted.team, workshop=EditWorkshop(site, {"flag": FlagLevel()}))
    return Campaign(team, Settings(Budget(rounds=1))).run()


@pytest.mark.llvm
@pytest.mark.parametrize("bad", [CRASH, HANG])
def test_a_campaign_goes_on_after_a_compiler_that_crashed_or_hung(
    toolchain: Toolchain, tmp_path: Path, bad: str
) -> None:
    tools = hanging(toolchain, tmp_path)
    outcome = campaign(tools, tmp_path, bad, GOOD)
    first, second = outcome.trials
    if bad == CRASH and first.state is not TrialState.UNBUILDABLE:
        pytest.skip(f"LLVM {toolchain.version} does not crash of {CRASH}")
    assert (first.state, second.state) == (TrialState.UNBUILDABLE, TrialState.MEASURED)
    assert second.accepted
    folder = tmp_path / "reproducers" / first.candidate.id
    assert first.reproducer == f"sh {folder / 'run.sh'}"
    assert {path.name for path in folder.iterdir()} == {"input.bc", "run.sh", "said.txt"}
    expected = "timed out" if bad == HANG else "Running pass"
    assert expected in (folder / "said.txt").read_text()


@pytest.mark.llvm
def test_an_edit_that_the_compiler_refuses_leaves_no_folder(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    outcome = campaign(toolchain, tmp_path, "-mllvm -no-such-option=1", GOOD)
    assert outcome.trials[0].state is TrialState.UNBUILDABLE
    assert not (tmp_path / "reproducers").exists()


@pytest.mark.llvm
def test_a_tool_that_hangs_while_an_edit_is_mended_makes_it_unbuildable(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    first = campaign(toolchain, tmp_path, TOO_SLOW, GOOD).trials[0]
    assert (first.state, first.reproducer) == (TrialState.UNBUILDABLE, "opt x.bc")
