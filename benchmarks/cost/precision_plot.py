"""Error and bytes by reuse level on one picture: two scales over one axis of levels."""

from collections.abc import Mapping, Sequence

Rows = Mapping[str, Mapping[int, tuple[float, float, float]]]
"""Precision -> level -> error as a share of alone, its spread, bytes a party and round."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 64, 72, 60, 52
COLOURS = {"float32": "#8a8f98", "float16": "#2457c5"}


def svg(rows: Rows) -> str:
    """Bars are bytes (right scale), points with whiskers are errors (left scale)."""
    levels = sorted(next(iter(rows.values())))
    low, high = _range([e for found in rows.values() for e, _, _ in found.values()])
    most = max(sent for found in rows.values() for _, _, sent in found.values())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_legend(),
        *_axes(levels, low, high, most),
    ]
    for index, (precision, found) in enumerate(rows.items()):
        for level in levels:
            error, spread, sent = found[level]
            x = _x(levels, level) + (index - 0.5) * 22
            parts += _bar(x, sent / most, COLOURS[precision])
            ends = [_y((end - low) / (high - low)) for end in (error - spread, error + spread)]
            parts += _point(x, _y((error - low) / (high - low)), ends, COLOURS[precision])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _range(errors: Sequence[float]) -> tuple[float, float]:
    """A scale of errors with room for whiskers, and never finer than 2 %."""
    middle = (min(errors) + max(errors)) / 2
    half = max(0.01, 0.8 * (max(errors) - min(errors)))
    return middle - half, middle + half


def _x(levels: Sequence[int], level: int) -> float:
    return LEFT + (levels.index(level) + 0.5) / len(levels) * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    inside = min(max(share, 0.0), 1.0)
    return HEIGHT - BOTTOM - inside * (HEIGHT - TOP - BOTTOM)


def _bar(x: float, share: float, colour: str) -> list[str]:
    top = _y(share)
    return [
        f'<rect x="{x - 10:.1f}" y="{top:.1f}" width="20" height="{_y(0) - top:.1f}" '
        f'fill="{colour}" fill-opacity="0.22"/>'
    ]


def _point(x: float, y: float, ends: Sequence[float], colour: str) -> list[str]:
    return [
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}" '
        f'stroke="{colour}"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>',
    ]


def _legend() -> list[str]:
    parts, x = [], 12.0
    for precision, colour in COLOURS.items():
        parts.append(f'<circle cx="{x + 5}" cy="16" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="20" fill="#222">{precision} on the wire</text>')
        x += 150
    note = "points: error as a share of learning alone, ± over seeds; bars: bytes sent a round"
    return [*parts, f'<text x="12" y="42" fill="#555">{note}</text>']


def _axes(levels: Sequence[int], low: float, high: float, most: float) -> list[str]:
    parts = []
    for step in range(5):
        y = _y(step / 4)
        error, sent = low + step / 4 * (high - low), step / 4 * most / 1000
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        )
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#222">{error:.3f}</text>'
        )
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}" fill="#555">{sent:.0f} kB</text>'
        )
    for level in levels:
        label = "alone" if level == 0 else f"level {level}"
        place = f'x="{_x(levels, level):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle"'
        parts.append(f'<text {place} fill="#222">{label}</text>')
    return parts
