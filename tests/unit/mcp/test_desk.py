"""Which programs may be opened, and one campaign at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

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
