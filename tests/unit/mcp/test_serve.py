"""What is refused before a server starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.mcp import serve as serving
from perfwright.mcp.http import bound
from perfwright.mcp.serve import Address, serve


def test_without_the_sdk_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda _name: None)

    with pytest.raises(UserError) as refused:
        serve((), None, print, tmp_path)
    assert refused.value.hint == "pip install 'perfwright[mcp]'"


def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fewer than 16"):
        serve((), Address(token="secret"), print, tmp_path)


def test_a_port_that_is_taken_is_refused() -> None:
    with bound(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port}"):
            bound(port)


def test_it_listens_on_this_machine_only() -> None:
    with bound(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.family is socket.AF_INET
