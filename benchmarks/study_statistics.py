"""Do the verdicts keep what they promise?  A simulation study of thousands of campaigns.

Usage: python benchmarks/study_statistics.py [--quick] [--out DIR] [--seed N]

Prints the tables, writes every figure to DIR/statistics.json and the charts to DIR/*.svg.
The whole study takes about three minutes on one core, `--quick` a tenth of that.  What it
found is discussed in docs/decisions/0004-statistics.md.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from confirm_designs import DESIGNS, Truth, chance_of_gain
from line_chart import Axis, Line, line_chart
from rival_tests import RIVALS, Rival
from scipy import stats
from simulated_campaigns import NOISES, Outcome, Setting, campaign
from simulated_pruning import simulated_pruning

from perfwright.core.verdict import Verdict
from perfwright.measure.confirm import FEW_LAYOUTS

Row = dict[str, Any]
"""One line of a table: column -> value."""

_LAYOUTS = (0.0, 0.005, 0.01)
_NULL_LAYOUTS = ((0, 0, 1), (0.0075, 0, 1), (0.0075, 0, 8), (0.0075, 0.015, 1))
"""Layout luck, what the delivered layout of each candidate has on top, selection layouts."""
_GAINS = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1)
_WINNERS = {
    "three of 0.45 %": (0.0045,) * 3,
    "six of 0.45 %": (0.0045,) * 6,
    "three of 2 %": (0.02,) * 3,
    "two of 2 %, two of nothing": (0.02, 0.0, 0.02, 0.0),
    "5 % and three of nothing": (0.05, 0.0, 0.0, 0.0),
    "two of 3 %, one that harms by 2 %": (0.03, 0.03, -0.02),
}
"""What the edits of a winner bring, in log speed-up."""
_PAIR_SPREAD = 0.01 * math.sqrt(2)
"""Standard deviation of a log-ratio when each run has 1 %."""


@dataclass(frozen=True)
class Size:
    """How often errors are simulated, and how often powers: errors are rare and need more."""

    campaigns: int
    repetitions: int


FULL, QUICK = Size(2000, 1000), Size(200, 100)


def main() -> None:
    """Run all parts and write what they found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the campaigns")
    parser.add_argument("--out", type=Path, default=Path("out/statistics"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    started = time.monotonic()
    found = {
        "null": null_campaigns(size, options.seed),
        "power": power(size, options.seed),
        "machines": machines(size, options.seed),
        "tests": tests(size, options.seed),
        "designs": designs(size, options.seed),
        "pruning": pruning(size, options.seed),
    }
    for name, rows in found.items():
        print(f"\n{_TITLES[name]}\n{table(rows)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, chart in charts(found).items():
        (options.out / f"{name}.svg").write_text(chart, encoding="utf-8")
    record = {"schema": 1, "seed": options.seed, "campaigns": size.campaigns, **found}
    (options.out / "statistics.json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{time.monotonic() - started:.0f} s; figures and charts are in {options.out}")


_TITLES = {
    "null": "A/A campaigns: three null candidates, then confirmation of the winner, if any",
    "power": "One candidate with a true gain; 1 % Gaussian noise a run",
    "machines": "A true gain of 2 % on other machines and with other ways to measure it",
    "tests": "Tests for selection, cap of 30 pairs: verdicts on equal programs, and cost",
    "designs": "Fixed designs for confirmation: how often they confirm a gain",
    "pruning": "What pruning leaves of a winner; 1 % Gaussian noise a run",
}


def null_campaigns(size: Size, seed: int) -> list[Row]:
    """How often a campaign without any gain confirms one."""
    rows = []
    for name, noise in NOISES.items():
        late = 0.005 if name == "drifting" else 0.0
        for layout, luck, several in (
            (0, 0, 1),
            (0.0075, 0, 1),
            (0.0075, 0, 8),
            (0.0075, 0.015, 1),
        ):
            setting = Setting(noise, layout, luck, late, selection_layouts=several)
            outcomes = _campaigns(setting, (0.0, 0.0, 0.0), size.campaigns, seed)
            rows.append(
                {
                    "noise": name,
                    "layout, %": 100 * layout,
                    "delivered luck, %": 100 * luck,
                    "selection layouts": several,
                    "selected": _share(o.selected for o in outcomes),
                    "confirmed": _share(o.improved for o in outcomes),
                    "pairs each": _mean(o.selection_pairs / o.selections for o in outcomes),
                }
            )
    return rows


def power(size: Size, seed: int) -> list[Row]:
    """How often a true gain is confirmed, and how many pairs that takes."""
    rows = []
    for layout in _LAYOUTS:
        for gain in _GAINS:
            outcomes = _campaigns(
                Setting(layout=layout), (math.log1p(gain),), size.repetitions, seed
            )
            row: Row = {"layout, %": 100 * layout, "gain, %": 100 * gain}
            row |= _power_row(outcomes)
            if not layout:
                row["t-test, 30 pairs"] = _t_power(math.log1p(gain), 30)
                row["t-test pairs, as sure"] = _t_pairs(math.log1p(gain), row["selected"])
            rows.append(row)
    return rows


def machines(size: Size, seed: int) -> list[Row]:
    """Where a gain of 2 % is still found, and what selection over several layouts buys."""
    gain = (math.log1p(0.02),)
    cases = {f"{name} noise": Setting(noise) for name, noise in NOISES.items()}
    for layout in _LAYOUTS[1:]:
        for several in (1, 8, 30):
            name = f"layout {100 * layout:g} %, selection over {several}"
            cases[name] = Setting(layout=layout, selection_layouts=several)
    cases["layout 0.5 %, confirmed on 12 layouts x 3"] = Setting(layout=0.005, design=FEW_LAYOUTS)
    return [
        {"machine": name} | _power_row(_campaigns(setting, gain, size.repetitions, seed))
        for name, setting in cases.items()
    ]


def tests(size: Size, seed: int) -> list[Row]:
    """Error on each kind of noise, power and cost, for tests that look after every pair."""
    rows = []
    for name, rival in RIVALS.items():
        ends = {
            (noise, gain): _verdicts(rival, noise, gain, size.campaigns, seed)
            for noise, gain in _TESTED
        }
        row: Row = {"test": name}
        for noise in NOISES:
            row[f"wrong, {noise}"] = _share(v in _CLEAR for v, _ in ends[noise, 0.0])
        for gain in (0.0, 0.01, 0.02, 0.1):
            row[f"pairs at {100 * gain:g} %"] = _mean(pairs for _, pairs in ends["gaussian", gain])
        row["power at 1 %"] = _share(v is Verdict.FASTER for v, _ in ends["gaussian", 0.01])
        row["at 2 %, heavy-tailed"] = _share(v is Verdict.FASTER for v, _ in ends[_HARD])
        rows.append(row)
    return rows


_CLEAR = (Verdict.FASTER, Verdict.SLOWER)
_HARD = ("heavy-tailed", 0.02)
_TESTED = (
    *((noise, 0.0) for noise in NOISES),
    *(("gaussian", gain) for gain in (0.01, 0.02, 0.1)),
    _HARD,
)


def _verdicts(
    rival: Rival, noise: str, gain: float, times: int, seed: int
) -> list[tuple[Verdict, int]]:
    rng = np.random.default_rng(seed)
    ends = []
    for _ in range(times):
        pairs = NOISES[noise](rng, 60).reshape(-1, 2)
        orders = rng.choice((-1, 1), len(pairs))
        ends.append(rival(gain + (pairs[:, 0] - pairs[:, 1]) * orders))
    return ends


def designs(size: Size, seed: int) -> list[Row]:
    """What to spend about 36 pairs of confirmation on."""
    cells = [("gaussian", layout, gain) for layout in _LAYOUTS for gain in (0.0, 0.01)]
    cells += [("heavy-tailed", 0.005, 0.01), ("bimodal", 0.005, 0.02)]
    return [
        {"layouts": design.layouts, "pairs": design.pairs, "test": design.faster.__name__}
        | {
            f"{100 * gain:g} % {noise}, {100 * layout:g}": chance_of_gain(
                design, Truth(NOISES[noise], layout, gain), seed, size.campaigns
            )
            for noise, layout, gain in cells
        }
        for design in DESIGNS
    ]


def _campaigns(setting: Setting, gains: tuple[float, ...], times: int, seed: int) -> list[Outcome]:
    first = seed * 1_000_000
    return [campaign(setting, gains, first + number) for number in range(times)]


def _power_row(outcomes: Sequence[Outcome]) -> Row:
    ends = [(o.confirmation, o.truth) for o in outcomes if o.confirmation]
    half = [(end.high - end.low) / 2 for end, _ in ends]
    return {
        "selected": _share(o.selected for o in outcomes),
        "confirmed": _share(o.improved for o in outcomes),
        "pairs to select": _mean(o.selection_pairs for o in outcomes),
        "pairs to confirm": _mean(end.pairs for end, _ in ends),
        "half width, %": 100 * float(np.median(half)) if half else math.nan,
        "covered": _share(end.low <= math.exp(truth) <= end.high for end, truth in ends),
    }


def _t_power(gain: float, pairs: int) -> float:
    """Chance that one two-sided 5 % t-test says faster, at 1 % Gaussian noise a run."""
    bound = stats.t.ppf(0.975, pairs - 1)
    return float(stats.nct.sf(bound, pairs - 1, gain / _PAIR_SPREAD * math.sqrt(pairs)))


def _t_pairs(gain: float, wanted: float) -> int | None:
    """The pairs for which a t-test, told the gain in advance, is as sure; none for no gain.

    Certainty cannot be matched; 99.9 % stand for it.
    """
    goal = min(wanted, 0.999)
    sizes = (pairs for pairs in range(3, 1000) if _t_power(gain, pairs) >= goal)
    return next(sizes, None) if gain else None


def pruning(size: Size, seed: int) -> list[Row]:
    """What is left of winners with few, many, idle and harmful edits, and what it costs."""
    rows = []
    for name, gains in _WINNERS.items():
        left = [simulated_pruning(gains, seed + n) for n in range(size.repetitions)]
        rows.append(
            {
                "edits": name,
                "left": _mean(one.edits for one in left),
                "lost, %": 100 * _mean(one.lost for one in left),
                "pairs": _mean(one.pairs for one in left),
            }
        )
    return rows


def _share(facts: Iterable[bool]) -> float:
    return _mean(float(fact) for fact in facts)


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed) if listed else math.nan


def table(rows: Sequence[Row]) -> str:
    """Rows as aligned text."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    texts = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in texts
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def charts(found: dict[str, list[Row]]) -> dict[str, str]:
    """The charts of the decision page, by file name."""
    return {
        "power": _power_chart(found["power"]),
        "pairs": _pairs_chart(found["power"]),
        "designs": _design_chart(found["designs"]),
    }


_GAIN_AXIS = Axis("true gain, %", (0, 0.5, 1, 1.5, 2, 2.5, 3))
_CHANCE_AXIS = Axis("confirmed, %", range(0, 101, 20))


def _power_chart(rows: Sequence[Row]) -> str:
    lines: dict[float, list[tuple[float, float]]] = {}
    for row in rows:
        if row["gain, %"] <= _GAIN_AXIS.ticks[-1]:
            points = lines.setdefault(row["layout, %"], [])
            points.append((row["gain, %"], 100 * row["confirmed"]))
    return line_chart(
        "Campaigns that confirm a gain (1 % noise a run)",
        _GAIN_AXIS,
        _CHANCE_AXIS,
        [Line(f"layout luck {layout:g} %", points) for layout, points in lines.items()],
    )


def _pairs_chart(rows: Sequence[Row]) -> str:
    most = 50
    quiet = [r for r in rows if not r["layout, %"] and r["gain, %"] <= _GAIN_AXIS.ticks[-1]]
    told = [(r["gain, %"], r["t-test pairs, as sure"]) for r in quiet if r["gain, %"]]
    return line_chart(
        "Pairs until selection has a verdict (1 % noise a run)",
        _GAIN_AXIS,
        Axis("pairs", range(0, most + 1, 10)),
        [
            Line("sequential", [(r["gain, %"], r["pairs to select"]) for r in quiet]),
            Line("t-test told the gain, as sure", [point for point in told if point[1] <= most]),
            Line("t-test not told: the cap", [(0, 30), (_GAIN_AXIS.ticks[-1], 30)]),
        ],
        key_at=0.8,
    )


_PAIRS = 35
"""What the designs of the chart cost, or one more."""


def _design_chart(rows: Sequence[Row]) -> str:
    """Designs of 35 or 36 pairs; the last one of each number of layouts stands for it."""
    chosen = {row["layouts"]: row for row in rows if row["layouts"] * row["pairs"] >= _PAIRS}
    return line_chart(
        "A gain of 1 %, confirmed by 36 pairs on so many layouts",
        Axis("layouts", range(0, 37, 6)),
        _CHANCE_AXIS,
        [
            Line(
                f"layout luck {100 * layout:g} %",
                [(n, 100 * r[f"1 % gaussian, {100 * layout:g}"]) for n, r in chosen.items()],
            )
            for layout in _LAYOUTS
        ],
    )


if __name__ == "__main__":
    main()
