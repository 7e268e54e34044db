"""A campaign as a page of text: the result, why it is right, what was tried, what to type."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Iterator

from perfwright.core.campaign import Status
from perfwright.core.trial import TrialState
from perfwright.report import words
from perfwright.report.document import AttributionRecord, CampaignDocument, TrialRecord
from perfwright.report.plots import bound, figures
from perfwright.report.printable import one_line
from perfwright.report.trials import novelties
from perfwright.units import format_duration, format_ratio

WIDTH = 100
_KEY = 12
"""Columns of the words on the left, less two."""
_STATE = 14
"""Columns of a trial's state or verdict."""


def summary(document: CampaignDocument) -> Iterator[str]:
    """The lines that end `perfwright tune` and make up `perfwright show`.

    At most `WIDTH` columns, but for words that are longer; no control characters, whatever
    the program printed.
    """
    yield ""
    yield from wrapped(f"{document.program or 'perfwright'}: {_headline(document)}")
    yield from _result(document)
    for warning in document.warnings:
        yield from _entry("warning", f"{warning.text}; {warning.hint}".rstrip("; "))
    yield from _edits(document)
    yield from _tried(document)
    yield ""
    yield from _next(document)
    yield from _cost(document)


def _headline(document: CampaignDocument) -> str:
    result = document.result
    match document.status:
        case Status.IMPROVED if result is not None:
            interval = f"95 % interval {bound(result.low)} to {bound(result.high)}"
            pairs = f"{result.pairs} pairs of fresh runs"
            return f"{format_ratio(result.speedup)} faster than your build ({interval}, {pairs})"
        case Status.NO_GAIN:
            return "no gain; nothing that was tried is confirmed to be faster, keep your build"
        case status:
            return f"{words.STATUSES[status]}: {document.cause}".rstrip(": ")


def _result(document: CampaignDocument) -> Iterator[str]:
    result, baseline = document.result, document.baseline
    if document.status is Status.IMPROVED and result is not None:
        yield from _entry("correct", ": ".join(words.CORRECT[result.correct]))
        if result.delivered is not None:
            own = result.delivered
            said = figures(own.speedup, own.low, own.high)
            yield from _entry("delivered", f"{said} in the very layout that is handed over")
    elif result is not None and result.pairs:
        said = figures(result.speedup, result.low, result.high)
        yield from _entry("fresh runs", f"{said}, {result.pairs} pairs: not a gain")
    if baseline is not None:
        yield from _entry("baseline", f"{format_duration(baseline.seconds)} a run, your flags")
    if document.toolchain is not None and document.target is not None:
        yield from _entry(
            "built by", f"LLVM {document.toolchain.version} for CPU {document.target.cpu}"
        )


def _edits(document: CampaignDocument) -> Iterator[str]:
    if not document.edits:
        return
    worth = {record.edit: record for record in document.attribution}
    yield ""
    yield "  edits that earned their place" + (", and what each is worth" if worth else "")
    for edit in document.edits:
        yield from _with_figures(f"    {one_line(edit)}", _worth(worth.get(edit)))
        for claim in document.claims:
            if claim.edit == edit:
                cited = f" ({', '.join(claim.evidence)})" if claim.evidence else ""
                yield from wrapped(f"{claim.text}{cited}", head="      because ", more=14)
    if any(not record.resolved for record in worth.values()):
        yield "    unresolved: the pairs show neither that it gains nor that it can go"


def _worth(record: AttributionRecord | None) -> str:
    if record is None:
        return ""
    said = figures(record.contribution, record.low, record.high)
    return said if record.resolved else f"{said} unresolved"


def _with_figures(text: str, said: str) -> Iterator[str]:
    """A line with figures at its right end; on a line of their own when there is no room."""
    if not said:
        yield text
    elif len(text) + 2 + len(said) <= WIDTH:
        yield f"{text}{said:>{WIDTH - len(text)}}"
    else:
        yield text
        yield f"{said:>{WIDTH}}"


def _tried(document: CampaignDocument) -> Iterator[str]:
    news = novelties(document)
    for record in document.rounds:
        yield ""
        yield f"  round {record.round}"
        for trial in record.trials:
            yield from _trial(trial, news[trial.id])


def _trial(trial: TrialRecord, edits: str) -> Iterator[str]:
    """One trial: its state or verdict, its figures, its edits."""
    head = f"    {trial.id:<5}{trial.verdict or trial.state:<{_STATE}}"
    more = len(head) + 2
    text = f"{edits or 'no edits'}: {trial.reason or words.STATES[trial.state]}"
    if trial.state is TrialState.MEASURED and trial.speedup is not None:
        fate = "kept" if trial.accepted else "rolled back"
        low, high = trial.low or 0.0, trial.high if trial.high is not None else math.inf
        head += f"{figures(trial.speedup, low, high):<23}{fate:<13}"
        text = edits or "no edits"
    yield from wrapped(text, more=more, head=head)


def _next(document: CampaignDocument) -> Iterator[str]:
    """What to type; not wrapped, so that it can be copied."""
    lines: list[tuple[str, str]] = []
    if document.campaign is not None:
        name = shlex.quote(document.campaign)
        if document.status is Status.INTERRUPTED:
            lines.append(("go on", f"perfwright resume {name}"))
        if document.recipe:
            lines.append(("use it", f"perfwright recipe {name} --format make > recipe.mk"))
            lines.append(("", "and in the Makefile: include recipe.mk"))
            lines.append(("recipe", document.recipe))
        if document.report:
            lines.append(("report", document.report))
        lines.append(("the story", f"perfwright explain {name}"))
    for key, text in lines:
        yield f"  {key:<{_KEY}}{one_line(text)}"


def _cost(document: CampaignDocument) -> Iterator[str]:
    usage = document.usage
    parts = [
        f"compiling {format_duration(usage.compile_seconds)}",
        f"running {format_duration(usage.run_seconds)}",
        f"perfwright itself {format_duration(usage.overhead_seconds)}",
    ]
    yield from _entry("cost", f"{format_duration(usage.seconds)} ({', '.join(parts)})")
    if usage.requests:
        # A price that is not known counts as nothing, and is better not named.
        spent = f"{usage.tokens} tokens" + (f", {usage.usd:.4f} USD" if usage.usd else "")
        yield from _entry("", f"{usage.requests} requests to a model, {spent}")
    yield from _entry("decided by", f"mind {document.mind}, seed {document.seed}")


def _entry(key: str, text: str) -> Iterator[str]:
    yield from wrapped(text, more=_KEY + 2, head=f"  {key:<{_KEY}}")


def wrapped(text: str, *, head: str = "", more: int = 0) -> Iterator[str]:
    """Text behind `head`, in lines of at most `WIDTH`, the second and later `more` columns in."""
    yield from textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * more,
        break_long_words=False,
        break_on_hyphens=False,
    )
