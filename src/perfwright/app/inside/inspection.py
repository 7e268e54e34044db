"""What a thinking mind may look at: the -O3 outline, options, passes, IR and machine blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from perfwright.app.inside.blocks import block_lines
from perfwright.app.inside.builds import drafted, edit_from, function_of, mended
from perfwright.app.inside.drafts import WorkshopBench
from perfwright.app.inside.passes_ir import Moment, PassesIr, When
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Ground, Repaired
from perfwright.errors import unknown_name
from perfwright.minds.builtin.levers import LEVERS
from perfwright.pipeline.edits import SetOption, parse_edit
from perfwright.pipeline.options import TunableOption, format_value, tunable_options
from perfwright.pipeline.places import Located, locate_all
from perfwright.pipeline.tree import Node, Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.about import option_table, pass_registry

if TYPE_CHECKING:
    from perfwright.minds.llm.brief import Scene
    from perfwright.minds.llm.tools import Instruments

_LINE = 110
_IN_CODE = re.compile(r"-O\w*$|-m(?!llvm)[a-z]|-f(?!diagnostics|debug|file-prefix|macro-prefix)")
_BOOKKEEPING = re.compile(
    r"annotation|memprof-|coro-|require$|invalidate$|openmp-|ee-instrument|transform-warning"
    r"|alloc-token|cg-profile|rel-lookup-table|move-auto-init|recompute-globalsaa|called-value"
)
"""Passes for coroutines, OpenMP, instrumentation and warnings, and analyses asked for ahead."""


def scene(place: Workplace) -> Scene:
    """What is the same in all rounds."""
    from perfwright.minds.llm.brief import Scene

    setup = place.setup
    flags = _common_flags(unit.argv for unit in place.captured.units)
    named = [flag.partition("=")[2] for flag in flags if flag.startswith(("-march=", "-mcpu="))]
    cpu = setup.request.cpu or (named[-1] if named else "generic")
    cpu = setup.host.cpu if cpu == "native" else cpu
    registry = pass_registry(setup.toolchain, setup.host)
    return Scene(
        target=f"{setup.host.triple}, CPU {cpu}, LLVM {setup.toolchain.version}",
        outline=outline(parse(registry.pipelines["default<O3>"])),
        options=option_lines(int(str(setup.toolchain.version).partition(".")[0])),
        units=tuple(unit.name for unit in place.captured.units),
        built=" ".join(flags),
    )


def _common_flags(units: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """What all units are compiled with and code depends on: level, machine, mathematics, LTO."""
    first, *others = ([f for f in argv if _IN_CODE.match(f)] for argv in units)
    return tuple(f for f in dict.fromkeys(first) if all(f in flags for flags in others))


def outline(pipeline: Pipeline) -> str:
    """The pipeline with its places, nested like itself and without parameters.

    A place that is the only one of its name needs no number.  Passes that do not make code
    faster wherever they stand (`_BOOKKEEPING`) are left out; their places can be edited still.
    """
    everything = locate_all(pipeline)
    times = Counter(each.place.name for each in everything)
    located = [each for each in everything if not _BOOKKEEPING.match(each.node.name)]
    words: list[str] = []
    for index, each in enumerate(located):
        deeper = index + 1 < len(located) and located[index + 1].depth > each.depth
        after = located[index + 1].depth if index + 1 < len(located) else 0
        closing = ")" * max(0, each.depth - after)
        name = each.place if times[each.place.name] > 1 else each.place.name
        words.append(f"{name}{'(' if deeper else ''}{closing}")
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) + 1 > _LINE:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def option_lines(major: int) -> tuple[str, ...]:
    """Options that have helped before; a tool tells about all others."""
    known = tunable_options()
    edits = [parse_edit(text) for lever in LEVERS for text in lever.edits if "{" not in text]
    first = dict.fromkeys(edit.name for edit in edits if isinstance(edit, SetOption))
    first.setdefault("inline-threshold")
    return tuple(_option_line(known[name], major) for name in first if name in known)


def _option_line(option: TunableOption, major: int) -> str:
    default = option.default.get(str(major)) if isinstance(option.default, dict) else option.default
    shown = "?" if default is None else format_value(default)
    span = ", ".join(option.values) if option.values else ""
    if option.min is not None and option.max is not None:
        span = f"{option.min}..{option.max}"
    return f"{option.name}={shown}{f' ({span})' if span else ''}: {option.does}"


def instruments(place: Workplace) -> Instruments:
    """What the tools of a model are made of."""
    from perfwright.minds.llm.tools import Instruments

    looking = _Looking(place)
    return Instruments(
        bench=WorkshopBench(place.workshop),
        ir=looking.ir,
        option=looking.option,
        optimiser_pass=looking.optimiser_pass,
        functions=looking.functions,
        block=looking.block,
        effects=looking.effects,
    )


class _Looking:
    """Answers of the installed tools about options, passes and IR."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._toolchain = place.setup.toolchain
        registry = pass_registry(self._toolchain, place.setup.host)
        self._vocabulary = Vocabulary(registry)
        self._base = parse(registry.pipelines["default<O3>"])
        self._located = locate_all(self._base)

    def option(self, name: str) -> str:
        """What an option does.

        Raises:
            UserError: there is none of this name.
        """
        plain = name.strip().lstrip("-").removeprefix("mllvm ").partition("=")[0]
        major = int(str(self._toolchain.version).partition(".")[0])
        tunable = tunable_options().get(plain)
        if tunable is not None:
            return _option_line(tunable, major)
        table = option_table(self._toolchain)
        option = table.find(plain)
        if option is None:
            raise unknown_name("option", plain[:80], tunable_options())
        return f"{option.name} ({option.type}): {getattr(option, 'help', '') or 'undocumented'}"

    def optimiser_pass(self, name: str) -> str:
        """Where a pass runs and what it takes.

        Raises:
            UserError: there is none of this name.
        """
        plain = name.strip().partition("#")[0].partition("<")[0]
        nodes = [each for each in self._located if each.node.name == plain]
        if not nodes and plain not in self._vocabulary.names:
            raise unknown_name("pass", plain[:80], self._vocabulary.names)
        node: Node = nodes[0].node if nodes else parse(plain).nodes[0]
        takes = self._vocabulary.parameters(node)
        places = ", ".join(self._described(each) for each in nodes)
        where = f"in -O3 {places}" if places else "not part of -O3"
        return f"{plain}: {where}; parameters: {', '.join(takes or ()) or 'none'}"

    def _described(self, each: Located) -> str:
        inside = "the top" if each.parent is None else str(self._located[each.parent].place)
        return f"{each.node} is {each.place} in {inside}"

    def ir(
        self, symbol: str, pass_name: str, when: When, run: int = 1, edits: Sequence[str] = ()
    ) -> str:
        """A function's IR around a run of a pass, in the baseline's build or with edits.

        Raises:
            UserError: function, pass, run or edits are not valid.
        """
        draft = self._drafted(edits)
        moment = Moment(pass_name, when, run)
        said = PassesIr(self._place, self._facts).ir(symbol, moment, draft.candidate)
        return "\n".join([*draft.repairs, said])

    def block(self, symbol: str, name: str = "", edits: Sequence[str] = ()) -> str:
        """A function's machine blocks and loops, or one of them as llvm-mca sees it.

        Raises:
            UserError: function, block or edits are not valid.
        """
        function_of(self._facts, symbol)
        draft = self._drafted(edits)
        lines = block_lines(self._place, self._facts, symbol, name, draft.candidate)
        return "\n".join([*draft.repairs, *lines])

    def functions(self, symbols: Sequence[str]) -> Mapping[str, str]:
        """The IR of functions where vectorising begins; see `PassesIr.functions`."""
        return PassesIr(self._place, self._facts).functions(symbols)

    def effects(self, draft: Candidate, incumbent: Candidate) -> tuple[Fact, ...]:
        """What a draft changes in code and remarks; nothing of one that does not build."""
        seen = drafted(self._place, draft, incumbent)
        return seen.changes

    def _drafted(self, edits: Sequence[str]) -> Repaired:
        return mended(self._place, Candidate(tuple(edit_from(text) for text in edits)))

    @property
    def _facts(self) -> Sequence[Fact]:
        return self._place.journal.once("observe", Ground, _never).facts


def _never() -> Ground:
    raise AssertionError("a mind thinks after the program has been observed")
