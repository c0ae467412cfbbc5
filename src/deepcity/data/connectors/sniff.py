"""Detects the delimiter and decimal sign of a CSV file that has no settings yet."""

import gzip
import re
from itertools import islice
from pathlib import Path

from deepcity.data.config.toml_file import Raw

LINES = 200
DELIMITERS = (",", ";", "\t", "|")


def sniff(path: Path) -> Raw:
    """Settings of a CSV source that differ from the defaults (comma, and point for decimals).

    The delimiter is the character whose count is the same in most lines, then the most frequent.
    """
    lines = _lines(path)
    if not lines:
        return {}
    counts = {sign: [line.count(sign) for line in lines] for sign in DELIMITERS}
    best = max(DELIMITERS, key=lambda sign: (_steady(counts[sign]), counts[sign][0]))
    if not counts[best][0]:
        return {}
    cells = [cell.strip().strip('"') for line in lines[1:] for cell in line.split(best)]
    commas, points = (
        sum(re.fullmatch(rf"[+-]?\d+{re.escape(sign)}\d+", cell) is not None for cell in cells)
        for sign in ",."
    )
    found: Raw = {} if best == "," else {"delimiter": best}
    return found | ({"decimal": ","} if best != "," and commas > points else {})


def _steady(counts: list[int]) -> float:
    """Share of lines with as many of a character as the first line; 0 if that has none."""
    return sum(count == counts[0] for count in counts) / len(counts) if counts[0] else 0.0


def _lines(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\r\n") for line in islice(file, LINES) if line.strip()]
    except (OSError, EOFError):
        return []  # the connector reports why it cannot be read
