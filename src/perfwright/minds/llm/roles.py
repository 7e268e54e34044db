"""The four roles played by models.

The scorer, the analyst and the evaluator fall back on the built-in rules when a model's
answers are unusable; the reasoner does not: that is a failed draft and uses up the round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files

from perfwright.core.candidate import Candidate, Claim, Edit, digest
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial
from perfwright.errors import MindError, PerfwrightError
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.minds.builtin.levers import LEVERS
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.llm.brief import (
    Budget,
    Scene,
    analyst_brief,
    evaluator_brief,
    reasoner_brief,
    scorer_brief,
)
from perfwright.minds.llm.client import Line, Question, ask
from perfwright.minds.llm.fence import plain
from perfwright.minds.llm.ledger import SpentError, UnusableError
from perfwright.minds.llm.schemas import Analysis, Judgement, Proposal, Proposals, Scores
from perfwright.minds.llm.tools import Instruments, Toolbox
from perfwright.minds.roles import (
    HINT,
    Analyst,
    Diagnosis,
    Evaluator,
    Priority,
    Scorer,
    remark_group,
)

_LEVEL = "pipeline"
_FLAW = "unusable answer: "
_PATIENCE = 3
"""As many unusable drafts in a row as end a round: then the mind is given up."""

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Study:
    """What all roles of one campaign share.

    Attributes:
        tool_calls: how many calls the reasoner has for one answer; 0 offers no tools.
        warn: hears what the user should know; once for each text.
    """

    scene: Scene = field(default_factory=Scene)
    budget: Budget = field(default_factory=Budget)
    instruments: Instruments = field(default_factory=Instruments)
    tool_calls: int = 6
    warn: Warn = lambda _: None


@lru_cache
def prompt(role: str) -> str:
    """The prompt of a role, as it is sent; kinds of diagnoses come from the table of levers."""
    text = files(__package__).joinpath(f"prompts/{role}.md").read_text(encoding="utf-8")
    kinds = sorted({kind for lever in LEVERS for kind in lever.calls})
    return text.replace("{kinds}", ", ".join(kinds))


def prompt_versions() -> dict[str, str]:
    """A digest of each role's prompt, for the journal."""
    return {role: digest([prompt(role)]) for role in ("scorer", "analyst", "reasoner", "evaluator")}


@dataclass(frozen=True)
class ModelScorer:
    """Implements `perfwright.minds.roles.Scorer`."""

    line: Line
    study: Study
    fallback: Scorer = field(default_factory=ShareScorer)

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """The functions that the model names, with the facts about them."""
        text = scorer_brief(facts, self.study.scene, self.study.budget)
        known = {str(f.data.get("symbol", "")): f.id for f in facts if f.kind == "function"}
        if not known:
            return self.fallback.score(facts)

        def check(scores: Scores) -> str | None:
            if any(function.symbol in known for function in scores.functions):
                return None
            return "None of these symbols is in the list. Copy symbols exactly as listed."

        try:
            scores = ask(self.line, _question("scorer", text), Scores, check)
        except UnusableError as error:
            self.study.warn(_fallen_back("scorer", error))
            return self.fallback.score(facts)
        ranked = {
            f.symbol: Priority(f.symbol, f.weight, plain(f.reason), (known[f.symbol],))
            for f in reversed(scores.functions)
            if f.symbol in known
        }
        order = sorted(ranked.values(), key=lambda p: (-p.weight, p.symbol))
        return tuple(order[: self.study.budget.top])


@dataclass(frozen=True)
class ModelAnalyst:
    """Implements `perfwright.minds.roles.Analyst`."""

    line: Line
    study: Study
    fallback: Analyst = field(default_factory=RuleAnalyst)

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """Bottlenecks first, then hints and groups of remarks; evidence that exists only."""
        shown = self._ir(priorities)
        text = analyst_brief(facts, priorities, self.study.scene, self.study.budget, shown)
        known = {fact.id for fact in facts}

        def check(analysis: Analysis) -> str | None:
            if any(known.intersection(b.evidence) for b in analysis.bottlenecks):
                return None
            return "No bottleneck cites a fact that exists. Cite ids as they stand in brackets."

        try:
            analysis = ask(self.line, _question("analyst", text), Analysis, check)
        except UnusableError as error:
            self.study.warn(_fallen_back("analyst", error))
            return self.fallback.analyse(facts, priorities)
        return tuple(_diagnoses(analysis, known))

    def _ir(self, priorities: Sequence[Priority]) -> Mapping[str, str]:
        """The IR of the functions that matter; none when it is not to be sent."""
        if not self.study.budget.ir_tokens:
            return {}
        try:
            return self.study.instruments.functions([p.symbol for p in priorities])
        except PerfwrightError as error:
            self.study.warn(f"the analyst is shown no IR: {error.fact}")
            return {}


def _diagnoses(analysis: Analysis, known: set[str]) -> Iterable[Diagnosis]:
    for found in sorted(analysis.bottlenecks, key=lambda b: -b.weight):
        cited = _existing(found.evidence, known)
        if cited:
            yield Diagnosis(
                kind=plain(found.kind, 60),
                where=plain(found.where, 120),
                weight=found.weight,
                text=plain(found.text),
                evidence=cited,
                symbol=found.symbol,
            )
    for hint in analysis.hints:
        cited = _existing(hint.evidence, known)
        yield Diagnosis(HINT, hint.symbol, 0.0, plain(hint.what), cited, hint.symbol)
    for group in analysis.remarks:
        yield remark_group(plain(group.category), group.count, _existing(group.evidence, known))


@dataclass(frozen=True)
class ModelReasoner:
    """Implements `perfwright.minds.roles.Reasoner`."""

    line: Line
    study: Study

    def reason(self, situation: Situation, diagnoses: Sequence[Diagnosis]) -> Sequence[Candidate]:
        """The model's candidates; one with a flaw when nothing could be made of its answers.

        Raises:
            MindError: it has never given a candidate, `_PATIENCE` times in a row.
        """
        text = reasoner_brief(situation, diagnoses, self.study.scene, self.study.budget)
        calls = self.study.tool_calls
        box = Toolbox(situation, self.study.instruments, calls)
        tools = box.tools if calls else ()
        question = _question("reasoner", text, tools=tools, tool_calls=calls)
        known = {fact.id for fact in situation.ground.facts}
        known |= {fact.id for trial in situation.trials for fact in trial.consequences}
        told: set[str] = set()

        def check(proposals: Proposals) -> str | None:
            return _objection(proposals, situation, known, told)

        try:
            proposals = ask(self.line, question, Proposals, check)
        except UnusableError as error:
            return self._unusable(situation, error.fact)
        drafts = (_candidate(each, known) for each in proposals.candidates)
        return tuple({draft.id: draft for draft in drafts if draft.edits}.values())

    def _unusable(self, situation: Situation, why: str) -> Sequence[Candidate]:
        """A failed draft; or the end, when that is all that ever comes."""
        flaws = 1
        for trial in reversed(situation.trials):
            if not trial.candidate.flaw:
                break
            flaws += 1
        if flaws < _PATIENCE:
            return (Candidate(flaw=_FLAW + why),)
        if flaws > len(situation.trials):
            raise MindError(
                f"the model {self.line.name} gave no usable answer in {_PATIENCE} drafts",
                cause=why,
                hint="perfwright explain last shows them; another model may do better",
            )
        self.study.warn("the model gave no usable answer any more: the search ends here")
        return ()


def _objection(
    proposals: Proposals, situation: Situation, known: set[str], told: set[str]
) -> str | None:
    """What is wrong with proposals that are well-formed; each thing is said once."""
    if not proposals.candidates:
        return None
    drafts = [_candidate(each, known) for each in proposals.candidates]
    if not any(draft.edits for draft in drafts):
        return "A candidate needs edits or a pipeline. Give none at all when nothing is left."
    tried = {trial.candidate.id: trial for trial in situation.trials}
    fresh = [d for d in drafts if d.edits and d.id not in tried and d != situation.incumbent]
    if fresh or "repeated" in told:
        return None
    told.add("repeated")
    again = next((tried[d.id] for d in drafts if d.id in tried), None)
    name = f"trial {again.id}" if again else "the incumbent"
    return f"That is {name} again, whose outcome is known. Propose something else, or nothing."


def _candidate(proposal: Proposal, known: set[str]) -> Candidate:
    """A proposal as a candidate: one edit a line, claims that cite what exists."""
    claims: dict[Edit, Claim] = {}
    for proposed in proposal.edits:
        for line in proposed.edit.splitlines():
            text = line.strip()
            if text:
                edit = Edit(_LEVEL, _without_level(text))
                cited = _existing(proposed.evidence, known)
                claims.setdefault(edit, Claim(edit, plain(proposed.claim), cited))
    if proposal.pipeline.strip():
        edit = Edit(_LEVEL, f"pipeline {''.join(proposal.pipeline.split())}")
        claims[edit] = Claim(edit, plain(proposal.expects) or "a pipeline of its own")
    stated = proposal.confidence if "confidence" in proposal.model_fields_set else None
    return Candidate(
        tuple(claims), tuple(claims.values()), expects=plain(proposal.expects), confidence=stated
    )


def _without_level(text: str) -> str:
    return text.removeprefix(f"{_LEVEL}: ")


@dataclass(frozen=True)
class ModelEvaluator:
    """Implements `perfwright.minds.roles.Evaluator`; the verdict is the rules' business."""

    line: Line
    study: Study
    fallback: Evaluator = field(default_factory=RuleEvaluator)

    def evaluate(self, situation: Situation, trial: Trial) -> Lesson:
        """The model's explanation of what happened; the rules' when it has none.

        Nothing is asked about a draft that was no candidate: there is nothing to explain.
        """
        ruled = self.fallback.evaluate(situation, trial)
        if trial.candidate.flaw:
            return ruled
        text = evaluator_brief(situation, trial, self.study.scene)
        try:
            said = ask(self.line, _question("evaluator", text), Judgement)
        except UnusableError as error:
            self.study.warn(_fallen_back("evaluator", error))
            return ruled
        except SpentError as error:
            self.study.warn(error.fact)
            return ruled
        known = {fact.id for fact in (*situation.ground.facts, *trial.consequences)}
        # What the rules cite is about what the rules say: it shows nothing of the model's cause.
        cited = _existing(said.evidence, known)
        return replace(ruled, cause=plain(said.cause), next=plain(said.next), evidence=cited)


def _question(
    role: str, text: str, *, tools: tuple[Callable[..., str], ...] = (), tool_calls: int = 0
) -> Question:
    return Question(role, prompt(role), text, tools, tool_calls)


def _existing(cited: Sequence[str], known: set[str]) -> tuple[str, ...]:
    """The ids that exist, with or without the brackets that they are shown in."""
    return tuple(dict.fromkeys(i.strip("[] ") for i in cited if i.strip("[] ") in known))


def _fallen_back(role: str, error: UnusableError) -> str:
    return f"the {role}'s answers were unusable ({error.fact}): the built-in rules stood in"
