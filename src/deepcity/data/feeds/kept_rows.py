"""Reads the rows that a feed has brought so far: the connector of every format of feeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepcity.data.connectors import RawTable
from deepcity.data.connectors.csv import CsvConnector, CsvSettings
from deepcity.data.errors import ReadError
from deepcity.data.feeds.settings import FeedSettings

NOTHING_YET = "no row has come yet"
_CSV = CsvConnector()


@dataclass(frozen=True)
class FeedConnector:
    """Reads kept rows; a value for each format of feeds.

    Attributes:
        name: the format's.
        settings: of the format.
        right: how rows are made to come, for messages.
    """

    name: str
    settings: type[FeedSettings]
    right: str
    suffixes: tuple[str, ...] = ()

    def check(self, source: FeedSettings, folder: Path) -> None:
        """Nothing: that no row has come yet is no problem."""

    def read(self, source: FeedSettings, folder: Path) -> RawTable:
        """All rows kept, every cell as text."""
        return _CSV.read(self._kept(source, folder), folder)

    def batches(
        self, source: FeedSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows."""
        yield from _CSV.batches(self._kept(source, folder), folder, columns)

    def columns(self, source: FeedSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        return _CSV.columns(self._kept(source, folder), folder)

    def _kept(self, source: FeedSettings, folder: Path) -> CsvSettings:
        path = source.spool_path(folder)
        if not _has_rows(path):
            raise ReadError("path", str(path), NOTHING_YET, self.right)
        return source.as_csv()


def _has_rows(path: Path) -> bool:
    """Whether a file of kept rows has more than its header."""
    try:
        with path.open("rb") as file:
            return bool(file.readline() and file.readline())
    except FileNotFoundError:
        return False
