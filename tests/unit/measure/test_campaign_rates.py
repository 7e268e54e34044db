"""Whole simulated campaigns: schedule, selection with rollback, confirmation.

A short version of `benchmarks/study_statistics.py`, whose machine it uses.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

_MACHINE = Path(__file__).parents[3] / "benchmarks" / "simulated_campaigns.py"


@pytest.fixture(scope="module")
def simulated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulated_campaigns", _MACHINE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("noise", ["gaussian", "heavy-tailed", "bimodal", "drifting"])
@pytest.mark.parametrize("luck", [0.0, 0.015], ids=["random luck", "lucky delivered layout"])
def test_campaigns_without_a_gain_confirm_none(
    simulated: ModuleType, noise: str, luck: float
) -> None:
    setting = simulated.Setting(simulated.NOISES[noise], 0.0075, luck, second_slower=0.005)
    outcomes = [simulated.campaign(setting, (0.0, 0.0, 0.0), seed) for seed in range(150)]
    assert sum(outcome.improved for outcome in outcomes) <= 0.05 * len(outcomes)


@pytest.mark.parametrize("noise", ["gaussian", "heavy-tailed", "bimodal", "drifting"])
def test_a_gain_of_two_per_cent_is_confirmed(simulated: ModuleType, noise: str) -> None:
    setting = simulated.Setting(simulated.NOISES[noise])
    outcomes = [simulated.campaign(setting, (math.log(1.02),), seed) for seed in range(100)]
    assert sum(outcome.improved for outcome in outcomes) >= 90


def test_selection_over_several_layouts_is_not_fooled_by_the_delivered_one(
    simulated: ModuleType,
) -> None:
    def selected(layouts: int) -> int:
        setting = simulated.Setting(layout=0.0075, selection_layouts=layouts)
        return sum(simulated.campaign(setting, (0.0,), seed).selected for seed in range(150))

    assert selected(8) < 0.08 * 150 < selected(1)


def test_the_same_seed_gives_the_same_campaign(simulated: ModuleType) -> None:
    setting = simulated.Setting(layout=0.005)
    one, again = (simulated.campaign(setting, (0.0, 0.02), 5) for _ in range(2))
    assert one == again
