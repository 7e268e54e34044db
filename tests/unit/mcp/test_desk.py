"""Which programs may be opened, and one campaign at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.app.campaign.tune import Ended
from perfwright.errors import UserError
from perfwright.mcp.desk import Desk
from perfwright.testing.agent import scripted_session
from perfwright.testing.program import ScriptedProgram


def desk(here: Path, *allowed: Path) -> Desk:
    return Desk(here, allowed or (here,))


def test_what_is_in_the_folder_may_be_opened(tmp_path: Path) -> None:
    assert desk(tmp_path).permitted("a/b.c") == tmp_path / "a/b.c"


@pytest.mark.parametrize("name", ["../other", "/etc/passwd", "a/../../b"])
def test_what_is_outside_may_not(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="may not be opened"):
        desk(tmp_path).permitted(name)


def test_a_link_that_leads_out_may_not(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)

    with pytest.raises(UserError, match="may not be opened"):
        desk(inside).permitted("link/other.c")


@pytest.mark.parametrize("name", ["perfwright.toml", "compile_commands.json"])
def test_a_folder_whose_description_lies_elsewhere_may_not(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    assert desk(inside).permitted(".")
    (tmp_path / name).write_text("secret")
    (inside / name).symlink_to(tmp_path / name)

    with pytest.raises(UserError, match="may not be opened"):
        desk(inside).permitted(".")


def test_a_server_for_one_program_opens_no_other(tmp_path: Path) -> None:
    one = desk(tmp_path, tmp_path / "one.c")

    assert one.permitted("one.c")
    with pytest.raises(UserError, match=r"started for .*one\.c"):
        one.permitted("two.c")


def test_a_second_campaign_waits_until_the_first_is_put_away(tmp_path: Path) -> None:
    program = ScriptedProgram()
    mine = desk(tmp_path)
    mine.take(scripted_session(program)).begin()
    with pytest.raises(UserError, match="is open"):
        mine.take(scripted_session(program))

    assert mine.close() == "scripted-000000"
    mine.take(scripted_session(program))


def test_without_a_campaign_there_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no campaign is open"):
        _ = desk(tmp_path).session
    assert desk(tmp_path).close() == ""


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "~nobody-of-this-name/a.c"])
def test_what_is_no_path_is_refused_plainly(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"is no path|may not be opened"):
        desk(tmp_path / "in").permitted(f"../{name}")


def test_what_was_cut_short_while_it_opened_can_be_gone_on_with(tmp_path: Path) -> None:
    mine, session = desk(tmp_path), scripted_session(ScriptedProgram())
    mine.take(session).begin()
    session.stop()
    mine.drop(session)

    with pytest.raises(UserError) as caught:
        _ = mine.held
    assert 'open(campaign="scripted-000000")' in caught.value.hint


def test_whoever_closes_the_desk_waits_for_all_that_was_on_it(tmp_path: Path) -> None:
    mine, session = desk(tmp_path), scripted_session(ScriptedProgram())
    mine.take(session).begin()
    mine.drop(session)
    mine.close()

    assert isinstance(session.ended, Ended)
    assert session.ended.interrupted


def test_a_campaign_about_another_program_does_not_say_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = scripted_session(ScriptedProgram())
    theirs.request = theirs.request.model_copy(update={"program": Path("/secret/place.c")})
    monkeypatch.setattr("perfwright.mcp.desk.resume_session", lambda _: theirs)

    with pytest.raises(UserError, match="may not be opened here") as caught:
        desk(tmp_path).reopen("theirs-000000")
    assert "secret" not in str(caught.value)
