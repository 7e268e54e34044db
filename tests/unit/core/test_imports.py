"""Core and the journal start fast: nothing heavy is imported for them."""

from __future__ import annotations

import sys

import pytest

from perfwright.toolchain.process import run

HEAVY = {"numpy", "scipy", "typer", "rich", "pandas", "pydantic_settings"}


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("perfwright.core.campaign", HEAVY | {"sqlite3", "pydantic", "subprocess"}),
        ("perfwright.store.journal", HEAVY),
        ("perfwright.store.artefacts", HEAVY | {"sqlite3", "pydantic"}),
        ("perfwright.testing.team", HEAVY | {"sqlite3", "pydantic"}),
    ],
)
def test_a_module_brings_in_nothing_heavy(module: str, forbidden: set[str]) -> None:
    loaded = run([sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"])
    assert loaded.ok, loaded.error_text
    assert not forbidden & set(loaded.text.split())
