"""What a model is shown: compact, budgeted text.

Everything that comes from the program or the compiler stands between fences as data.  What
does not fit the budget is left out from the end, and the text says how much: tools fetch it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.minds.builtin.levers import LEVERS
from perfwright.minds.llm.fence import closed, fact_line, fenced, group_line, plain, refusal
from perfwright.minds.llm.ir import ir_part
from perfwright.minds.llm.selection import (
    has_profile,
    is_idle,
    number,
    relevant,
    share_of,
    weights_of,
)
from perfwright.minds.roles import REMARKS, Diagnosis, Priority

CHARACTERS_A_TOKEN = 3.3
"""Over all recorded requests of `benchmarks/model_tokens.py`, prompts, facts, IR and schemas,
as the vocabulary cl100k_base cuts them; `--tiktoken cl100k_base` counts them again."""

_CHANGE, _CHANGES = 200, 1600
_CLAIM, _CLAIMS = 140, 600
_HISTORY, _BEFORE = 4000, 800
_TRIALS = 12
_LESSON = 240
_PLACES = 3
_DIAGNOSES = 20
_SAME = 80
"""A diagnosis that begins like a fact says the same."""

_OPTIONS_TOLD = 12
_UNITS = 40
_CALLEES = 200
_LEAST_ROOM = 2000
_DEEPEST = 4


@dataclass(frozen=True)
class Budget:
    """How much a model is shown.

    Attributes:
        tokens: of one brief, its outline and options included, IR apart.
        top: functions that are looked into.
        ir_tokens: of LLVM IR in the analyst's brief; 0 sends none.
    """

    tokens: int = 2500
    top: int = 10
    ir_tokens: int = 1800

    @property
    def characters(self) -> int:
        """The tokens in characters."""
        return int(self.tokens * CHARACTERS_A_TOKEN)

    @property
    def ir_characters(self) -> int:
        """The tokens of IR in characters."""
        return int(self.ir_tokens * CHARACTERS_A_TOKEN)


@dataclass(frozen=True)
class Scene:
    """What is the same for all rounds: where the program runs and what -O3 does.

    Attributes:
        target: triple, CPU and LLVM version, in a line.
        outline: the -O3 pipeline with the places that edits name.
        options: the options worth tuning, one a line: name=default (range): what it does.
        units: the program's units.
        built: the baseline's flags that matter to code.
    """

    target: str = ""
    outline: str = ""
    options: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    built: str = ""

    @property
    def place(self) -> str:
        """Where the program runs and how it is built, in a line."""
        built = f", built with {plain(self.built)}" if self.built else ""
        return f"Target: {plain(self.target)}{built}."


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -int(-len(text) // CHARACTERS_A_TOKEN)


def scorer_brief(facts: Sequence[Fact], scene: Scene, budget: Budget) -> str:
    """The project's tree, its functions and hot calls, without any code."""
    functions = [fact for fact in facts if fact.kind == "function"]
    profiled = has_profile(facts)
    idle = [fact for fact in functions if is_idle(fact, profiled=profiled)]
    left = {id(fact) for fact in idle}
    worth = sorted((f for f in functions if id(f) not in left), key=_importance)
    profile = [plain(fact.text) for fact in facts if fact.id == "prof-method"]
    pointers = [_call_line(f) for f in facts if f.kind == "call" and not f.data.get("callee")]
    head = f"{scene.place} Name at most {budget.top} functions."
    if not profiled:
        head += " There is no profile."
    return "\n\n".join(
        [
            head,
            f"Units and their functions, as `symbol | features; callees (* in a loop)`:\n"
            f"{_tree(worth, budget.characters * 2 // 3)}",
            _left_out(idle),
            f"Profile:\n{fenced([*profile, *pointers], budget.characters // 4)}",
        ]
    )


def _importance(fact: Fact) -> tuple[float, float, str]:
    """First what takes the time; without a profile, what has many instructions in deep loops."""
    depth = min(_DEEPEST, number(fact, "max_loop_depth"))
    return -share_of(fact), -number(fact, "instructions") * 10.0**depth, fact.id


def _tree(functions: Sequence[Fact], room: int) -> str:
    """The functions under their units, as many of the first as fit."""
    units: dict[str, list[str]] = {}
    shown = 0
    for fact in functions:
        unit = plain(str(fact.data.get("unit", "")), 80)
        line = _features_line(fact)
        cost = len(line) + 1 + (0 if unit in units else len(unit) + 1)
        if cost > room:
            break
        room -= cost
        shown += 1
        units.setdefault(unit, []).append(line)
    lines = [line for unit, own in units.items() for line in (unit, *own)]
    rest = functions[shown:]
    if rest:
        places = len({str(fact.data.get("unit", "")) for fact in rest})
        lines.append(f"({len(rest)} more functions in {places} units left out: they matter less)")
    return closed(lines)


def _features_line(fact: Fact) -> str:
    calls = str(fact.data.get("callees") or "")
    shown = plain(_features(fact)) + (f"; {plain(calls, _CALLEES)}" if calls else "")
    return f" {plain(str(fact.data.get('symbol', '')), 500)} | {shown}"


def _features(fact: Fact) -> str:
    """What a function is like, without its name and unit, which stand beside it."""
    return fact.text.removeprefix(f"{fact.data.get('symbol')} in {fact.data.get('unit')}: ")


def _left_out(idle: Sequence[Fact]) -> str:
    """How many functions were left out before anyone looked, and why."""
    reasons = Counter(
        "trivial"
        if fact.data.get("trivial")
        else "mostly input and output"
        if fact.data.get("io_bound")
        else "below 0.1 % of the run time"
        for fact in idle
    )
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"Left out beforehand: {said or 'no function'}."


def _call_line(fact: Fact) -> str:
    """A call through a pointer, which no symbol stands for in the call graph."""
    depth = number(fact, "loop_depth")
    how = f"in a loop of depth {depth:.0f}" if depth else "outside loops"
    return plain(f"{fact.data.get('caller')} calls through a pointer {how}")


def analyst_brief(
    facts: Sequence[Fact],
    priorities: Sequence[Priority],
    scene: Scene,
    budget: Budget,
    ir: Mapping[str, str] | None = None,
) -> str:
    """The facts about the functions that matter, the most telling first, and IR of the hottest."""
    weights = weights_of(priorities)
    ranked = [_priority_line(priority, facts) for priority in priorities]
    room = budget.characters - sum(map(len, ranked))
    groups = relevant((fact for fact in facts if fact.kind != "function"), weights)
    parts = [
        scene.place,
        f"Functions that matter, as `symbol: weight, reason; [fact] features`:\n"
        f"{fenced(ranked, budget.characters)}",
        f"Facts about them, the most telling first:\n{fenced(map(group_line, groups), room)}",
    ]
    if ir:
        parts.append(ir_part([p.symbol for p in priorities], ir, budget.ir_characters))
    return "\n\n".join(parts)


def _priority_line(priority: Priority, facts: Sequence[Fact]) -> str:
    """A function with its weight and its own fact."""
    own = [f for f in facts if f.kind == "function" and f.data.get("symbol") == priority.symbol]
    features = "; ".join(f"[{plain(f.id, 120)}] {plain(_features(f))}" for f in own)
    said = f"{plain(priority.symbol, 200)}: {priority.weight:.2f}, {plain(priority.reason, 120)}"
    return f"{said}; {features}" if features else said


def reasoner_brief(
    situation: Situation, diagnoses: Sequence[Diagnosis], scene: Scene, budget: Budget
) -> str:
    """Everything that a decision needs, most important first within each part."""
    hot = _hottest(situation.ground.facts, budget.top)
    listed = {fact.id for fact in hot}
    fresh = [d for d in diagnoses if d.kind not in ("hot-function", REMARKS)]
    fixed = [
        f"{scene.place} Round {situation.round}"
        + (f", {situation.rounds_left} left." if situation.rounds_left is not None else "."),
        f"The -O3 pipeline, with the places that edits name:\n{scene.outline}",
        options_part(scene.options, diagnoses),
        "Units: " + ", ".join(plain(unit, 80) for unit in scene.units[:_UNITS]),
        "Incumbent: " + edits_line(situation.incumbent),
        f"Tried so far:\n{fenced(_latest(situation.trials, situation.lessons), _HISTORY)}",
    ]
    room = max(_LEAST_ROOM, budget.characters - sum(map(len, fixed)))
    lines = [diagnoses_line(group) for group in _grouped(fresh)][:_DIAGNOSES]
    counted = [plain(d.text, 100) for d in diagnoses if d.kind == REMARKS]
    lines += [f"remarks: {'; '.join(counted)}"] if counted else []
    facts = _cited(situation.ground.facts, fresh, listed)
    return "\n\n".join(
        [
            *fixed,
            f"Diagnoses:\n{fenced(lines, room // 2)}",
            f"Hot functions:\n{fenced([', '.join(map(_hot_line, hot))], room)}",
            f"The facts that they stand on:\n{fenced(map(fact_line, facts), room // 4)}",
        ]
    )


def options_part(options: Sequence[str], diagnoses: Sequence[Diagnosis]) -> str:
    """The options: what the called ones do, and only value and range of the others.

    Called is what an idea of the built-in mind changes that one of the diagnoses calls for.
    """
    loud: dict[str, float] = {}
    for diagnosis in diagnoses:
        for lever in LEVERS:
            pull = lever.calls.get(diagnosis.kind, 0.0) * diagnosis.weight
            for text in lever.edits if pull else ():
                name = text.removeprefix("option ").partition("=")[0]
                loud[name] = max(pull, loud.get(name, 0.0))
    names = sorted(loud, key=lambda name: -loud[name])[:_OPTIONS_TOLD]
    told = [o for o in options if not loud or o.partition("=")[0] in names]
    rest = [o.partition(": ")[0] for o in options if o not in told]
    text = "Options worth tuning (name=what -O3 uses (range): what it does):\n" + "\n".join(told)
    return text + (f"\nFurther: {', '.join(rest)}" if rest else "")


def _hottest(facts: Sequence[Fact], top: int) -> list[Fact]:
    functions = [fact for fact in facts if fact.kind == "function"]
    return sorted(functions, key=_importance)[:top]


def _hot_line(fact: Fact) -> str:
    """A hot function by its fact, whose id has unit and symbol, and its share."""
    symbol, share = str(fact.data.get("symbol", "")), share_of(fact)
    name = "" if symbol in fact.id else f" {plain(symbol, 500)}"
    return f"[{plain(fact.id, 120)}]{name}" + (f" {100 * share:.0f} %" if share else "")


def _cited(
    facts: Sequence[Fact], diagnoses: Sequence[Diagnosis], listed: set[str]
) -> Iterable[Fact]:
    """The facts behind the diagnoses that are not in them word for word."""
    said = tuple(diagnosis.text[:_SAME] for diagnosis in diagnoses)
    by_id = {fact.id: fact for fact in facts if not fact.text.startswith(said)}
    cited = dict.fromkeys(name for d in diagnoses for name in d.evidence)
    return [by_id[name] for name in cited if name in by_id and name not in listed]


def _grouped(diagnoses: Sequence[Diagnosis]) -> list[list[Diagnosis]]:
    """One kind in one function together; the order is that of the first of each."""
    groups: dict[tuple[str, str], list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        key = diagnosis.kind, diagnosis.symbol
        if not diagnosis.symbol:
            key = diagnosis.kind, diagnosis.text
        groups.setdefault(key, []).append(diagnosis)
    return list(groups.values())


def diagnoses_line(group: Sequence[Diagnosis]) -> str:
    """Diagnoses of one kind in one function in a line: the heaviest, and where the others are."""
    first = group[0]
    cited = ", ".join(plain(name, 120) for name in first.evidence[:4])
    where = plain(first.where, 80) or plain(first.symbol, 80)
    others = list(dict.fromkeys(plain(d.where, 80) for d in group[1:] if d.where != first.where))
    more = f" and {len(others) - _PLACES} more" if len(others) > _PLACES else ""
    also = f" (also {', '.join(others[:_PLACES])}{more})" if others else ""
    weight = f" ({first.weight:.2f})" if first.weight else ""
    head = f"{first.kind}{weight}" + (f" {where}" if where else "")
    return f"{head}{also}: {plain(first.text)}" + (f" [{cited}]" if cited else "")


def evaluator_brief(situation: Situation, trial: Trial, scene: Scene) -> str:
    """One trial: what was meant, what came of it, what changed in the code."""
    claims = [f"{plain(c.edit.text)}: {plain(c.text, _CLAIM)}" for c in trial.candidate.claims]
    changes = [fact_line(fact, _CHANGE) for fact in trial.consequences]
    parts = [
        scene.place,
        f"Trial {trial.id}: {edits_line(trial.candidate)}",
        f"Incumbent: {edits_line(situation.incumbent)}",
        f"What was claimed:\n{fenced(claims, _CLAIMS)}",
        f"What came of it: {fate(trial)}.",
        f"What changed in the code:\n{fenced(changes, _CHANGES)}",
    ]
    if situation.trials:
        earlier = history(situation.trials[-2:], situation.lessons)
        parts.append(f"Tried before:\n{fenced(earlier, _BEFORE)}")
    return "\n\n".join(parts)


def history(trials: Sequence[Trial], lessons: Sequence[Lesson]) -> list[str]:
    """The latest trials with verdict and lesson, oldest first."""
    learned = {lesson.trial: lesson for lesson in lessons}
    lines = []
    for trial in trials[-_TRIALS:]:
        line = f"{trial.id}: {edits_line(trial.candidate)} -> {fate(trial)}"
        lesson = learned.get(trial.id)
        if lesson:
            said = "; ".join(filter(None, (lesson.cause, lesson.next)))
            line += f"; lesson: {plain(said, _LESSON)}"
        lines.append(line)
    return lines


def _latest(trials: Sequence[Trial], lessons: Sequence[Lesson]) -> list[str]:
    """The history, less the oldest of it where all of it is too long."""
    lines = history(trials, lessons)
    while len(lines) > 1 and sum(len(line) + 1 for line in lines) > _HISTORY:
        del lines[0]
    return lines


def edits_line(candidate: Candidate) -> str:
    """The edits of a candidate in a line."""
    if candidate.flaw:
        return "no candidate"
    return "; ".join(plain(edit.text) for edit in candidate.edits) or "the baseline"


def fate(trial: Trial) -> str:
    """How a trial ended, in words."""
    if trial.state is TrialState.MEASURED and trial.against_incumbent and trial.over_baseline:
        kept = "kept" if trial.accepted else "rolled back"
        over = ""
        if trial.over_baseline != trial.against_incumbent:
            over = f", {trial.over_baseline} against the baseline"
        return f"{trial.against_incumbent} against the incumbent{over}: {kept}"
    return f"{trial.state}: {refusal(trial.reason)}"
