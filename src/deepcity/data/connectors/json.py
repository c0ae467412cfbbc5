"""JSON: a list of objects, at the top or within an object, or one object a line (NDJSON)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

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
from deepcity.data.file_state import file_state

_LINES = (".ndjson", ".jsonl")
RowsOf = Callable[[Path, str | None, int], Iterator[Row]]
"""The cells of a file's records: by its path, where they are in it, and the most bytes of one."""


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


@dataclass(frozen=True)
class RecordConnector:
    """Reads a file of records, a batch at a time; a value for each format that has them."""

    name: str
    suffixes: tuple[str, ...]
    settings: type[FileSettings]
    rows_of: RowsOf

    def check(self, source: Any, folder: Path) -> None:  # noqa: ANN401 - its own settings
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: Any, folder: Path) -> RawTable:  # noqa: ANN401 - its own settings
        """All records, numbered from 1."""
        names = self.columns(source, folder)
        return RawTable(frame_of(list(self._rows(source, folder)), names), 1)

    def batches(
        self,
        source: Any,  # noqa: ANN401 - its own settings
        folder: Path,
        columns: Sequence[str],
    ) -> Iterator[RawTable]:
        """The given columns, in batches of records."""
        first_row, batch = 1, list[Row]()
        size = connectors.rows_per_batch(len(columns))
        for row in self._rows(source, folder):
            batch.append({name: row.get(name) for name in columns})
            if len(batch) == size:
                yield RawTable(frame_of(batch, list(columns)), first_row)
                first_row, batch = first_row + size, []
        if batch or first_row == 1:
            yield RawTable(frame_of(batch, list(columns)), first_row)

    def columns(self, source: Any, folder: Path) -> list[str]:  # noqa: ANN401 - its own settings
        """Names of the columns: the keys of all records; read once until the file changes."""
        path = locate(source.path, folder)
        return list(_columns(self.rows_of, path, file_state(path), *_limits(source)))

    def _rows(self, source: Any, folder: Path) -> Iterator[Row]:  # noqa: ANN401 - as above
        return self.rows_of(locate(source.path, folder), *_limits(source))


def _limits(source: Any) -> tuple[str | None, int]:  # noqa: ANN401 - as above
    return getattr(source, "records", None), round(source.max_record_mb * 1e6)


@lru_cache(maxsize=100)
def _columns(
    rows_of: RowsOf, path: Path, _state: object, records: str | None, max_bytes: int
) -> tuple[str, ...]:
    return tuple(columns_of(rows_of(path, records, max_bytes), path))


def _records(path: Path, records: str | None, max_bytes: int) -> Iterator[Row]:
    lines = path.name.lower().removesuffix(".gz").endswith(_LINES)
    prefix = f"{records}.item" if records else "" if lines else find_records(path, max_bytes)
    return (flat(record) for record in iterate(path, prefix, max_bytes))


CONNECTOR = RecordConnector(
    "json",
    (".json", ".json.gz", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz"),
    JsonSettings,
    _records,
)
