"""The first two lines of every picture: what its colours mean, and how to read it."""

from collections.abc import Mapping


def legend(colours: Mapping[str, str], note: str) -> list[str]:
    """SVG elements of a picture's first 44 units.

    Args:
        colours: what is drawn, and its colour.
    """
    parts, x = [], 10.0
    for label, colour in colours.items():
        parts.append(f'<circle cx="{x + 5}" cy="14" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="18" fill="#222">{label}</text>')
        x += 36 + 6.6 * len(label)
    return [*parts, f'<text x="10" y="40" fill="#555">{note}</text>']
