"""The tools: each builds nothing of its own, but asks the session and shows little of much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from perfwright.app import inside
from perfwright.app.meeting import Asked
from perfwright.app.recipes import export
from perfwright.app.request import TuneRequest
from perfwright.app.session import BASELINE_NAME, Idea, Session
from perfwright.core.evidence import Fact
from perfwright.errors import UserError, unknown_name
from perfwright.mcp import llvm, results
from perfwright.mcp.answers import answering
from perfwright.mcp.desk import Desk
from perfwright.mcp.paging import fenced, page_of, shown
from perfwright.mcp.waiting import awaited
from perfwright.minds.builtin.scorer import number
from perfwright.program.spec import ProgramSpec, load
from perfwright.units import parse_duration

Ctx = Context[Any, Any]

Cursor = Annotated[str, Field(description="the `next` of the page before")]
Limit = Annotated[int, Field(ge=1, le=100, description="most things on a page")]
Build = Annotated[str, Field(description="baseline, incumbent, or the id of a trial")]
Function = Annotated[str, Field(description="its symbol, as `functions` names it")]

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WORKS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_HOTTEST = 3


class ProposedEdit(BaseModel):
    """One edit, why it should help, and the facts that say so."""

    edit: str = Field(description="e.g. 'option inline-threshold=600'; see look_up(edits)")
    claim: str = Field(default="", description="why it should help, in one sentence")
    evidence: list[str] = Field(default=[], description="ids of facts")

    def idea(self) -> Idea:
        """As the session takes it."""
        return Idea(self.edit, self.claim, tuple(self.evidence))


@dataclass(frozen=True)
class Tools:
    """All tools over one desk."""

    desk: Desk

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register them."""
        looking: list[Callable[..., Any]] = [self.program, self.status, self.functions]
        looking += [self.remarks, self.facts, self.ir, self.assembly, self.counters]
        looking += [self.look_up, self.history, self.recipe]
        for tool in looking:
            server.add_tool(answering(tool), annotations=_READS)
        working: list[Callable[..., Any]] = [
            self.open,
            self.draft,
            self.propose,
            self.measure,
            self.confirm,
            self.close,
        ]
        for tool in working:
            server.add_tool(answering(tool), annotations=_WORKS)

    def program(self, path: str, arguments: list[str] | None = None) -> results.Names:
        """How perfwright understands a program: sources, workloads, oracle.  Runs nothing.

        path: a perfwright.toml, a folder with one, or one C/C++ source file; `arguments` are
        those of a one-file program.
        """
        spec = load(self.desk.permitted(path), arguments or (), self.desk.here)
        lines = [shown(line) for line in _described(spec)]
        return results.Names(lines=lines, total=len(lines))

    async def open(
        self,
        ctx: Ctx,
        *,
        program: str = "",
        arguments: list[str] | None = None,
        campaign: str = "",
        rounds: int = 3,
        time: str = "",
        metric: Literal["", "cpu", "wall", "instructions", "cycles"] = "",
        cpu: str = "",
        toolchain: str = "",
        seed: int = 0,
        weak_oracle: bool = False,
    ) -> results.Opened:
        """Open a campaign: build the baseline, check the oracle, gather the evidence (slow).

        A round is one measured candidate, or three that failed before.  `time` ("20m") limits
        wall time, your thinking included.  `campaign` goes on with an interrupted one instead.
        """
        if campaign:
            session = self.desk.reopen(campaign)
        else:
            request = TuneRequest(
                program=self.desk.permitted(program or "."),
                arguments=tuple(arguments or ()),
                cwd=self.desk.here,
                rounds=rounds,
                seconds=parse_duration(time) if time else None,
                metric=metric or None,
                toolchain=toolchain or None,
                cpu=cpu or None,
                seed=seed,
                weak_oracle=weak_oracle,
            )
            session = self.desk.open(request)
        try:
            asked = await awaited(ctx, session, session.begin)
        finally:
            if session.asked is None:
                self.desk.drop(session)
        return _opened(session, asked)

    def status(self) -> results.Status:
        """Where the campaign is, and which calls make sense next."""
        session = self.desk.session
        asked = session.asked
        trials = list(session.trials.values())
        return results.Status(
            standing=results.standing(session.campaign, asked) if asked else None,
            doing="waiting for you" if asked else session.doing,
            last=results.trial_view(trials[-1]) if trials else None,
        )

    def functions(self, cursor: Cursor = "", limit: Limit = 10) -> results.FactPage:
        """The program's functions, hottest first."""
        facts = [f for f in self._ground() if f.kind == "function"]
        return _facts_page(sorted(facts, key=_heat, reverse=True), cursor, limit)

    def remarks(
        self,
        function: str = "",
        outcome: Literal["", "passed", "missed", "analysis"] = "",
        pass_name: str = "",
        cursor: Cursor = "",
        limit: Limit = 10,
    ) -> results.FactPage:
        """What LLVM's passes said about the baseline: done, missed, and why; all filters are
        optional."""
        facts = [
            fact
            for fact in self._ground()
            if fact.kind == "remark"
            and function in ("", fact.data.get("symbol"))
            and outcome in ("", fact.data.get("outcome"))
            and pass_name in ("", fact.source)
        ]
        return _facts_page(facts, cursor, limit)

    def facts(
        self,
        kind: str = "",
        function: str = "",
        ids: list[str] | None = None,
        cursor: Cursor = "",
        limit: Limit = 10,
    ) -> results.FactPage:
        """The evidence by kind (profile, loop, branch, code, call...), function, or ids."""
        known = self._ground()
        for name in ids or ():
            if name not in {fact.id for fact in known}:
                raise unknown_name("fact", name, (fact.id for fact in known))
        kinds = {fact.kind for fact in known}
        if kind and kind not in kinds:
            raise unknown_name("kind of fact", kind, kinds)
        chosen = [
            fact
            for fact in known
            if kind in ("", fact.kind)
            and function in ("", fact.data.get("symbol"))
            and (not ids or fact.id in ids)
        ]
        return _facts_page(chosen, cursor, limit)

    def ir(
        self,
        function: Function,
        stage: Literal["input", "optimised"] = "optimised",
        build: Build = BASELINE_NAME,
        cursor: Cursor = "",
    ) -> results.TextPage:
        """A function's LLVM IR, as the optimiser gets it or leaves it."""
        session = self.desk.session
        candidate = session.named(build)
        unit = inside.unit_of(session.situation.ground.facts, function)
        with session.inside() as place:
            if stage == "input":
                text = inside.input_ir(place, unit, function)
            else:
                text = inside.optimised_ir(place, candidate, unit, function)
        return _text_page(text.splitlines(), cursor, "llvm")

    def assembly(
        self,
        function: Function,
        build: Build = BASELINE_NAME,
        against: Annotated[str, Field(description="another build: shows the difference")] = "",
        cursor: Cursor = "",
    ) -> results.TextPage:
        """A function's machine code, or what differs between two builds of it."""
        session = self.desk.session
        candidate = session.named(build)
        other = session.named(against) if against else None
        with session.inside() as place:
            lines = inside.assembly(place, candidate, function)
            if other is not None:
                lines = inside.code_changes(inside.assembly(place, other, function), lines)
        return _text_page(lines, cursor, "diff" if against else "asm")

    async def counters(self, ctx: Ctx, build: Build = BASELINE_NAME) -> results.Counters:
        """Time, instructions and cycles of one run: a hint, no measurement."""
        session = self.desk.session
        candidate = session.named(build)

        def count() -> inside.Counted:
            with session.inside() as place:
                return inside.counters(place, candidate)

        return results.counters(await awaited(ctx, session, count))

    def look_up(
        self,
        what: Literal["passes", "options", "pipeline", "edits"],
        match: Annotated[str, Field(description="only names or texts with this in them")] = "",
        cursor: Cursor = "",
        limit: Limit = 20,
    ) -> results.Names:
        """What may be edited: passes, options and the -O3 pipeline of the chosen LLVM, and how
        edits are written."""
        lines = llvm.listed(what, match, self.desk.toolchain_name)
        page = page_of(lines, cursor, limit, len)
        return results.Names(lines=list(page.items), total=page.total, next=page.next)

    async def draft(
        self, ctx: Ctx, edits: list[ProposedEdit], without: list[str] | None = None
    ) -> results.DraftView:
        """Build an idea to look at it: repairs, size, what changes in hot code.  Free: no trial,
        no round.  Edits come on top of the incumbent; `without` drops edits of it."""
        session = self.desk.session

        def look() -> results.DraftView:
            with session.inside() as place:
                candidate = session.candidate([edit.idea() for edit in edits], without or ())
                seen = inside.drafted(place, candidate, session.situation.incumbent)
            return results.draft_view(seen)

        return await awaited(ctx, session, look)

    async def propose(
        self,
        ctx: Ctx,
        edits: list[ProposedEdit],
        without: list[str] | None = None,
        lesson: Annotated[str, Field(description="what the last trial taught, briefly")] = "",
    ) -> results.Happened:
        """Try a candidate: it is repaired, built and checked; state `ready` waits for measure.

        Edits come on top of the incumbent; `without` drops edits of it.  One idea at a time.
        A `ready` candidate that is not measured is dropped by the next proposal.
        """
        session = self.desk.session
        ideas = [edit.idea() for edit in edits]

        def call() -> Asked:
            return session.propose(ideas, without=without or (), lesson=lesson)

        return results.happened(session.campaign, await awaited(ctx, session, call))

    async def measure(self, ctx: Ctx) -> results.Happened:
        """Time the ready candidate against incumbent and baseline (slow).  The rules accept it
        or roll it back; believe the verdict, not the plain ratio."""
        session = self.desk.session
        asked = await awaited(ctx, session, session.measure)
        return results.happened(session.campaign, asked)

    def history(self, cursor: Cursor = "", limit: Limit = 5) -> results.TrialPage:
        """The trials so far, newest first."""
        trials = list(reversed(self.desk.session.trials.values()))
        views = [results.trial_view(trial) for trial in trials]
        page = page_of(views, cursor, limit, lambda view: len(view.model_dump_json()))
        return results.TrialPage(trials=list(page.items), total=page.total, next=page.next)

    async def confirm(self, ctx: Ctx, lesson: str = "") -> results.Confirmed:
        """End the search (slow): prune the winner, confirm it on fresh runs of held-back
        workloads, write recipe and report.  Only this figure is to be reported."""
        session = self.desk.session
        document = await awaited(ctx, session, lambda: session.confirm(lesson))
        return results.confirmed(document)

    def recipe(
        self,
        format: Literal["toml", "make", "cmake", "shell"] = "toml",
        cursor: Cursor = "",
    ) -> results.TextPage:
        """The recipe of the confirmed campaign, for an ordinary build."""
        session = self.desk.session
        if not session.over:
            raise UserError("there is no recipe before the confirmation", hint="call confirm")
        text = export(session.campaign, format)
        return _text_page(text.splitlines(), cursor, format)

    def close(self) -> results.Names:
        """Put the campaign away; one that has not ended can be opened again by its id."""
        name = self.desk.close()
        line = f"put away: {name}" if name else "nothing was open"
        return results.Names(lines=[line], total=1)

    def _ground(self) -> tuple[Fact, ...]:
        return self.desk.session.situation.ground.facts


def _described(spec: ProgramSpec) -> list[str]:
    oracle = spec.oracle
    stdout = "exact" if oracle.stdout == "exact" else f"within {oracle.stdout}"
    judged = [f"exit {oracle.exit}", f"stdout {stdout}", *oracle.files]
    judged += [oracle.test] if oracle.test else []
    lines = [
        f"name: {spec.name}",
        f"file: {spec.path}",
        f"sources: {', '.join(p.name for p in spec.sources) or 'those of its build'}",
        f"build: {spec.build or ' '.join(('clang', *spec.cflags, '...', *spec.ldflags))}",
        *(f"workload {w.id}: {w.run or ' '.join(w.args)}" for w in spec.workloads),
        f"oracle: {', '.join(judged)}",
    ]
    if spec.confirms_on_train:
        lines.append("note: no workload has role = 'confirm': the final figure uses the same runs")
    return lines


def _opened(session: Session, asked: Asked) -> results.Opened:
    ground = asked.situation.ground
    hot = sorted((f for f in ground.facts if f.kind == "function"), key=_heat, reverse=True)
    place = session.place
    return results.Opened(
        program=str(session.request.program),
        toolchain=f"LLVM {place.setup.toolchain.version}" if place else "",
        metric=ground.metric,
        baseline_seconds=round(ground.baseline_seconds, 4),
        staged_road="closed" if ground.identity == "differs" else "open",
        hottest=[results.cited(fact, 160) for fact in hot[:_HOTTEST]],
        facts=dict(Counter(fact.kind for fact in ground.facts)),
        warnings=results.warnings_view(ground.warnings),
        standing=results.standing(session.campaign, asked),
    )


def _heat(fact: Fact) -> float:
    share = max(number(fact.data, "share"), number(fact.data, "source_share"))
    return share + 1e-9 * number(fact.data, "instructions")


def _facts_page(facts: Sequence[Fact], cursor: str, limit: int) -> results.FactPage:
    views = [results.cited(fact) for fact in facts]
    page = page_of(views, cursor, limit, lambda view: len(view.model_dump_json()))
    return results.FactPage(facts=list(page.items), total=page.total, next=page.next)


def _text_page(lines: Sequence[str], cursor: str, language: str) -> results.TextPage:
    page = page_of(lines, cursor, len(lines), lambda line: len(shown(line)) + 1)
    return results.TextPage(text=fenced(page.items, language), lines=page.total, next=page.next)
