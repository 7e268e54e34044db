"""The machine code of a function block by block, and what llvm-mca says of a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfwright.app.inside.builds import machine_code
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact
from perfwright.errors import ToolchainError
from perfwright.evidence.blocks import Blocks, Stretch
from perfwright.evidence.factbook import percent
from perfwright.evidence.mca import Throughput, simulate

_MOST_LOOPS = 24
_MOST_BLOCKS = 120
_MOST_LINES = 80


def block_lines(
    place: Workplace,
    facts: Sequence[Fact],
    symbol: str,
    name: str = "",
    candidate: Candidate = BASELINE,
) -> tuple[str, ...]:
    """The blocks and loops of a function in a candidate's build; or one of them, simulated.

    Args:
        name: `3` for a block, `loop 1` for a loop; empty lists them.

    Raises:
        UserError: the candidate does not build, or function or block are not there.
    """
    blocks = Blocks(machine_code(place, candidate, symbol))
    if not name:
        shares = _shares(facts, symbol) if not candidate.edits else {}
        return tuple(_listed(symbol, blocks, shares))
    stretch = blocks.named(name)
    return _head(place, symbol, stretch), *_bounded(blocks.lines(stretch))


def _shares(facts: Sequence[Fact], symbol: str) -> dict[int, float]:
    """The shares of the run time that are known of loops of the baseline, by where they start."""
    return {
        int(fact.data["start"]): float(fact.data["share"])
        for fact in facts
        if fact.kind == "code" and fact.data.get("symbol") == symbol.rpartition(":")[2]
        if isinstance(fact.data.get("start"), int) and isinstance(fact.data.get("share"), float)
    }


def _listed(symbol: str, blocks: Blocks, shares: dict[int, float]) -> Iterator[str]:
    count = sum(len(block.instructions) for block in blocks.blocks)
    yield f"{symbol}: {count} instructions, {len(blocks.blocks)} blocks, {len(blocks.loops)} loops"
    for loop in blocks.loops[:_MOST_LOOPS]:
        share = shares.get(loop.start)
        yield (
            f"{loop.name}: {_span(loop)}, {len(loop.instructions)} instructions, "
            f"depth {loop.depth}" + (f", {percent(share)} of the run time" if share else "")
        )
    sizes = [f"{block.name}:{len(block.instructions)}" for block in blocks.blocks]
    more = f" and {len(sizes) - _MOST_BLOCKS} more" if len(sizes) > _MOST_BLOCKS else ""
    yield f"instructions a block: {' '.join(sizes[:_MOST_BLOCKS])}{more}"


def _span(loop: Stretch) -> str:
    """Its blocks as runs of neighbours: `b2-b4 b9`."""
    runs: list[list[int]] = []
    for number in loop.numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return " ".join("-".join(f"b{number}" for number in run) for run in runs)


def _head(place: Workplace, symbol: str, stretch: Stretch) -> str:
    """What llvm-mca says, or why it says nothing: the code is worth showing all the same."""
    setup = place.setup
    site = place.workshop.site
    asked = setup.request.cpu
    cpu = setup.host.cpu if asked in (None, "native") else asked
    try:
        speed = simulate(
            stretch.instructions, site.toolchain, site.runner, triple=setup.host.triple, cpu=cpu
        )
    except ToolchainError as error:
        return f"{stretch.name} of {symbol}: {error.fact}"
    return f"{stretch.name} of {symbol} on {cpu}, if it ran again and again: {speed_text(speed)}"


def speed_text(speed: Throughput) -> str:
    """An estimate of llvm-mca in a line."""
    said = [
        f"{speed.instructions} instructions in {speed.cycles:.1f} cycles",
        f"IPC {speed.ipc:.2f}",
        f"{speed.reciprocal_throughput:.1f} cycles for the units alone",
        "no bottleneck" if speed.bottleneck == "none" else f"bound by {speed.bottleneck}",
    ]
    said += [f"busiest unit {speed.busiest}"] if speed.busiest else []
    said += ["calls not counted"] if speed.has_calls else []
    return ", ".join(said)


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    """As many lines as say enough of a block."""
    rest = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], *([f"({rest} more)"] if rest > 0 else []))
