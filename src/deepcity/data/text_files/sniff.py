"""Detects the encoding, delimiter and decimal sign of a CSV file that has no settings yet."""

import csv
import re
import zlib
from pathlib import Path

from deepcity.data.config.toml_file import Raw
from deepcity.data.encodings.detect import FoundEncoding, find_encoding
from deepcity.data.encodings.names import UTF8, codec_of
from deepcity.data.encodings.scan import decoded
from deepcity.data.tables.numbers import GROUPED

LINES = 200
DELIMITERS = (",", ";", "\t", "|")


def sniff(path: Path) -> Raw:
    """Settings of a CSV source that differ from the defaults (comma, and point for decimals).

    The delimiter is the character whose count is the same in most lines, then the most frequent.
    """
    encoding = _encoding(path)
    lines = _lines(path, encoding)
    found: Raw = {} if encoding == UTF8 else {"encoding": encoding}
    if not lines:
        return found
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]  # a quoted cell may hold any of them
    counts = {sign: [line.count(sign) for line in bare] for sign in DELIMITERS}
    best = max(DELIMITERS, key=lambda sign: (_steady(counts[sign]), counts[sign][0]))
    if not counts[best][0]:
        return found
    found |= {} if best == "," else {"delimiter": best}
    rows = csv.reader(lines[1:], delimiter=best)
    cells = [cell.strip() for row in rows for cell in row]
    commas, points = (
        sum(re.fullmatch(rf"[+-]?\d+{re.escape(sign)}\d+", cell) is not None for cell in cells)
        for sign in ",."
    )
    fractions = [
        cell
        for cell in cells
        if re.fullmatch(r"[+-]?\d+,\d+", cell) and not re.fullmatch(GROUPED[","], cell)
    ]
    return found | ({"decimal": ","} if best != "," and commas > points and fractions else {})


def _encoding(path: Path) -> str:
    """The file's encoding; UTF-8 where none is found, which the connector then refuses."""
    try:
        found = find_encoding(path)
    except (OSError, EOFError, zlib.error):
        return UTF8
    return found.name if isinstance(found, FoundEncoding) else UTF8


def _steady(counts: list[int]) -> float:
    """Share of lines with as many of a character as the first line; 0 if that has none."""
    return sum(count == counts[0] for count in counts) / len(counts) if counts[0] else 0.0


def _lines(path: Path, encoding: str) -> list[str]:
    """The first lines that are not empty."""
    text = ""
    try:
        for piece in decoded(path, codec_of(encoding) or encoding):
            text += piece
            if text.count("\n") > LINES:
                break
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        pass  # the connector reports why it cannot be read
    found = text.removeprefix("\ufeff").splitlines()[:LINES]
    return [line for line in found if line.strip()]
