from __future__ import annotations

import pytest

from perfwright.app.campaign.cpus import parse_cpus, require_known
from perfwright.errors import UserError
from perfwright.toolchain import discovery
from perfwright.toolchain.discovery import Host, Toolchain

LISTING = """\
Debian clang version 22.1.8
Target: x86_64-pc-linux-gnu
Available CPUs for this target:

\tnehalem
\tx86-64-v3
\tznver4

Use -mcpu or -mtune to specify the target's processor.
For example, clang --target=aarch64-unknown-linux-gnu -mcpu=cortex-a35
"""
HOST = Host("x86_64-pc-linux-gnu", "znver4")


def test_names_are_read_from_what_clang_lists() -> None:
    assert parse_cpus(LISTING) == ["nehalem", "x86-64-v3", "znver4"]


def test_a_clang_that_lists_none_is_no_reason_to_refuse() -> None:
    assert parse_cpus("error: unknown argument") == []


@pytest.mark.llvm
@pytest.mark.parametrize("cpu", ["native", "this-very-cpu", "nehalem"])
def test_known_names_pass(each_toolchain: Toolchain, cpu: str) -> None:
    host = discovery.host(each_toolchain)
    if cpu == "nehalem" and not host.triple.startswith("x86_64"):
        pytest.skip("for x86-64 only")
    require_known(cpu, each_toolchain, Host(host.triple, "this-very-cpu"))


@pytest.mark.llvm
def test_an_unknown_name_lists_the_nearest(toolchain: Toolchain) -> None:
    with pytest.raises(UserError, match="unknown CPU 'nativ'") as caught:
        require_known("nativ", toolchain, HOST)
    assert caught.value.hint == "native"
    assert caught.value.exit_status == 2
