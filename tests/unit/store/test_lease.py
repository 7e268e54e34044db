"""One campaign, one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.store.lease import Lease, is_held


def test_a_lease_is_held_until_it_is_released(tmp_path: Path) -> None:
    file = tmp_path / "leases" / "x"
    assert not is_held(file)
    lease = Lease(file, "x")
    assert is_held(file)
    lease.release()
    lease.release()
    assert not is_held(file)


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "x", "campaign x")
    with pytest.raises(UserError, match="campaign x is being run by another process") as refused:
        Lease(tmp_path / "x", "campaign x")
    assert refused.value.cause == f"process {os.getpid()}"
    lease.release()


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        Lease(tmp_path / "x", "x")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert (tmp_path / "x").read_text() == f"{child}\n"
    Lease(tmp_path / "x", "x").release()


def test_asking_does_not_take_it(tmp_path: Path) -> None:
    Lease(tmp_path / "x", "x").release()
    assert not is_held(tmp_path / "x")
    Lease(tmp_path / "x", "x").release()
