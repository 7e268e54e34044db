"""What a model may look at while it thinks: bounded, and without effect on the campaign.

Every answer is short text.  A wrong question is answered with what is known, so that it costs
one call and no more.  What the tools said is in the journal as part of the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Refusal, Situation
from perfwright.errors import PerfwrightError, unknown_name
from perfwright.minds.llm.brief import fact_line, fenced, plain
from perfwright.minds.roles import Bench

_LONGEST = 3200
_LEVEL = "pipeline"
_MOST_EDITS = 24


def _nothing(*_: str) -> str:
    return "not available in this campaign"


@dataclass(frozen=True)
class Instruments:
    """What the tools are made of; all of it is optional.

    Attributes:
        bench: compiles drafts.
        ir: (symbol, pass, `before` or `after`) -> the function's IR there.
        option: name -> what an option does, its range, what -O3 uses.
        optimiser_pass: name -> its places in -O3 and its parameters.
    """

    bench: Bench | None = None
    ir: Callable[[str, str, str], str] = _nothing
    option: Callable[[str], str] = _nothing
    optimiser_pass: Callable[[str], str] = _nothing


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
            self.explain_option,
            self.explain_pass,
        )
        return (*always, self.try_draft) if self.instruments.bench else always

    def query_facts(self, kind: str = "", symbol: str = "", text: str = "", page: int = 1) -> str:
        """Find facts: remarks, functions, loops, branches, calls, code (with llvm-mca), profile.

        Args:
            kind: remark, function, loop, branch, call, code or profile; empty for all.
            symbol: only facts about this function; empty for all.
            text: only facts whose text has this in it, for example a pass or a file name.
            page: from 1.
        """

        def find() -> str:
            found = [f for f in self.situation.ground.facts if _matches(f, kind, symbol, text)]
            lines = [fact_line(fact) for fact in found]
            page_size = 20
            start = max(0, page - 1) * page_size
            head = f"{len(found)} facts, page {max(1, page)} of {-(-len(found) // page_size)}"
            return f"{head}\n{fenced(lines[start : start + page_size], _LONGEST)}"

        return self._answer("query_facts", find)

    def show_ir(self, symbol: str, pass_name: str, when: str = "after") -> str:
        """Show a function's IR before or after a pass of the -O3 pipeline, the first time it runs.

        Args:
            symbol: the function.
            pass_name: for example loop-vectorize.
            when: before or after.
        """

        def show() -> str:
            self._require_symbol(symbol)
            moment = "before" if when == "before" else "after"
            lines = self.instruments.ir(symbol, pass_name, moment).splitlines()
            return fenced((plain(line) for line in lines), _LONGEST)

        return self._answer("show_ir", show)

    def explain_option(self, name: str) -> str:
        """Say what an LLVM option does, what -O3 uses, and its sensible range.

        Args:
            name: without dashes, for example unroll-threshold.
        """
        return self._answer("explain_option", lambda: plain(self.instruments.option(name), 800))

    def explain_pass(self, name: str) -> str:
        """Say where a pass runs in -O3 and which parameters it takes.

        Args:
            name: for example simplifycfg.
        """
        said = self.instruments.optimiser_pass
        return self._answer("explain_pass", lambda: plain(said(name), 1200))

    def try_draft(self, edits: list[str]) -> str:
        """Compile a draft without running it: is it valid, and which hot functions change?

        Args:
            edits: lines in the grammar of edits, as in an answer.
        """
        bench = self.instruments.bench

        def compile_it() -> str:
            assert bench is not None, "the tool is offered only with a bench"
            lines = dict.fromkeys(text.strip() for text in edits[:_MOST_EDITS] if text.strip())
            draft = Candidate(tuple(Edit(_LEVEL, text) for text in lines))
            if not draft.edits:
                return "no edit was given"
            said = bench.draft(draft, self.situation.incumbent)
            if isinstance(said, Refusal):
                return f"refused: {plain(said.reason, 800)}"
            changed = ", ".join(plain(name, 80) for name in said.changed[:12]) or "none"
            grown = said.size_bytes - self.situation.ground.baseline.size_bytes
            return (
                f"valid; code {said.size_bytes} bytes, {grown:+d} against the baseline; "
                f"hot functions that change against the incumbent: {changed}"
            )

        return self._answer("try_draft", compile_it)

    def _answer(self, name: str, compute: Callable[[], str]) -> str:
        self.called.append(name)
        if self.left <= 0:
            return "No tool calls are left. Answer now."
        self.left -= 1
        try:
            said = compute()
        except PerfwrightError as error:
            said = plain(error.summary, 600)
        return f"{said[: _LONGEST + 200]}\n({self.left} tool calls left)"

    def _require_symbol(self, symbol: str) -> None:
        known = _symbols(self.situation.ground.facts)
        if symbol not in known:
            raise unknown_name("function", plain(symbol, 100), known)


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
