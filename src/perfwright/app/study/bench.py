"""Every program of a suite under one budget, and the table that goes into the README.

A method is who decides, as `perfwright.minds.assignment` prints it: `builtin`,
`openai:gpt-x scorer=builtin`, or `openai:gpt-x evaluator=none` to see what a role is worth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from perfwright.app.campaign.minds import check_minds
from perfwright.app.campaign.tune import tune
from perfwright.app.request import TuneRequest
from perfwright.core.campaign import Status
from perfwright.core.events import silent
from perfwright.core.verdict import geometric_mean
from perfwright.errors import UserError, unknown_name
from perfwright.minds.assignment import read_assignment
from perfwright.program.spec import FILE_NAME
from perfwright.report.document import CampaignDocument
from perfwright.units import format_duration

_NOT_IN_FILE_NAMES = re.compile(r"[^\w.:=#@+-]+")
_LONGEST_FOLDER = 100


class BenchRequest(BaseModel):
    """Which programs, which methods, under which budget."""

    model_config = ConfigDict(frozen=True)

    suite: Path
    only: tuple[str, ...] = ()
    rounds: int = 3
    methods: tuple[str, ...] = ("builtin",)
    cpu: str | None = None
    toolchain: str | None = None
    seed: int = 0
    out: Path | None = None


class BenchRow(BaseModel):
    """One program by one method; 1.0 where nothing was gained, `None` where it failed."""

    program: str
    method: str
    status: Status
    speedup: float | None
    low: float | None
    high: float | None
    pairs: int
    edits: list[str]
    seconds: float
    compile_seconds: float
    run_seconds: float
    overhead_seconds: float
    requests: int
    tokens: int
    usd: float
    campaign: str | None
    cause: str = ""


class BenchSummary(BaseModel):
    """All programs of one method.  Programs that failed are not in the means."""

    method: str
    programs: int
    improved: int
    failed: int
    geometric_mean: float | None
    """`None` when all programs failed."""
    without_largest: float | None
    """The geometric mean without the program that gained most."""
    overhead_share: float
    requests: int
    """What models were asked, in failed programs too."""
    tokens: int
    usd: float


class BenchResult(BaseModel):
    """What `perfwright bench` prints."""

    schema_version: int = 1
    suite: str
    rounds: int
    rows: list[BenchRow]
    summaries: list[BenchSummary]

    def lines(self) -> Iterator[str]:
        """A Markdown table, ready for a README."""
        several = len(self.summaries) > 1
        yield _line("program", "method" if several else "", *_HEAD)
        yield "|---" * (len(_HEAD) + 1 + several) + "|"
        for row in sorted(self.rows, key=lambda row: row.program):  # methods side by side
            method = row.method if several else ""
            yield _line(row.program, method, _figure(row), _interval(row), _kept(row))
        for summary in self.summaries:
            yield ""
            yield _in_words(summary)


_HEAD = ("speed-up", "95 % interval", "what was kept")


def _line(program: str, method: str, *cells: str) -> str:
    """A line of the table; without a method there is no column for it."""
    return f"| {' | '.join((program, *filter(None, (method,)), *cells))} |"


def bench(request: BenchRequest, note: Callable[[str], None]) -> BenchResult:
    """Tune every program of a suite, one after the other.

    Raises:
        UserError: there is no such suite, no such program in it, or no such method.
        MindError: a method's key is missing.
    """
    programs = _programs(request)
    methods = _methods(request)
    folders = _folders(methods)
    rows = []
    for method in methods:
        for program in programs:
            ended = tune(_request(request, method, program), silent)
            if ended.interrupted:
                raise KeyboardInterrupt
            rows.append(_row(ended.document, method, program.name))
            note(_said(rows[-1], named=len(methods) > 1))
            if request.out:
                _keep(request.out / folders[method], program.name, ended.document)
    result = BenchResult(
        suite=str(request.suite),
        rounds=request.rounds,
        rows=rows,
        summaries=[_summary(method, rows) for method in methods],
    )
    if request.out:
        request.out.mkdir(parents=True, exist_ok=True)
        (request.out / "bench.json").write_text(result.model_dump_json(indent=2), "utf-8")
        (request.out / "bench.md").write_text("\n".join(result.lines()) + "\n", "utf-8")
    return result


def _methods(request: BenchRequest) -> tuple[str, ...]:
    """Each method once, and known to be possible before hours go into the others."""
    methods = tuple(dict.fromkeys(str(read_assignment(text)) for text in request.methods))
    for method in methods:
        check_minds(_request(request, method, request.suite))
    return methods


def _folders(methods: Sequence[str]) -> dict[str, str]:
    """A folder for each method: models have addresses and commands for names."""
    found: dict[str, str] = {}
    for method in methods:
        name = _NOT_IN_FILE_NAMES.sub("_", method)[:_LONGEST_FOLDER]
        found[method] = name if name not in found.values() else f"{name}-{len(found) + 1}"
    return found


def _programs(request: BenchRequest) -> list[Path]:
    if not request.suite.is_dir():
        raise UserError(f"there is no folder {request.suite}", hint="perfwright bench suites/core")
    found = {path.parent.name: path.parent for path in request.suite.glob(f"*/{FILE_NAME}")}
    if not found:
        raise UserError(f"{request.suite} holds no program", cause=f"no */{FILE_NAME} in it")
    for name in request.only:
        if name not in found:
            raise unknown_name("program", name, found)
    return [found[name] for name in sorted(found) if not request.only or name in request.only]


def _request(request: BenchRequest, method: str, program: Path) -> TuneRequest:
    assignment = read_assignment(method)
    return TuneRequest(
        program=program,
        mind=assignment.everyone,
        roles=assignment.roles,
        rounds=request.rounds,
        cpu=request.cpu,
        toolchain=request.toolchain,
        seed=request.seed,
    )


def _row(document: CampaignDocument, method: str, program: str) -> BenchRow:
    result, usage = document.result, document.usage
    speedup = None if document.status is Status.FAILED else 1.0
    if result is not None and document.status is Status.IMPROVED:
        speedup = result.speedup
    return BenchRow(
        program=program,
        method=method,
        status=document.status,
        speedup=speedup,
        low=result.low if result else speedup,
        high=result.high if result else speedup,
        pairs=result.pairs if result else 0,
        edits=document.edits,
        seconds=usage.seconds,
        compile_seconds=usage.compile_seconds,
        run_seconds=usage.run_seconds,
        overhead_seconds=usage.overhead_seconds,
        requests=usage.requests,
        tokens=usage.tokens,
        usd=usage.usd,
        campaign=document.campaign,
        cause=document.cause,
    )


def _summary(method: str, rows: list[BenchRow]) -> BenchSummary:
    mine = [row for row in rows if row.method == method]
    ended = [row for row in mine if row.status is not Status.FAILED]
    speedups = sorted(row.speedup for row in ended if row.speedup is not None)
    spent = sum(row.seconds for row in ended)
    return BenchSummary(
        method=method,
        programs=len(ended),
        improved=sum(row.status is Status.IMPROVED for row in ended),
        failed=len(mine) - len(ended),
        geometric_mean=geometric_mean(speedups) if speedups else None,
        without_largest=geometric_mean(speedups[:-1]) if speedups[:-1] else None,
        overhead_share=sum(row.overhead_seconds for row in ended) / spent if spent else 0.0,
        requests=sum(row.requests for row in mine),
        tokens=sum(row.tokens for row in mine),
        usd=sum(row.usd for row in mine),
    )


def _in_words(summary: BenchSummary) -> str:
    mean = "no program came to its end"
    if summary.geometric_mean is not None:
        mean = f"geometric mean {summary.geometric_mean:.3f} over {summary.programs} programs"
    if summary.without_largest is not None:
        mean += f" ({summary.without_largest:.3f} without the largest gain)"
    asked = ""
    if summary.requests:
        asked = f"; {summary.requests} requests to models, {summary.tokens} tokens"
        asked += f", {summary.usd:.4f} USD"
    return (
        f"{summary.method}: {mean}, {summary.improved} improved, {summary.failed} failed; "
        f"perfwright itself took {100 * summary.overhead_share:.1f} % of the time{asked}"
    )


def _keep(folder: Path, program: str, document: CampaignDocument) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = document.model_dump_json(by_alias=True, indent=2)
    (folder / f"{program}.json").write_text(text, encoding="utf-8")


def _said(row: BenchRow, *, named: bool) -> str:
    who = f"{row.program} by {row.method}" if named else row.program
    gained = "improved " if row.status is Status.IMPROVED else ""
    return f"{who}: {gained}{_figure(row)} in {format_duration(row.seconds)}"


def _figure(row: BenchRow) -> str:
    if row.status is Status.FAILED:
        return f"failed: {row.cause}"
    gained = row.speedup is not None and row.status is Status.IMPROVED
    return f"{row.speedup:.3f}" if gained else "no gain"


def _interval(row: BenchRow) -> str:
    if not row.pairs or row.low is None or row.high is None:
        return ""
    return f"{row.low:.3f} to {row.high:.3f}"


def _kept(row: BenchRow) -> str:
    return ", ".join(f"`{edit.partition(': ')[2]}`" for edit in row.edits)
