"""Evidence as facts: one line each, with an id that claims can cite.

The mind reads these, and nothing else of the evidence; hence the text says the numbers that
matter, and `data` has all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from perfwright.core.evidence import Fact, Scalar
from perfwright.evidence.branches import BranchFact, LoopFact
from perfwright.evidence.disassembly import InstructionMix
from perfwright.evidence.factbook import (
    FactBook,
    count_of,
    function_id,
    location_id,
    percent,
    plural,
)
from perfwright.evidence.functions import CallEdge, call_graph
from perfwright.evidence.gathered import Evidence, FunctionEvidence
from perfwright.evidence.hotcode import HotFunction, HotLoop
from perfwright.evidence.profile import Profile
from perfwright.evidence.tally import RemarkSummary

_LINE_SHARE = 0.005
_OUTSIDE_SHARE = 0.01
_HOT_CALL_SHARE = 0.01
_RARE_BRANCH = 0.001
_RARE_CALL = 0.001
_TOLD = ("loop", "call", "indirect call", "division")
_EXPONENT = re.compile(r"-?\d+\.\d+e[+-]\d+")


def facts_of(evidence: Evidence) -> Mapping[str, Fact]:
    """Everything as facts by id, in the order in which a reader wants to know it."""
    book = FactBook()
    readable = {f.features.name: f.readable for f in evidence.functions}
    add_profile(book, evidence.profile)
    add_functions(book, tuple(_own(evidence.functions)), evidence.calls)
    add_code(book, evidence.code, readable)
    add_loops(book, evidence.loops, readable)
    add_branches(book, evidence.branches, readable)
    add_calls(book, evidence.calls, evidence.functions)
    add_remarks(book, evidence.remarks)
    return book.facts


def _own(functions: Iterable[FunctionEvidence]) -> Iterable[FunctionEvidence]:
    """The program's own functions, and those of libraries' headers that take time."""
    for function in functions:
        place = function.features.place
        if function.hotness or place is None or not PurePosixPath(place.file).is_absolute():
            yield function


def add_functions(
    book: FactBook, functions: Sequence[FunctionEvidence], calls: Iterable[CallEdge] = ()
) -> None:
    """What each function is like, how hot it is, and which of the program's own it calls."""
    callees = call_graph(calls, {function.features.name for function in functions})
    for function in functions:
        features = function.features
        book.add(
            function_id("fun", features.unit, features.name, function.readable),
            "function",
            "opt",
            str(features.place or features.unit),
            _function_text(function),
            symbol=features.name,
            unit=features.unit,
            linkage=features.linkage,
            local=features.is_local,
            address_taken=features.address_taken,
            trivial=features.trivial,
            io_bound=features.io_bound,
            share=function.share,
            source_share=function.source_share,
            size_bytes=function.size_bytes,
            entries=function.entries,
            callees=callees.get((features.unit, features.name)),
            **features.properties,
        )


def _function_text(function: FunctionEvidence) -> str:
    features = function.features
    said = [f"{percent(function.share)} of the run time"] if function.share else []
    if function.source_share:
        said.append(f"{percent(function.source_share)} in its own lines")
    if function.entries is not None:
        said.append(f"entered {function.entries} times")
    said.append(f"{features.instructions} instructions")
    counts = ((features.properties.get(plural(noun).replace(" ", "_"), 0), noun) for noun in _TOLD)
    said += [count_of(count, noun) for count, noun in counts if count]
    said += ["local"] if features.is_local else []
    said += ["address taken"] if features.address_taken else []
    said += ["trivial"] if features.trivial else []
    said += ["mostly input and output"] if features.io_bound else []
    return f"{function.readable} in {features.unit}: {', '.join(said)}"


def add_remarks(book: FactBook, summary: RemarkSummary) -> None:
    """What the passes said and, where that is told apart from it, why."""
    for group in summary.groups:
        remark = group.remark
        place = remark.place if remark.place and remark.place.line else None
        message = _EXPONENT.sub(lambda m: f"{float(m[0]):g}", remark.explained)
        times = f" (x{group.count})" if group.count > 1 else ""
        where = str(place) if place else remark.function
        book.add(
            location_id(
                "rem", group.unit, remark.function, remark.pass_name, remark.name, remark.place
            ),
            "remark",
            remark.pass_name,
            where,
            f"{remark.kind}: {message}{times}",
            outcome=remark.kind,
            name=remark.name,
            unit=group.unit,
            symbol=remark.function,
            count=group.count,
            cause=remark.cause or None,
            hotness=remark.hotness,
            **{
                f"remark_{key}" if key in _RESERVED else key: value
                for key, value in remark.values.items()
            },
        )


_RESERVED = frozenset(
    {
        *("fact_id", "kind", "source", "where", "text"),
        *("outcome", "name", "unit", "symbol", "count", "cause", "hotness"),
    }
)
"""Names of arguments of a remark that would hide our own."""


def add_profile(book: FactBook, profile: Profile) -> None:
    """How the profile was made, the hot lines, and what is outside the program."""
    if not profile.available:
        book.add("prof-method", "profile", "none", "", f"no profile: {profile.reason}")
        return
    book.add(
        "prof-method",
        "profile",
        profile.method,
        "",
        f"profile by {profile.method}, {profile.samples} samples; "
        f"{percent(profile.outside)} of the run time is in libraries and the kernel",
        samples=profile.samples,
        outside=profile.outside,
    )
    for share in profile.shares:
        if share.image and share.share >= _OUTSIDE_SHARE:
            name = share.name if share.name == share.image else f"{share.name} in {share.image}"
            text = f"{name}: {percent(share.share)} of the run time"
            fact_id = f"prof-{share.name}".replace(" ", "_")
            book.add(fact_id, "profile", profile.method, share.image, text, share=share.share)
    for line in profile.lines:
        if line.share >= _LINE_SHARE and line.place.line:
            book.add(
                f"hot-{PurePosixPath(line.place.file).name}:{line.place.line}",
                "profile",
                profile.method,
                str(line.place),
                f"{percent(line.share)} of the run time is on this line of {line.function}",
                share=line.share,
                symbol=line.function,
            )


def add_loops(
    book: FactBook, loops: Iterable[LoopFact], readable: Mapping[str, str] | None = None
) -> None:
    """The loops: how deep, how often, how expensive."""
    for fact in loops:
        loop = fact.loop
        start = loop.start
        fact_id = location_id("loop", loop.unit, loop.function, loop.header)
        if start is not None:
            fact_id = f"loop-{PurePosixPath(start.file).name}:{start.line}:{start.column}"
        book.add(
            fact_id,
            "loop",
            "opt" if fact.entries is None else "llvm-cov",
            str(loop.start or loop.function),
            _loop_text(fact, (readable or {}).get(loop.function, loop.function)),
            symbol=loop.function,
            unit=loop.unit,
            depth=loop.depth,
            innermost=loop.innermost,
            calls=loop.calls,
            share=fact.share,
            trip_count=loop.trips.exact,
            trip_limit=loop.trips.limit,
            trip_multiple=loop.trips.multiple,
            computable=loop.trips.computable,
            entries=fact.entries,
            iterations=fact.iterations,
            per_entry=fact.per_entry,
            end_line=loop.end.line if loop.end else None,
        )


def _loop_text(fact: LoopFact, name: str) -> str:
    loop = fact.loop
    said = [f"{'innermost ' if loop.innermost else ''}loop in {name}, depth {loop.depth}"]
    if fact.share:
        said.append(f"{percent(fact.share)} of the run time")
    if fact.per_entry is not None:
        said.append(f"{fact.per_entry:.4g} iterations each of {fact.entries} times it is entered")
    elif fact.entries == 0:
        said.append("never entered")
    if loop.trips.exact is not None:
        said.append(f"always {loop.trips.exact} iterations")
    elif loop.trips.limit is not None:
        said.append(f"at most {loop.trips.limit} iterations")
    elif not loop.trips.computable:
        said.append("trip count not known when it is entered")
    said += [f"{count_of(loop.calls, 'call')} inside"] if loop.calls else []
    return ", ".join(said)


def add_branches(
    book: FactBook,
    branches: Sequence[BranchFact],
    readable: Mapping[str, str] | None = None,
    *,
    limit: int = 60,
) -> None:
    """The branches that matter: those evaluated often, but for conditions of loops."""
    most = branches[0].count if branches else 0
    kept = [b for b in branches if not b.in_loop and b.count >= _RARE_BRANCH * most]
    for branch in kept[:limit]:
        file = PurePosixPath(branch.place.file).name
        name = (readable or {}).get(branch.function, branch.function)
        text = f"branch in {name}: {branch.bias}, true {percent(branch.ratio)}"
        book.add(
            f"br-{file}:{branch.place.line}:{branch.place.column}",
            "branch",
            "llvm-cov",
            str(branch.place),
            f"{text} of {branch.count} times",
            symbol=branch.function,
            taken=branch.taken,
            not_taken=branch.not_taken,
            ratio=branch.ratio,
            bias=branch.bias,
        )


def add_calls(
    book: FactBook, calls: Iterable[CallEdge], functions: Sequence[FunctionEvidence]
) -> None:
    """Hot calls that the compiler cannot see through: into other units, or by pointer."""
    callers = {(f.features.unit, f.features.name): f for f in functions}
    often = _RARE_CALL * max((f.entries or 0 for f in functions), default=0)
    globals_by_name = {f.features.name: f for f in functions if not f.features.is_local}
    for edge in calls:
        caller = callers.get((edge.unit, edge.caller))
        callee = callers.get((edge.unit, edge.callee)) or globals_by_name.get(edge.callee)
        crosses = callee is not None and callee.features.unit != edge.unit
        if caller is None or not (crosses or not edge.callee):
            continue
        hotness = max(caller.hotness, callee.hotness if callee else 0.0)
        rare = callee is not None and callee.entries is not None and callee.entries < often
        if hotness < _HOT_CALL_SHARE or rare:
            continue
        book.add(
            location_id("call", edge.unit, edge.caller, edge.callee, edge.loop_depth),
            "call",
            "opt",
            str(edge.place or edge.caller),
            _call_text(edge, caller, callee),
            caller=edge.caller,
            callee=edge.callee or None,
            unit=edge.unit,
            callee_unit=callee.features.unit if callee else None,
            sites=edge.sites,
            loop_depth=edge.loop_depth,
            callee_instructions=callee.features.instructions if callee else None,
            callee_entries=callee.entries if callee else None,
            hotness=hotness,
        )


def _call_text(edge: CallEdge, caller: FunctionEvidence, callee: FunctionEvidence | None) -> str:
    depth = f"in a loop of depth {edge.loop_depth}" if edge.loop_depth else "outside loops"
    if callee is None:
        return f"{caller.readable} calls through a pointer {depth}"
    entries = "" if callee.entries is None else f", entered {callee.entries} times"
    return (
        f"{caller.readable} calls {callee.readable} {depth}; it is defined in another unit, "
        f"{callee.features.unit}: {callee.features.instructions} instructions{entries}"
    )


def add_code(
    book: FactBook,
    functions: Iterable[HotFunction],
    readable: Mapping[str, str] | None = None,
) -> None:
    """The machine code of hot functions and of the hot loops in them."""
    for hot in functions:
        symbol = hot.code.name
        name = (readable or {}).get(symbol, symbol)
        text = f"machine code of {name}: {mix_text(hot.mix)}"
        fact_id = f"code-{name.replace(' ', '_')}"
        data = mix_data(hot.mix)
        book.add(
            fact_id, "code", "llvm-objdump", name, text, symbol=symbol, share=hot.share, **data
        )
        for number, loop in enumerate(hot.loops, 1):
            if loop.share or number == 1:
                _add_hot_loop(book, f"{fact_id}-loop{number}", name, loop)


def _add_hot_loop(book: FactBook, fact_id: str, name: str, loop: HotLoop) -> None:
    said = f"{percent(loop.share)} of the run time: " if loop.share else ""
    text = f"machine loop of {name}, {said}{mix_text(loop.mix)}"
    data: dict[str, Scalar] = dict(mix_data(loop.mix))
    if loop.throughput is not None:
        speed = loop.throughput
        bound = "" if speed.bottleneck == "none" else f", bound by {speed.bottleneck}"
        text += f"; at best {speed.cycles:.1f} cycles an iteration{bound}"
        text += " (without its calls)" if speed.has_calls else ""
        data |= {"cycles": speed.cycles, "ipc": speed.ipc, "bottleneck": speed.bottleneck}
        data |= {"reciprocal_throughput": speed.reciprocal_throughput, "busiest": speed.busiest}
    book.add(
        fact_id,
        "code",
        "llvm-mca" if loop.throughput else "llvm-objdump",
        str(loop.place or name),
        text,
        symbol=loop.function,
        share=loop.share,
        start=loop.start,
        **data,
    )


def mix_text(mix: InstructionMix) -> str:
    """An instruction mix in words; what is not there is not named, but for vectors."""
    vectors = f"{mix.vector} vector of {mix.vector_bits} bits" if mix.vector else "no vector code"
    said = [f"{mix.instructions} instructions", vectors]
    counts = (
        (mix.calls, "call"),
        (mix.branches, "branch"),
        (mix.indirect_jumps, "indirect jump"),
        (mix.selects, "select"),
        (mix.stack_accesses, "stack access"),
        (mix.divisions, "division"),
    )
    said += [count_of(count, noun) for count, noun in counts if count]
    return ", ".join(said)


def mix_data(mix: InstructionMix) -> Mapping[str, int]:
    """The numbers of an instruction mix."""
    return dict(vars(mix))
