"""What a campaign with models would cost: `perfwright tune --dry-run`.

The program is built, run and looked into as at the beginning of a campaign, in a folder that
is thrown away; then the briefs that models would get are written and counted, and none is sent.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, Field

from perfwright.app.minds import study_of
from perfwright.app.request import TuneRequest
from perfwright.app.tune import observer_of, plan_for, prepare
from perfwright.app.workplace import Setup, Workplace
from perfwright.core.budget import Meter
from perfwright.core.candidate import BASELINE
from perfwright.core.events import Reporter
from perfwright.core.protocols import Ground, Situation
from perfwright.measure.executor import open_executor
from perfwright.minds.assignment import BUILTIN, ROLES, WITHOUT
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.store.journal import JournalStore

_ANSWER_TOKENS = {"scorer": 400, "analyst": 1500, "reasoner": 900, "evaluator": 150}
"""A generous guess at what a model writes, thinking left out."""

_SCHEMA_TOKENS = {"scorer": 200, "analyst": 550, "reasoner": 400, "evaluator": 150}
_TOOLS_TOKENS = 550
_TOOL_TURN = 900
_EVALUATED = 1200
"""Characters of the evaluator's brief: it exists only once a trial has ended."""

_HISTORY = 150
"""What a round adds to the brief of the next."""


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


def _looked(setup: Setup, reporter: Reporter, rounds: int) -> dict[str, RoleEstimate]:
    """Observe the program in a journal of its own, and count."""
    meter = Meter()
    with (
        JournalStore.open(setup.settings.home) as store,
        store.create_campaign(plan_for(setup), lambda: meter.usage) as journal,
        open_executor(setup.toolchain.tool("clang"), setup.settings.cache) as executor,
    ):
        place = Workplace(setup, journal, executor, meter, reporter)
        ground = journal.once("observe", Ground, observer_of(place).observe)
        briefs = _briefs(place, ground, rounds)
    found = {}
    for role in ROLES:
        mind = setup.request.assignment.mind_of(role)
        if mind not in (BUILTIN, WITHOUT):
            found[role] = _counted(role, mind, briefs[role], rounds, setup.request.tool_calls)
    return found


def _briefs(place: Workplace, ground: Ground, rounds: int) -> dict[str, str]:
    """What each role would be shown first; the built-in rules stand in for the roles before it."""
    from perfwright.minds.llm.brief import analyst_brief, reasoner_brief, scorer_brief

    study = study_of(place)
    scene, budget = study.scene, study.budget
    priorities = ShareScorer(budget.top).score(ground.facts)
    diagnoses = RuleAnalyst().analyse(ground.facts, priorities)[:20]
    situation = Situation(ground, BASELINE, (), (), 1, rounds)
    return {
        "scorer": scorer_brief(ground.facts, scene, budget),
        "analyst": analyst_brief(ground.facts, priorities, scene, budget),
        "reasoner": reasoner_brief(situation, diagnoses, scene, budget),
        "evaluator": "x" * _EVALUATED,
    }


def _counted(role: str, mind: str, brief: str, rounds: int, tool_calls: int) -> RoleEstimate:
    """The requests of one role; a reasoner with tools is taken to use them in one turn a round."""
    from perfwright.minds.llm.brief import estimate_tokens
    from perfwright.minds.llm.prices import price_of_tokens
    from perfwright.minds.llm.roles import prompt

    each = estimate_tokens(prompt(role)) + estimate_tokens(brief) + _SCHEMA_TOKENS[role]
    requests, sent = (rounds, rounds * each) if role in ("reasoner", "evaluator") else (1, each)
    answered = requests * _ANSWER_TOKENS[role]
    if role == "reasoner":
        sent += _HISTORY * rounds * (rounds - 1) // 2
        if tool_calls:
            sent += rounds * (each + 2 * _TOOLS_TOKENS + _TOOL_TURN)
            answered += rounds * 100
            requests *= 2
    price = price_of_tokens(mind, sent, answered)
    return RoleEstimate(
        mind=mind, requests=requests, input_tokens=sent, output_tokens=answered, usd=price
    )
