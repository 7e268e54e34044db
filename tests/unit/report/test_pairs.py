"""From recorded blocks to what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perfwright.measure.blocks import PairRecord
from perfwright.report.document import CampaignDocument
from perfwright.report.pairs import timed_pairs

Documents = Callable[..., CampaignDocument]


def record(index: int, workload: str, *values: float, ended: bool = False) -> PairRecord:
    return PairRecord(index, workload, 0, values, values, values, ended)


def recorded(log: dict[str, list[PairRecord]]) -> Callable[[str], Sequence[PairRecord]]:
    return lambda label: log.get(label, [])


def test_pairs_of_a_trial_are_its_values(documents: Documents) -> None:
    log = {"trial 1.2": [record(0, "large", 1.0, 1.1), record(1, "large", 1.0, 1.2)]}
    assert timed_pairs(documents(), recorded(log)) == {"trial 1.2": [(1.0, 1.1), (1.0, 1.2)]}


def test_workloads_are_kept_apart(documents: Documents) -> None:
    log = {"trial 1.2": [record(0, "large", 4.0, 4.1), record(1, "small", 1.0, 1.2)]}
    assert timed_pairs(documents(), recorded(log)) == {
        "trial 1.2, large": [(4.0, 4.1)],
        "trial 1.2, small": [(1.0, 1.2)],
    }


def test_stages_of_the_confirmation_are_put_together(documents: Documents) -> None:
    log = {
        "confirm/delivered": [record(0, "large", 3.0, 3.1)],
        "confirm/stage 1": [record(0, "large", 1.0, 1.1)],
        "confirm/stage 2": [record(0, "large", 2.0, 2.1)],
    }
    assert timed_pairs(documents(), recorded(log)) == {
        "confirm": [(1.0, 1.1), (2.0, 2.1)],
        "confirm/delivered": [(3.0, 3.1)],
    }


def test_the_end_of_the_time_is_no_pair(documents: Documents) -> None:
    log = {"trial 1.2": [record(0, "large", 1.0, 1.1), record(1, "", ended=True)]}
    assert timed_pairs(documents(), recorded(log)) == {"trial 1.2": [(1.0, 1.1)]}


def test_a_campaign_without_pairs_has_none(bare: CampaignDocument) -> None:
    assert timed_pairs(bare, recorded({})) == {}
