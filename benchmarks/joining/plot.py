"""One picture of all cases: what joining is worth, by set and days of one's own."""

from collections.abc import Sequence

import numpy as np

from benchmarks.joining.cases import SETS, TUNED, Case
from benchmarks.joining.tables import share
from benchmarks.legend import legend
from deepcity.city.level import MAX_LEVEL
from deepcity.parties import method_errors as names

LEFT, WIDTH, ROW, TOP = 150, 720, 22, 56
LOW, HIGH = 0.6, 1.3  # share of alone; what lies outside is drawn at the edge
NOTE = "error as a share of learning alone: left of the line is better; a thin mark is one case"
METHODS = {
    names.fixed_level_name(MAX_LEVEL): ("level 6, fixed", "#8a8f98"),
    TUNED: ("all rows pooled, then tuned (forbidden)", "#c77d2e"),
    names.AUTOMATIC: ("automatic", "#2457c5"),
}


def svg(cases: Sequence[Case]) -> str:
    """A row for each set and number of days; a thin mark a case, a disc for the mean."""
    rows = [
        (name, days)
        for name in SETS
        for days in [*SETS[name], None]
        if any((case.set, case.days) == (name, days) for case in cases)
    ]
    height = TOP + ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *legend(dict(METHODS.values()), NOTE),
        *_grid(height),
    ]
    for index, (name, days) in enumerate(rows):
        y = TOP + ROW * index + ROW / 2
        label = f"{name}, {'all days' if days is None else f'{days:g} days'}"
        place = f'x="{LEFT - 10}" y="{y + 4}" text-anchor="end" fill="#222"'
        parts.append(f"<text {place}>{label}</text>")
        some = [case for case in cases if (case.set, case.days) == (name, days)]
        parts += _marks(some, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(value: float) -> float:
    inside = min(max(value, LOW), HIGH)
    return LEFT + (inside - LOW) / (HIGH - LOW) * (WIDTH - LEFT - 20)


def _grid(height: int) -> list[str]:
    parts = []
    for value in np.arange(LOW, HIGH + 0.01, 0.1):
        dark = abs(value - 1) < 1e-9
        parts.append(
            f'<line x1="{_x(value):.1f}" x2="{_x(value):.1f}" y1="{TOP}" y2="{height - 34}" '
            f'stroke="{"#222" if dark else "#dddddd"}" stroke-width="{1.4 if dark else 1}"/>'
        )
        parts.append(
            f'<text x="{_x(value):.1f}" y="{height - 16}" text-anchor="middle" '
            f'fill="#555">{value:.1f}</text>'
        )
    return parts


def _marks(cases: Sequence[Case], y: float) -> list[str]:
    parts = []
    for offset, (method, (_, colour)) in zip((-5, 5, 0), METHODS.items(), strict=True):
        found = [share(case, method) for case in cases]
        parts += [
            f'<line x1="{_x(value):.1f}" x2="{_x(value):.1f}" y1="{y + offset - 3}" '
            f'y2="{y + offset + 3}" stroke="{colour}" stroke-opacity="0.45"/>'
            for value in found
        ]
        parts.append(
            f'<circle cx="{_x(float(np.mean(found))):.1f}" cy="{y + offset}" r="4" '
            f'fill="{colour}"/>'
        )
    return parts
