"""The files of a GTFS feed, in a folder or a zip file, within bounds of size.

A zip file is unpacked to a temporary folder; what it claims to hold is checked before, and no more
than that is written. Files are read as any CSV file is, a batch at a time.
"""

import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import polars as pl

from deepcity.data.connectors import csv
from deepcity.data.connectors.location import locate
from deepcity.data.errors import ReadError
from deepcity.data.gtfs.bad_rows import ROW

NEEDED = {
    "agency.txt": ("agency_timezone",),
    "stops.txt": ("stop_id",),
    "routes.txt": ("route_id",),
    "trips.txt": ("trip_id", "route_id", "service_id"),
    "stop_times.txt": ("trip_id", "stop_id", "stop_sequence"),
}
"""Files that every feed has, and the columns of them that are read."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPTIONAL = {
    "calendar.txt": ("service_id", *_DAYS, "start_date", "end_date"),
    "calendar_dates.txt": ("service_id", "date", "exception_type"),
    "frequencies.txt": ("trip_id", "start_time", "end_time", "headway_secs"),
}
MOST_ROWS = 30_000_000  # of one file: some 2 GB of its text
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted
    NotImplementedError,  # packed in another way
    ValueError,
)


@dataclass(frozen=True)
class FeedFiles:
    """A feed's files.

    Attributes:
        path: as the city file names the feed.
        files: those that are there, by the name that GTFS gives them.
    """

    path: str
    files: dict[str, Path]

    def rows(self, name: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """A file's rows as trimmed text, null where blank, with their numbers (`ROW`).

        A column that the file lacks is blank; a file that the feed lacks has no rows.

        Raises:
            ReadError: if it is no CSV file in UTF-8, or has too many rows.
        """
        if name not in self.files:
            return
        path = self.files[name]
        source = csv.CsvSettings(name=name, path=str(path.absolute()))
        read = 0
        try:
            known = csv.CONNECTOR.columns(source, path.parent)
            wanted = [column for column in columns if column in known]
            for table in csv.CONNECTOR.batches(source, path.parent, wanted):
                read += table.frame.height
                if read > MOST_ROWS:
                    right = "take a part of the feed"
                    raise _refused(self.path, f"{name} has over {MOST_ROWS:,} rows", right)
                yield _as_text(table.frame, columns, table.first_row)
        except ReadError as error:
            if error.key == "path" and error.value == self.path:
                raise
            right = "save the file as CSV in UTF-8, as GTFS asks"
            raise _refused(self.path, f"{name}: {error.reason}", right) from error

    def whole(self, name: str, columns: Sequence[str]) -> pl.DataFrame:
        """All of `rows`."""
        frames = list(self.rows(name, columns))
        if frames:
            return pl.concat(frames)
        return pl.DataFrame(schema={**dict.fromkeys(columns, pl.String), ROW: pl.Int64})

    def check_columns(self) -> None:
        """Check that each file has the columns that are needed of it.

        Raises:
            ReadError: with all that are lacking.
        """
        lacking = []
        for name, needed in (NEEDED | OPTIONAL).items():
            if name in self.files:
                path = self.files[name]
                source = csv.CsvSettings(name=name, path=str(path.absolute()))
                known = csv.CONNECTOR.columns(source, path.parent)
                lacking += [f"{name} has no column {one}" for one in needed if one not in known]
        if lacking:
            raise _refused(self.path, "; ".join(lacking), "add them: GTFS needs them")


def _as_text(frame: pl.DataFrame, columns: Sequence[str], first_row: int) -> pl.DataFrame:
    cells = [
        pl.col(name).cast(pl.String).str.strip_chars().replace("", None)
        if name in frame.columns
        else pl.lit(None, pl.String).alias(name)
        for name in columns
    ]
    numbers = pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64).alias(ROW)
    return frame.with_columns(*cells).select(*columns, numbers)


def feed_path(path: str, folder: Path) -> Path:
    """A feed's folder or zip file.

    Raises:
        ReadError: if it is not there.
    """
    found = folder / path
    return found if found.is_dir() else locate(path, folder)


def files_of_folder(folder: Path) -> dict[str, Path]:
    """The files of a feed that a folder holds, by their names."""
    return {name: folder / name for name in NEEDED | OPTIONAL if (folder / name).is_file()}


def check_feed(path: str, folder: Path, max_mb: float) -> None:
    """Check, without reading rows, that a feed has its files and is not too large.

    Raises:
        ReadError: if it is not there, damaged, too large, or lacks files.
    """
    found = feed_path(path, folder)
    if found.is_dir():
        files = files_of_folder(found)
        _check(path, {name: one.stat().st_size for name, one in files.items()}, max_mb)
        return
    with _opened(path, found) as archive:
        _check(path, {name: one.file_size for name, one in _members(archive).items()}, max_mb)


@contextmanager
def opened_feed(path: str, folder: Path, max_mb: float) -> Iterator[FeedFiles]:
    """A feed's files, unpacked for the time of reading.

    Raises:
        ReadError: as `check_feed`.
    """
    check_feed(path, folder, max_mb)
    found = feed_path(path, folder)
    if found.is_dir():
        yield FeedFiles(path, files_of_folder(found))
        return
    with TemporaryDirectory() as name:
        with _opened(path, found) as archive:
            files = {}
            for member, info in _members(archive).items():
                _check_packing(path, info)
                files[member] = Path(name) / member
                with archive.open(info) as packed, files[member].open("wb") as out:
                    shutil.copyfileobj(packed, out)  # no more than its stated size
        yield FeedFiles(path, files)


@contextmanager
def _opened(path: str, found: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(found) as archive:
            yield archive
    except _BROKEN as error:
        reason = f"cannot be unpacked: {str(error) or type(error).__name__}"[:200]
        right = "check that it is a complete zip file, or name a folder of the files"
        raise _refused(path, reason, right) from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of a feed, at the top of the zip file or in its only folder."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in sorted(archive.infolist(), key=lambda one: one.filename.count("/")):
        place = PurePosixPath(info.filename)
        if place.name in NEEDED | OPTIONAL and len(place.parts) <= 2:
            found.setdefault(place.name, info)
    folders = {PurePosixPath(info.filename).parent for info in found.values()}
    return found if len(folders) <= 1 else {n: i for n, i in found.items() if n == i.filename}


def _check_packing(path: str, info: zipfile.ZipInfo) -> None:
    """Other ways may take gigabytes for a dictionary alone, and no feed is packed by them.

    Raises:
        ReadError: if it is one of them.
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reason = f"{info.filename} is packed by method {info.compress_type}"
        raise _refused(path, reason, "pack it as zip files usually are (deflate)")


def _check(path: str, sizes: dict[str, int], max_mb: float) -> None:
    lacking = [name for name in NEEDED if name not in sizes]
    if not {"calendar.txt", "calendar_dates.txt"} & set(sizes):
        lacking.append("calendar.txt or calendar_dates.txt")
    if lacking:
        right = "name a GTFS feed: a zip file or a folder that holds them"
        raise _refused(path, f"it has no {', no '.join(lacking)}", right)
    if sum(sizes.values()) > max_mb * 1e6:
        reason = f"its files are {sum(sizes.values()) / 1e6:,.0f} MB, over {max_mb:g}"
        raise ReadError(
            "max_unpacked_mb", max_mb, reason, "raise it if the feed is meant to be so large"
        )


def _refused(path: str, reason: str, right: str) -> ReadError:
    return ReadError("path", path, reason, right)
