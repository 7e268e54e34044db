"""What a model might say, from the built-in mind: for rehearsals that count and ask nobody.

`perfwright tune --dry-run` and `benchmarks/model_tokens.py` let it answer, so that the requests
that they count have the history, the edits and the tools' answers of a real campaign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfwright.core.protocols import Situation
from perfwright.core.trial import Trial
from perfwright.minds.llm.schemas import (
    Analysis,
    Answer,
    Bottleneck,
    Hint,
    Judgement,
    Proposal,
    Proposals,
    ProposedEdit,
    RemarkGroup,
    ScoredFunction,
    Scores,
)
from perfwright.minds.roles import HINT, REMARKS, Diagnosis, Priority
from perfwright.minds.team import RoleMind

_BOTTLENECKS = 10
_HINTS = 2
_GROUPS = 4
_LONGEST = 200
_LOOKED_AT = "loop-vectorize"
Call = tuple[str, Mapping[str, Any]]


@dataclass
class Understudy:
    """Answers in any role about the situation that it is told.

    Attributes:
        mind: the built-in one.
        situation: what is known; set before each proposal and each lesson.
        trial: what a lesson is about.
    """

    mind: RoleMind
    situation: Situation | None = None
    trial: Trial | None = None

    def answer(self, role: str) -> Answer:
        """The answer of a role."""
        assert self.situation is not None, "it is told the situation first"
        if role == "scorer":
            return _scores(self._priorities())
        if role == "analyst":
            return self._analysis()
        if role == "reasoner":
            return self._proposals()
        assert self.trial is not None, "it is told the trial first"
        lesson = self.mind.evaluator.evaluate(self.situation, self.trial)
        return Judgement(
            cause=lesson.cause[:_LONGEST],
            next=lesson.next[:_LONGEST],
            evidence=list(lesson.evidence[:4]),
        )

    def calls(self) -> tuple[Call, ...]:
        """One turn of tools: IR and remarks of the hottest function, and a draft."""
        symbol = self._priorities()[0].symbol if self._priorities() else ""
        edits = [each.edit for draft in self._proposals().candidates[:1] for each in draft.edits]
        return (
            ("show_ir", {"symbol": symbol, "pass_name": _LOOKED_AT, "when": "after"}),
            ("query_facts", {"symbol": symbol, "kind": "remark"}),
            ("try_draft", {"edits": edits}),
        )

    def _priorities(self) -> Sequence[Priority]:
        assert self.situation is not None, "it is told the situation first"
        return self.mind.scorer.score(self.situation.ground.facts)

    def _diagnoses(self) -> Sequence[Diagnosis]:
        assert self.situation is not None, "it is told the situation first"
        return self.mind.analyst.analyse(self.situation.ground.facts, self._priorities())

    def _analysis(self) -> Analysis:
        found = self._diagnoses()
        first: dict[tuple[str, str], Diagnosis] = {}
        for diagnosis in found:
            if diagnosis.evidence and diagnosis.kind not in (HINT, REMARKS):
                first.setdefault((diagnosis.kind, diagnosis.symbol), diagnosis)
        return Analysis(
            bottlenecks=[
                Bottleneck(
                    kind=d.kind,
                    symbol=d.symbol,
                    where=d.where,
                    weight=round(d.weight, 2),
                    text=d.text[:_LONGEST],
                    evidence=list(d.evidence[:3]),
                )
                for d in list(first.values())[:_BOTTLENECKS]
            ],
            hints=[
                Hint(what=d.text[:_LONGEST], symbol=d.symbol, evidence=list(d.evidence[:3]))
                for d in found
                if d.kind == HINT
            ][:_HINTS],
            remarks=[
                RemarkGroup(
                    category=d.text[:_LONGEST],
                    count=max(1, int(d.data.get("count") or 1)),
                    evidence=list(d.evidence[:3]),
                )
                for d in found
                if d.kind == REMARKS
            ][:_GROUPS],
        )

    def _proposals(self) -> Proposals:
        assert self.situation is not None, "it is told the situation first"
        drafts = self.mind.reasoner.reason(self.situation, self._diagnoses())
        proposals = []
        for draft in drafts[:2]:
            claims = {claim.edit: claim for claim in draft.claims}
            edits = [
                ProposedEdit(
                    edit=edit.text,
                    claim=claims[edit].text[:_LONGEST] if edit in claims else "as before",
                    evidence=list(claims[edit].evidence[:4]) if edit in claims else [],
                )
                for edit in draft.edits
            ]
            proposals.append(Proposal(edits=edits, expects="other code in the hot functions"))
        return Proposals(candidates=proposals)


def _scores(priorities: Sequence[Priority]) -> Scores:
    functions = [
        ScoredFunction(symbol=p.symbol, weight=min(1.0, round(p.weight, 2)), reason=p.reason)
        for p in priorities
    ]
    return Scores(functions=functions)
