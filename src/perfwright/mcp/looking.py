"""The tools that look: at the program, its evidence, builds and the journal.  Nothing is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from perfwright.app.agent.session import BASELINE_NAME, Session
from perfwright.app.inside import builds
from perfwright.app.inside.blocks import block_lines
from perfwright.app.inside.passes_ir import Moment, PassesIr
from perfwright.app.recipes import export
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.errors import UserError, unknown_name
from perfwright.mcp import llvm, results
from perfwright.mcp.answers import answering
from perfwright.mcp.arguments import Cursor, EditTexts, Symbol, Text, Texts, Words
from perfwright.mcp.desk import Desk
from perfwright.mcp.paging import page_of, shown
from perfwright.mcp.waiting import awaited
from perfwright.program.spec import ProgramSpec, load

Ctx = Context[Any, Any]

Limit = Annotated[int, Field(ge=1, le=100)]
Build = Annotated[Text, Field(description="baseline, incumbent, or a trial's id")]
Function = Annotated[Symbol, Field(description="symbol, as `functions` names it")]
Edits = Annotated[EditTexts | None, Field(description="tried on top of `build`")]

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


@dataclass(frozen=True)
class Looking:
    """These tools over one desk."""

    desk: Desk

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register them."""
        tools: list[Callable[..., Any]] = [self.program, self.status, self.functions]
        tools += [self.remarks, self.facts, self.ir, self.block, self.assembly, self.counters]
        tools += [self.look_up, self.history, self.recipe]
        for tool in tools:
            server.add_tool(answering(tool), annotations=_READS)

    def program(self, program: Symbol, arguments: Words | None = None) -> results.Names:
        """How perfwright understands a program: sources, workloads, oracle.  Runs nothing.

        program: a perfwright.toml, a folder with one, or one C/C++ source file; `arguments` are
        those of a one-file program.
        """
        spec = load(self.desk.permitted(program), arguments or (), self.desk.here)
        lines = [shown(line) for line in _described(spec)]
        return results.Names(lines=lines, total=len(lines))

    def status(self) -> results.Status:
        """Where the campaign is, and which calls make sense next."""
        held = self.desk.held
        asked = held.asked if isinstance(held, Session) else None
        trials = list(held.trials.values())
        return results.Status(
            standing=results.standing(held.campaign, asked) if asked else None,
            doing="waiting for you" if asked else held.doing,
            last=results.trial_view(trials[-1]) if trials else None,
        )

    def functions(self, cursor: Cursor = "", limit: Limit = 10) -> results.FactPage:
        """The program's functions, hottest first."""
        facts = [f for f in self._ground() if f.kind == "function"]
        return _facts_page(sorted(facts, key=results.heat, reverse=True), cursor, limit)

    def remarks(
        self,
        function: Symbol = "",
        outcome: Literal["", "passed", "missed", "analysis"] = "",
        pass_name: Text = "",
        cursor: Cursor = "",
        limit: Limit = 10,
    ) -> results.FactPage:
        """What LLVM's passes said about the baseline: done, missed, and why; all filters are
        optional."""
        facts = [
            fact
            for fact in self._about(function)
            if fact.kind == "remark"
            and outcome in ("", fact.data.get("outcome"))
            and pass_name in ("", fact.source)
        ]
        return _facts_page(facts, cursor, limit)

    def facts(
        self,
        kind: Text = "",
        function: Symbol = "",
        ids: Texts | None = None,
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
            for fact in self._about(function)
            if kind in ("", fact.kind) and (not ids or fact.id in ids)
        ]
        return _facts_page(chosen, cursor, limit)

    async def ir(
        self,
        ctx: Ctx,
        function: Function,
        *,
        pass_name: Annotated[Text, Field(description="or place: licm, licm#2")] = "",
        when: Literal["before", "after"] = "after",
        run: Annotated[int, Field(ge=1, lt=100_000, description="which run of the pass on it")] = 1,
        build: Build = BASELINE_NAME,
        edits: Edits = None,
        cursor: Cursor = "",
    ) -> results.TextPage:
        """A function's LLVM IR before or after any run of any pass; without a pass, of the
        whole optimiser."""
        session = self.desk.session

        def look() -> str:
            with session.inside() as place:
                candidate = _edited(session, place, build, edits)
                facts = session.situation.ground.facts
                if pass_name:
                    moment = Moment(pass_name, when, run)
                    return PassesIr(place, facts).ir(function, moment, candidate)
                unit, symbol = builds.function_of(facts, function)
                if when == "before":
                    return builds.input_ir(place, unit, symbol)
                return builds.optimised_ir(place, candidate, unit, symbol)

        text = await awaited(ctx, session, look)
        return results.text_page(text.splitlines(), cursor, "llvm")

    async def block(
        self,
        ctx: Ctx,
        function: Function,
        *,
        block: Annotated[Text, Field(description="b3 or 'loop 1'; empty lists all")] = "",
        build: Build = BASELINE_NAME,
        edits: Edits = None,
        cursor: Cursor = "",
    ) -> results.TextPage:
        """A function's machine blocks and loops; or one of them with llvm-mca's estimate: cycles
        an iteration, IPC, bottleneck, busiest unit."""
        session = self.desk.session

        def look() -> Sequence[str]:
            facts = session.situation.ground.facts
            builds.function_of(facts, function)
            with session.inside() as place:
                candidate = _edited(session, place, build, edits)
                return block_lines(place, facts, function, block, candidate)

        return results.text_page(await awaited(ctx, session, look), cursor, "asm")

    def assembly(
        self,
        function: Function,
        build: Build = BASELINE_NAME,
        against: Annotated[Text, Field(description="another build: shows the difference")] = "",
        cursor: Cursor = "",
    ) -> results.TextPage:
        """A function's machine code, or what differs between two builds of it."""
        session = self.desk.session
        candidate = session.named(build)
        other = session.named(against) if against else None
        with session.inside() as place:
            lines = builds.assembly(place, candidate, function)
            if other is not None:
                lines = builds.code_changes(builds.assembly(place, other, function), lines)
        return results.text_page(lines, cursor, "diff" if against else "asm")

    async def counters(self, ctx: Ctx, build: Build = BASELINE_NAME) -> results.Counters:
        """Time, instructions and cycles of one run: a hint, no measurement."""
        session = self.desk.session
        candidate = session.named(build)

        def count() -> builds.Counted:
            with session.inside() as place:
                return builds.counters(place, candidate)

        return results.counters(await awaited(ctx, session, count))

    def look_up(
        self,
        what: Literal["passes", "options", "pipeline", "edits"],
        match: Annotated[Text, Field(description="only names or texts with this in them")] = "",
        cursor: Cursor = "",
        limit: Limit = 20,
    ) -> results.Names:
        """What may be edited: passes, options and the -O3 pipeline of the chosen LLVM, and how
        edits are written."""
        lines = [shown(line) for line in llvm.listed(what, match, self.desk.toolchain_name)]
        page = page_of(lines, cursor, limit, len)
        return results.Names(lines=list(page.items), total=page.total, next=page.next)

    def history(self, cursor: Cursor = "", limit: Limit = 5) -> results.TrialPage:
        """The trials so far, newest first."""
        trials = list(reversed(self.desk.held.trials.values()))
        views = [results.trial_view(trial) for trial in trials]
        page = page_of(views, cursor, limit, lambda view: len(view.model_dump_json()))
        return results.TrialPage(trials=list(page.items), total=page.total, next=page.next)

    def recipe(
        self,
        format: Literal["toml", "make", "cmake", "shell"] = "toml",
        cursor: Cursor = "",
    ) -> results.TextPage:
        """The recipe of the confirmed campaign, for an ordinary build."""
        held = self.desk.held
        if not held.over:
            raise UserError("there is no recipe before the confirmation", hint="call confirm")
        text = export(held.campaign, format)
        return results.text_page(text.splitlines(), cursor, format)

    def _about(self, function: str) -> tuple[Fact, ...]:
        """The evidence, of one function when it is named.

        Raises:
            UserError: nothing is known of such a function.
        """
        facts = self._ground()
        if not function:
            return facts
        known = {str(fact.data["symbol"]) for fact in facts if "symbol" in fact.data}
        if function not in known:
            raise unknown_name("function", function, known)
        return tuple(fact for fact in facts if fact.data.get("symbol") == function)

    def _ground(self) -> tuple[Fact, ...]:
        return self.desk.session.situation.ground.facts


def _edited(
    session: Session, place: Workplace, build: str, edits: Sequence[str] | None
) -> Candidate:
    """A build's candidate with further edits, mended."""
    candidate = session.named(build)
    if not edits:
        return candidate
    added = tuple(builds.edit_from(text) for text in edits)
    new = (edit for edit in dict.fromkeys(added) if edit not in candidate.edits)
    return builds.mended(place, Candidate((*candidate.edits, *new))).candidate


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


def _facts_page(facts: Sequence[Fact], cursor: str, limit: int) -> results.FactPage:
    views = [results.cited(fact) for fact in facts]
    page = page_of(views, cursor, limit, lambda view: len(view.model_dump_json()))
    return results.FactPage(facts=list(page.items), total=page.total, next=page.next)
