"""Records of a JSON file, one after another, in bounded memory: objects as rows of texts.

An object within a record becomes columns with dots (``station.name``), a list its JSON text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import ijson
import numpy as np
import polars as pl

from deepcity.data.errors import ReadError
from deepcity.data.text_files.soundness import opened

MAX_COLUMNS = 10_000
_OPENING, _CLOSING = list(b"[{"), list(b"]}")
_BOM = b"\xef\xbb\xbf"
_MAX_LEVELS = 32
_MAX_OPEN = 200  # brackets that are open, a few of which may stand in texts
_MANY_DIGITS = re.compile(rb"[0-9]{2000}")  # Python reads no number of over 4,300
_CHUNK = 1 << 16
_STARTS = {"start_map": "object", "start_array": "list"}
Row = dict[str, str | None]


class _Bounded:
    """A file that ends a reader which takes more bytes than a record may have."""

    def __init__(self, file: IO[bytes], name: str, most: int) -> None:
        self.file, self.name, self.most = file, name, most
        self.first = True
        self.begin()

    def begin(self) -> None:
        """A record begins, or is at an end."""
        self.taken = self.levels = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes, if they keep the record small and flat enough to be built."""
        piece = self.file.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self.taken += len(piece)
        if self.first and piece:
            piece, self.first = piece.removeprefix(_BOM), False
        if self.taken > self.most:
            reason = f"a record, or what stands before the first one, is over {self.most:,} bytes"
            right = "name the list with records = 'path.to.list', or raise max_record_mb"
            raise ReadError("path", self.name, reason, right)
        if _MANY_DIGITS.search(piece):
            reason, right = "a number of thousands of digits", "write it as a text, or leave it out"
            raise ReadError("path", self.name, reason, right)
        deepest, self.levels = _nesting(piece, self.levels)
        if deepest > _MAX_OPEN:
            reason = f"lists or objects nested deeper than {_MAX_OPEN} levels"
            right = "give a list of plain objects"
            raise ReadError("path", self.name, reason, right)
        return piece


def _nesting(piece: bytes, before: int) -> tuple[int, int]:
    """How many brackets are open at most within a piece, and at its end."""
    signs = np.frombuffer(piece, np.uint8)
    steps = np.isin(signs, _OPENING).astype(np.int64) - np.isin(signs, _CLOSING)
    levels = before + steps.cumsum()
    return (int(levels.max()), int(levels[-1])) if len(levels) else (before, before)


@contextmanager
def _read_errors(path: Path, number: list[int]) -> Iterator[None]:
    try:
        yield
    except (ijson.JSONError, ValueError, RecursionError, OverflowError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:150]
        where = f"after record {number[0]:,}" if number[0] else "before the first record"
        right = "check that the file is complete; NDJSON has one object a line"
        raise ReadError("path", path.name, f"not JSON, {where}: {line}", right) from error


def find_records(path: Path, max_bytes: int) -> str:
    """Where the records of a file are: ``item`` of a list at the top, or empty for NDJSON.

    Raises:
        ReadError: if it holds no list of objects, or several; they are named.
    """
    with opened(path) as file, _read_errors(path, [0]):
        bounded = _Bounded(file, path.name, max_bytes)
        lists: dict[str, None] = {}
        levels, ended = 0, False
        for prefix, event, _ in ijson.parse(bounded, multiple_values=True):
            levels += (event in _STARTS) - (event in {"end_map", "end_array"})
            if ended:  # another value follows: one a line
                return ""
            if not prefix and event not in {"start_map", "map_key", "end_map"}:
                return "item" if event == "start_array" else _refuse(path, {})
            if event == "start_map" and prefix.endswith("item") and levels <= _MAX_LEVELS:
                lists[prefix] = None
                bounded.begin()
            ended = event == "end_map" and not prefix
        found = [one for one in lists if one.count("item") == 1]
        return found[0] if len(found) == 1 else _refuse(path, found) if found else ""


def _refuse(path: Path, lists: Any) -> str:  # noqa: ANN401 - names, in any collection
    names = [name.removesuffix(".item") for name in lists]
    if names:
        reason, right = f"it holds {len(names)} lists of objects", f"records = '{names[0]}'"
        right = f"name one, e.g. {right} (of {', '.join(names[:10])})"
        raise ReadError("records", None, reason, right)
    right = 'give a list of objects, {"NAME": [objects]}, or one object a line'
    raise ReadError("path", path.name, "it holds no list of objects", right)


def iterate(path: Path, prefix: str, max_bytes: int) -> Iterator[Mapping[str, Any]]:
    """Each record of a list (or, with an empty prefix, each value at the top), in order.

    Raises:
        ReadError: if the file is damaged, or a record is no object or too large.
    """
    number = [0]
    with opened(path) as file, _read_errors(path, number):
        bounded = _Bounded(file, path.name, max_bytes)
        for one in ijson.items(bounded, prefix, multiple_values=True):
            bounded.begin()
            number[0] += 1
            if not isinstance(one, dict):
                reason = f"record {number[0]:,} is no object"
                right = "give a list of objects, one a record"
                raise ReadError("path", path.name, reason, right)
            yield one
        if not number[0] and prefix:
            right = "correct records = 'path.to.list', or leave it out"
            reason = "there is no list of objects, or it is empty"
            raise ReadError("records", prefix.removesuffix(".item"), reason, right)


def flat(record: Mapping[str, Any]) -> Row:
    """A record's cells as texts; numbers keep all their digits.

    >>> flat({"a": 1, "b": {"c": 2.5, "d": None}, "e": [1, "x"], "f": True})
    {'a': '1', 'b.c': '2.5', 'b.d': None, 'e': '[1, "x"]', 'f': 'true'}
    """
    cells: Row = {}
    left: list[tuple[str, Any]] = list(record.items())[::-1]
    while left:
        name, value = left.pop()
        if isinstance(value, dict) and value and name.count(".") < _MAX_LEVELS:
            left += [(f"{name}.{below}", one) for below, one in value.items()][::-1]
        else:
            cells[name] = _text(value)
    return cells


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=float)
    except RecursionError:
        reason, right = "lists nested too deeply", "give a list of plain objects"
        raise ReadError("records", None, reason, right) from None


def columns_of(rows: Iterator[Row], path: Path) -> list[str]:
    """The columns of all rows, in the order in which they first appear.

    Raises:
        ReadError: if they are too many to be columns.
    """
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
        if len(names) > MAX_COLUMNS:
            reason = f"its records have over {MAX_COLUMNS:,} different keys"
            right = "make a record's keys its columns, and what varies a value"
            raise ReadError("path", path.name, reason, right)
    return list(names)


def frame_of(rows: list[Row], columns: list[str]) -> pl.DataFrame:
    """Rows as texts, null where a row lacks a column."""
    return pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in columns},
        schema=dict.fromkeys(columns, pl.String),
    )
