"""What a model is shown: compact, budgeted text.

Everything that comes from the program or the compiler stands between fences as data.  What
does not fit the budget is left out from the end, and the text says how much: tools fetch it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.minds.roles import Diagnosis, Priority

CHARACTERS_A_TOKEN = 4
"""A rule of thumb for English and code; providers count the real ones."""

_OPEN, _CLOSE = "<data>", "</data>"
_LONGEST_FACT = 300
_CHANGES = 6
_TRIALS = 12
_LESSON = 300


@dataclass(frozen=True)
class Budget:
    """How much a model is shown.

    Attributes:
        tokens: of one brief, its outline and options included.
        top: functions that are looked into.
    """

    tokens: int = 3600
    top: int = 10

    @property
    def characters(self) -> int:
        """The tokens in characters."""
        return self.tokens * CHARACTERS_A_TOKEN


@dataclass(frozen=True)
class Scene:
    """What is the same for all rounds: where the program runs and what -O3 does.

    Attributes:
        target: triple, CPU and LLVM version, in a line.
        outline: the -O3 pipeline with the places that edits name.
        options: the options worth tuning, one a line.
        units: the program's units.
    """

    target: str = ""
    outline: str = ""
    options: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def plain(text: str, longest: int = _LONGEST_FACT) -> str:
    """Text of the program in one printable line that cannot end its fence."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    shown = " ".join(shown.replace("<data", "(data").replace("</data", "(/data").split())
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def fenced(lines: Iterable[str], budget: int) -> str:
    """Lines as data, as many as fit into so many characters."""
    kept: list[str] = []
    rest = 0
    for line in lines:
        if rest or len(line) + 1 > budget:
            rest += 1
            continue
        budget -= len(line) + 1
        kept.append(line)
    if rest:
        kept.append(f"({rest} more left out)")
    return "\n".join([_OPEN, *kept, _CLOSE])


def fact_line(fact: Fact) -> str:
    """A fact in a line: id, place, text."""
    where = plain(fact.where, 80)
    return f"[{plain(fact.id, 120)}] {where + ': ' if where else ''}{plain(fact.text)}"


def function_lines(facts: Iterable[Fact]) -> list[str]:
    """The functions without their code: symbol, features, share of the run time."""
    functions = [fact for fact in facts if fact.kind == "function"]
    functions.sort(key=lambda fact: -_share(fact))
    return [f"{plain(str(f.data.get('symbol', '')), 500)} | {fact_line(f)}" for f in functions]


def scorer_brief(facts: Sequence[Fact], scene: Scene, budget: Budget) -> str:
    """Functions and calls, without any code."""
    calls = [fact_line(fact) for fact in facts if fact.kind == "call"]
    profile = [fact_line(fact) for fact in facts if fact.id == "prof-method"]
    room = budget.characters
    functions = fenced(function_lines(facts), room // 2)
    return "\n\n".join(
        [
            f"Target: {plain(scene.target)}. Name at most {budget.top} functions.",
            f"Functions, as `symbol | [fact] features`:\n{functions}",
            f"Calls and profile:\n{fenced([*profile, *calls], room // 4)}",
        ]
    )


def analyst_brief(
    facts: Sequence[Fact], priorities: Sequence[Priority], scene: Scene, budget: Budget
) -> str:
    """The facts about the functions that matter, remarks hottest first."""
    weights = _weights(priorities)
    ranked = [f"{plain(p.symbol, 200)}: {p.weight:.2f}, {plain(p.reason, 120)}" for p in priorities]
    room = budget.characters - sum(map(len, ranked))
    return "\n\n".join(
        [
            f"Target: {plain(scene.target)}.",
            f"Functions that matter, with their weights:\n{fenced(ranked, budget.characters)}",
            f"Facts about them:\n{fenced(map(fact_line, relevant(facts, weights)), room)}",
        ]
    )


def reasoner_brief(
    situation: Situation, diagnoses: Sequence[Diagnosis], scene: Scene, budget: Budget
) -> str:
    """Everything that a decision needs, most important first within each part."""
    fixed = [
        f"Target: {plain(scene.target)}. Round {situation.round}"
        + (f", {situation.rounds_left} left." if situation.rounds_left is not None else "."),
        f"The -O3 pipeline, with the places that edits name:\n{scene.outline}",
        "Options worth tuning (name=what -O3 uses, sensible range, what it does):\n"
        + "\n".join(scene.options),
        "Units: " + ", ".join(plain(unit, 80) for unit in scene.units[:40]),
        "Incumbent: " + edits_line(situation.incumbent),
        f"Tried so far:\n{fenced(history(situation.trials, situation.lessons), 6000)}",
    ]
    room = max(2000, budget.characters - sum(map(len, fixed)))
    cited = {name for diagnosis in diagnoses for name in diagnosis.evidence}
    said = {diagnosis.text for diagnosis in diagnoses}
    facts = [
        fact_line(fact)
        for fact in situation.ground.facts
        if fact.id in cited and fact.text not in said
    ]
    hot = function_lines(situation.ground.facts)[: budget.top]
    return "\n\n".join(
        [
            *fixed,
            f"Diagnoses:\n{fenced(map(diagnosis_line, diagnoses), room // 2)}",
            f"Hot functions:\n{fenced(hot, room // 4)}",
            f"The facts that they stand on:\n{fenced(facts, room // 4)}",
        ]
    )


def evaluator_brief(situation: Situation, trial: Trial, scene: Scene) -> str:
    """One trial: what was meant, what came of it, what changed in the code."""
    changes = [fact_line(fact) for fact in trial.consequences]
    claims = [f"{plain(c.edit.text)}: {plain(c.text)}" for c in trial.candidate.claims]
    earlier = history(situation.trials[-3:], situation.lessons)
    return "\n\n".join(
        [
            f"Target: {plain(scene.target)}.",
            f"Trial {trial.id}: {edits_line(trial.candidate)}",
            f"What was claimed:\n{fenced(claims, 3000)}",
            f"What came of it: {fate(trial)}.",
            f"What changed in the code:\n{fenced(changes, 3000)}",
            f"Tried before:\n{fenced(earlier, 2000)}",
        ]
    )


def diagnosis_line(diagnosis: Diagnosis) -> str:
    """A diagnosis in a line, with its evidence."""
    cited = ", ".join(plain(name, 120) for name in diagnosis.evidence[:4])
    place = plain(diagnosis.where, 80)
    return f"{diagnosis.kind} ({diagnosis.weight:.2f}) {place}: {plain(diagnosis.text)} [{cited}]"


def history(trials: Sequence[Trial], lessons: Sequence[Lesson]) -> list[str]:
    """The latest trials with verdict and lesson, oldest first."""
    learned = {lesson.trial: lesson for lesson in lessons}
    lines = []
    for trial in trials[-_TRIALS:]:
        lines.append(f"{trial.id}: {edits_line(trial.candidate)} -> {fate(trial)}")
        lesson = learned.get(trial.id)
        if lesson:
            said = "; ".join(filter(None, (lesson.cause, lesson.next)))
            lines.append(f"  lesson: {plain(said, _LESSON)}")
    return lines


def edits_line(candidate: Candidate) -> str:
    """The edits of a candidate in a line."""
    if candidate.flaw:
        return "no candidate"
    return "; ".join(plain(edit.text) for edit in candidate.edits) or "-O3 itself"


def fate(trial: Trial) -> str:
    """How a trial ended, in words."""
    if trial.state is TrialState.MEASURED and trial.against_incumbent and trial.over_baseline:
        kept = "kept" if trial.accepted else "rolled back"
        over = f"{trial.over_baseline.ratio:.3f}x over the baseline"
        return f"{trial.against_incumbent} against the incumbent, {over}: {kept}"
    return f"{trial.state}: {plain(trial.reason)}"


def relevant(facts: Iterable[Fact], weights: dict[str, float]) -> list[Fact]:
    """The facts about these functions, the most telling first; vague remarks are left out.

    A remark without a place says little, and vague ones do more harm than good
    (arXiv 2604.13927).
    """
    about = [f for f in facts if _weight(f, weights) > 0 and not _is_vague(f)]
    return sorted(about, key=lambda f: (-_weight(f, weights) * _LOUDNESS.get(f.kind, 0.3), f.id))


_LOUDNESS = {"function": 1.0, "code": 0.9, "loop": 0.8, "branch": 0.6, "remark": 0.5, "call": 0.7}


def _is_vague(fact: Fact) -> bool:
    return fact.kind == "remark" and (
        not fact.where or fact.data.get("outcome") == "analysis" or ":" not in fact.where
    )


def _weight(fact: Fact, weights: dict[str, float]) -> float:
    share = fact.data.get("share")
    own = float(share) if isinstance(share, int | float) and share <= 1 else 0.0
    names = (fact.data.get("symbol"), fact.data.get("caller"), fact.data.get("callee"))
    return max(own, *(weights.get(str(name), 0.0) for name in names))


def _weights(priorities: Sequence[Priority]) -> dict[str, float]:
    found: dict[str, float] = {}
    for priority in priorities:
        found[priority.symbol] = max(priority.weight, found.get(priority.symbol, 0.0))
    return found


def _share(fact: Fact) -> float:
    share = fact.data.get("share", 0.0)
    return float(share) if isinstance(share, int | float) else 0.0
