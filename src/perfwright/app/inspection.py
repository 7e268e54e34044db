"""What a thinking mind may look at: the -O3 outline, options, passes, and IR on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perfwright.app.drafts import WorkshopBench
from perfwright.app.workplace import Workplace
from perfwright.core.protocols import Ground
from perfwright.errors import UserError, unknown_name
from perfwright.minds.builtin.levers import LEVERS
from perfwright.pipeline.edits import SetOption, parse_edit
from perfwright.pipeline.fidelity import restored, text_options
from perfwright.pipeline.options import TunableOption, format_value, tunable_options
from perfwright.pipeline.places import Located, locate_all
from perfwright.pipeline.tree import Node, Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.program.plan import machine_options
from perfwright.toolchain.about import option_table, pass_registry
from perfwright.toolchain.process import Limits

if TYPE_CHECKING:
    from perfwright.minds.llm.brief import Scene
    from perfwright.minds.llm.tools import Instruments

_LINE = 110
_IR_LIMITS = Limits(wall=60.0)
_BANNER = "; *** IR Dump "


def scene(place: Workplace) -> Scene:
    """What is the same in all rounds."""
    from perfwright.minds.llm.brief import Scene

    setup = place.setup
    cpu = setup.host.cpu if setup.request.cpu == "native" else setup.request.cpu or "generic"
    registry = pass_registry(setup.toolchain, setup.host)
    return Scene(
        target=f"{setup.host.triple}, CPU {cpu}, LLVM {setup.toolchain.version}",
        outline=outline(parse(registry.pipelines["default<O3>"])),
        options=option_lines(int(str(setup.toolchain.version).partition(".")[0])),
        units=tuple(unit.name for unit in place.captured.units),
    )


def outline(pipeline: Pipeline) -> str:
    """The pipeline with its places, nested like itself and without parameters."""
    located = locate_all(pipeline)
    words: list[str] = []
    for index, each in enumerate(located):
        deeper = index + 1 < len(located) and located[index + 1].depth > each.depth
        after = located[index + 1].depth if index + 1 < len(located) else 0
        closing = ")" * max(0, each.depth - after)
        words.append(f"{each.place}{'(' if deeper else ''}{closing}")
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
        where = ", ".join(self._described(each) for each in nodes) or "not part of -O3"
        return f"{plain}: {where}; parameters: {', '.join(takes or ()) or 'none'}"

    def _described(self, each: Located) -> str:
        inside = "the top" if each.parent is None else str(self._located[each.parent].place)
        return f"{each.node} is {each.place} in {inside}"

    def ir(self, symbol: str, pass_name: str, when: str) -> str:
        """A function's IR before or after the first run of a pass in -O3.

        Raises:
            UserError: the pass is not part of -O3, or never ran on the function.
        """
        plain = pass_name.strip().partition("#")[0].partition("<")[0]
        names = [each.node.name for each in self._located]
        if plain not in names:
            raise unknown_name("pass of -O3", plain[:80], names)
        for unit in self._units_of(symbol):
            dumped = self._dump(unit, symbol, plain, when)
            if dumped:
                return dumped
        raise UserError(f"{plain} never ran on {symbol}")

    def _units_of(self, symbol: str) -> Sequence[str]:
        ground = self._place.journal.once("observe", Ground, _never)
        return [
            str(fact.data["unit"])
            for fact in ground.facts
            if fact.kind == "function" and fact.data.get("symbol") == symbol
        ]

    def _dump(self, unit: str, symbol: str, pass_name: str, when: str) -> str:
        place = self._place
        flags = (*place.captured.unit(unit).argv, *place.setup.base.compile_flags)
        options = text_options("O3", option_table(self._toolchain), {})
        result = place.look_inside(
            [
                self._toolchain.tool("opt"),
                f"-passes={restored(self._base, 'O3')}",
                f"-print-{when}={pass_name}",
                f"-filter-print-funcs={symbol}",
                *options,
                *machine_options(flags),
                "-disable-output",
                str(place.bitcode[unit].plain),
            ],
            _IR_LIMITS,
        )
        return _first_dump(result.error_text)


def _first_dump(text: str) -> str:
    """The first dump of the function, or of a loop in it; attributes and metadata add nothing."""
    _, _, rest = text.partition(_BANNER)
    _, _, body = rest.partition(_BANNER)[0].partition("\n")
    start = max(0, body.find("define "))
    lines = (line.partition(", !")[0] for line in body[start:].splitlines())
    return "\n".join(line for line in lines if line.strip())


def _never() -> Ground:
    raise AssertionError("a mind thinks after the program has been observed")
