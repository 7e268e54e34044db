from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.app.record.campaigns import CleanReport, RunList, clean, document_of, list_runs
from perfwright.app.request import TuneRequest
from perfwright.errors import UserError
from perfwright.settings import Settings
from perfwright.store.artefacts import ArtefactStore
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan
from perfwright.testing.mind import draft

Recorder = Callable[..., str]


def work_of(home: Path, campaign: str) -> Path:
    """The folder of a campaign's builds, with something in it."""
    folder = home / "work" / campaign
    (folder / "capture").mkdir(parents=True)
    (folder / "capture" / "main.c").write_bytes(b"x" * 100)
    return folder


def artefact(content: bytes, *, age: float = 3600.0) -> str:
    """An artefact that was made some seconds ago."""
    store = ArtefactStore(Settings.load().artefacts)
    digest = store.add_bytes(content)
    made = time.time() - age
    os.utime(store.path(digest), (made, made))
    return digest


def kept(digest: str) -> bool:
    return digest in ArtefactStore(Settings.load().artefacts)


# --- runs -----------------------------------------------------------------------------------


def test_campaigns_are_listed_newest_first(recorded: Recorder) -> None:
    first, second = recorded(draft("slow")), recorded(draft("fast"), program="other")
    runs = list_runs().campaigns
    assert [(run.campaign, run.program, run.status) for run in runs] == [
        (second, "other", "improved"),
        (first, "tiny", "no-gain"),
    ]
    assert all(run.started.endswith("+00:00") for run in runs)


def test_the_list_is_a_table_for_people(recorded: Recorder) -> None:
    name = recorded(draft("slow"))
    (line,) = list_runs().lines()
    assert line.startswith(f"{name}  20")
    assert line.endswith("no-gain      tiny")


def test_an_empty_list_says_how_to_begin() -> None:
    assert list_runs() == RunList(campaigns=[])
    assert list(RunList(campaigns=[]).lines()) == [
        "no campaign yet; begin one with: perfwright tune PROGRAM"
    ]


def test_one_campaign_is_shown_by_its_name_or_as_the_last(improved: str) -> None:
    assert document_of(improved) == document_of("last")


@pytest.mark.parametrize("name", ["tiny-zzz", ""])
def test_a_campaign_that_does_not_exist_is_an_error(improved: str, name: str) -> None:
    with pytest.raises(UserError) as error:
        document_of(name)
    assert improved in error.value.cause


# --- clean ----------------------------------------------------------------------------------


def test_cleaning_says_what_there_is_and_touches_nothing(
    improved: str, perfwright_home: Path
) -> None:
    folder, stray = work_of(perfwright_home, improved), artefact(b"stray")
    report = clean(unused=False, campaigns=())
    assert report == CleanReport(
        home=str(perfwright_home),
        campaigns=1,
        artefact_bytes=5,
        unused_bytes=5,
        work_bytes=100,
        removed_bytes=0,
        removed_campaigns=[],
    )
    assert folder.exists()
    assert kept(stray)
    assert "perfwright clean --unused" in list(report.lines())[-1]


def test_what_no_campaign_needs_is_removed_on_request(improved: str, perfwright_home: Path) -> None:
    folder, stray = work_of(perfwright_home, improved), artefact(b"stray")
    report = clean(unused=True, campaigns=())
    assert report.removed_bytes == 105
    assert not folder.exists()
    assert not kept(stray)
    assert "  freed      105 B" in list(report.lines())


def test_an_artefact_of_a_campaign_stays(perfwright_home: Path) -> None:
    used = artefact(b"a binary")
    with (
        JournalStore.open(perfwright_home) as store,
        store.create_campaign(Plan("tiny", Path("tiny.c"))) as journal,
    ):
        journal.once("build", str, lambda: used)
    clean(unused=True, campaigns=())
    assert kept(used)


def test_what_resuming_needs_stays(recorded: Recorder, perfwright_home: Path) -> None:
    """The copy in which a build was captured cannot be made again as it was."""
    folder = work_of(perfwright_home, recorded(draft("fast"), die_at=4))
    report = clean(unused=True, campaigns=())
    assert folder.exists()
    assert report.removed_bytes == 0


def test_the_work_of_a_campaign_that_nobody_knows_goes(perfwright_home: Path) -> None:
    folder = work_of(perfwright_home, "forgotten-123456")
    clean(unused=True, campaigns=())
    assert not folder.exists()


def test_a_running_campaign_loses_nothing_that_it_has_just_made(perfwright_home: Path) -> None:
    """It keeps an artefact before the step that names it is committed."""
    old = artefact(b"old")
    with JournalStore.open(perfwright_home) as store:
        plan = Plan("tiny", Path("tiny.c"))
        with store.create_campaign(plan) as journal:
            folder, fresh = work_of(perfwright_home, journal.campaign), artefact(b"new", age=0)
            clean(unused=True, campaigns=())
            assert folder.exists()
            assert kept(fresh)
            assert not kept(old)


def test_a_campaign_is_forgotten_with_all_that_is_its_own(
    improved: str, recorded: Recorder, perfwright_home: Path
) -> None:
    other = recorded(draft("slow"))
    folder = work_of(perfwright_home, improved)
    results = perfwright_home / "results" / improved
    results.mkdir(parents=True)
    report = clean(unused=False, campaigns=(improved,))
    assert report.removed_campaigns == [improved]
    assert report.campaigns == 1
    assert not folder.exists()
    assert not results.exists()
    assert [run.campaign for run in list_runs().campaigns] == [other]


def test_a_running_campaign_is_not_forgotten(perfwright_home: Path) -> None:
    with (
        JournalStore.open(perfwright_home) as store,
        store.create_campaign(Plan("tiny", Path("tiny.c"))) as journal,
    ):
        with pytest.raises(UserError, match="being run by another process"):
            clean(unused=False, campaigns=(journal.campaign,))
        assert len(list_runs().campaigns) == 1


def test_results_that_the_user_asked_for_elsewhere_are_theirs(
    recorded: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "recipe.toml").touch()
    name = recorded(draft("fast"), out=tmp_path)
    clean(unused=True, campaigns=(name,))
    assert (tmp_path / "recipe.toml").exists()
    assert TuneRequest(program=tmp_path, out=tmp_path).out == tmp_path
