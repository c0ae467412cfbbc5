"""What every chart is drawn with: axes, paths, labels and the frame around them.

Lengths are in SVG units, which are CSS pixels at the chart's natural width. Each line is drawn
once; the page's script reads the path back to show values, so no number is stored twice.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from deepcity.web.report.figures import tick
from deepcity.web.report.text import Text, same

LABEL_GAP = 16.5
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """Values `low`..`high` laid out on pixels `start`..`end`.

    >>> Axis(0, 10, 100, 0)(2.5)
    75.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def describe(self) -> str:
        """What the script needs to turn pixels back into values."""
        return f"{self.low:.10g} {self.high:.10g} {self.start:g} {self.end:g}"


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values inside `low`..`high`, about `count` of them.

    >>> ticks(0, 9.3)
    [0.0, 2.5, 5.0, 7.5]
    """
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in _STEPS if s * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def span(values: Iterable[float | None], *, zero: bool = False) -> tuple[float, float]:
    """Lowest and highest finite value with a little air; never empty.

    >>> span([None]), span([2.0, 4.0], zero=True)
    ((0.0, 1.0), (0.0, 4.2))
    """
    known = [v for v in values if v is not None and math.isfinite(v)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    air = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return (low if zero and low == 0.0 else low - air), high + air


def path(points: Iterable[tuple[float, float | None]]) -> str:
    """An SVG path through the points; None lifts the pen.

    >>> path([(0, 1), (1, 2), (2, None), (3, 4)])
    'M0 1L1 2M3 4'
    """
    parts, pen = [], "M"
    for x, y in points:
        if y is None or not math.isfinite(y):
            pen = "M"
            continue
        parts.append(f"{pen}{x:.1f} {y:.2f}".replace(".00", "").replace(".0 ", " "))
        pen = "L"
    return "".join(parts)


def label(x: float, y: float, words: Text, style: str = "", anchor: str = "start") -> Markup:
    """Words at a point, in both languages where they differ."""
    one = Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}"{}>{}</text>')
    if words.en == words.ko:
        return one.format(x, y, style, anchor, "", words.en)
    both = ((words.en, Markup(' lang="en"')), (words.ko, Markup(' lang="ko"')))
    return Markup("").join(one.format(x, y, style, anchor, lang, word) for word, lang in both)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the wanted ones, `gap` apart and inside `low`..`high` where room allows.

    >>> spread([10, 12, 50], 15, 0, 100)
    [10, 25, 50]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    floor = low
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


@dataclass(frozen=True)
class Line:
    """One series: how it is called, how it is drawn (a class of the style sheet), its values."""

    name: Text
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Frame:
    """The box a chart is drawn in: its size, margins and both axes."""

    width: float
    height: float
    x: Axis
    y: Axis

    @classmethod
    def around(
        cls,
        size: tuple[float, float],
        x: tuple[float, float],
        y: tuple[float, float],
        margins: tuple[float, float, float, float] = (30, 92, 42, 46),
    ) -> "Frame":
        """A frame of a size with margins top, right, bottom, left around its axes."""
        width, height = size
        top, right, bottom, left = margins
        return cls(width, height, Axis(*x, left, width - right), Axis(*y, height - bottom, top))

    def grid(self, y_title: Text, x_title: Text) -> Markup:
        """Horizontal rules with their values, and the titles of both axes."""
        rule = Markup('<line class="rule" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
        parts = [label(0, 12, y_title, "axis-title")]
        for value in ticks(self.y.low, self.y.high):
            y = self.y(value)
            parts += [rule.format(self.x.start, self.x.end, y, y)]
            parts += [label(self.x.start - 7, y + 4, same(tick(value)), "tick", "end")]
        middle = (self.x.start + self.x.end) / 2
        parts.append(label(middle, self.height - 4, x_title, "axis-title", "middle"))
        return Markup("").join(parts)

    def bottom(self, marks: Iterable[tuple[float, Text]]) -> Markup:
        """Marks along the x axis: value and words."""
        y = self.height - 24
        return Markup("").join(label(self.x(v), y, words, "tick", "middle") for v, words in marks)

    def line(self, xs: Sequence[float], line: Line) -> Markup:
        """A line with the name that the script shows beside its values."""
        d = path(
            (self.x(x), None if v is None else self.y(v))
            for x, v in zip(xs, line.values, strict=False)
        )
        return Markup('<path class="line {}" data-en="{}" data-ko="{}" d="{}"/>').format(
            line.style, line.name.en, line.name.ko, d
        )

    def end_labels(self, lines: Sequence[Line]) -> Markup:
        """Each line's name at its right end, moved apart where they would overlap."""
        ends = [(line, _last(line.values)) for line in lines]
        known = [(line, self.y(value)) for line, value in ends if value is not None]
        if not known:
            return Markup("")
        places = spread([y for _, y in known], LABEL_GAP, self.y.end, self.y.start)
        return Markup("").join(
            label(self.x.end + 7, y + 4, line.name, f"name {line.style}")
            for (line, _), y in zip(known, places, strict=True)
        )


def _last(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None and math.isfinite(v)]
    return known[-1] if known else None


@dataclass(frozen=True)
class Reading:
    """How the script reads values off a chart: sort of x, its grid and time zone, y decimals."""

    kind: str
    step: float
    places: int
    zone: str = "UTC"


@dataclass
class Ids:
    """Gives every described element of a page an id of its own."""

    used: int = field(default=0)

    def next(self) -> str:
        """An id not given before."""
        self.used += 1
        return f"c{self.used}"


def figure(
    frame: Frame,
    style: str,
    alt: Text,
    body: Iterable[Markup],
    *,
    ids: Ids,
    reading: Reading | None = None,
) -> Markup:
    """The SVG with its description; with a `reading`, values can be read by mouse and arrows."""
    name = ids.next()
    data = Markup("")
    if reading is not None:
        data = Markup(
            ' tabindex="0" data-x="{}" data-y="{}" data-kind="{}" data-step="{:g}"'
            ' data-places="{}" data-zone="{}"'
        ).format(
            frame.x.describe(), frame.y.describe(), reading.kind, reading.step,
            reading.places, reading.zone,
        )  # fmt: skip
    return Markup(
        '<span class="hidden" id="{}">{}</span><svg class="chart {}" role="img" '
        'aria-labelledby="{}" viewBox="0 0 {:g} {:g}"{}>{}</svg>'
    ).format(name, alt, style, name, frame.width, frame.height, data, Markup("").join(body))
