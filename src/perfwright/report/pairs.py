"""The timed pairs of a campaign, as far as its report draws them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from perfwright.core.trial import TrialState
from perfwright.measure.blocks import PairRecord
from perfwright.report.document import CampaignDocument
from perfwright.report.trials import all_trials

CONFIRM = "confirm"
"""Labels of comparisons that begin so belong to the confirmation."""

_STAGE = re.compile(r"/stage \d+$")
_OTHERS = (f"{CONFIRM}/delivered", f"{CONFIRM}/one layout")

Recorded = Callable[[str], Sequence[PairRecord]]


def timed_pairs(
    document: CampaignDocument, recorded: Recorded
) -> dict[str, list[tuple[float, ...]]]:
    """The values of every pair by label, and by workload where a comparison ran several.

    Keys are `trial 1.2` or `confirm`, with `, WORKLOAD` behind them; stages of one comparison
    are put together.  See `Extras.pairs` of `perfwright.report.html`.

    Args:
        document: says which comparisons there were.
        recorded: the recorded pairs of a comparison (`PairLog.recorded`).
    """
    found: dict[str, list[tuple[float, ...]]] = {}
    for label, records in _comparisons(document, recorded):
        several = len({record.workload for record in records}) > 1
        for record in records:
            key = f"{label}, {record.workload}" if several else label
            found.setdefault(key, []).append(record.values)
    return found


def _comparisons(
    document: CampaignDocument, recorded: Recorded
) -> Iterator[tuple[str, list[PairRecord]]]:
    """Each comparison that has pairs, with the pairs of all its stages."""
    together: dict[str, list[PairRecord]] = {}
    for label in _labels(document, recorded):
        timed = [record for record in recorded(label) if not record.ended]
        if timed:
            together.setdefault(_STAGE.sub("", label), []).extend(timed)
    yield from together.items()


def _labels(document: CampaignDocument, recorded: Recorded) -> Iterator[str]:
    for trial in all_trials(document):
        if trial.state is TrialState.MEASURED:
            yield f"trial {trial.id}"
    stages = (f"{CONFIRM}/stage {number}" for number in itertools.count(1))
    yield from itertools.takewhile(recorded, stages)
    yield from _OTHERS
