"""Plots as inline SVG: small pure functions from numbers to markup.

Colours, fonts and line widths are in the page's style sheet (by class), so that one drawing
does for light, dark and print.  What a colour says is said by a shape or by words as well.
All text is escaped here; attributes are numbers and names of our own.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perfwright.core.attribution import SMALLEST_EFFECT
from perfwright.report.printable import one_line, printable
from perfwright.units import format_duration, format_ratio

WIDTH = 860
_ROW = 26
_AXIS = 30
_LABEL_CHARACTERS = 40
_LABEL_WIDTH = 304
"""Room for that many characters of the labels' monospaced font."""
_TICKS_WANTED = 6


@dataclass(frozen=True)
class Interval:
    """A row of the interval plot: a speed-up with its interval.

    Attributes:
        tone: the verdict (a class of the style sheet); `faster` is drawn solid.
        note: a few words behind the figures.
        strong: draw it as the one that counts.
    """

    label: str
    ratio: float
    low: float
    high: float
    tone: str
    note: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Step:
    """A step of the waterfall: by what factor it multiplies the speed."""

    label: str
    ratio: float
    figures: str
    tone: str


@dataclass(frozen=True)
class Arm:
    """The times of one arm, seconds, one for each pair, in the order of measuring."""

    label: str
    seconds: Sequence[float]


@dataclass(frozen=True)
class Part:
    """A part of a whole, for `shares`."""

    label: str
    seconds: float
    tone: str


@dataclass(frozen=True)
class Scale:
    """Maps values from `first` to `last` to positions from `left` to `right`."""

    first: float
    last: float
    left: float
    right: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The position; what is beyond the ends is put at the end."""
        inside = min(max(value, self.first), self.last)
        if self.logarithmic:
            share = math.log(inside / self.first) / math.log(self.last / self.first)
        else:
            share = (inside - self.first) / (self.last - self.first)
        return self.left + share * (self.right - self.left)


def ticks(first: float, last: float, wanted: int = _TICKS_WANTED) -> list[float]:
    """Round numbers from `first` to `last`, as many as wanted or a few less.

    >>> ticks(0.97, 1.12)
    [1.0, 1.05, 1.1]
    """
    raw = (last - first) / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * f for f in (1, 2, 5, 10) if magnitude * f >= raw * (1 - 1e-9))
    digits = max(0, 2 - math.floor(math.log10(step)))
    begin = math.ceil(first / step - 1e-9)
    end = math.floor(last / step + 1e-9)
    return [round(number * step, digits) for number in range(begin, end + 1)]


def interval_plot(rows: Sequence[Interval]) -> Markup:
    """Speed-ups with their intervals, one row each, on a logarithmic scale around 1.

    The grey band is what is too small to matter; a side of an interval that is not bounded,
    or leaves the picture, ends in an arrow.
    """
    if not rows:
        return Markup("")
    height = _ROW * len(rows) + _AXIS
    first, last = _ratio_range(rows)
    scale = Scale(first, last, _LABEL_WIDTH, WIDTH - 275, logarithmic=True)
    parts = [_ratio_axis(scale, height - _AXIS)]
    for number, row in enumerate(rows):
        parts.append(_interval(row, scale, _ROW * number + _ROW / 2))
    return _svg("Speed-ups with their intervals", height, *parts)


def waterfall(steps: Sequence[Step], total: Step) -> Markup:
    """How factors multiply to a total: each bar begins where the one before it ended."""
    if not steps:
        return Markup("")
    height = _ROW * (len(steps) + 1) + _AXIS
    levels = [1.0]
    for step in steps:
        levels.append(levels[-1] * step.ratio)
    reach = [*levels, total.ratio]
    margin = 0.06 * max(max(reach) - min(reach), 0.01)
    scale = Scale(min(reach) - margin, max(reach) + margin, _LABEL_WIDTH, WIDTH - 190)
    parts = [_ratio_axis(scale, height - _AXIS, band=False)]
    for number, step in enumerate(steps):
        middle = _ROW * number + _ROW / 2
        begin, end = scale(levels[number]), scale(levels[number + 1])
        parts.append(_step(step, begin, end, middle))
        parts.append(_line(end, middle + 8, end, middle + _ROW - 8, "join"))
    middle = _ROW * len(steps) + _ROW / 2
    parts.append(_step(total, scale(1.0), scale(total.ratio), middle, strong=True))
    return _svg("What each edit is worth", height, *parts)


def strip_plot(arms: Sequence[Arm], form: Callable[[float], str] = format_duration) -> Markup:
    """Every timed pair in the order of measuring, with the median of each arm.

    Times far above the others are drawn at the upper edge, as arrows.  `form` writes a value.
    """
    values = [value for arm in arms for value in arm.seconds]
    if not values:
        return Markup("")
    height, left, right = 200.0, 74.0, WIDTH - 190.0
    low, high = _time_range(values)
    count = max(len(arm.seconds) for arm in arms)
    across = Scale(0.5, count + 0.5, left, right)
    up = Scale(low, high, height - _AXIS, 10)
    parts = [_time_axis(up, across, count, form)]
    parts += _pair_links(arms, across, up)
    labels = _spread_out([up(statistics.median(arm.seconds)) for arm in arms], 16)
    for number, (arm, place) in enumerate(zip(arms, labels, strict=True)):
        parts.append(_arm(arm, number, across, up, form))
        middle = statistics.median(arm.seconds)
        parts.append(_line(left, up(middle), right, up(middle), f"median arm{number}"))
        text = f"{arm.label} {form(middle)}"
        parts.append(_text(right + 10, place + 4, text, f"figure arm{number}"))
    return _svg("Timed pairs in the order of measuring", height, *parts)


def shares(parts: Sequence[Part]) -> Markup:
    """One bar, divided by what the parts take of the whole."""
    whole = sum(part.seconds for part in parts)
    if whole <= 0:
        return Markup("")
    scale = Scale(0.0, whole, 0, WIDTH)
    drawn, begin = [], 0.0
    for part in parts:
        x, end = scale(begin), scale(begin + part.seconds)
        title = f"{part.label}: {format_duration(part.seconds)}, {part.seconds / whole:.0%}"
        drawn.append(_group(_title(title), _rect(x, 2, end - x, 18, f"part {part.tone}")))
        begin += part.seconds
    return _svg("Where the time of the campaign went", 22, *drawn)


def _ratio_range(rows: Sequence[Interval]) -> tuple[float, float]:
    """From the lowest to the highest ratio, and of the intervals what is not far from them."""
    ratios = [row.ratio for row in rows]
    reach = max(0.02, 2 * max(abs(math.log(ratio)) for ratio in ratios))
    ends = [end for row in rows for end in (row.low, row.high)]
    near = [end for end in ends if 0 < end < math.inf and abs(math.log(end)) <= reach]
    span = [1.0, *ratios, *near]
    margin = 1.0 + 0.06 * max(math.log(max(span) / min(span)), 0.02)
    return min(span) / margin, max(span) * margin


def _ratio_axis(scale: Scale, bottom: float, *, band: bool = True) -> Markup:
    parts = []
    if band:
        x, end = scale(1 - SMALLEST_EFFECT), scale(1 + SMALLEST_EFFECT)
        parts.append(_rect(x, 0, end - x, bottom, "band"))
    marks = ticks(scale.first, scale.last)
    digits = 2 if all(abs(m - round(m, 2)) < 1e-9 for m in marks) else 3
    for mark in marks:
        x = scale(mark)
        parts.append(_line(x, 0, x, bottom, "one" if mark == 1.0 else "grid"))
        parts.append(_text(x, bottom + 18, f"{mark:.{digits}f}x", "tick", "middle"))
    return _group(*parts)


def _interval(row: Interval, scale: Scale, middle: float) -> Markup:
    strong = " strong" if row.strong else ""
    begin, end = scale(row.low), scale(row.high)
    parts = [
        _title(f"{row.label}: {figures(row.ratio, row.low, row.high)} {row.note}"),
        _label(row.label, middle, strong),
        _line(begin, middle, end, middle, "whisker"),
        _end(row.low >= scale.first, begin, middle, -1),
        _end(row.high <= scale.last, end, middle, 1),
        _circle(scale(row.ratio), middle, 6 if row.strong else 4.5, "dot"),
        _text(WIDTH - 264, middle + 4, figures(row.ratio, row.low, row.high), f"figure{strong}"),
        _text(WIDTH, middle + 4, row.note, "note", "end"),
    ]
    return _group(*parts, css=f"interval {row.tone}{strong}")


def figures(ratio: float, low: float | None, high: float | None) -> str:
    """A speed-up and its interval in one line; sides without a bound say so.

    >>> figures(1.05, 1.02, 1.08), figures(1.0, None, None)
    ('1.050x [1.020, 1.080]', '1.000x [no bound]')
    """
    if bound(low) == bound(high) == "no bound":
        return f"{format_ratio(ratio)} [no bound]"
    return f"{format_ratio(ratio)} [{bound(low)}, {bound(high)}]"


def bound(end: float | None) -> str:
    """One end of an interval; 0 and infinity are none, like `None`."""
    return f"{end:.3f}" if end is not None and 0 < end < math.inf else "no bound"


def ends(low: float | None, high: float | None) -> tuple[float, float]:
    """An interval to draw: 0 and infinity where there is no bound."""
    return (0.0 if low is None else low), (math.inf if high is None else high)


def _end(bounded: bool, x: float, middle: float, direction: int) -> Markup:
    if bounded:
        return _line(x, middle - 4, x, middle + 4, "whisker")
    tip = x + 5 * direction
    points = f"{x:.1f},{middle - 4:.1f} {tip:.1f},{middle:.1f} {x:.1f},{middle + 4:.1f}"
    return Markup('<polygon class="arrow" points="{}"/>').format(points)


def _step(step: Step, begin: float, end: float, middle: float, *, strong: bool = False) -> Markup:
    css = " strong" if strong else ""
    left, right = sorted((begin, end))
    return _group(
        _title(f"{step.label}: {step.figures}"),
        _label(step.label, middle, css),
        _rect(left, middle - 8, max(right - left, 1.5), 16, "bar"),
        _text(WIDTH - 180, middle + 4, step.figures, f"figure{css}"),
        css=f"step {step.tone}{css}",
    )


def _label(text: str, middle: float, css: str) -> Markup:
    return _text(0, middle + 4, _shortened(text, _LABEL_CHARACTERS), f"label{css}")


def _shortened(text: str, limit: int) -> str:
    flat = one_line(text)
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}\u2026"


def _time_range(values: Sequence[float]) -> tuple[float, float]:
    """The least to the greatest time, outliers aside, with a margin."""
    ordered = sorted(values)
    usual = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    top = min(ordered[-1], usual + 1.5 * (usual - ordered[0]))
    margin = max(0.06 * (top - ordered[0]), 1e-3 * top, 1e-12)
    return ordered[0] - margin, top + margin


def _time_axis(up: Scale, across: Scale, count: int, form: Callable[[float], str]) -> Markup:
    parts = []
    for mark in ticks(up.first, up.last, 5):
        y = up(mark)
        parts.append(_line(across.left, y, across.right, y, "grid"))
        parts.append(_text(across.left - 8, y + 4, form(mark), "tick", "end"))
    numbers = sorted({1, *(round(n) for n in ticks(1, max(count, 2)) if 1 <= n <= count)})
    parts += [_text(across(n), up.left + 18, str(n), "tick", "middle") for n in numbers]
    parts.append(_text(across.right + 10, up.left + 18, "pair", "tick"))
    return _group(*parts)


def _pair_links(arms: Sequence[Arm], across: Scale, up: Scale) -> list[Markup]:
    """A thin line from the first to the second time of each pair."""
    if len(arms) < 2:
        return []
    both = zip(arms[0].seconds, arms[1].seconds, strict=False)
    return [
        _line(across(number), up(first), across(number), up(second), "pair")
        for number, (first, second) in enumerate(both, 1)
    ]


def _arm(arm: Arm, number: int, across: Scale, up: Scale, form: Callable[[float], str]) -> Markup:
    dots = []
    for place, value in enumerate(arm.seconds, 1):
        x = across(place)
        title = _title(f"{arm.label}, pair {place}: {form(value)}")
        if value > up.last:
            points = f"{x - 4:.1f},14 {x:.1f},6 {x + 4:.1f},14"
            mark = Markup('<polygon class="arrow" points="{}"/>').format(points)
        else:
            mark = _circle(x, up(value), 3.2, "dot")
        dots.append(_group(title, mark))
    return _group(*dots, css=f"arm arm{number}")


def _spread_out(places: Sequence[float], distance: float) -> list[float]:
    """The same places, moved apart until none is nearer to the next than `distance`."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + distance)
    return moved


def _svg(title: str, height: float, *parts: Markup) -> Markup:
    head = Markup(
        '<svg class="plot" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}"'
        ' xmlns="http://www.w3.org/2000/svg">'
    ).format(WIDTH, height, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _group(*parts: Markup, css: str = "") -> Markup:
    head = Markup('<g class="{}">').format(css) if css else Markup("<g>")
    return head + Markup("").join(parts) + Markup("</g>")


def _title(text: str) -> Markup:
    return Markup("<title>{}</title>").format(one_line(text))


def _text(x: float, y: float, text: str, css: str, anchor: str = "start") -> Markup:
    form = '<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    return Markup(form).format(css, x, y, anchor, printable(text))


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    form = '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    return Markup(form).format(css, x1, y1, x2, y2)


def _rect(x: float, y: float, width: float, height: float, css: str) -> Markup:
    form = '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
    return Markup(form).format(css, x, y, width, height)


def _circle(x: float, y: float, radius: float, css: str) -> Markup:
    form = '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>'
    return Markup(form).format(css, x, y, radius)
