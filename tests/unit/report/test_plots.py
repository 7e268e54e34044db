"""Drawings: numbers at their places, whatever the numbers are."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.report import plots
from perfwright.report.plots import Arm, Interval, Part, Scale, Step, ticks
from perfwright.units import format_duration

_SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)


def texts(drawing: str) -> list[str]:
    return ["".join(node.itertext()) for node in parsed(drawing).iter(f"{_SVG}text")]


def coordinates(drawing: str) -> list[float]:
    found = re.findall(r'\b(?:x|y|x1|y1|x2|y2|cx|cy|width|height)="([^"]+)"', drawing)
    return [float(number) for number in found]


positive = st.floats(min_value=1e-7, max_value=1e7)
ratios = st.floats(min_value=0.2, max_value=5.0)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_are_few_and_within(first: float, width: float, wanted: int) -> None:
    last = first + width
    marks = ticks(first, last, wanted)
    slack = 1e-6 * max(abs(first), abs(last), width)
    assert len(marks) <= wanted + 1
    assert all(first - slack <= mark <= last + slack for mark in marks)
    assert marks == sorted(set(marks))


def test_ticks_are_round_numbers() -> None:
    assert ticks(0.97, 1.13) == [1.0, 1.05, 1.1]
    assert ticks(0, 47) == [0, 10, 20, 30, 40]


@given(ratios)
def test_a_scale_keeps_to_its_ends(value: float) -> None:
    scale = Scale(0.5, 2.0, 100, 300, logarithmic=True)
    assert 100 <= scale(value) <= 300
    assert scale(1.0) == pytest.approx(200)


@given(st.lists(st.tuples(ratios, ratios, ratios), min_size=1, max_size=6))
def test_intervals_are_drawn_inside_the_picture(rows: list[tuple[float, float, float]]) -> None:
    made = [Interval("x", sorted(r)[1], min(r), max(r), "same") for r in rows]
    drawing = plots.interval_plot(made)
    assert all(-1 <= number <= plots.WIDTH for number in coordinates(drawing))


def test_an_interval_without_bounds_ends_in_arrows() -> None:
    drawing = plots.interval_plot([Interval("x", 1.0, 0.0, math.inf, "inconclusive")])
    assert len(list(parsed(drawing).iter(f"{_SVG}polygon"))) == 2
    assert "1.000x [no bound]" in texts(drawing)


def test_labels_are_text_and_cut_where_there_is_no_room() -> None:
    drawing = plots.interval_plot([Interval("<b>" + "x" * 60, 1.0, 0.9, 1.1, "same")])
    label = texts(drawing)[-3]
    assert label.startswith("<b>xxx")
    assert label.endswith("\u2026")


def test_the_bars_of_a_waterfall_hang_together() -> None:
    steps = [Step("a", 1.05, "", "faster"), Step("b", 0.99, "", "faster")]
    drawing = plots.waterfall(steps, Step("all", 1.05 * 0.99, "", "faster"))
    bars = [b for b in parsed(drawing).iter(f"{_SVG}rect") if b.get("class") == "bar"]
    ends = [(float(b.attrib["x"]), float(b.attrib["x"]) + float(b.attrib["width"])) for b in bars]
    assert ends[1][1] == pytest.approx(ends[0][1], abs=0.2)
    assert ends[2][0] == pytest.approx(ends[0][0], abs=0.2)
    assert ends[2][1] == pytest.approx(ends[1][0], abs=0.2)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=30))
def test_every_timed_pair_is_drawn(pairs: list[tuple[float, float]]) -> None:
    arms = [Arm("candidate", [p[0] for p in pairs]), Arm("baseline", [p[1] for p in pairs])]
    root = parsed(plots.strip_plot(arms))
    marks = [*root.iter(f"{_SVG}circle"), *root.iter(f"{_SVG}polygon")]
    assert len(marks) == 2 * len(pairs)


def test_a_time_far_above_the_others_becomes_an_arrow() -> None:
    drawing = plots.strip_plot([Arm("candidate", [*([1.0, 1.01] * 20), 5.0])])
    assert len(list(parsed(drawing).iter(f"{_SVG}polygon"))) == 1


def test_medians_are_named_with_their_arms() -> None:
    arms = [Arm("candidate", [0.38, 0.38, 0.4]), Arm("baseline", [0.41, 0.41, 0.42])]
    drawing = plots.strip_plot(arms, format_duration)
    assert {"candidate 0.38 s", "baseline 0.41 s"} <= set(texts(drawing))


def test_names_of_equal_arms_do_not_cover_each_other() -> None:
    drawing = plots.strip_plot([Arm("candidate", [1.0, 1.0]), Arm("baseline", [1.0, 1.0])])
    places = [
        float(node.attrib["y"])
        for node in parsed(drawing).iter(f"{_SVG}text")
        if "figure" in node.attrib["class"]
    ]
    assert abs(places[0] - places[1]) >= 12


def test_shares_fill_the_bar() -> None:
    drawing = plots.shares([Part("compiling", 1.0, "compile"), Part("running", 3.0, "run")])
    widths = [float(r.attrib["width"]) for r in parsed(drawing).iter(f"{_SVG}rect")]
    assert widths == [plots.WIDTH / 4, 3 * plots.WIDTH / 4]


def test_nothing_is_drawn_of_nothing() -> None:
    total = Step("all", 1.0, "", "faster")
    assert plots.interval_plot([]) == plots.waterfall([], total) == ""
    assert plots.strip_plot([]) == plots.shares([Part("x", 0.0, "run")]) == ""
