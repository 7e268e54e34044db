"""What a model may look at while it thinks: bounded, and without effect on the campaign.

Every answer is short text.  A wrong question is answered with what is known, so that it costs
one call and no more.  What the tools said is in the journal as part of the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Refusal, Situation
from perfwright.errors import PerfwrightError, unknown_name
from perfwright.evidence.diff import is_total_size
from perfwright.minds.llm.fence import fenced, group_line, plain, refusal
from perfwright.minds.llm.ir import shortened
from perfwright.minds.llm.selection import alike
from perfwright.minds.roles import Bench, Draft

_LONGEST = 3200
_LONGEST_IR = 2000
_LEVEL = "pipeline"
_MOST_EDITS = 24
_MOST_EFFECTS, _EFFECT = 6, 160
_WIDEST = 1200
"""Of a line: the list of a function's blocks is one."""

When = Literal["before", "after"]


def _nothing(*_: object) -> str:
    return "not available in this campaign"


def _no_functions(symbols: Sequence[str]) -> Mapping[str, str]:
    del symbols
    return {}


def _no_effects(draft: Candidate, incumbent: Candidate) -> Sequence[Fact]:
    del draft, incumbent
    return ()


@dataclass(frozen=True)
class Instruments:
    """What the tools are made of; all of it is optional.

    Attributes:
        bench: compiles drafts.
        effects: (draft, incumbent) -> what changed in code and remarks, the most telling first.
        ir: (symbol, pass, `before` or `after`, run from 1, edits) -> the function's IR there.
        block: (symbol, block, edits) -> the machine code of a block with llvm-mca's estimate;
            without a block a list of them.
        option: name -> what an option does, its range, what -O3 uses.
        optimiser_pass: name -> its places in -O3 and its parameters.
        functions: symbols -> the IR of each where -O3 begins to vectorise, those that are there.
    """

    bench: Bench | None = None
    effects: Callable[[Candidate, Candidate], Sequence[Fact]] = _no_effects
    ir: Callable[[str, str, When, int, Sequence[str]], str] = _nothing
    block: Callable[[str, str, Sequence[str]], str] = _nothing
    option: Callable[[str], str] = _nothing
    optimiser_pass: Callable[[str], str] = _nothing
    functions: Callable[[Sequence[str]], Mapping[str, str]] = _no_functions


@dataclass
class Toolbox:
    """The tools for one question; `left` is how many calls remain."""

    situation: Situation
    instruments: Instruments
    left: int
    called: list[str] = field(default_factory=list)

    @property
    def tools(self) -> tuple[Callable[..., str], ...]:
        """As functions whose names, types and docstrings are what the model sees."""
        always: tuple[Callable[..., str], ...] = (
            self.query_facts,
            self.show_ir,
            self.show_block,
            self.explain_option,
            self.explain_pass,
        )
        return (*always, self.try_draft) if self.instruments.bench else always

    def query_facts(self, kind: str = "", symbol: str = "", text: str = "", page: int = 1) -> str:
        """Find facts.

        Args:
            kind: remark, function, loop, branch, call, code or profile; empty for all.
            symbol: only about this function.
            text: only with this in them, for example a pass or a file name.
            page: from 1.
        """

        def find() -> str:
            found = [f for f in self.situation.ground.facts if _matches(f, kind, symbol, text)]
            lines = [group_line(group) for group in alike(found)]
            page_size = 12
            start = max(0, page - 1) * page_size
            head = f"{len(found)} facts, page {max(1, page)} of {-(-len(lines) // page_size)}"
            return f"{head}\n{fenced(lines[start : start + page_size], _LONGEST)}"

        return self._answer("query_facts", find)

    def show_ir(
        self,
        symbol: str,
        pass_name: str,
        when: str = "after",
        run: int = 1,
        edits: Sequence[str] = (),
    ) -> str:
        """Show a function's IR around any run of any pass.

        Args:
            symbol: the function.
            pass_name: or place: licm, licm#2.
            when: before or after.
            run: on this function.
            edits: of the pipeline; none: as it is.
        """

        def show() -> str:
            self._require_symbol(symbol)
            moment: When = "before" if when == "before" else "after"
            said = self.instruments.ir(symbol, pass_name, moment, run, _edit_lines(edits))
            return shortened([plain(line) for line in said.splitlines()], _LONGEST_IR)

        return self._answer("show_ir", show)

    def show_block(self, symbol: str, block: str = "", edits: Sequence[str] = ()) -> str:
        """Ask llvm-mca about a machine block or loop of a function; without one, list them.

        Args:
            symbol: the function.
            block: b3 or loop 1.
            edits: of a draft to be built.
        """

        def show() -> str:
            self._require_symbol(symbol)
            said = self.instruments.block(symbol, block, _edit_lines(edits))
            return fenced((plain(line, _WIDEST) for line in said.splitlines()), _LONGEST)

        return self._answer("show_block", show)

    def explain_option(self, name: str) -> str:
        """Say what an LLVM option does, what -O3 uses, and its sensible range.

        Args:
            name: for example unroll-threshold.
        """
        return self._answer("explain_option", lambda: plain(self.instruments.option(name), 800))

    def explain_pass(self, name: str) -> str:
        """Say where a pass runs in -O3 and which parameters it takes.

        Args:
            name: for example simplifycfg.
        """
        said = self.instruments.optimiser_pass
        return self._answer("explain_pass", lambda: plain(said(name), 1200))

    def try_draft(self, edits: Sequence[str]) -> str:
        """Compile a draft without running it: is it valid, what does it change?

        Args:
            edits: lines as in an answer.
        """
        bench = self.instruments.bench

        def compile_it() -> str:
            assert bench is not None, "the tool is offered only with a bench"
            draft = Candidate(tuple(Edit(_LEVEL, text) for text in _edit_lines(edits)))
            if not draft.edits:
                return "no edit was given"
            said = bench.draft(draft, self.situation.incumbent)
            if isinstance(said, Refusal):
                return f"refused: {refusal(said.reason)}"
            return "\n".join([self._valid(said), *self._effects(draft)])

        return self._answer("try_draft", compile_it)

    def _valid(self, draft: Draft) -> str:
        changed = ", ".join(plain(name, 80) for name in draft.changed[:12]) or "none"
        grown = draft.size_bytes - self.situation.ground.baseline.size_bytes
        return (
            f"valid; code of the whole program {draft.size_bytes} bytes, {grown:+d} against the "
            "baseline; "
            f"hot functions that change against the incumbent: {changed}"
        )

    def _effects(self, draft: Candidate) -> list[str]:
        facts = self.instruments.effects(draft, self.situation.incumbent)
        told = [fact for fact in facts if not is_total_size(fact)]  # is said already
        lines = [plain(fact.text, _EFFECT) for fact in told[:_MOST_EFFECTS]]
        return [fenced(lines, _LONGEST)] if lines else []

    def _answer(self, name: str, compute: Callable[[], str]) -> str:
        self.called.append(name)
        if self.left <= 0:
            return "No tool calls are left. Answer now."
        self.left -= 1
        try:
            said = compute()
        except PerfwrightError as error:
            said = plain("; ".join(filter(None, (error.summary, error.hint))), 600)
        return f"{said[: _LONGEST + 200]}\n({self.left} tool calls left)"

    def _require_symbol(self, symbol: str) -> None:
        known = _symbols(self.situation.ground.facts)
        if symbol.rpartition(":")[2] not in known:  # also as unit:symbol
            raise unknown_name("function", plain(symbol, 100), known)


def _edit_lines(edits: Sequence[str]) -> tuple[str, ...]:
    """Each edit once, not more than anybody needs."""
    return tuple(dict.fromkeys(text.strip() for text in edits[:_MOST_EDITS] if text.strip()))


def _symbols(facts: Sequence[Fact]) -> list[str]:
    return [str(fact.data["symbol"]) for fact in facts if "symbol" in fact.data]


def _matches(fact: Fact, kind: str, symbol: str, text: str) -> bool:
    if kind and fact.kind != kind:
        return False
    names = (fact.data.get("symbol"), fact.data.get("caller"), fact.data.get("callee"))
    if symbol and symbol not in map(str, names):
        return False
    hay = f"{fact.id} {fact.source} {fact.where} {fact.text}".lower()
    return not text or text.lower() in hay
