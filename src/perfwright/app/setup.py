"""What is known before a campaign has a journal: the program, the tools and what is asked."""

from __future__ import annotations

from dataclasses import dataclass

from perfwright.app.request import TuneRequest
from perfwright.program.plan import BuildPlan
from perfwright.program.spec import ProgramSpec
from perfwright.settings import Settings
from perfwright.toolchain.discovery import Host, Toolchain


@dataclass(frozen=True)
class Setup:
    """The program, the tools, and what is asked of them."""

    settings: Settings
    spec: ProgramSpec
    toolchain: Toolchain
    host: Host
    request: TuneRequest

    @property
    def base(self) -> BuildPlan:
        """What every build has, the baseline included: `--cpu`."""
        cpu = self.request.cpu
        if cpu is None:
            return BuildPlan()
        flag = "-march" if self.host.triple.startswith(("x86_64", "i386", "i686")) else "-mcpu"
        return BuildPlan(compile_flags=(f"{flag}={cpu}",), link_flags=(f"{flag}={cpu}",))
