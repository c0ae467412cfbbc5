"""What accuracy costs on the wire: each mode's error against its bytes, or its messages."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.web.report.charts.canvas import (
    Frame,
    Ids,
    Line,
    figure,
    label,
    span,
)
from deepcity.web.report.charts.fit import wide
from deepcity.web.report.figures import decimals, number
from deepcity.web.report.text import Text, same

_SIZE = (480.0, 300.0)
_LINE = 15.0  # height of a name

Box = tuple[float, float, float, float]
"""left, top, right, bottom"""


@dataclass(frozen=True)
class AccuracyPoint:
    """A mode: its name, what it sent, its error, and its spread over seeds if there are several.

    `amount` is over zero.
    """

    name: Text
    amount: float
    error: float
    spread: float | None = None
    main: bool = False


def accuracy_vs_bytes(
    found: Sequence[AccuracyPoint],
    levels: Sequence[Line],
    titles: tuple[Text, Text, Text],
    amount_text: Callable[[int], str],
    ids: Ids,
) -> Markup:
    """The chart, or nothing where no mode was measured.

    Args:
        levels: errors that cost nothing on the wire, as lines of one value each.
        titles: of the chart (to be read aloud), of its y axis and of its x axis.
        amount_text: how an amount is written.
    """
    if not found:
        return Markup("")
    alt, y_title, x_title = titles
    edges = [p.error + s for p in found for s in (-(p.spread or 0), p.spread or 0)]
    values = [*edges, *(line.values[0] for line in levels)]
    frame = Frame.around(_SIZE, _decades([p.amount for p in found]), span(values))
    at_both_ends = [Line(line.name, line.style, [line.values[0]] * 2) for line in levels]
    body = [frame.grid(y_title, x_title), _marks(frame, amount_text)]
    body += [frame.line([frame.x.low, frame.x.high], line) for line in at_both_ends]
    body += [frame.end_labels(at_both_ends)]
    lines = [frame.y(line.values[0] or 0.0) for line in levels]
    body += _points(
        frame, found, amount_text, [(frame.x.start, y - 2, frame.x.end, y + 2) for y in lines]
    )
    return figure(frame, "plot", alt, body, ids=ids)


def _decades(amounts: Sequence[float]) -> tuple[float, float]:
    """Whole powers of ten around all amounts: at least one."""
    low = math.floor(math.log10(min(amounts)))
    return float(low), float(max(low + 1, math.ceil(math.log10(max(amounts)))))


def _marks(frame: Frame, amount_text: Callable[[int], str]) -> Markup:
    powers = range(int(frame.x.low), int(frame.x.high) + 1)
    every = max(1, math.ceil(len(powers) / 6))
    rule = Markup('<line class="rule day" x1="{0:.1f}" x2="{0:.1f}" y1="{1:g}" y2="{2:g}"/>')
    lines = [rule.format(frame.x(p), frame.y.end, frame.y.start) for p in powers]
    return Markup("").join(lines) + frame.bottom(
        (float(p), same(amount_text(10**p).replace(".0 ", " "))) for p in powers[::every]
    )


def _points(
    frame: Frame,
    found: Sequence[AccuracyPoint],
    amount_text: Callable[[int], str],
    lines: Sequence[Box],
) -> list[Markup]:
    """Dots with their names beside them, where nothing else is."""
    at = [(frame.x(math.log10(p.amount)), frame.y(p.error)) for p in found]
    taken: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for x, y in at]
    taken += lines
    parts: list[Markup] = []
    for one, (x, y) in zip(found, at, strict=True):
        style = "auto" if one.main else "other"
        parts += [_whisker(frame, one, x), _dot(one, style, x, y, amount_text)]
        box = _free(frame, max(wide(one.name.en), wide(one.name.ko)), x, y, taken)
        taken.append(box)
        parts.append(label(box[0], box[3] - 4, one.name, f"name {style} halo"))
    return parts


def _free(frame: Frame, width: float, x: float, y: float, taken: Sequence[Box]) -> Box:
    """A place for a name near its dot: right, left, above or below, the first that is free."""
    half = _LINE / 2
    corners = [(x + 10, y - half), (x - 10 - width, y - half)]
    corners += [(x - width / 2, y - 8 - _LINE), (x - width / 2, y + 8)]
    corners += [(x + 10, y + step) for step in (_LINE, -2 * _LINE)]
    boxes = [(left, top, left + width, top + _LINE) for left, top in corners]
    inside = [b for b in boxes if frame.x.start <= b[0] and b[2] <= frame.x.end] or boxes
    return next((b for b in inside if not any(_touch(b, other) for other in taken)), inside[0])


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _dot(
    one: AccuracyPoint, style: str, x: float, y: float, amount_text: Callable[[int], str]
) -> Markup:
    dot = '<circle class="point {}" cx="{:.1f}" cy="{:.1f}" r="5.5"{}/>'
    tips = Markup(' data-tip-en="{}" data-tip-ko="{}"')
    error = number(one.error, decimals([one.error]))
    tips_text = [
        f"{name}: {amount_text(round(one.amount))}, {error}" for name in (one.name.en, one.name.ko)
    ]
    return Markup(dot).format(style, x, y, tips.format(*tips_text))


def _whisker(frame: Frame, one: AccuracyPoint, x: float) -> Markup:
    if not one.spread:
        return Markup("")
    low, high = frame.y(one.error - one.spread), frame.y(one.error + one.spread)
    line = Markup('<line class="line thin" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>')
    return line.format(x, low, high)
