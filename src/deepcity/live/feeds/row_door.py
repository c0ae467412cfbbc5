"""Where rows come in: checked like a file's, all problems at once, then kept wholly or not at all.

Shapes: R rows of a batch.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Ints
from deepcity.city.clock import Clock
from deepcity.city.errors import DataError, LiveError
from deepcity.data.city_file import CityFile
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import AgencySettings, FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import RawTable, read_table
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.connectors.json import JsonSettings
from deepcity.data.errors import ReadError
from deepcity.data.feeds.settings import FeedSettings
from deepcity.data.findings import IssueLog, rows_text
from deepcity.data.places.place_ids import place_ids
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, sheets, value_column
from deepcity.data.tables.read import read_records
from deepcity.data.timestamps.dst import NO_TIME
from deepcity.data.timestamps.parse import utc_times
from deepcity.live.feeds.row_spool import RowSpool, digest

MOST_ROWS = 50_000
_MOST_RECORD_MB = 1.0
_MOST_NAME = 200


class CsvBody(CsvSettings):
    """A batch in CSV."""

    @property
    def is_feed(self) -> bool:
        """As in `SourceSettings`."""
        return True


class JsonBody(JsonSettings):
    """A batch in JSON."""

    @property
    def is_feed(self) -> bool:
        """As in `SourceSettings`."""
        return True


@dataclass(frozen=True)
class RowReceipt:
    """What became of a batch.

    Attributes:
        rows: how many are kept.
        repeated: it was kept before, and changes nothing.
        other_places: how many rows were left out, as no agency has their place.
        other_columns: that no field is read from, and that are not kept.
    """

    rows: int
    repeated: bool
    other_places: int
    other_columns: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """An agency that reads fields from the source.

    Attributes:
        settings: its own.
        fields: those that the source holds.
        places: all of them; empty: whatever places rows name.
    """

    settings: AgencySettings
    fields: tuple[FieldSettings, ...]
    places: tuple[PlaceSettings, ...]


@dataclass
class RowDoor:
    """Takes batches of rows of one source. Threads may share it.

    Attributes:
        source: its settings.
        readers: the agencies that read it.
        clock: the city's.
        spool: keeps the rows.
        extras: columns of positions and capacities that agencies read places from.
        now: seconds since 1970.
    """

    source: FeedSettings
    readers: tuple[Reader, ...]
    clock: Clock
    spool: RowSpool
    extras: tuple[str, ...] = ()
    now: Callable[[], float] = time.time

    def put(self, body: bytes, *, csv: bool, key: str = "") -> RowReceipt:
        """Check a batch and keep it.

        Args:
            body: CSV with a header, or JSON: a list of objects, or an object a line.
            csv: which of both it is.
            key: of the batch; by default its rows are known again as a whole.

        Raises:
            DataError: with every problem of its rows; none is kept.
            KeyReusedError: if another batch came under this key.
            OSError: if they cannot be kept.
        """
        with tempfile.TemporaryDirectory(prefix="deepcity-") as folder:
            name = "rows.csv" if csv else "rows.json"
            (Path(folder) / name).write_bytes(body)
            found = self._checked(_body_source(self.source, name, csv=csv), Path(folder))
        kept = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        content = digest(kept)
        new = self.spool.append(kept, key or content, content)
        return RowReceipt(len(kept), not new, found.other_places, found.other_columns)

    def _checked(self, body: SourceSettings, folder: Path) -> "_Batch":
        issues = IssueLog("rows")
        batch = None
        try:
            table = read_table(body, folder)
            present = self._present(table, body, issues)
            if not issues.problems:
                self._check_values(body, folder, table.frame, present, issues)
            if not issues.problems:
                batch = self._batch(body, folder, table.frame, present, issues)
        except ReadError as error:
            issues.problem(error.key, error.value, error.reason, error.right)
        if issues.problems or batch is None:
            raise DataError(issues.problems)
        return batch

    def _present(
        self, table: RawTable, body: SourceSettings, issues: IssueLog
    ) -> list[tuple[Reader, tuple[FieldSettings, ...]]]:
        """The fields of each agency whose columns the batch has."""
        columns, frame = table.frame.columns, table.frame
        if not 0 < frame.height <= MOST_ROWS:
            right = f"send 1 to {MOST_ROWS:,} rows at once"
            issues.problem("rows", frame.height, "too many" if frame.height else "none", right)
        time_names = () if body.time is None else body.time.names
        for name in [*time_names, self.source.place or ""]:
            if name not in columns:
                issues.problem("column", name, "missing", f"name it in every row: {name}")
        found = [
            (reader, tuple(one for one in reader.fields if self._columns_of(one) <= set(columns)))
            for reader in self.readers
        ]
        if not any(fields for _, fields in found):
            names = sorted(
                {n for r in self.readers for one in r.fields for n in self._columns_of(one)}
            )
            shown, right = ", ".join(columns[:10]), f"send at least one of {', '.join(names)}"
            issues.problem("columns", shown, "none is one that a field is read from", right)
        return found

    def _columns_of(self, field: FieldSettings) -> set[str]:
        return {value_column(self.source, field), *field.where}

    def _check_values(
        self,
        body: SourceSettings,
        folder: Path,
        frame: pl.DataFrame,
        present: Sequence[tuple[Reader, tuple[FieldSettings, ...]]],
        issues: IssueLog,
    ) -> None:
        """Read the batch for each agency as its file would be, and report what is wrong."""
        named = set(place_ids(frame[self.source.place or ""]).drop_nulls().to_list())
        if odd := sorted(one for one in named if len(one) > _MOST_NAME or not one.isprintable()):
            right = f"send names of at most {_MOST_NAME} signs, all of them printable"
            issues.problem("places", odd[0][:50], f"{len(odd)} of these are no names", right)
            return
        known = False
        for reader, fields in present:
            places = [one for one in reader.places if one.key in named]
            if not reader.places:
                places = [PlaceSettings(id=name) for name in sorted(named) if name]
            known |= bool(places)
            if fields and places:
                step = reader.settings.step
                clock = self.clock if step is None else replace(self.clock, step=step)
                own = IssueLog(issues.file)
                read_records(body, folder, clock, fields=fields, places=places, issues=own)
                issues.problems += [one for one in own.problems if one not in issues.problems]
        if not known:
            shown = ", ".join(sorted(named)[:5])
            right = "name places as the city file does"
            issues.problem("places", shown, "no agency has any of these places", right)

    def _batch(
        self,
        body: SourceSettings,
        folder: Path,
        frame: pl.DataFrame,
        present: Sequence[tuple[Reader, tuple[FieldSettings, ...]]],
        issues: IssueLog,
    ) -> "_Batch | None":
        """The rows to keep, their times in UTC."""
        assert body.time is not None
        zone = body.time.zone or self.clock.time_zone
        context = SourceContext(body, folder, body.time, zone)
        own = {name for _, fields in present for one in fields for name in self._columns_of(one)}
        place = self.source.place or ""
        own |= set(self.extras) & set(frame.columns)
        columns = list(dict.fromkeys([*body.time.names, place, *sorted(own)]))
        kept, other = list[tuple[str | None, ...]](), 0
        for sheet in sheets(context, columns, issues):
            utc_R = utc_times(sheet)
            if utc_R is None:
                return None
            self._check_span(utc_R, sheet, issues)
            known_R = self._known(sheet.frame[place]) & (utc_R != NO_TIME)
            other += int((~known_R).sum())
            names = [name for name in columns if name not in body.time.names]
            cells = sheet.frame.select(names).cast(pl.String).rows()
            rows = zip(_iso(utc_R), cells, known_R, strict=True)
            kept += [(at, *row) for at, row, known in rows if known]
        header = (body.time.names[0], *(one for one in columns if one not in body.time.names))
        unread = tuple(name for name in frame.columns if name not in columns)
        return _Batch(header, kept, other, unread)

    def _known(self, column: pl.Series) -> Bools:
        """Which rows are of a place that an agency has."""
        names = place_ids(column)
        if any(not reader.places for reader in self.readers):
            return names.is_not_null().to_numpy()
        known = {place.key for reader in self.readers for place in reader.places}
        return names.is_in(sorted(known)).fill_null(value=False).to_numpy()

    def _check_span(self, utc_R: Ints, sheet: Sheet, issues: IssueLog) -> None:
        """Report times that only a wrong clock or a mistyped year can give."""
        now = self.now()
        ahead, age = self.source.max_ahead, self.source.max_age
        for bad_R, key, limit, word in (
            (utc_R > now + ahead.total_seconds(), "max_ahead", ahead, "ahead of now"),
            ((utc_R < now - age.total_seconds()) & (utc_R != NO_TIME), "max_age", age, "ago"),
        ):
            bad = np.flatnonzero(bad_R)
            if len(bad):
                rows = rows_text(sheet.rows_R[bad], sheet.source.row_noun)
                shown = _iso(utc_R[bad[:1]])[0]
                right = f"correct the sender's clock, or raise {key} of the source"
                issues.problem(
                    "time",
                    shown,
                    f"over {duration_text(int(limit.total_seconds()))} {word} ({rows})",
                    right,
                )


@dataclass(frozen=True)
class _Batch:
    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    other_places: int
    other_columns: tuple[str, ...]


def open_door(city_file: CityFile, name: str, now: Callable[[], float] = time.time) -> RowDoor:
    """The door of a source of feeds.

    Raises:
        LiveError: if the source is none, or another process keeps its rows.
        OSError: if its file cannot be read or written.
    """
    source = city_file.sources.get(name)
    if not isinstance(source, FeedSettings):
        raise LiveError(name, "rows do not come to this source", "see format in the city file")
    readers = tuple(
        Reader(settings, fields, settings.places or ())
        for settings in city_file.settings.agency
        for fields in [tuple(one for one in settings.fields if one.source == name)]
        if fields
    )
    columns = {
        column
        for reader in readers
        for field in reader.fields
        for column in (value_column(source, field), *field.where)
    }
    extras = tuple(
        column
        for settings in city_file.settings.agency
        if settings.places_from is not None and settings.places_from.source == name
        for column in (getattr(settings.places_from, key) for key in ("lat", "lon", "capacity"))
        if column is not None
    )
    columns |= set(extras)
    assert source.time is not None
    header = list(dict.fromkeys([source.time.names[0], source.place or "", *sorted(columns)]))
    path = source.spool_path(city_file.path.parent)
    spool = RowSpool(path, header, round(source.max_mb * 1e6))
    return RowDoor(source, readers, city_file.city.clock, spool, extras, now)


def _body_source(source: FeedSettings, path: str, *, csv: bool) -> SourceSettings:
    """How a batch is read: as the source says, from a file of its own."""
    common: dict[str, Any] = {
        key: getattr(source, key) for key in SourceSettings.model_fields if key != "format"
    }
    if csv:
        return CsvBody.model_construct(**common, path=path, max_line_mb=_MOST_RECORD_MB)
    return JsonBody.model_construct(**common, path=path, max_record_mb=_MOST_RECORD_MB)


def _iso(utc_R: Ints) -> list[str]:
    """Times as they are kept."""
    return [f"{text}+00:00" for text in np.datetime_as_string(utc_R.astype("datetime64[s]"))]
