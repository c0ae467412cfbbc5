"""Reads the rows that a spool keeps: what is new once, and all rows of some hours again.

Rows of the hours that were asked for last stay in memory, up to a bound; those of others are
looked for in the file. So the work for new rows depends on how many they are, and on how far back
they reach, and not on how many came before them.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from deepcity.live.feeds.row_spool import committed_bytes

HOUR_S = 3600
MOST_BYTES = 16_000_000
"""Of rows in memory."""
_MOST_PREFIXES = 10_000
_UTC = b"+00:00"
_HOUR_TEXT, _TIME_TEXT = 13, 25  # "2024-05-01T08", "2024-05-01T08:00:00+00:00"


class RowReader:
    """Rows of one spool.

    Args:
        path: of its file.
        time_column: name of its first column, which holds times as a spool keeps them.
        most_bytes: of rows in memory.
    """

    def __init__(self, path: Path, time_column: str, most_bytes: int = MOST_BYTES) -> None:
        self.path, self.time_column, self.most_bytes = path, time_column, most_bytes
        self.header = b""
        self.first_hour = self.last_hour = 0
        self._file: BinaryIO | None = None
        self._offset = 0
        self._hours: dict[int, list[bytes]] = {}
        self._prefixes: dict[bytes, int] = {}

    def poll(self) -> set[int] | None:
        """The hours (since 1970, UTC) of rows that are new; None: all are, as the file is new.

        Raises:
            ValueError: if the file is none of a spool.
            OSError: if it cannot be read.
        """
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return set()
        counts = committed_bytes(self.path)
        if self._file is None or _identity(self._file) != (now.st_dev, now.st_ino):
            return self._open(counts)
        if counts <= self._offset:
            return set() if counts == self._offset else self._open(counts)
        found = set()
        for line in self._lines(self._offset, counts):
            hour = self._hour(line)
            found.add(hour)
            if hour > self.last_hour:  # nothing was there before
                self._hours.setdefault(hour, [])
            if hour in self._hours:
                self._hours[hour].append(line)
        self._offset = counts
        if found:
            self.first_hour = min(self.first_hour, *found)
            self.last_hour = max(self.last_hour, *found)
        return found

    def rows(self, hours: Collection[int]) -> list[bytes]:
        """All rows of some hours, hour after hour, in the order in which they came.

        Raises:
            OSError: if the file cannot be read.
        """
        absent = set(hours) - set(self._hours)
        found = {hour: list[bytes]() for hour in absent}
        if any(hour <= self.last_hour for hour in absent):
            for line in self._lines(len(self.header), self._offset):
                if (hour := self._hour(line)) in found:
                    found[hour].append(line)
        self._hours |= found
        rows = [line for hour in sorted(hours) for line in self._hours[hour]]
        self._forget(set(hours))
        return rows

    def copy(self, path: Path) -> None:
        """Write all rows that count to another file.

        Raises:
            OSError: if it cannot be written.
        """
        with path.open("wb") as file:
            file.write(self.header)
            file.writelines(self._lines(len(self.header), self._offset))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, counts: int) -> set[int] | None:
        """Begin with a file that was not read before; an empty set if it holds no row."""
        self.close()
        self._file = self.path.open("rb")
        self._hours, self.header = {}, self._file.readline()
        names = next(csv.reader([self.header.decode("utf-8", "replace")]), [])
        if names[:1] != [self.time_column]:
            raise ValueError(f"{self.path.name} does not begin with the column {self.time_column}")
        seen = {self._hour(line) for line in self._lines(len(self.header), counts)}
        self._offset = max(counts, len(self.header))
        self.first_hour, self.last_hour = (min(seen), max(seen)) if seen else (0, 0)
        return None if seen else set()

    def _lines(self, begin: int, end: int) -> Iterator[bytes]:
        """The whole lines between two bytes."""
        assert self._file is not None
        self._file.seek(begin)
        while begin < end and (line := self._file.readline()):
            begin += len(line)
            if begin <= end and line.endswith(b"\n"):
                yield line

    def _hour(self, line: bytes) -> int:
        prefix = line[:_HOUR_TEXT]
        if line[_TIME_TEXT - len(_UTC) : _TIME_TEXT] != _UTC:
            raise ValueError(f"{self.path.name} has a time that no spool writes: {line[:40]!r}")
        if prefix not in self._prefixes:
            if len(self._prefixes) >= _MOST_PREFIXES:
                self._prefixes.clear()
            text = prefix.decode("ascii", "replace")
            moment = datetime.fromisoformat(f"{text}:00:00+00:00")
            self._prefixes[prefix] = int(moment.timestamp()) // HOUR_S
        return self._prefixes[prefix]

    def _forget(self, asked: set[int]) -> None:
        """Keep the hours asked for, and of others the newest, within the bound."""
        size = {hour: sum(map(len, lines)) for hour, lines in self._hours.items()}
        total = sum(size.values())
        for hour in sorted(set(self._hours) - asked):
            if total <= self.most_bytes and len(self._hours) < _MOST_PREFIXES:
                return
            total -= size[hour]
            del self._hours[hour]


def clusters(hours: Iterable[int], gap: int) -> list[list[int]]:
    """Hours in order, apart wherever more than `gap` hours lie between two.

    >>> clusters([9, 2, 1, 5], 2)
    [[1, 2], [5], [9]]
    """
    found: dict[int, list[int]] = defaultdict(list)
    number, last = 0, None
    for hour in sorted(hours):
        number += last is not None and hour - last > gap
        found[number].append(hour)
        last = hour
    return list(found.values())


def _identity(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino
