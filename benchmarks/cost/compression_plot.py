"""Error against bytes a round on one picture, a line a set; bytes on a logarithmic scale."""

from collections.abc import Mapping
from math import log10

Points = Mapping[str, tuple[float, float, float]]
"""Way -> bytes a party and round, error as a share of alone, its spread."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 64, 20, 60, 52
COLOURS = ("#2457c5", "#b3541e", "#2f7d4f", "#7a3fa0")


def svg(sets: Mapping[str, Points]) -> str:
    """Points with whiskers over seeds; labels name the way at the first set's points."""
    rows = [row for points in sets.values() for row in points.values()]
    errors = [end for _, error, spread in rows for end in (error - spread, error + spread)]
    low, high = min(errors) - 0.002, max(errors) + 0.002
    least, most = log10(min(row[0] for row in rows)) - 0.1, log10(max(row[0] for row in rows)) + 0.1

    def x(sent: float) -> float:
        return LEFT + (log10(sent) - least) / (most - least) * (WIDTH - LEFT - RIGHT)

    def y(error: float) -> float:
        return HEIGHT - BOTTOM - (error - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        '<text x="12" y="42" fill="#555">error as a share of learning alone, ± over seeds, '
        "against bytes that a party sends in a round</text>",
    ]
    for step in range(5):
        error = low + step / 4 * (high - low)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(error):.1f}" y2="{y(error):.1f}" '
            f'stroke="#e3e5e8"/><text x="{LEFT - 8}" y="{y(error) + 4:.1f}" '
            f'text-anchor="end" fill="#222">{error:.3f}</text>'
        )
    for index, (name, points) in enumerate(sets.items()):
        parts += _line(name, points, index, x, y)
    for way, (sent, _, _) in next(iter(sets.values())).items():
        parts.append(
            f'<text x="{x(sent):.1f}" y="{HEIGHT - 30}" text-anchor="middle" fill="#222" '
            f'font-size="10">{way.replace("float", "f")}</text><text x="{x(sent):.1f}" '
            f'y="{HEIGHT - 16}" text-anchor="middle" fill="#555" font-size="10">'
            f"{sent / 1000:,.0f} kB</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(name: str, points: Points, index: int, x, y) -> list[str]:
    colour, left = COLOURS[index % len(COLOURS)], 12 + 150 * index
    path = " ".join(f"{x(sent):.1f},{y(error):.1f}" for sent, error, _ in points.values())
    parts = [
        f'<circle cx="{left + 5}" cy="16" r="5" fill="{colour}"/>'
        f'<text x="{left + 15}" y="20" fill="#222">{name}</text>',
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-opacity="0.4"/>',
    ]
    for sent, error, spread in points.values():
        ends = [f"{y(error + side * spread):.1f}" for side in (-1, 1)]
        parts.append(
            f'<line x1="{x(sent):.1f}" x2="{x(sent):.1f}" y1="{ends[0]}" y2="{ends[1]}" '
            f'stroke="{colour}"/><circle cx="{x(sent):.1f}" cy="{y(error):.1f}" r="4" '
            f'fill="{colour}"/>'
        )
    return parts
