"""The tutorial runs, is short, and does what its text says."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perfwright.core.campaign import Status
from perfwright.core.candidate import BASELINE
from perfwright.core.protocols import Build, Refusal
from perfwright.core.trial import TrialState
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.reporter import RecordingReporter
from perfwright.toolchain.discovery import Toolchain

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "tutorial"
SCRIPT = FOLDER / "tiny_tuner.py"


@pytest.fixture(scope="module")
def tutorial() -> Any:
    """What the script defines, without its main part."""
    return SimpleNamespace(**runpy.run_path(str(SCRIPT), run_name="tutorial"))


def workshop(tutorial: Any, toolchain: Toolchain, folder: Path) -> Any:
    return tutorial.TinyWorkshop(FOLDER / "walk.c", ["100000"], folder, toolchain.tool("clang"))


def test_it_has_at_most_200_lines() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.llvm
def test_its_candidates_end_as_its_text_says(
    tutorial: Any, toolchain: Toolchain, tmp_path: Path
) -> None:
    heard = RecordingReporter()
    shop = workshop(tutorial, toolchain, tmp_path)
    outcome = tutorial.tune(shop, MemoryJournal(), heard, pairs=3)
    ideas = dict(zip([option for option, _ in tutorial.IDEAS], outcome.trials, strict=False))
    assert outcome.status in {Status.IMPROVED, Status.NO_GAIN}
    assert ideas["unroll-count 8"].state is TrialState.REJECTED
    assert ideas["no-such-option=1"].state is TrialState.UNBUILDABLE
    assert "-no-such-option=1" in ideas["no-such-option=1"].reproducer
    assert ideas["enable-gvn-hoist=true"].state in {TrialState.IDENTICAL, TrialState.MEASURED}
    assert ideas["-unroll-count=8"].repairs == ("-unroll-count=8 -> unroll-count=8",)
    assert heard.events


@pytest.mark.llvm
def test_over_the_same_journal_nothing_is_done_again(
    tutorial: Any, toolchain: Toolchain, tmp_path: Path
) -> None:
    journal: MemoryJournal[tuple[float, ...]] = MemoryJournal()
    first = tutorial.tune(workshop(tutorial, toolchain, tmp_path), journal, pairs=3)
    again = workshop(tutorial, toolchain, tmp_path)
    assert tutorial.tune(again, journal, pairs=3) == first
    assert again.builds == 0


@pytest.mark.llvm
def test_a_program_that_prints_something_else_is_refused(
    tutorial: Any, toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("#!/bin/sh\necho 42\n", encoding="utf-8")
    (tmp_path / "broken").chmod(0o755)
    checker = tutorial.TinyChecker(workshop(tutorial, toolchain, tmp_path))
    refusal = checker.check(Build(BASELINE, "c0de", 1, ("broken",)))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "exit status 0, or other output"
