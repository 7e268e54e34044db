"""Whether the CPU that a user names is one that the toolchain knows."""

from __future__ import annotations

import re

from perfwright.errors import unknown_name
from perfwright.toolchain.discovery import Host, Toolchain
from perfwright.toolchain.process import Limits, Runner, run

_NATIVE = "native"
_LIMITS = Limits(wall=30.0)


def require_known(cpu: str, toolchain: Toolchain, host: Host, runner: Runner = run) -> None:
    """Refuse a name that clang would refuse for every unit.

    Raises:
        UserError: clang knows no such CPU; lists those that it knows, nearest first.
        ToolchainError: the toolchain has no clang.
    """
    if cpu in {_NATIVE, host.cpu}:
        return
    said = runner([toolchain.tool("clang"), "--print-supported-cpus"], limits=_LIMITS)
    known = parse_cpus(said.error_text + said.text)
    # On some targets features follow: cortex-a76+crypto.
    if known and cpu.partition("+")[0] not in known:
        raise unknown_name("CPU", cpu, [_NATIVE, *known])


def parse_cpus(text: str) -> list[str]:
    """The names in what `clang --print-supported-cpus` prints; none where it lists none."""
    listed = text.partition("Available CPUs for this target:")[2]
    return re.findall(r"^\s+([\w.+-]+)\s*$", listed, flags=re.MULTILINE)
