"""Puts the mind of a campaign together: who plays which role, and what models may look at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from perfwright.app.inside.drafts import WorkshopBench
from perfwright.app.inside.inspection import instruments, scene
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter, Usage
from perfwright.core.events import Reporter, StageBegan, Warned
from perfwright.core.protocols import Mind
from perfwright.minds.assignment import BUILTIN, ROLES, WITHOUT
from perfwright.minds.builtin import builtin_mind
from perfwright.minds.plain import PlainAnalyst, PlainEvaluator, PlainReasoner, PlainScorer
from perfwright.minds.recorded import CONSTRAINED, SCENE, SHOWN_IR, recorded
from perfwright.minds.team import RoleMind
from perfwright.store.campaign import CampaignJournal
from perfwright.store.records import Dialogue

if TYPE_CHECKING:
    from perfwright.minds.llm.roles import Study

_PROMPTS = "prompts"
_LONGEST_IR = 50_000
"""Characters of a function that are recorded, and looked through for what is shown."""


def check_minds(request: TuneRequest) -> None:
    """Make sure that every mind of a request exists and has its key; asks nothing of a model.

    Raises:
        UserError: a name means nothing, or a package is missing.
        MindError: a key is missing.
    """
    models = request.assignment.models
    if not models:
        return
    from perfwright.minds.llm.optional import require_models

    require_models()
    from perfwright.minds.llm.providers import check_name

    for name in models:
        check_name(name)


def mind_of(place: Workplace) -> Mind:
    """The mind that the request asks for."""
    request = place.setup.request
    bench = WorkshopBench(place.workshop)
    builtin = builtin_mind(bench, seed=request.seed)
    if not request.assignment.models:
        return _filled({role: ruled(role, request, builtin) for role in ROLES}, place)
    return _with_models(place, builtin)


def ruled(role: str, request: TuneRequest, builtin: RoleMind) -> Any:
    """A role without a model: the built-in one, or the one that does as little as possible."""
    plain = {
        "scorer": PlainScorer(request.top_k),
        "analyst": PlainAnalyst(),
        "reasoner": PlainReasoner(request.seed),
        "evaluator": PlainEvaluator(),
    }
    left_out = request.assignment.mind_of(role) == WITHOUT
    return plain[role] if left_out else getattr(builtin, role)


def _filled(roles: Mapping[str, Any], place: Workplace) -> RoleMind:
    """The roles together; what they say once and for all is put on record."""
    assignment = place.setup.request.assignment
    return RoleMind(
        **{
            role: recorded(role, played, assignment.mind_of(role), place.journal)
            for role, played in roles.items()
        }
    )


def _with_models(place: Workplace, builtin: RoleMind) -> Mind:
    from perfwright.minds.llm.client import Patience
    from perfwright.minds.llm.ledger import Caps
    from perfwright.minds.llm.mind import Connection, Frugal, model_role
    from perfwright.minds.llm.roles import prompt_versions

    request = place.setup.request
    versions = tuple(f"{role} {version}" for role, version in prompt_versions().items())
    place.journal.once(_PROMPTS, tuple[str, ...], lambda: versions)
    connection = Connection(
        recorder=JournalRecorder(place.journal, place.meter),
        caps=Caps(request.max_requests, request.max_tokens, request.max_usd),
        patience=Patience(timeout=request.mind_timeout),
        guests=place.guests,
        sleep=lambda seconds: wait_for_model(place.reporter, seconds),
    )
    study = _remembered(study_of(place), place.journal)
    readers = {request.assignment.mind_of(role) for role in ("reasoner", "evaluator")}
    place.counting = bool(readers - {BUILTIN, WITHOUT})
    minds = {role: request.assignment.mind_of(role) for role in ROLES}
    lines = {
        role: connection.line(mind, role)
        for role, mind in minds.items()
        if mind not in (BUILTIN, WITHOUT)
    }
    constrained = tuple(role for role, line in lines.items() if line.constrained)
    place.journal.once(CONSTRAINED, tuple[str, ...], lambda: constrained)
    roles: dict[str, Any] = {
        role: model_role(role, lines[role], study)
        if role in lines
        else ruled(role, request, builtin)
        for role in ROLES
    }
    return Frugal(_filled(roles, place), study.warn)


def _remembered(study: Study, journal: CampaignJournal) -> Study:
    """A study whose scene and IR are on record: a replay has no compiler to make them again."""
    from perfwright.minds.llm.brief import Scene

    def shown(symbols: Sequence[str]) -> Mapping[str, str]:
        return journal.once(
            SHOWN_IR,
            dict[str, str],
            lambda: {
                symbol: text[:_LONGEST_IR]
                for symbol, text in study.instruments.functions(symbols).items()
            },
        )

    scene = journal.once(SCENE, Scene, lambda: study.scene)
    return replace(study, scene=scene, instruments=replace(study.instruments, functions=shown))


def wait_for_model(
    reporter: Reporter, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Say that nothing is done for a while, and why; then do nothing."""
    reporter(StageBegan("wait", f"{seconds:.0f} s: the model is busy or out of reach"))
    sleep(seconds)


def study_of(place: Workplace) -> Study:
    """What the models of a campaign are shown and may look at."""
    from perfwright.minds.llm.brief import Budget
    from perfwright.minds.llm.roles import Study

    request = place.setup.request
    return Study(
        scene=scene(place),
        budget=Budget(request.context_tokens, request.top_k, request.ir_tokens),
        instruments=instruments(place),
        tool_calls=request.tool_calls,
        warn=lambda text: place.hear(Warned(text)),
    )


@dataclass
class JournalRecorder:
    """Implements `perfwright.minds.llm.ledger.Recorder` over a campaign's journal.

    A request that was answered in an earlier session, or earlier in this one, is not sent
    again: resuming costs nothing twice, and the same situation has the same answer.
    """

    journal: CampaignJournal
    meter: Meter
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for dialogue in self.journal.dialogues():
            self._known[_key(dialogue.role, dialogue.request)] = dialogue.answer

    def recall(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """See `Recorder.recall`."""
        return self._known.get(_key(role, request))

    def record(
        self,
        role: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        tokens: int,
        usd: float,
    ) -> None:
        """See `Recorder.record`."""
        self.meter.ask(tokens=tokens, usd=usd)
        self.journal.record(Dialogue(role, request, answer, tokens, usd))
        self._known[_key(role, request)] = answer

    def sent(self) -> None:
        """See `Recorder.sent`."""
        self.meter.ask(requests=1)

    def used(self) -> Usage:
        """See `Recorder.used`."""
        return self.journal.usage()


def _key(role: str, request: Mapping[str, Any]) -> str:
    return f"{role} {json.dumps(request, sort_keys=True)}"
