"""What a campaign with models would cost: `perfwright tune --dry-run`.

The program is built, run and looked into as at the beginning of a campaign, in a folder that
is thrown away.  Then the rounds are rehearsed: the roles write their real requests, the
built-in mind answers in the models' place, and no candidate is measured.  The requests are
counted, and none is sent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from perfwright.app.campaign.minds import ruled, study_of
from perfwright.app.campaign.tune import observer_of, plan_for, prepare, refuse_outsiders
from perfwright.app.request import TuneRequest
from perfwright.app.setup import Setup
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter, Usage
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.events import Reporter
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Ground, Refusal, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.measure.executor import open_executor
from perfwright.minds.assignment import BUILTIN, ROLES, WITHOUT
from perfwright.minds.builtin import builtin_mind
from perfwright.minds.roles import Bench, Draft
from perfwright.minds.team import RoleMind
from perfwright.store.journal import JournalStore

if TYPE_CHECKING:
    from perfwright.minds.llm.understudy import Understudy

_MODEL = "rehearsal"
_CHANGED = 12
_CHANGE = "what a candidate does to the code of one hot function, in about a line of figures"
"""What the evaluator is shown of a build that a rehearsal does not make."""


class RoleEstimate(BaseModel):
    """What one role would be asked over the whole campaign; tokens are estimates."""

    mind: str
    requests: int
    input_tokens: int
    output_tokens: int
    usd: float | None = Field(description="null: the price of this model is not known.")


class Estimate(BaseModel):
    """What `perfwright tune --dry-run` prints.  Nothing was sent to any model."""

    schema_: int = Field(default=1, alias="schema")
    dry_run: bool = True
    program: str
    rounds: int
    roles: dict[str, RoleEstimate]
    requests: int
    input_tokens: int
    output_tokens: int
    usd: float | None

    def lines(self) -> Iterator[str]:
        """The estimate for people."""
        yield f"{self.program}: {self.rounds} rounds would ask models about this much"
        for role, part in self.roles.items():
            yield f"  {role:<10} {_told(part.requests, part.input_tokens, part.output_tokens)}"
        total = _told(self.requests, self.input_tokens, self.output_tokens)
        yield f"  {'together':<10} {total}"
        price = "not known" if self.usd is None else f"about {self.usd:.2f} US dollars"
        yield f"price: {price}; nothing has been sent"


def _told(requests: int, sent: int, answered: int) -> str:
    return f"{requests} requests, {sent} tokens in, {answered} out"


def estimate(request: TuneRequest, reporter: Reporter) -> Estimate:
    """Look at the program and count what models would be shown.

    Raises:
        PerfwrightError: what would end the campaign before it asks anyone.
    """
    refuse_outsiders(request)
    setup = prepare(request)
    rounds = 3 if request.rounds is None else request.rounds
    roles: dict[str, RoleEstimate] = {}
    if request.assignment.models:
        with tempfile.TemporaryDirectory(prefix="perfwright-dry-run-") as folder:
            settings = setup.settings.model_copy(update={"home": Path(folder)})
            roles = _looked(replace(setup, settings=settings), reporter, rounds)
    prices = [part.usd for part in roles.values()]
    known = [price for price in prices if price is not None]
    return Estimate(
        program=setup.spec.name,
        rounds=rounds,
        roles=roles,
        requests=sum(part.requests for part in roles.values()),
        input_tokens=sum(part.input_tokens for part in roles.values()),
        output_tokens=sum(part.output_tokens for part in roles.values()),
        usd=sum(known) if len(known) == len(prices) else None,
    )


@dataclass
class Counter:
    """Implements `perfwright.minds.llm.ledger.Recorder`: counts one role's requests.

    `sent` and `answered` are in characters, what is put around an answer left out.
    """

    requests: int = 0
    characters_sent: int = 0
    characters_answered: int = 0

    def recall(self, role: str, request: Mapping[str, Any]) -> None:
        """Nothing is known."""

    def record(
        self,
        role: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        tokens: int,
        usd: float,
    ) -> None:
        """Count a request and its answer."""
        from perfwright.minds.llm.wire import request_text

        del role, tokens, usd
        self.requests += 1
        self.characters_sent += len(request_text(request))
        self.characters_answered += sum(len(str(part.get("args", ""))) for part in answer["parts"])

    def sent(self) -> None:
        """See `Recorder.sent`."""

    def used(self) -> Usage:
        """Nothing has been spent."""
        return Usage()


@dataclass(frozen=True)
class Unbuilt:
    """Implements `perfwright.minds.roles.Bench`: takes every draft to change something."""

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        """See `Bench.draft`."""
        del reference
        return Draft(candidate.id, 0, ("any",))


@dataclass
class Rehearsal:
    """Rounds in which the built-in mind answers in place of models."""

    place: Workplace
    ground: Ground
    rounds: int
    counted: dict[str, Counter] = field(default_factory=dict)

    def run(self) -> dict[str, Counter]:
        """What each role that a model is to play would be asked."""
        from perfwright.minds.llm.understudy import Understudy

        bench: Bench = Unbuilt()
        understudy = Understudy(builtin_mind(bench, seed=self.place.setup.request.seed))
        team = self._team(understudy)
        situation = Situation(self.ground, BASELINE, (), (), 1, self.rounds)
        priorities = diagnoses = None
        for number in range(1, self.rounds + 1):
            situation = replace(situation, round=number, rounds_left=self.rounds - number + 1)
            understudy.situation = situation
            if priorities is None or diagnoses is None:
                priorities = team.scorer.score(self.ground.facts)
                diagnoses = team.analyst.analyse(self.ground.facts, priorities)
            drafts = team.reasoner.reason(situation, diagnoses)
            if not drafts:
                break
            trial = self._trial(number, drafts[0])
            understudy.trial = trial
            lesson = team.evaluator.evaluate(situation, trial)
            situation = replace(
                situation,
                trials=(*situation.trials, trial),
                lessons=(*situation.lessons, lesson),
                incumbent=trial.candidate if trial.accepted else situation.incumbent,
            )
        return self.counted

    def _team(self, understudy: Understudy) -> RoleMind:
        """The roles as the request has them, models replaced by the understudy."""
        from perfwright.minds.llm.client import Line
        from perfwright.minds.llm.mind import model_role

        request, study = self.place.setup.request, study_of(self.place)
        roles: dict[str, Any] = {}
        for role in ROLES:
            if request.assignment.mind_of(role) in (BUILTIN, WITHOUT):
                roles[role] = ruled(role, request, understudy.mind)
                continue
            self.counted[role] = Counter()
            line = Line(_MODEL, _stand_in(understudy, role), self.counted[role])
            roles[role] = model_role(role, line, study)
        return RoleMind(**roles)

    def _trial(self, number: int, draft: Candidate) -> Trial:
        """A round's measured trial: every other one is kept."""
        kept = number % 2 == 0
        ratio = 1.012 if kept else 0.988
        verdict = Verdict.FASTER if kept else Verdict.SLOWER
        seen = Comparison(verdict, ratio, ratio - 0.004, ratio + 0.004, 30)
        changes = tuple(
            Fact(f"change-{number}", "code", "llvm-objdump", "", _CHANGE)
            for number in range(_CHANGED)
        )
        return Trial(
            f"{number}.1",
            number,
            draft,
            TrialState.MEASURED,
            consequences=changes,
            against_incumbent=seen,
            over_baseline=seen,
            accepted=kept,
        )


def _stand_in(understudy: Understudy, role: str) -> Any:
    """A model that says what the understudy says, after one turn of tools if there are any."""
    from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        returned = any(isinstance(p, ToolReturnPart) for m in messages for p in m.parts)
        if info.function_tools and not returned:
            return ModelResponse([ToolCallPart(name, dict(a)) for name, a in understudy.calls()])
        answer = understudy.answer(role).model_dump(mode="json")
        return ModelResponse([ToolCallPart(info.output_tools[0].name, answer)])

    return FunctionModel(reply)


def _looked(setup: Setup, reporter: Reporter, rounds: int) -> dict[str, RoleEstimate]:
    """Observe the program in a journal of its own, rehearse, and count."""
    meter = Meter()
    with (
        JournalStore.open(setup.settings.home) as store,
        store.create_campaign(plan_for(setup), lambda: meter.usage) as journal,
        open_executor(setup.toolchain.tool("clang"), setup.settings.cache) as executor,
    ):
        place = Workplace(setup, journal, executor, meter, reporter)
        ground = journal.once("observe", Ground, observer_of(place).observe)
        counted = Rehearsal(place, ground, rounds).run()
    assignment = setup.request.assignment
    return {role: _priced(assignment.mind_of(role), counter) for role, counter in counted.items()}


def _priced(mind: str, counter: Counter) -> RoleEstimate:
    """The requests of one role in tokens and money."""
    from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
    from perfwright.minds.llm.prices import price_of_tokens

    sent = round(counter.characters_sent / CHARACTERS_A_TOKEN)
    answered = round(counter.characters_answered / CHARACTERS_A_TOKEN)
    return RoleEstimate(
        mind=mind,
        requests=counter.requests,
        input_tokens=sent,
        output_tokens=answered,
        usd=price_of_tokens(mind, sent, answered),
    )
