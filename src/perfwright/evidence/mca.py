"""How fast the target could run a loop body at best: `llvm-mca` on straight-line code.

It assumes that all data is in the first-level cache, that branches are predicted and that
every instruction of the body is executed.  Its figure is a lower bound to compare variants
with, and its bottleneck says what to work on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from perfwright.errors import ToolchainError
from perfwright.evidence.disassembly import Instruction, is_call
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Limits, Runner

Bottleneck = Literal["resources", "register dependencies", "memory dependencies", "none"]

_ITERATIONS = 100
_LIMITS = Limits(wall=20.0)
_MAX_INSTRUCTIONS = 500
_TARGET = re.compile(r"(?<![\w(])(?:0x)?[0-9a-f]+ <.*>")
_LATENCY_FACTOR = 1.5
_PRESSURE: tuple[tuple[str, Bottleneck], ...] = (
    ("ResourcePressureCycles", "resources"),
    ("RegisterDependencyCycles", "register dependencies"),
    ("MemoryDependencyCycles", "memory dependencies"),
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What llvm-mca says of one loop body.

    Attributes:
        cycles: per iteration, in a steady state with perfect caches and branches.
        reciprocal_throughput: cycles per iteration that the execution units alone need;
            where `cycles` is much higher, a chain of dependencies sets the pace.
        busiest: the execution unit under most pressure.
        has_calls: the body calls, and what the callee costs is not in the figures.
    """

    instructions: int
    cycles: float
    ipc: float
    reciprocal_throughput: float
    bottleneck: Bottleneck
    busiest: str = ""
    has_calls: bool = False


def simulate(
    body: Sequence[Instruction],
    tools: Tools,
    runner: Runner,
    *,
    triple: str = "",
    cpu: str = "native",
) -> Throughput:
    """Run llvm-mca on the instructions of a loop body.

    Raises:
        ToolchainError: the tool is missing, does not know the processor, cannot read an
            instruction, or the body is too long to make sense of.
    """
    if not 0 < len(body) <= _MAX_INSTRUCTIONS:
        raise ToolchainError(f"a loop body of {len(body)} instructions is not simulated")
    argv = [str(tools.tool("llvm-mca")), "-json", "-bottleneck-analysis"]
    argv += [f"-iterations={_ITERATIONS}"]
    argv += [f"-mcpu={cpu}"] if cpu else []
    argv += [f"-mtriple={triple}"] if triple else []
    result = runner(argv, stdin=assembly(body).encode(), limits=_LIMITS)
    if not result.ok:
        raise ToolchainError("llvm-mca cannot simulate the loop", cause=result.explain())
    return parse_mca(result.text, has_calls=any(is_call(i.mnemonic) for i in body))


def assembly(body: Sequence[Instruction]) -> str:
    """The body as an assembler reads it: all jumps and calls go to one made-up label."""
    return "".join(f"\t{_TARGET.sub('.Lelsewhere', instruction.text)}\n" for instruction in body)


def parse_mca(text: str, *, has_calls: bool = False) -> Throughput:
    """Read what `llvm-mca -json` prints.

    Raises:
        ToolchainError: it is not such JSON.
    """
    try:
        document = json.loads(text)
        region = document["CodeRegions"][0]
        summary = region["SummaryView"]
        cycles = summary["TotalCycles"] / summary["Iterations"]
        return Throughput(
            instructions=summary["Instructions"] // summary["Iterations"],
            cycles=cycles,
            ipc=summary["IPC"],
            reciprocal_throughput=summary["BlockRThroughput"],
            bottleneck=_bottleneck(region, cycles),
            busiest=_busiest(document, region),
            has_calls=has_calls,
        )
    except (ValueError, KeyError, IndexError, TypeError, ZeroDivisionError) as error:
        raise ToolchainError("llvm-mca wrote no report", cause=repr(error)) from error


def _bottleneck(region: Mapping[str, Any], cycles: float) -> Bottleneck:
    """The larger pressure where the tool reports it (LLVM 22), else told from the bounds."""
    said = region.get("BottleneckAnalysis")
    if said is None:
        bound = region["SummaryView"]["BlockRThroughput"]
        slow = bool(bound) and cycles > _LATENCY_FACTOR * bound
        return "register dependencies" if slow else "resources"
    pressures = [(said.get(key, 0), name) for key, name in _PRESSURE]
    worst, name = max(pressures, key=lambda pair: pair[0])
    return name if worst else "none"


def _busiest(document: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    """The resource with the highest use per iteration; the last index is the sum."""
    uses = region["ResourcePressureView"]["ResourcePressureInfo"]
    summed = len(region["Instructions"])
    totals = [
        (use["ResourceUsage"], use["ResourceIndex"])
        for use in uses
        if use["InstructionIndex"] == summed
    ]
    if not totals:
        return ""
    name: str = document["TargetInfo"]["Resources"][max(totals)[1]]
    return name.partition(".")[0]
