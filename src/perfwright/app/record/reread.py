"""The recorded answers of models, taken through their roles again.

A replay reads what the roles made of the answers; here each answer goes through its role once
more, which must make the same of it.  It takes no model, no key and no compiler: what briefs
are made of is on record, and what tools said is part of the recorded requests.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_ai.models.function import FunctionModel

from perfwright.app.record.story import Absent, loop_settings
from perfwright.app.request import TuneRequest
from perfwright.core.budget import Usage
from perfwright.core.campaign import Campaign, Team
from perfwright.core.evidence import Fact
from perfwright.errors import MindError
from perfwright.minds.assignment import BUILTIN, ROLES, WITHOUT
from perfwright.minds.llm.brief import Budget, Scene
from perfwright.minds.llm.client import Line
from perfwright.minds.llm.mind import model_role
from perfwright.minds.llm.roles import Study
from perfwright.minds.llm.tools import Instruments
from perfwright.minds.recorded import (
    ANALYSIS,
    CONSTRAINED,
    PRIORITIES,
    SCENE,
    SHOWN_IR,
    recorded,
)
from perfwright.minds.team import RoleMind
from perfwright.store import codec
from perfwright.store.campaign import CampaignJournal, RecordEndsError
from perfwright.store.records import Dialogue

T = TypeVar("T")


@dataclass(frozen=True)
class Reread:
    """What came of it.

    Attributes:
        same: how many steps are the same again.
        unread: the steps for which there is no answer on record: a limit was reached, a body was
            no answer, this version asks in other words, or an earlier answer was changed.
        unasked: answers on record that no role asked for.
        different: the steps where an answer leads to something else than was made of it.
    """

    same: int
    unread: tuple[str, ...] = ()
    unasked: int = 0
    different: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """It, for people."""
        if self.same:
            steps = "1 step" if self.same == 1 else f"{self.same} steps"
            yield f"  read again  the roles make the same of the answers in {steps}"
        if self.unread:
            yield f"  not read    no such request on record: {', '.join(self.unread)}"
        if self.unread and self.unasked:
            yield f"  not asked   answers on record that no role asked for: {self.unasked}"
            yield "              the journal was changed, or perfwright asks in other words now"


def reread(journal: CampaignJournal, request: TuneRequest, facts: Sequence[Fact]) -> Reread:
    """Let the roles of a campaign that models played answer again from its record.

    Raises:
        RecordEndsError: the record does not hold what briefs are made of: it is older than that.
    """
    played = {role: request.assignment.mind_of(role) for role in ROLES}
    models = {role: mind for role, mind in played.items() if mind not in (BUILTIN, WITHOUT)}
    steps = _Steps(journal, frozenset(models))
    absent: Any = Absent()
    unasked: Any = object()  # by rules, or by nobody: what it said is on record
    study = _study(journal, request)
    constrained = journal.once(CONSTRAINED, tuple[str, ...], absent.constrained)
    memory = Answered(journal.dialogues())
    roles = dict.fromkeys(ROLES, unasked)
    for role, name in models.items():
        model = FunctionModel(absent.request)
        line = Line(name, model, memory, constrained=role in constrained)
        roles[role] = model_role(role, line, study)
    mind = RoleMind(**{role: recorded(role, roles[role], played[role], steps) for role in ROLES})
    with contextlib.suppress(RecordEndsError):
        mind.analyst.analyse(facts, mind.scorer.score(facts))
    team = Team(absent, mind, absent, absent, absent, steps)
    with contextlib.suppress(RecordEndsError):
        Campaign(team, loop_settings(request)).run()
    return Reread(
        same=steps.same,
        unread=tuple(steps.unread),
        unasked=memory.unasked,
        different=tuple(steps.different),
    )


def _study(journal: CampaignJournal, request: TuneRequest) -> Study:
    """What the roles were shown; what their tools said is in the record of requests."""
    absent: Any = Absent()
    return Study(
        scene=journal.once(SCENE, Scene, absent.scene),
        budget=Budget(request.context_tokens, request.top_k, request.ir_tokens),
        instruments=Instruments(
            bench=absent,
            functions=lambda _: journal.once(SHOWN_IR, dict[str, str], absent.functions),
        ),
        tool_calls=request.tool_calls,
    )


@dataclass
class _Steps:
    """A journal to read from, in which what models' roles said is found anew and compared."""

    journal: CampaignJournal
    roles: frozenset[str]
    same: int = 0
    unread: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def once(self, key: str, kind: Any, compute: Callable[[], T]) -> T:
        """See `perfwright.core.protocols.Journal`; nothing is ever recorded."""
        known = self.journal.once(key, kind, compute)
        if _role_of(key) not in self.roles or key in self._seen:
            return known
        self._seen.add(key)
        try:
            again = codec.encode(kind, compute())
        except RecordEndsError:
            self.unread.append(key)
        except (MindError, ValidationError):  # something was made of it, and it is no answer now
            self.different.append(key)
        else:
            if again == codec.encode(kind, known):
                self.same += 1
            else:
                self.different.append(key)
        return known


def _role_of(key: str) -> str:
    """Whose words a step of the journal holds; empty for the machine's."""
    named = {PRIORITIES: "scorer", ANALYSIS: "analyst"}
    if key in named:
        return named[key]
    if "/proposal " in key:
        return "reasoner"
    return "evaluator" if key.endswith("/lesson") else ""


class Answered:
    """Implements `perfwright.minds.llm.ledger.Recorder` over what was answered."""

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        self._answers = {_words(each.role, each.request): each.answer for each in dialogues}
        self._unasked = set(self._answers)

    @property
    def unasked(self) -> int:
        """How many answers no role has asked for."""
        return len(self._unasked)

    def recall(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The recorded answer.

        Raises:
            RecordEndsError: there is none.
        """
        words = _words(role, request)
        if words not in self._answers:
            raise RecordEndsError(f"the record has no answer to this request to the {role}")
        self._unasked.discard(words)
        return self._answers[words]

    def record(self, *_: object) -> NoReturn:
        """Never called: there is no model that could answer anything new."""
        raise AssertionError("nothing new is answered")

    def sent(self) -> None:
        """See `record`."""
        self.record()

    def used(self) -> Usage:
        """Nothing: no request is sent."""
        return Usage()


def _words(role: str, request: Mapping[str, Any]) -> str:
    """The question and what was answered so far: with them the next answer is known.

    What tools said is left out, as is what was objected to an answer, which is worded in
    different ways for different models, and the announcement of that before the question.
    """
    messages = request["messages"]
    question = list(takewhile(lambda message: message["role"] != "assistant", messages))[-1:]
    answers = [message for message in messages if message["role"] == "assistant"]
    # Without usable answers, a server that holds them to a schema is asked again without tools.
    asked = [role, request["system"], bool(request["tools"]), question, answers]
    return json.dumps(asked, sort_keys=True)
