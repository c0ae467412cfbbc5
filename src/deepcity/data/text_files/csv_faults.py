"""Why a CSV file cannot be read: the first row that is in another encoding, or too long."""

import csv
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from deepcity.city.problem import Cause
from deepcity.data.encodings.names import LOSSY
from deepcity.data.encodings.scan import bad_byte, decoded
from deepcity.data.encodings.utf8_file import not_encoded, utf8_file
from deepcity.data.errors import ReadError

MAX_LINE = 1 << 24  # a line of 16 MB is no row of cells, and is not held in memory


class CsvFormat(Protocol):
    """What the settings of a CSV source say of its text."""

    @property
    def path(self) -> str | tuple[str, ...]: ...  # noqa: D102
    @property
    def encoding(self) -> str: ...  # noqa: D102
    @property
    def delimiter(self) -> str: ...  # noqa: D102
    @property
    def skip_rows(self) -> int: ...  # noqa: D102


def fault_of(path: Path, source: CsvFormat) -> ReadError | None:
    """The first fault of a file that could not be read, or None where none is found.

    Raises:
        ReadError: if its text is not in the stated encoding.
    """
    try:
        text = utf8_file(path, source.encoding)
        if source.encoding != LOSSY and (where := bad_byte(text, "utf_8")) is not None:
            return not_encoded(path, source.encoding, str(where))
        return _long_row(text, source)
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError):
        return None  # what went wrong in the first place says it better


def _long_row(path: Path, source: CsvFormat) -> ReadError | None:
    """The first row with more cells than the header."""
    lines = _lines(path)
    for _ in range(source.skip_rows):
        next(lines, None)
    reader = csv.reader(lines, delimiter=source.delimiter)
    width = len(next(reader, []))
    for cells in reader:
        if len(cells) > width > 0:
            row = reader.line_num + source.skip_rows
            shown = source.delimiter.join(cells)[:120]
            below = f"row {row - source.skip_rows - 1:,} below the header"
            reason = f"line {row:,} ({below}) has {len(cells)} cells, the header {width}"
            right = "correct that row; if a cell holds the delimiter, put it in quotes"
            cause = Cause("long-row", 1, (row,))
            return ReadError("path", source.path, f"{reason}: {shown!r}", right, cause)
    return None


def _lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 file; ends at a line that is too long to be one."""
    rest = ""
    for text in decoded(path, "utf_8"):
        *whole, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in whole)
        if len(rest) > MAX_LINE:
            return
    if rest:
        yield rest
