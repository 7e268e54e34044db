"""The story of a campaign as a page of text: what `perfwright explain` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from perfwright.report.explanation import (
    Calibration,
    ExplainedAnalysis,
    ExplainedBottleneck,
    ExplainedFact,
    ExplainedPriorities,
    ExplainedQuestion,
    ExplainedRemarks,
    ExplainedStep,
    Explanation,
)
from perfwright.report.plots import figures
from perfwright.report.text import wrapped

_KEY = 15
"""Columns of the words on the left of a trial."""

_FUNCTIONS, _HINTS, _DIAGNOSES, _GROUPS, _QUESTIONS = 6, 6, 8, 6, 12
"""Lines of each part of the beginning; the rest is in the JSON."""

_PLACES = 3
_REASON = 40
"""Columns that a symbol may push the lines below it in."""
_HOT = "hot-function"
_CITED = 4
_CHANGES = 4
_LONG = 400
"""Characters of an edit or a claim; a whole pipeline has thousands."""


def story_lines(story: Explanation) -> Iterator[str]:
    """The lines: what matters, what is wrong there, every trial, how it ended."""
    yield from wrapped(f"{story.campaign}: {story.program}, {_minds(story)}", more=2)
    told = _Told()
    if story.priorities is not None:
        yield from _priorities(story.priorities)
    if story.analysis is not None:
        scored = story.priorities.functions if story.priorities else []
        known = {fact for function in scored for fact in function.evidence}
        yield from _analysis(story.analysis, known, told)
    yield from _questions(story.questions)
    for step in story.steps:
        yield ""
        yield from _step(step, told)
    yield ""
    yield from _ending(story)


def _minds(story: Explanation) -> str:
    """Who played which role, the roles of one mind together."""
    if not story.minds:
        return f"mind {story.mind}"
    players: dict[str, list[str]] = {}
    for role, mind in story.minds.items():
        players.setdefault(mind, []).append(role)
    if len(players) == 1:
        return f"mind {next(iter(players))}"
    said = [f"{', '.join(roles)}: {_player(mind)}" for mind, roles in players.items()]
    return "; ".join(said)


def _player(mind: str) -> str:
    return {"builtin": "the built-in rules", "none": "left out"}.get(mind, mind)


def _signed(by: str, instead_of: str) -> str:
    missing = f", for {instead_of} gave no usable answer" if instead_of else ""
    return f"({_player(by)}{missing})"


@dataclass
class _Told:
    """Facts that have been printed in words: from then on their id and place stand for them."""

    texts: set[str] = field(default_factory=set)

    def new(self, facts: Sequence[ExplainedFact]) -> list[ExplainedFact]:
        """The facts that have not been told; they count as told now."""
        fresh = [fact for fact in facts if fact.text not in self.texts]
        self.texts |= {fact.text for fact in fresh}
        return fresh

    def cite(self, text: str, facts: Sequence[ExplainedFact]) -> str:
        """A text that repeats facts word for word: the first time with their ids behind them."""
        alike: dict[str, list[ExplainedFact]] = {}
        for fact in facts:
            alike.setdefault(fact.text, []).append(fact)
        for said, same in alike.items():
            if said and said in text:
                words = said if self.new(same) else _places(same)
                text = text.replace(f"{said}; {said}", said)
                text = text.replace(said, f"{words}{_ids([fact.id for fact in same])}".strip())
        return text


def _priorities(said: ExplainedPriorities) -> Iterator[str]:
    yield ""
    yield from wrapped(f"what matters {_signed(said.by, said.instead_of)}", more=2)
    width = max((len(f.symbol) for f in said.functions[:_FUNCTIONS]), default=0)
    for function in said.functions[:_FUNCTIONS]:
        head = f"  {function.weight:4.2f}  {function.symbol:<{min(width, 30)}}  "
        text = f"{function.reason}{_ids(function.evidence)}"
        yield from wrapped(text, head=head, more=min(len(head), _REASON))
    yield from _rest(len(said.functions) - _FUNCTIONS, "functions")


def _analysis(said: ExplainedAnalysis, known: set[str], told: _Told) -> Iterator[str]:
    """What the program is, what is wrong, what the compiler said."""
    if said.hints:
        yield ""
        yield "what it is"
    for hint in said.hints[:_HINTS]:
        symbol = f"{hint.symbol}: " if hint.symbol else ""
        yield from wrapped(f"{symbol}{hint.what}{_ids(hint.evidence)}", head="  ", more=4)
    yield from _rest(len(said.hints) - _HINTS, "hints")
    groups = _grouped(said.bottlenecks, known)
    if groups:
        yield ""
        yield from wrapped(f"what holds it back {_signed(said.by, said.instead_of)}", more=2)
    for group in groups[:_DIAGNOSES]:
        yield from _diagnosis(group, told)
    yield from _rest(len(groups) - _DIAGNOSES, "kinds of diagnoses")
    yield from _remarks(said.remarks)


def _grouped(
    found: Sequence[ExplainedBottleneck], known: set[str]
) -> list[list[ExplainedBottleneck]]:
    """Diagnoses one by one when they are few, else by kind.

    That a function is hot is left out where its priority has said so.
    """
    news = [d for d in found if d.kind != _HOT or not set(d.evidence) <= known]
    if len(news) <= _DIAGNOSES:
        return [[diagnosis] for diagnosis in news]
    kinds: dict[str, list[ExplainedBottleneck]] = {}
    for diagnosis in news:
        kinds.setdefault(diagnosis.kind, []).append(diagnosis)
    return list(kinds.values())


def _diagnosis(group: Sequence[ExplainedBottleneck], told: _Told) -> Iterator[str]:
    """The diagnoses of one kind: the heaviest in words, the others by their places."""
    first, *others = group
    words = "" if first.text in told.texts else f": {_short(first.text)}"
    told.texts.add(first.text)
    where = f": {first.where}" if first.where and first.where not in first.text else ""
    places = list(dict.fromkeys(o.where or o.symbol for o in others))
    also = f"; also at {', '.join(places[:_PLACES])}" if places else ""
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    text = f"{first.kind}{where}{words}{_ids(first.evidence)}{also}{more}"
    yield from wrapped(text, head=f"  {first.weight:4.2f}  ", more=8)


def _remarks(groups: Sequence[ExplainedRemarks]) -> Iterator[str]:
    if not groups:
        return
    yield ""
    yield "what the compiler said there"
    for group in groups[:_GROUPS]:
        text = f"{group.category}{_ids(group.evidence, 2)}"
        yield from wrapped(text, head=f"  {group.count:>4}  ", more=8)
    yield from _rest(len(groups) - _GROUPS, "groups of remarks")


def _questions(asked: Sequence[ExplainedQuestion]) -> Iterator[str]:
    if not asked:
        return
    yield ""
    yield "what was asked of tools"
    for question in asked[:_QUESTIONS]:
        text = f"{question.tool}({question.arguments}): {question.answer}"
        yield from wrapped(text, head=f"  {question.role:<10}", more=12)
    yield from _rest(len(asked) - _QUESTIONS, "questions")


def _step(step: ExplainedStep, told: _Told) -> Iterator[str]:
    """One trial, from diagnosis to correction."""
    yield f"trial {step.trial}"
    yield from _diagnoses(step, told)
    yield from _entry("decision", _short(step.decision))
    yield from (line for repair in step.repairs for line in _entry("", f"mended: {repair}"))
    expected = _expectation(step)
    if expected:
        yield from _entry("expectation", expected)
    yield from _entry("consequence", step.consequence)
    for number, fact in enumerate(told.new(step.changes[:_CHANGES])):
        whose = "" if number else "in the code: "
        yield from _entry("", f"{whose}{fact.text} [{fact.id}]")
    correction = told.cite(step.correction, step.changes)
    cited = [name for name in step.correction_evidence if f"[{name}]" not in correction]
    yield from _entry("correction", f"{correction}{_ids(cited)}")


def _diagnoses(step: ExplainedStep, told: _Told) -> Iterator[str]:
    """Why each edit should help, with the facts behind it: in words only the first time."""
    reasons: dict[str, list[str]] = {}
    for claim in step.claims:
        reasons.setdefault(claim.text, []).append(claim.edit.partition(": ")[2])
    shown = []
    for text, edits in reasons.items():
        behind = f" -> {_short('; '.join(edits))}" if len(reasons) > 1 else ""
        shown.append(told.cite(_short(text), step.evidence) + behind)
    for number, text in enumerate(shown):
        yield from _entry("" if number else "diagnosis", text)
    left = [fact for fact in step.evidence if not any(fact.id in text for text in shown)]
    fresh = told.new(left)[:_CITED]
    for fact in fresh:
        where = f" at {fact.where}" if fact.where and fact.where not in fact.text else ""
        yield from _entry("", f"[{fact.id}] {fact.text} ({fact.source}{where})")
    others = [fact.id for fact in left if fact not in fresh]
    if others:
        yield from _entry("", f"see also{_ids(others, len(others))}")


def _places(facts: Sequence[ExplainedFact]) -> str:
    """Where facts are, unless their ids say so."""
    places = dict.fromkeys(fact.where for fact in facts if fact.where not in fact.id)
    return ", ".join(places)


def _expectation(step: ExplainedStep) -> str:
    said = [_short(step.expects)] if step.expects else []
    if step.confidence is not None:
        said.append(f"{100 * step.confidence:.0f} % sure that it is faster")
    return "; ".join(said)


def _ending(story: Explanation) -> Iterator[str]:
    yield from wrapped(story.end, more=2)
    for record in story.worth:
        said = figures(record.contribution, record.low, record.high)
        unsure = "" if record.resolved else ", unresolved"
        bare = record.edit.partition(": ")[2] or record.edit
        yield from wrapped(f"{_short(bare)}: worth {said}{unsure}", head="  ", more=4)
    if story.calibration is not None:
        yield from wrapped(calibrated(story.calibration), more=2)


def calibrated(said: Calibration) -> str:
    """Stated confidence against what came true, in a sentence."""
    return (
        f"confidence: by the mind's own figures {said.expected:.1f} of {said.trials} measured "
        f"candidates should have been faster; {said.faster} {'was' if said.faster == 1 else 'were'}"
    )


def _ids(evidence: Iterable[str], most: int = _CITED) -> str:
    """Ids in brackets behind a text; nothing for none."""
    ids = list(evidence)
    more = f", {len(ids) - most} more" if len(ids) > most else ""
    return f" [{', '.join(ids[:most])}{more}]" if ids else ""


def _rest(count: int, what: str) -> Iterator[str]:
    if count > 0:
        yield f"  ({count} more {what} with --json)"


def _entry(key: str, text: str) -> Iterator[str]:
    yield from wrapped(text, head=f"  {key:<{_KEY - 2}}", more=_KEY)


def _short(text: str) -> str:
    """The text, cut in the middle when it is longer than anybody reads."""
    if len(text) <= _LONG:
        return text
    return f"{text[: _LONG // 2]} ... ({len(text)} characters) ... {text[-_LONG // 4 :]}"
