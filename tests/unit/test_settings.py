"""What the environment tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "CACHE", "DEBUG"):
        monkeypatch.delenv(f"PERFWRIGHT_{name}", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_by_default_the_users_xdg_folders_are_used(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.home == tmp_path / "state" / "perfwright"
    assert settings.cache == tmp_path / "cache" / "perfwright"
    assert settings.artefacts == settings.home / "artefacts"
    assert settings.debug is False


def test_variables_go_before_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERFWRIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("PERFWRIGHT_DEBUG", "1")
    assert Settings.load().home == tmp_path
    assert Settings.load().debug is True


def test_folders_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERFWRIGHT_HOME", "here")
    monkeypatch.setenv("PERFWRIGHT_CACHE", "~/there")
    assert Settings.load().home == tmp_path / "here"
    assert Settings.load().cache == Path.home() / "there"


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFWRIGHT_HOME", "")
    assert Settings.load().home.name == "perfwright"


def test_a_value_without_meaning_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFWRIGHT_DEBUG", "perhaps")
    with pytest.raises(UserError, match="PERFWRIGHT_DEBUG") as refused:
        Settings.load()
    assert "'perhaps'" in refused.value.cause
    assert refused.value.hint == "unset PERFWRIGHT_DEBUG"


def test_other_variables_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFWRIGHT_CAPTURE", "x")
    assert Settings.load().debug is False
