"""Where rows come in: checked like a file's, all problems at once, then kept wholly or not at all.

Shapes: R rows of a batch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Ints
from deepcity.city.clock import Clock
from deepcity.city.errors import LiveError
from deepcity.data.city_file import CityFile
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.toml_file import near_name
from deepcity.data.feeds.settings import FeedSettings
from deepcity.data.findings import IssueLog, rows_text
from deepcity.data.places.place_ids import place_ids
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, sheets, value_column
from deepcity.data.tables.numbers import read_numbers
from deepcity.data.timestamps.dst import NO_TIME
from deepcity.data.timestamps.parse import utc_times
from deepcity.live.feeds.batch_check import OpenBatch, Reader, body_of, check_batch, readers_of
from deepcity.live.feeds.refused_rows import RefusedRows
from deepcity.live.feeds.row_spool import RowSpool, digest

MOST_ROWS = 50_000
_OTHERS = 5


@dataclass(frozen=True)
class RowReceipt:
    """What became of a batch.

    Attributes:
        rows: how many are kept.
        repeated: it was kept before, and changes nothing.
        other_places: how many rows were left out, as no agency has their place.
        other_columns: that no field is read from, and that are not kept.
        near_places: of the places left out, those like a known one, with that one.
    """

    rows: int
    repeated: bool
    other_places: int
    other_columns: tuple[str, ...]
    near_places: tuple[tuple[str, str], ...] = ()


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
        refused: what was refused here of late; who hands rows in counts it.
    """

    source: FeedSettings
    readers: tuple[Reader, ...]
    clock: Clock
    spool: RowSpool
    extras: tuple[str, ...] = ()
    now: Callable[[], float] = time.time
    refused: RefusedRows = field(default_factory=RefusedRows)

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
        found = check_batch(body_of(self.source, csv=csv), body, self._checked)
        kept = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        content = digest(kept)
        new = self.spool.append(kept, key or content, content)
        near = tuple(
            (one, like) for one in found.others if (like := near_name(one, self._places()))
        )
        return RowReceipt(len(kept), not new, found.other_places, found.other_columns, near)

    def _checked(self, batch: OpenBatch) -> "_Batch | None":
        present = self._present(batch)
        if not batch.issues.problems:
            batch.check_long(present, self.clock)
        return None if batch.issues.problems else self._batch(batch, present)

    def _present(self, batch: OpenBatch) -> list[tuple[Reader, tuple[FieldSettings, ...]]]:
        """The fields of each agency whose columns the batch has."""
        body, issues, columns = batch.body, batch.issues, batch.frame.columns
        if batch.frame.height > MOST_ROWS:
            right = f"send 1 to {MOST_ROWS:,} rows at once"
            issues.problem("rows", batch.frame.height, "too many", right)
        time_names = () if body.time is None else body.time.names
        batch.check_columns([*time_names, self.source.place or ""])
        found = [
            (reader, tuple(one for one in reader.fields if self._columns_of(one) <= set(columns)))
            for reader in self.readers
        ]
        if not any(fields for _, fields in found):
            names = sorted(
                {n for r in self.readers for one in r.fields for n in self._columns_of(one)}
            )
            likes = (f"rename {like!r} to {n}; " for n in names if (like := near_name(n, columns)))
            shown = ", ".join(columns[:10])
            right = f"{next(likes, '')}send at least one of {', '.join(names)}"
            issues.problem("columns", shown, "none is one that a field is read from", right)
        return found

    def _columns_of(self, one: FieldSettings) -> set[str]:
        return {value_column(self.source, one), *one.where}

    def _batch(
        self, batch: OpenBatch, present: Sequence[tuple[Reader, tuple[FieldSettings, ...]]]
    ) -> "_Batch | None":
        """The rows to keep, their times in UTC."""
        body, frame, issues = batch.body, batch.frame, batch.issues
        assert body.time is not None
        zone = body.time.zone or self.clock.time_zone
        context = SourceContext(body, batch.folder, body.time, zone)
        own = {name for _, fields in present for one in fields for name in self._columns_of(one)}
        place = self.source.place or ""
        own |= set(self.extras) & set(frame.columns)
        columns = list(dict.fromkeys([*body.time.names, place, *sorted(own)]))
        kept, other = list[tuple[str | None, ...]](), 0
        others = dict[str, None]()
        for sheet in sheets(context, columns, issues):
            utc_R = utc_times(sheet)
            if utc_R is None:
                return None
            self._check_span(utc_R, sheet, issues)
            _check_finite(sheet, [one for _, fields in present for one in fields], place)
            known_R = self._known(sheet.frame[place]) & (utc_R != NO_TIME)
            other += int((~known_R).sum())
            strange = place_ids(sheet.frame[place]).filter(pl.Series(~known_R)).drop_nulls()
            others |= dict.fromkeys(strange.unique().sort().head(_OTHERS).to_list())
            names = [name for name in columns if name not in body.time.names]
            cells = sheet.frame.select(names).cast(pl.String).rows()
            rows = zip(_iso(utc_R), cells, known_R, strict=True)
            kept += [(at, *row) for at, row, known in rows if known]
        header = (body.time.names[0], *(one for one in columns if one not in body.time.names))
        unread = tuple(name for name in frame.columns if name not in columns)
        return _Batch(header, kept, other, unread, tuple(others)[:_OTHERS])

    def _known(self, column: pl.Series) -> Bools:
        """Which rows are of a place that an agency has."""
        names = place_ids(column)
        if any(not reader.places for reader in self.readers):
            return names.is_not_null().to_numpy()
        return names.is_in(self._places()).fill_null(value=False).to_numpy()

    def _places(self) -> list[str]:
        """All that an agency's settings name."""
        return sorted({place.key for reader in self.readers for place in reader.places})

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
                reason = f"over {duration_text(int(limit.total_seconds()))} {word} ({rows})"
                cause = sheet.cause("far-time", bad)
                issues.problem("time", shown, reason, right, cause=cause)


def _check_finite(sheet: Sheet, fields: Sequence[FieldSettings], place: str) -> None:
    """Report numbers that no panel holds: a file's are masked, a sender can be asked for others."""
    for name in dict.fromkeys(value_column(sheet.source, one) for one in fields):
        found = read_numbers(sheet.frame[name], sheet.source.numbers).infinite
        if len(found):
            at = place_ids(sheet.frame[place])[int(found[0])]
            reason = f"infinite, or too large, at {at} ({sheet.rows_text(found)})"
            right = "send a number that was measured, or nothing in its place"
            sheet.issues.problem(name, str(sheet.frame[name][int(found[0])]), reason, right)


@dataclass(frozen=True)
class _Batch:
    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    other_places: int
    other_columns: tuple[str, ...]
    others: tuple[str, ...]


def open_door(city_file: CityFile, name: str, now: Callable[[], float] = time.time) -> RowDoor:
    """The door of a source of feeds.

    Raises:
        LiveError: if the source is none, or another process keeps its rows.
        OSError: if its file cannot be read or written.
    """
    source = city_file.sources.get(name)
    if not isinstance(source, FeedSettings):
        raise LiveError(name, "rows do not come to this source", "see format in the city file")
    readers = readers_of(city_file, name)
    columns = {
        column
        for reader in readers
        for one in reader.fields
        for column in (value_column(source, one), *one.where)
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
    return RowDoor(source, readers, city_file.city.clock, spool, extras, now, RefusedRows(now))


def _iso(utc_R: Ints) -> list[str]:
    """Times as they are kept."""
    return [f"{text}+00:00" for text in np.datetime_as_string(utc_R.astype("datetime64[s]"))]
