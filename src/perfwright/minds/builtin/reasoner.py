"""Turns diagnoses into candidates: bundles of levers, screened by compiling them.

A round may measure one candidate, so a candidate carries several ideas at once, at most one
of each group; pruning takes the idle ones out again at the end.  Levers that do not change
the machine code of a hot function are dropped before anything is measured.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TypeVar

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Refusal, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Verdict
from perfwright.minds.builtin.beliefs import Beliefs, believe, uses
from perfwright.minds.builtin.levers import Called, called
from perfwright.minds.roles import Bench, Diagnosis

T = TypeVar("T")

_CURIOSITY = (0.3, 0.8)
"""How much the unknown attracts, by round; the last also for all later rounds."""

_LEAST_HOPE = 0.004
_MOST_LEVERS = (3, 2)
"""New ones in a candidate, by round like curiosity: with more, none could be told from another,
and what is left for later rounds is the less certain."""

_SCREENED = 16


@dataclass(frozen=True)
class LeverReasoner:
    """Bundles the most hopeful levers on top of the incumbent."""

    bench: Bench
    seed: int = 0

    def reason(self, situation: Situation, diagnoses: Sequence[Diagnosis]) -> Sequence[Candidate]:
        """The best bundle first, then smaller ones for when that comes to nothing."""
        levers = self._shuffled(called(diagnoses))
        beliefs = believe(levers, situation.trials)
        curiosity = _by_round(_CURIOSITY, situation.round)
        most = _by_round(_MOST_LEVERS, situation.round)
        base = self._trimmed(situation.incumbent, beliefs)
        fresh = self._screened(base, beliefs, curiosity, most, situation.trials)
        # As sets: a lever that is taken out and put back stands elsewhere, and that is no idea.
        known = [situation.incumbent, *(trial.candidate for trial in situation.trials)]
        tried = {frozenset(candidate.edits) for candidate in known}
        drafts = []
        for size in (most, 1):
            draft = _bundle(base, fresh[:size], levers)
            if draft.edits and frozenset(draft.edits) not in tried:
                tried.add(frozenset(draft.edits))
                step = beliefs.step(situation.incumbent.edits, draft.edits)
                drafts.append(_foretold(draft, step))
        return drafts

    def _shuffled(self, levers: list[Called]) -> list[Called]:
        """The seed decides between levers that are believed in equally."""
        random.Random(self.seed).shuffle(levers)
        return sorted(levers, key=lambda c: -(c.mean + c.deviation))

    def _trimmed(self, incumbent: Candidate, beliefs: Beliefs) -> Candidate:
        """The incumbent without levers that it is now believed to be better off without."""
        harmful: set[Edit] = set()
        for lever, mean in zip(beliefs.levers, beliefs.means, strict=True):
            if mean < -_LEAST_HOPE and uses(incumbent.edits, lever):
                harmful.update(lever.edits)
        return incumbent.without(*harmful)

    def _screened(
        self,
        base: Candidate,
        beliefs: Beliefs,
        curiosity: float,
        most: int,
        trials: Sequence[Trial],
    ) -> list[Called]:
        """Hopeful levers, one a group, that change hot code when added to `base`.

        A lever that failed alone before it was measured (over a limit of size, say), or that
        made no difference to this incumbent, makes room for the next.
        """
        failed = {t.candidate.id for t in trials if t.state is not TrialState.MEASURED}
        idle = _idle(trials)
        hopes = beliefs.hopes(curiosity)
        order = sorted(range(len(hopes)), key=lambda i: -hopes[i])
        taken = {c.lever.group for c in beliefs.levers if uses(base.edits, c)}
        chosen: list[Called] = []
        seen: set[str] = set()
        looked = 0
        for index in order:
            lever = beliefs.levers[index]
            if hopes[index] < _LEAST_HOPE or looked == _SCREENED or len(chosen) == most:
                break
            if lever.lever.group in taken or any(uses(edits, lever) for edits in idle):
                continue
            alone = _bundle(base, [lever], ())
            if alone.id in failed:
                continue
            looked += 1
            draft = self.bench.draft(alone, base)
            if isinstance(draft, Refusal) or not draft.changed or draft.code in seen:
                continue
            seen.add(draft.code)
            taken.add(lever.lever.group)
            chosen.append(lever)
        return chosen


def _idle(trials: Sequence[Trial]) -> list[tuple[Edit, ...]]:
    """The edits of what was measured since the incumbent came, and made no difference to it."""
    since = itertools.takewhile(lambda trial: not trial.accepted, reversed(trials))
    return [trial.candidate.edits for trial in since if trial.verdict is Verdict.SAME]


def _by_round(values: Sequence[T], number: int) -> T:
    """The value for a round; the last one for all later rounds."""
    return values[min(number, len(values)) - 1]


def _foretold(draft: Candidate, step: NormalDist) -> Candidate:
    """The draft with what is believed of it: how much it brings, and whether anything at all."""
    ratio = math.exp(step.mean)
    return replace(
        draft,
        expects=f"about {ratio:.2f}x, give or take {ratio * step.stdev:.2f}",
        confidence=round(1.0 - step.cdf(_LEAST_HOPE), 2),
    )


def _bundle(base: Candidate, levers: Sequence[Called], known: Sequence[Called]) -> Candidate:
    """The base with these levers on top, and a claim for every edit."""
    edits = list(base.edits)
    claims = list(base.claims)
    for lever in levers:
        edits += [edit for edit in lever.edits if edit not in edits]
        claims += lever.claims()
    for lever in known:
        if uses(edits, lever) and not any(claim.edit in lever.edits for claim in claims):
            claims += lever.claims()
    return Candidate(tuple(edits), tuple(claims))
