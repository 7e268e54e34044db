"""What models do wrong: every case of `tests/cases/models`, over HTTP, through a campaign.

Real are the server's sockets, pydantic-ai, the roles, the repair of edits and their way into a
build plan; scripted are the compiler and the clock.  The replies in
the files are in the form of `perfwright.testing.model_cases`.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic_ai.models import override_allow_model_requests
from pydantic_ai.models.function import FunctionModel

from perfwright.app.record.reread import Answered
from perfwright.core.budget import Usage
from perfwright.core.campaign import Campaign, Status
from perfwright.core.candidate import Candidate
from perfwright.core.events import Warned
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Mind, Refusal, Repaired
from perfwright.core.trial import Trial, TrialState
from perfwright.errors import MindError
from perfwright.levels.pipeline.level import PipelineLevel
from perfwright.levels.workshop import EditWorkshop, Site
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.llm.client import Line, Patience
from perfwright.minds.llm.mind import Frugal, model_role
from perfwright.minds.llm.providers import Chosen, choose
from perfwright.minds.llm.roles import Study, Warn
from perfwright.minds.llm.wire import request_digest
from perfwright.minds.team import RoleMind
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import BuildPlan
from perfwright.store.campaign import RecordEndsError
from perfwright.store.records import Dialogue
from perfwright.testing.model_cases import Case, expand, reply
from perfwright.testing.model_replies import HttpError, Output, Reply, Request
from perfwright.testing.model_server import ModelServer, Script, in_order
from perfwright.testing.program import ScriptedProgram, ScriptedWorkshop
from perfwright.testing.team import ScriptedTeam
from perfwright.testing.watch import Watch, watching
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import (
    Option,
    OptionTable,
    OptionType,
    PassRegistry,
    parse_passes,
)

CASES = Path(__file__).parents[2] / "cases"
KEY = "sk-test-1234"
GOOD = "option inline-threshold=600"
BAITS = ("/etc/passwd", "/etc/shadow", "/tmp/x.so", "x.so", "rm -rf", "evil.example")

_MOST_REQUESTS = 100
_LONG = 100_000
"""Bytes of a request, or tokens of a campaign: with an ordinary model both are far below."""


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['why']}")
        for path in sorted((CASES / "models").glob("*.json"))
        for case in json.loads(path.read_text())
    ]


# --- the world around a model ---------------------------------------------------------------


@dataclass
class _Record:
    """A recorder in memory."""

    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    dialogues: list[Dialogue] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    def recall(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self.answers.get(role + request_digest(request))

    def record(
        self,
        role: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        tokens: int,
        usd: float,
    ) -> None:
        assert tokens >= 0, "tokens below zero would lift the limits"
        assert usd >= 0
        self.answers[role + request_digest(request)] = answer
        self.dialogues.append(Dialogue(role, request, answer, tokens, usd))
        self.usage += Usage(tokens=tokens, usd=usd)

    def sent(self) -> None:
        self.usage += Usage(requests=1)

    def used(self) -> Usage:
        return self.usage


class _Workshop(ScriptedWorkshop):
    """Mends and plans like the real one; what is planned is not compiled."""

    def __init__(self, program: ScriptedProgram, folder: Path) -> None:
        super().__init__(program)
        nothing: Any = None
        site = Site(
            captured=cast(CapturedBuild, nothing),
            toolchain=cast(Toolchain, nothing),
            folder=folder / "build",
            objects=folder / "objects",
            keep=lambda path: pytest.fail(f"{path} was built"),
        )
        level = PipelineLevel(
            _repairer(), ("main.c", "work.c"), lambda *_: None, staged=lambda: True
        )
        self.real = EditWorkshop(site, {"pipeline": level})
        self.plans: list[BuildPlan] = []

    def repair(self, draft: Candidate) -> Repaired | Refusal:
        return self.real.repair(draft)

    def build(self, candidate: Candidate, layouts: int = 0) -> Build | Refusal:
        plan = self.real.plan(candidate)
        if isinstance(plan, Refusal):
            return plan
        self.plans.append(plan)
        return super().build(candidate, layouts)


@cache
def _repairer() -> EditRepairer:
    """LLVM 22's passes, and options of every kind that matters here."""
    folder = CASES / "pipelines"
    registry: PassRegistry = replace(
        parse_passes((folder / "print-passes-22.txt").read_text()),
        pipelines={"default<O3>": (folder / "default-O3-22.txt").read_text().strip()},
        adaptors=(
            *("module", "cgscc", "devirt", "function", "loop", "loop-mssa"),
            *("machine-function", "coro-cond"),
        ),
        needs_memory_ssa=("licm", "lnicm"),
        refuses_memory_ssa=("loop-unroll-full", "loop-versioning-licm"),
    )
    everywhere = ("opt", "clang", "lld")
    options = OptionTable(
        (
            Option("enable-unsafe-fp-math", OptionType.BOOL, tools=everywhere),
            Option("inline-threshold", OptionType.INT, initial="225", tools=everywhere),
            Option("inlinedefault-threshold", OptionType.INT, initial="225", tools=everywhere),
            Option("load", OptionType.STRING, tools=everywhere),
            Option("load-pass-plugin", OptionType.STRING, tools=everywhere),
            Option("pass-remarks-output", OptionType.STRING, tools=everywhere),
            Option("unroll-threshold", OptionType.UINT, initial="0", tools=everywhere),
        )
    )
    base = parse(registry.pipelines["default<O3>"])
    return EditRepairer(base, Vocabulary(registry), options)


def _facts(text: str) -> tuple[Fact, ...]:
    """A hot function, a remark about it, and what the case has in its program."""
    data: dict[str, Any] = {"symbol": "work", "unit": "work.c", "share": 0.9}
    facts = [
        Fact("fun-work", "function", "opt", "work.c", "work takes 90 % of the time", data),
        Fact("rem-1", "remark", "inline", "work.c:7:5", "work is not inlined", {"symbol": "work"}),
    ]
    if text:
        facts.append(Fact("rem-2", "remark", "inline", "work.c:9:5", text, {"symbol": "work"}))
    return tuple(facts)


# --- what the model says --------------------------------------------------------------------

_DIAGNOSIS = {
    "kind": "inlining-too-costly",
    "symbol": "work",
    "weight": 0.9,
    "text": "work is called in the loop",
    "evidence": ["rem-1"],
}
_ANSWERS: dict[str, Any] = {
    "scorer": {"functions": [{"symbol": "work", "weight": 0.9, "reason": "it is hot"}]},
    "analyst": {"bottlenecks": [_DIAGNOSIS]},
    "reasoner": {"candidates": [{"edits": [{"edit": GOOD, "claim": "c", "evidence": ["rem-1"]}]}]},
    "evaluator": {"cause": "work was inlined", "next": "look at the loop"},
}
"""What a good model answers in each role."""


def _well_behaved(role: str, request: Request) -> Reply:
    if role == "reasoner" and f": {GOOD} -> " in request.text:
        return Output({"candidates": []})
    return Output(_ANSWERS[role])


# --- running a case -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ran:
    """What became of a campaign with a bad model in it; `requests` are of the case's role."""

    status: Status
    exit_status: int
    trials: tuple[Trial, ...]
    said: str
    requests: list[Request]
    waited: list[float]
    plans: list[BuildPlan]
    record: _Record
    watch: Watch


@dataclass
class _Stage:
    """One server and one client for all cases: making a client costs more than a case."""

    server: ModelServer
    chosen: Chosen
    script: Script

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[_Stage]:
        def answer(request: Request) -> Reply:
            return opened.script(request)

        platform.processor()  # OpenAI's client wants to know it, and Python asks `uname` once
        with ModelServer(answer, key=KEY, most_requests=10_000) as server:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OPENAI_API_KEY", KEY)
                patch.setenv("OPENAI_BASE_URL", server.url)
                chosen = choose("openai:any", "reasoner", timeout=30.0)
            opened = cls(server, chosen, in_order([]))
            with override_allow_model_requests(True):  # all that is reached is this server
                yield opened

    def line(self, case: Case, record: _Record, sleep: Callable[[float], None]) -> Line:
        """A line to the model, as the case wants it; nothing is slept."""
        self.script = _script(case)
        self.server.requests.clear()
        return Line(
            self.chosen.name,
            self.chosen.model,
            record,
            patience=_patience(case),
            secrets=self.chosen.secrets,
            constrained=case.get("constrained", False),
            sleep=sleep,
        )


@pytest.fixture(scope="module")
def stage() -> Iterator[_Stage]:
    with _Stage.open() as stage:
        yield stage


def _run(case: Case, folder: Path, stage: _Stage) -> _Ran:
    record, waited, warned = _Record(), list[float](), list[str]()
    workshop = _Workshop(_program(case), folder)
    mind = _mind(case["role"], stage.line(case, record, waited.append), warned.append)
    team = _team(case, mind)
    campaign = Campaign(replace(team.team, workshop=workshop))
    with watching() as watch:
        status, error = _ended(campaign)
    warned += [event.text for event in team.reporter.of(Warned)]
    return _Ran(
        status=status,
        exit_status=error.exit_status if error else 0,
        trials=tuple(campaign.trials),
        said="\n".join([*_said(campaign), *warned, str(error or "")]),
        requests=[r for r in stage.server.chats if r.role == case["role"]],
        waited=waited,
        plans=workshop.plans,
        record=record,
        watch=watch,
    )


def _patience(case: Case) -> Patience:
    return Patience(case.get("timeout", 30.0), attempts=3, corrections=1)


def _team(case: Case, mind: Mind) -> ScriptedTeam:
    team = ScriptedTeam(_program(case), mind, noise=0.0005)
    team.observer.facts = _facts(case.get("program", ""))
    return team


def _ended(campaign: Campaign) -> tuple[Status, MindError | None]:
    try:
        return campaign.run().status, None
    except MindError as error:
        return Status.FAILED, error


def _mind(role: str, line: Line, warn: Warn) -> Mind:
    """A model as reasoner and in the role of the case; rules in the others are quicker."""
    study = Study(tool_calls=0 if line.constrained else 3, warn=warn)
    rules = {"scorer": ShareScorer(), "analyst": RuleAnalyst(), "evaluator": RuleEvaluator()}
    models = {name: model_role(name, line, study) for name in ("reasoner", role)}
    return Frugal(RoleMind(**{**rules, **models}), warn)


def _program(case: Case) -> ScriptedProgram:
    return ScriptedProgram(speedups={GOOD: 0.9 if case.get("harmful") else 1.08})


def _script(case: Case) -> Script:
    """The case's replies to its role, the last one for ever if it says so; else good ones."""
    left = [expand(reply) for reply in case["replies"]]
    patience = count(_MOST_REQUESTS, -1)

    def script(request: Request) -> Reply:
        if next(patience) <= 0:
            return HttpError(400, f"more than {_MOST_REQUESTS} requests in one campaign")
        role = request.role
        if role != case["role"] or not left:
            return _well_behaved(role, request)
        return reply(left[0] if case.get("for_ever") and len(left) == 1 else left.pop(0), request)

    return script


def _said(campaign: Campaign) -> Iterator[str]:
    for trial in campaign.trials:
        yield trial.reason
        yield from trial.repairs
    for lesson in campaign.lessons:
        yield f"{lesson.cause} {lesson.next}"


# --- what is expected -----------------------------------------------------------------------


@pytest.mark.parametrize("case", _cases())
def test_a_bad_model_does_no_harm(case: Case, tmp_path: Path, stage: _Stage) -> None:
    ran = _run(case, tmp_path, stage)
    _check_end(case["expect"], ran)
    _check_dialogue(case["expect"], ran)
    _check_safety(case, ran)
    _check_untouched(tmp_path, ran.watch)
    _check_replay(case, ran, tmp_path)


def _check_end(expected: Case, ran: _Ran) -> None:
    assert (ran.status, ran.exit_status) == (expected["status"], expected["exit"]), ran.said
    measured = [trial for trial in ran.trials if trial.state is TrialState.MEASURED]
    good = [t for t in measured if GOOD in [edit.text for edit in t.candidate.edits]]
    assert bool(good) == expected["goes_on"], ran.said
    if "trials" in expected:
        assert [trial.state for trial in ran.trials] == expected["trials"], ran.said
    if "mended" in expected:
        assert any(expected["mended"] in text for trial in ran.trials for text in trial.repairs)
    if expected.get("measured_once"):
        ids = [trial.candidate.id for trial in measured]
        assert len(ids) == len(set(ids))
    assert expected.get("says", "") in ran.said


def _check_dialogue(expected: Case, ran: _Ran) -> None:
    if "told" in expected:
        told = [text for request in ran.requests for text in _fed_back(request)]
        assert any(expected["told"] in text for text in told), told
    if expected.get("first_time"):
        assert all(m["role"] != "assistant" for r in ran.requests for m in r.messages)
    if "requests" in expected:
        assert len(ran.requests) == expected["requests"]
    if expected.get("short"):
        assert max(len(request.body) for request in ran.requests) < _LONG
    if expected.get("spends"):
        assert 100 < ran.record.usage.tokens < _LONG
    if "waited" in expected:
        assert expected["waited"] in ran.waited
    assert all(seconds <= 60 for seconds in ran.waited)


def _fed_back(request: Request) -> list[str]:
    """What came after the model's first answer: what was wrong with it."""
    roles = [message["role"] for message in request.messages]
    begin = roles.index("assistant") if "assistant" in roles else len(roles)
    return [str(m["content"]) for m in request.messages[begin:] if m["role"] != "assistant"]


def _check_safety(case: Case, ran: _Ran) -> None:
    """Nothing harmful is built, believed or written down, whoever asked for it."""
    words = [word for plan in ran.plans for word in (*plan.compile_flags, *plan.link_flags)]
    words += [word for plan in ran.plans for flags in plan.unit_flags.values() for word in flags]
    words += [plan.pipeline or "" for plan in ran.plans]
    assert not [word for word in words for bait in BAITS if bait in word]
    known = {fact.id for fact in _facts(case.get("program", ""))}
    for trial in ran.trials:
        known |= {fact.id for fact in trial.consequences}
    claims = [claim for trial in ran.trials for claim in trial.candidate.claims]
    assert {name for claim in claims for name in claim.evidence} <= known
    assert KEY not in ran.said + str(ran.record.dialogues)
    text = case.get("program")
    systems = [m["content"] for r in ran.requests for m in r.messages if m["role"] == "system"]
    assert not text or not [system for system in systems if text in system]


def _check_untouched(folder: Path, watch: Watch) -> None:
    """No process, no file but those of the test; reading is for Python's own modules."""
    assert watch.started == []
    elsewhere = [p for p in watch.written if not p.startswith((str(folder), "/dev/"))]
    assert [path for path in elsewhere if "__pycache__" not in path] == []
    assert [path for path in watch.read if path in BAITS] == []


def _check_replay(case: Case, ran: _Ran, folder: Path) -> None:
    """The recorded answers lead to the same candidates, as far as they are answers."""
    line = Line(
        "openai:any",
        FunctionModel(lambda *_: pytest.fail("a model was asked")),
        Answered(ran.record.dialogues),
        patience=_patience(case),
        constrained=case.get("constrained", False),
    )
    team = _team(case, _mind(case["role"], line, lambda _: None)).team
    campaign = Campaign(replace(team, workshop=_Workshop(_program(case), folder)))
    with contextlib.suppress(RecordEndsError, MindError):
        campaign.run()
    again = [trial.candidate for trial in campaign.trials]
    assert again == [trial.candidate for trial in ran.trials][: len(again)]
    all_on_record = len(ran.record.dialogues) == ran.record.usage.requests
    assert len(again) == len(ran.trials) or not all_on_record


def test_there_are_enough_cases_and_each_says_why() -> None:
    cases = [found.values[0] for found in _cases()]
    whys = [case["why"] for case in cases]
    assert len(whys) >= 40
    assert len(set(whys)) == len(whys)
