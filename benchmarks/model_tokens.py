"""What models are sent in a campaign of three rounds, and whether it is what they need.

Every role of every bundled program is played by a model over HTTP: a scripted server in this
process, which says what the built-in mind would, and takes one turn of tools in each round.
Observation, repair, builds and what a candidate changes are real; only times and oracle are
scripted, because no size depends on them.  What is counted is what the journal recorded.

    python benchmarks/model_tokens.py [PROGRAM...] [--out FILE] [--home DIR] [--tiktoken NAME]

With `--home` a campaign that is there already is counted again and not run again.  With
`--tiktoken cl100k_base` tokens are counted by the package tiktoken, which has to be installed;
its vocabularies are downloaded, or read from TIKTOKEN_CACHE_DIR.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from perfwright.app.campaign.minds import mind_of
from perfwright.app.campaign.observer import ProgramObserver
from perfwright.app.campaign.tune import Lead, observer_of, tune
from perfwright.app.inside.drafts import WorkshopBench
from perfwright.app.request import TuneRequest
from perfwright.app.study.estimate import Rehearsal
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate
from perfwright.core.events import silent
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Lesson, Mind, Situation
from perfwright.core.trial import Correctness, Trial
from perfwright.core.verdict import Comparison, Verdict
from perfwright.minds.assignment import ROLES
from perfwright.minds.builtin import builtin_mind
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.scorer import ShareScorer, number
from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
from perfwright.minds.llm.understudy import Understudy
from perfwright.minds.llm.wire import request_text
from perfwright.store.campaign import CampaignJournal
from perfwright.store.journal import JournalStore
from perfwright.store.records import Dialogue
from perfwright.testing.model_replies import Answer, Output, Reply, Request, ToolCall
from perfwright.testing.model_server import ModelServer

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
LEAST_WEIGHT = 0.05
_DEFINED = re.compile(r'^define [^@]*@"?([^"(]+)"?\(', re.MULTILINE)


class Unjudged(ProgramObserver):
    """The observer without what judges the program: no size depends on that."""

    def _oracle_warnings(self, *_: Any) -> list[str]:
        return []

    def _sanitize(self, *_: Any) -> list[str]:
        return []

    def _identity(self, *_: Any) -> Any:
        return "same-code"


class Trusting:
    """A checker that believes everything."""

    def check(self, build: Build) -> Correctness:
        """See `perfwright.core.protocols.Checker`."""
        del build
        return Correctness.BY_CONSTRUCTION


class Verdicts:
    """A measurer that finds the first candidate slower and the second faster."""

    def __init__(self) -> None:
        self.turns = iter([(Verdict.SLOWER, 0.971), (Verdict.FASTER, 1.043)])

    def select(self, label: str, arms: Sequence[Build]) -> tuple[Comparison, ...]:
        """See `perfwright.core.protocols.Measurer`."""
        del label
        verdict, ratio = next(self.turns, (Verdict.SAME, 1.001))
        return tuple(_seen(verdict, ratio + 0.002 * number) for number in range(len(arms) - 1))

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`."""
        del label, winner, without
        return _seen(Verdict.FASTER, 1.02)

    def confirm(self, label: str, winner: Build, baseline: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`."""
        del label, winner, baseline
        return _seen(Verdict.SAME, 1.001)


def _seen(verdict: Verdict, ratio: float) -> Comparison:
    return Comparison(verdict, ratio, ratio - 0.004, ratio + 0.004, 30)


@dataclass
class Prompter:
    """Tells the understudy what the models are about to be asked."""

    mind: Mind
    understudy: Understudy

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """See `perfwright.core.protocols.Mind`."""
        self.understudy.situation = situation
        return self.mind.propose(situation)

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """See `perfwright.core.protocols.Mind`."""
        self.understudy.situation, self.understudy.trial = situation, trial
        return self.mind.learn(situation, trial)


@dataclass
class Stage:
    """One campaign: who leads it, what the server says, what a dry run would have estimated."""

    understudy: Understudy | None = None
    estimated: int = 0

    def cast(self, place: Workplace) -> Lead:
        """Put the doubles in their places."""
        place.measurer, place.checker = Verdicts(), Trusting()  # type: ignore[assignment]
        real = observer_of(place)
        observer = Unjudged(**{each.name: getattr(real, each.name) for each in fields(real)})
        ground = place.journal.once("observe", Ground, observer.observe)
        counted = Rehearsal(place, ground, ROUNDS).run()
        characters = sum(counter.characters_sent for counter in counted.values())
        self.estimated = round(characters / CHARACTERS_A_TOKEN)
        self.understudy = Understudy(builtin_mind(WorkshopBench(place.workshop)))
        return Lead(Prompter(mind_of(place), self.understudy))

    def reply(self, request: Request) -> Reply:
        """What the server says: one turn of tools where there are any, then the answer."""
        assert self.understudy is not None, "models are asked after the campaign was cast"
        role = str(request.messages[0]["content"]).split()[1].lower()
        returned = any(message["role"] == "tool" for message in request.messages)
        if len(request.tools) > 1 and not returned:
            calls = self.understudy.calls()
            return Answer(tool_calls=tuple(ToolCall(n, json.dumps(a)) for n, a in calls))
        return Output(self.understudy.answer(role).model_dump(mode="json"))


def record(program: Path, home: Path) -> int:
    """Run a campaign with scripted models; the tokens that a dry run would have estimated."""
    stage = Stage()
    with ModelServer(stage.reply) as server:
        request = TuneRequest(program=program, mind=f"{server.url}#scripted", weak_oracle=True)
        ended = tune(request.model_copy(update={"out": home / "out"}), silent, stage.cast)
    if ended.error is not None:
        raise ended.error
    (home / "estimated.json").write_text(json.dumps(stage.estimated))
    return stage.estimated


def counted(journal: CampaignJournal, count: Callable[[str], int]) -> dict[str, Any]:
    """What the journal recorded of one campaign, by role."""
    found: dict[str, Any] = {}
    for role in ROLES:
        said = [request_text(d.request) for d in journal.dialogues() if d.role == role]
        found[role] = {
            "requests": len(said),
            "characters": sum(map(len, said)),
            "tokens": sum(map(count, said)),
        }
    return found


def needed(journal: CampaignJournal) -> dict[str, Any]:
    """How much of what the built-in mind needs the models were shown."""
    ground: Ground = journal.once("observe", Ground, _absent)
    dialogues = journal.dialogues()
    brief = _shown(dialogues, "analyst")
    facts = [fact for fact in ground.facts if _names(fact.id, brief)]
    priorities = ShareScorer().score(ground.facts)
    whole, part = (_heavy(which, priorities) for which in (ground.facts, facts))
    everything = "\n".join(request_text(d.request) for d in dialogues)
    cited = {name for d in dialogues if d.role == "reasoner" for name in _cited(d)}
    return {
        "diagnoses": len(whole),
        "diagnoses_kept": len(whole & part),
        "missing": sorted(f"{kind} in {symbol}" for kind, symbol in whole - part),
        "cited": len(cited),
        "cited_shown": sum(_names(name, everything) for name in cited),
        "ir_share": _ir_share(ground.facts, set(_DEFINED.findall(brief))),
    }


def _absent() -> Ground:
    raise AssertionError("the campaign was observed")


def _shown(dialogues: Sequence[Dialogue], role: str) -> str:
    first = next(d for d in dialogues if d.role == role)
    return str(first.request["messages"][0]["content"])


def _names(fact: str, text: str) -> bool:
    return f"[{fact}]" in text or f" {fact}]" in text or f"{fact}, " in text


def _heavy(facts: Sequence[Fact], priorities: Any) -> set[tuple[str, str]]:
    found = RuleAnalyst().analyse(facts, priorities)
    return {(d.kind, d.symbol) for d in found if d.weight >= LEAST_WEIGHT}


def _cited(dialogue: Dialogue) -> list[str]:
    """The evidence of the candidates in an answer."""
    calls = [part for part in dialogue.answer["parts"] if part.get("tool_name") == "answer"]
    found: list[str] = []
    for call in calls:
        said = json.loads(call["args"]) if isinstance(call["args"], str) else call["args"]
        for proposal in said["candidates"]:
            found += [name for edit in proposal["edits"] for name in edit["evidence"]]
    return found


def _ir_share(facts: Sequence[Fact], defined: set[str]) -> float | None:
    """Of the run time inside the program's functions: that of those whose IR is shown."""
    shares = [
        (str(f.data["symbol"]), number(f.data, "share")) for f in facts if "entries" in f.data
    ]
    whole = sum(share for _, share in shares)
    shown = sum(share for symbol, share in shares if symbol in defined)
    return round(shown / whole, 3) if whole else None


def study(
    programs: Sequence[Path], home: Path, count: Callable[[str], int], note: Callable[[str], None]
) -> dict[str, Any]:
    """Every program with its requests by role, and whether they had what is needed."""
    found: dict[str, Any] = {}
    for program in programs:
        own = home / program.name
        own.mkdir(parents=True, exist_ok=True)
        os.environ["PERFWRIGHT_HOME"] = str(own)
        if not (own / "estimated.json").exists():
            record(program, own)
        with JournalStore.open(own) as store:
            journal = store.replay_campaign("last")
            roles = counted(journal, count)
            total = sum(role["tokens"] for role in roles.values())
            keys = [step.key for step in journal.steps() if step.key.startswith("trial ")]
            steps = [key.rpartition("/")[2] for key in keys]
            estimated = json.loads((own / "estimated.json").read_text())
            found[program.name] = {
                "facts": len(journal.once("observe", Ground, _absent).facts),
                "roles": roles,
                "requests": sum(role["requests"] for role in roles.values()),
                "characters": sum(role["characters"] for role in roles.values()),
                "tokens": total,
                "estimated": estimated,
                "measured": steps.count("compare"),
                "failed_drafts": steps.count("repair") - steps.count("compare"),
                "needed": needed(journal),
            }
        note(f"{program.name}: {total} tokens, {estimated} estimated")
    return found


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """What is true of all programs together."""
    every = list(found.values())
    parts = [each["needed"] for each in every]
    shares = [part["ir_share"] for part in parts if part["ir_share"] is not None]
    characters = sum(each["characters"] for each in every)
    cites = max(1, sum(part["cited"] for part in parts))
    smooth = {name: each for name, each in found.items() if each["measured"] == ROUNDS}
    return {
        "programs": len(every),
        "characters_a_token": round(characters / sum(each["tokens"] for each in every), 2),
        "largest": max(found, key=lambda name: found[name]["tokens"]),
        "largest_of_three_measured_rounds": max(
            smooth, key=lambda name: smooth[name]["tokens"], default=None
        ),
        "diagnoses_kept": sum(p["diagnoses_kept"] for p in parts)
        / max(1, sum(p["diagnoses"] for p in parts)),
        "cited_shown": sum(part["cited_shown"] for part in parts) / cites,
        "ir_share_median": statistics.median(shares) if shares else None,
        "ir_share_least": min(shares, default=None),
        "estimate_off_at_most": max(
            (abs(e["estimated"] / e["tokens"] - 1) for e in every if not e["failed_drafts"]),
            default=None,
        ),
    }


def table(found: dict[str, Any]) -> str:
    """The programs as Markdown, the largest first."""
    lines = [
        f"| program | {' | '.join(ROLES)} | together | diagnoses kept | IR of the run time |",
        "|---" * (len(ROLES) + 4) + "|",
    ]
    for name in sorted(found, key=lambda name: -found[name]["tokens"]):
        each, part = found[name], found[name]["needed"]
        tokens = " | ".join(str(each["roles"][role]["tokens"]) for role in ROLES)
        kept = f"{part['diagnoses_kept']} of {part['diagnoses']}"
        share = "-" if part["ir_share"] is None else f"{100 * part['ir_share']:.0f} %"
        lines.append(f"| {name} | {tokens} | {each['tokens']} | {kept} | {share} |")
    return "\n".join(lines)


def counter(name: str | None) -> Callable[[str], int]:
    """Counts tokens: by a vocabulary of tiktoken, else by characters."""
    if name is None:
        return lambda text: round(len(text) / CHARACTERS_A_TOKEN)
    import tiktoken  # noqa: PLC0415 - no dependency of this project

    encoding = tiktoken.get_encoding(name)
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def bundled() -> list[Path]:
    """All programs of suites/core and suites/smoke."""
    return sorted(path.parent for path in (ROOT / "suites").glob("*/*/perfwright.toml"))


def main() -> None:
    """Parse the command line, run, print the table, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="*", type=Path, help="all bundled ones if none is given")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--home", type=Path, help="folder that keeps the campaigns")
    parser.add_argument("--tiktoken", metavar="NAME", help="vocabulary that counts the tokens")
    options = parser.parse_args()
    programs = [path.resolve() for path in options.programs] or bundled()

    def note(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="perfwright-tokens-") as scratch:
        home = (options.home or Path(scratch)).absolute()
        found = study(programs, home, counter(options.tiktoken), note)
    whole = {"counted_by": options.tiktoken or "characters", **summary(found)}
    if options.out:
        figures = json.dumps({"summary": whole, "programs": found}, indent=1) + "\n"
        options.out.write_text(figures, encoding="utf-8")
    print(table(found))
    print()
    print("\n".join(f"{name}: {value}" for name, value in whole.items()))


if __name__ == "__main__":
    main()
