"""Line charts as self-contained SVG, readable on light and dark pages."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 40, 50
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's palette, told apart by colour-blind readers as well."""
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4")


@dataclass(frozen=True)
class Line:
    """One series of points."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis shows, from where to where, and where its ticks are."""

    label: str
    ticks: Sequence[float]
    unit: str = ""

    def place(self, value: float) -> float:
        """0 at the first tick, 1 at the last."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def line_chart(
    title: str, across: Axis, up: Axis, lines: Sequence[Line], *, key_at: float = 0.03
) -> str:
    """An SVG document; the key to the lines stands right, from this share of the height up."""
    parts = [_text(_LEFT, 22, title, "start", 15), *_across(across), *_up(up)]
    for number, line in enumerate(lines):
        parts += [*_line(number, line, across, up), *_key(number, line, _y(key_at))]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" role="img" aria-label="{html.escape(title)}">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, anchor: str = "middle", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{html.escape(text)}</text>"
    )


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#ccc"/>'


def _across(axis: Axis) -> list[str]:
    parts = [_text(_x(0.5), _HEIGHT - 12, axis.label)]
    for tick in axis.ticks:
        x = _x(axis.place(tick))
        parts += [_rule(x, _y(0), x, _y(1)), _text(x, _y(0) + 18, f"{tick:g}{axis.unit}")]
    return parts


def _up(axis: Axis) -> list[str]:
    middle = _y(0.5)
    parts = [
        f'<text transform="translate(16 {middle:.1f}) rotate(-90)" text-anchor="middle" '
        f'font-size="12">{html.escape(axis.label)}</text>'
    ]
    for tick in axis.ticks:
        y = _y(axis.place(tick))
        parts += [_rule(_x(0), y, _x(1), y), _text(_LEFT - 8, y + 4, f"{tick:g}{axis.unit}", "end")]
    return parts


def _line(number: int, line: Line, across: Axis, up: Axis) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    places = [(_x(across.place(x)), _y(up.place(y))) for x, y in line.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return [
        f'<path d="M{path}" fill="none" {_stroke(number)}/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
    ]


def _key(number: int, line: Line, bottom: float) -> list[str]:
    y = bottom - 4 - 17 * number
    return [
        f'<path d="M{_x(1) - 230:.1f} {y:.1f}h28" {_stroke(number)}/>',
        _text(_x(1) - 195, y + 4, line.name, "start"),
    ]


def _stroke(number: int) -> str:
    colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{colour}" stroke-width="2"{dashes}'
