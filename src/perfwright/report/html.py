"""The HTML report: one page that needs nothing else, readable on screens and on paper.

No scripts, no fonts, no images, no network: the page forbids them to itself by a content
security policy.  Whatever came from a program, a tool or a model is text here, never markup:
the template escapes everything, and no such text becomes an address, a class or a style.
"""

from __future__ import annotations

import hashlib
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from perfwright import __version__
from perfwright.core.evidence import Fact
from perfwright.report import plots, words
from perfwright.report.document import (
    AttributionRecord,
    CampaignDocument,
    ClaimRecord,
)
from perfwright.report.explanation import Explanation
from perfwright.report.pairs import CONFIRM
from perfwright.report.printable import printable
from perfwright.report.story import calibrated
from perfwright.report.trials import all_trials, novelties, short_edits
from perfwright.units import format_duration, format_ratio

_PLAIN_ID = re.compile(r"[A-Za-z][\w.:#-]*")
_TIMES = frozenset({"cpu", "wall"})
_ARMS = ("candidate", "best so far", "baseline")


@dataclass(frozen=True)
class Extras:
    """What the report can show beyond the document; all of it is optional.

    Attributes:
        facts: the evidence of the campaign by id; claims link to it.
        pairs: timed pairs by the label of their comparison, `trial 1.1` or `confirm`, with
            `, WORKLOAD` behind it where there are several (`pairs.timed_pairs`).  A pair has
            one value an arm, in seconds or counts by the metric: the candidate's first, then
            its references'.
        changes: by trial id, facts on what the candidate changed in the code; one with
            `data["diff"]` shows it.
        exports: texts of the recipe by format, for example `make`.
        story: what the scorer and the analyst said, and how far their confidence held.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict)
    pairs: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Fact]] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    story: Explanation | None = None


@dataclass(frozen=True)
class EditView:
    """A confirmed edit with what speaks for it."""

    text: str
    claims: tuple[ClaimRecord, ...]
    worth: AttributionRecord | None


@dataclass(frozen=True)
class Strip:
    """The plot of one comparison's pairs."""

    label: str
    plot: Markup


def render(document: CampaignDocument, extras: Extras = Extras()) -> str:
    """The whole page.  The same arguments give the same page."""
    return _template().render(
        d=document,
        extras=extras,
        version=__version__,
        edits=edit_views(document),
        cited=cited_facts(document, extras.facts),
        others=other_facts(document, extras.facts),
        confirm_strips=strips(extras.pairs, CONFIRM, document.metric),
        trial_strips={
            trial.id: strips(extras.pairs, f"trial {trial.id}", document.metric)
            for trial in all_trials(document)
        },
        news=novelties(document),
        intervals=plots.interval_plot(interval_rows(document)),
        waterfall=worth_plot(document),
        costs=cost_parts(document),
        cost_plot=plots.shares(cost_parts(document)),
        commands=commands(document),
        calibration=calibrated(extras.story.calibration)
        if extras.story and extras.story.calibration
        else "",
        words=words,
    )


def edit_views(document: CampaignDocument) -> list[EditView]:
    """The edits of the result, each with its claims and its worth."""
    worth = {record.edit: record for record in document.attribution}
    return [
        EditView(edit, tuple(c for c in document.claims if c.edit == edit), worth.get(edit))
        for edit in document.edits
    ]


def cited_facts(document: CampaignDocument, facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts that some claim cites, the result's first."""
    claims = [*document.claims, *(claim for t in all_trials(document) for claim in t.claims)]
    ids = dict.fromkeys(fact for claim in claims for fact in claim.evidence)
    return [facts[fact] for fact in ids if fact in facts]


def other_facts(document: CampaignDocument, facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts that no claim cites."""
    cited = {fact.id for fact in cited_facts(document, facts)}
    return [fact for fact in facts.values() if fact.id not in cited]


def interval_rows(document: CampaignDocument) -> list[plots.Interval]:
    """Measured trials in order, and the confirmed figure last."""
    news = novelties(document)
    rows = [
        plots.Interval(
            f"{trial.id}: {news[trial.id]}",
            trial.speedup,
            trial.low if trial.low is not None else 0.0,
            trial.high if trial.high is not None else math.inf,
            trial.verdict or "inconclusive",
            "kept" if trial.accepted else "rolled back",
        )
        for trial in all_trials(document)
        if trial.speedup is not None
    ]
    result = document.result
    if result is not None and result.pairs:
        improved = document.status == "improved"
        tone, note = ("faster", "confirmed") if improved else ("inconclusive", "not confirmed")
        rows.append(
            plots.Interval(
                "fresh runs",
                result.speedup,
                *plots.ends(result.low, result.high),
                tone,
                note,
                strong=True,
            )
        )
    return rows


def worth_plot(document: CampaignDocument) -> Markup:
    """What each edit is worth, up to the confirmed total.

    Each worth is the winner against itself less that edit, so worths need not multiply to
    the total: what is left is a step of its own.
    """
    result = document.result
    if result is None or document.status != "improved" or not document.attribution:
        return Markup("")
    steps, product = [], 1.0
    for record in document.attribution:
        product *= record.contribution
        steps.append(
            plots.Step(
                short_edits([record.edit]),
                record.contribution,
                plots.figures(record.contribution, record.low, record.high),
                "faster" if record.resolved else "inconclusive",
            )
        )
    rest = result.speedup / product
    if abs(rest - 1) >= 0.001:
        steps.append(plots.Step("interplay, other runs", rest, format_ratio(rest), "rest"))
    total = plots.figures(result.speedup, result.low, result.high)
    return plots.waterfall(steps, plots.Step("all together", result.speedup, total, "faster"))


def strips(pairs: Mapping[str, Sequence[Sequence[float]]], label: str, metric: str) -> list[Strip]:
    """Plots of the comparisons with this label, or this label and more words behind it."""
    found = []
    for name, timed in pairs.items():
        if timed and (name == label or name.startswith((f"{label} ", f"{label},", f"{label}/"))):
            names = ("candidate", "baseline") if label == CONFIRM else _ARMS
            columns = zip(*timed, strict=False)
            arms = [plots.Arm(n, c) for n, c in zip(names, columns, strict=False)]
            form = format_duration if metric in _TIMES else _count
            words_behind = name[len(label) :].strip(" ,/")
            found.append(Strip(words_behind, plots.strip_plot(arms, form)))
    return found


def cost_parts(document: CampaignDocument) -> list[plots.Part]:
    """Where the time of the campaign went."""
    usage = document.usage
    return [
        plots.Part("compiling", usage.compile_seconds, "compile"),
        plots.Part("running the program", usage.run_seconds, "run"),
        plots.Part("perfwright itself", usage.overhead_seconds, "overhead"),
    ]


def commands(document: CampaignDocument) -> dict[str, str]:
    """What can be typed now, by what it is for; nothing when there is no campaign."""
    if document.campaign is None:
        return {}
    name = shlex.quote(document.campaign)
    return {
        "make": f"perfwright recipe {name} --format make > recipe.mk",
        "cmake": f"perfwright recipe {name} --format cmake > recipe.cmake",
        "verify": f"perfwright verify {shlex.quote(document.recipe or '')}",
        "explain": f"perfwright explain {name}",
        "resume": f"perfwright resume {name}",
        "replay": f"perfwright replay {name}",
    }


def anchor(fact: str) -> str:
    """The name under which a fact can be linked to, whatever is in its id."""
    if _PLAIN_ID.fullmatch(fact):
        return f"fact-{fact}"
    return f"fact-{hashlib.sha256(fact.encode('utf-8', 'replace')).hexdigest()[:12]}"


def percent_saved(ratio: float) -> str:
    """How much less time a speed-up means: `7.7 %` for 1.083."""
    return f"{(1 - 1 / ratio) * 100:.1f} %"


def _count(number: float) -> str:
    return f"{number:.4g}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("perfwright.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "anchor": anchor,
        "duration": format_duration,
        "ratio": format_ratio,
        "saved": percent_saved,
        "bound": plots.bound,
    }
    environment.globals |= {"figures": plots.figures, "infinity": math.inf}
    return environment


def _finalize(value: object) -> object:
    """What is put into the page: markup of our own as it is, text without control characters."""
    return value if isinstance(value, Markup) else printable(str(value))


def _template() -> Template:
    return _environment().get_template("campaign.html")
