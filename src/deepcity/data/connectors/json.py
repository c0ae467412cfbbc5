"""JSON: a list of objects, at the top or within an object, or one object a line (NDJSON)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from deepcity.data import connectors
from deepcity.data.connectors import RawTable
from deepcity.data.connectors.json_records import (
    Row,
    columns_of,
    find_records,
    flat,
    frame_of,
    iterate,
)
from deepcity.data.connectors.location import locate
from deepcity.data.connectors.many_files import FileSettings

_LINES = (".ndjson", ".jsonl")


class JsonSettings(FileSettings):
    """Keys of a JSON source.

    Attributes:
        records: where the list of records is, as keys joined by dots, e.g. ``response.data``;
            by default the only list of objects is found.
        max_record_mb: size of the largest record that is read.
    """

    format: Literal["json"] = "json"
    records: str | None = Field(default=None, min_length=1)
    max_record_mb: float = Field(default=32, gt=0)

    @property
    def row_noun(self) -> str:
        """What a row of the table is in the file."""
        return "record"


class JsonConnector:
    """Reads records of JSON, a batch at a time."""

    name = "json"
    suffixes = (".json", ".json.gz", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
    settings = JsonSettings

    def check(self, source: JsonSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: JsonSettings, folder: Path) -> RawTable:
        """All records, numbered from 1."""
        names = self.columns(source, folder)
        return RawTable(frame_of(list(self.rows(source, folder)), names), 1)

    def batches(
        self, source: JsonSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of records."""
        yield from batches_of_rows(self.rows(source, folder), columns)

    def columns(self, source: JsonSettings, folder: Path) -> list[str]:
        """Names of the columns: the keys of all records."""
        path = locate(source.path, folder)
        state = path.stat()
        key = (state.st_mtime_ns, state.st_size, state.st_ino)
        return list(_columns(path, key, source.records, source.max_record_mb))

    def rows(self, source: JsonSettings, folder: Path) -> Iterator[Row]:
        """Each record's cells.

        Raises:
            ReadError: if the file is damaged, or holds no list of records.
        """
        return _rows(locate(source.path, folder), source.records, source.max_record_mb)


def _rows(path: Path, records: str | None, max_record_mb: float) -> Iterator[Row]:
    most = round(max_record_mb * 1e6)
    lines = path.name.lower().removesuffix(".gz").endswith(_LINES)
    prefix = f"{records}.item" if records else "" if lines else find_records(path, most)
    return (flat(record) for record in iterate(path, prefix, most))


def batches_of_rows(rows: Iterator[Row], columns: Sequence[str]) -> Iterator[RawTable]:
    """Rows in batches, numbered from 1."""
    first_row, batch = 1, list[Row]()
    size = connectors.rows_per_batch(len(columns))
    for row in rows:
        batch.append({name: row.get(name) for name in columns})
        if len(batch) == size:
            yield RawTable(frame_of(batch, list(columns)), first_row)
            first_row, batch = first_row + size, []
    if batch or first_row == 1:
        yield RawTable(frame_of(batch, list(columns)), first_row)


@lru_cache(maxsize=100)
def _columns(
    path: Path, _state: object, records: str | None, max_record_mb: float
) -> tuple[str, ...]:
    return tuple(columns_of(_rows(path, records, max_record_mb), path))


CONNECTOR = JsonConnector()
