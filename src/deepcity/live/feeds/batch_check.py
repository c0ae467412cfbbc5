"""A batch of rows, read as the file of its source is: every problem at once, for its sender."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from deepcity.city.clock import Clock
from deepcity.city.errors import DataError
from deepcity.city.problem import Cause
from deepcity.data.city_file import CityFile
from deepcity.data.config.settings import AgencySettings, FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import did_you_mean, near_name
from deepcity.data.connectors import read_table
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.connectors.json import JsonSettings
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog
from deepcity.data.places.place_ids import place_ids
from deepcity.data.tables.batches import SourceContext, sheets
from deepcity.data.tables.read import read_records
from deepcity.data.timestamps.parse import utc_times
from deepcity.live.feeds.batch_problems import sender_problem

_MOST_RECORD_MB = 1.0
_MOST_NAME = 200
_Found = TypeVar("_Found")


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


Body = CsvBody | JsonBody


@dataclass(frozen=True)
class Reader:
    """An agency that reads fields from a source.

    Attributes:
        settings: its own.
        fields: those that the source holds.
        places: all of them; empty: whatever places rows name.
    """

    settings: AgencySettings
    fields: tuple[FieldSettings, ...]
    places: tuple[PlaceSettings, ...]


def readers_of(city_file: CityFile, source: str) -> tuple[Reader, ...]:
    """The agencies that read fields from a source."""
    return tuple(
        Reader(settings, fields, settings.places or ())
        for settings in city_file.settings.agency
        for fields in [tuple(one for one in settings.fields if one.source == source)]
        if fields
    )


@dataclass(frozen=True)
class OpenBatch:
    """A batch that is being checked.

    Attributes:
        body: how it is read.
        folder: that holds it.
        frame: its rows.
        issues: collects problems.
    """

    body: Body
    folder: Path
    frame: pl.DataFrame
    issues: IssueLog

    def check_columns(self, names: Iterable[str]) -> None:
        """Report columns that are not there, as where a header is missing."""
        for name in names:
            if name not in self.frame.columns:
                near = near_name(name, self.frame.columns)
                right = f"rename {near!r} to it" if near else f"name it in every row: {name}"
                cause = Cause("no-column")
                self.issues.problem("column", name, "missing", right, cause=cause)

    def check_times(self, clock: Clock) -> None:
        """Report times that cannot be read."""
        time = self.body.time
        assert time is not None
        context = SourceContext(self.body, self.folder, time, time.zone or clock.time_zone)
        for sheet in sheets(context, time.names, self.issues):
            utc_times(sheet)

    def check_long(
        self, present: Sequence[tuple[Reader, Sequence[FieldSettings]]], clock: Clock
    ) -> None:
        """Read rows that name their place, for each agency with the fields that it has here."""
        issues = self.issues
        named = set(place_ids(self.frame[self.body.place or ""]).drop_nulls().to_list())
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
                self.check_values(reader.settings, fields, places, clock)
        if not known:
            shown = ", ".join(sorted(named)[:5])
            right = did_you_mean(shown, [one.key for reader, _ in present for one in reader.places])
            cause = Cause("unknown-place", len(named))
            issues.problem("places", shown, "no agency has any of these places", right, cause=cause)

    def check_values(
        self,
        settings: AgencySettings,
        fields: Sequence[FieldSettings],
        places: Sequence[PlaceSettings],
        clock: Clock,
    ) -> None:
        """Read it for an agency as its file would be, and report what is wrong."""
        clock = clock if settings.step is None else replace(clock, step=settings.step)
        own, known = IssueLog(self.issues.file), self.issues.problems
        read_records(self.body, self.folder, clock, fields=fields, places=places, issues=own)
        self.issues.problems += [one for one in own.problems if one not in known]


def body_of(source: SourceSettings, *, csv: bool) -> Body:
    """How a batch of a source is read: as the source says, from a file of its own."""
    of_csv = csv and isinstance(source, CsvSettings)
    shared = set(CsvSettings.model_fields if of_csv else SourceSettings.model_fields)
    kept: dict[str, Any] = {key: getattr(source, key) for key in shared - {"format"}}
    stated = source.model_fields_set & shared
    if csv:
        kept |= {"path": "rows.csv", "max_line_mb": _MOST_RECORD_MB}
        return CsvBody.model_construct(stated, **kept)
    kept |= {"path": "rows.json", "max_record_mb": _MOST_RECORD_MB}
    return JsonBody.model_construct(stated, **kept)


def check_batch(body: Body, content: bytes, check: Callable[[OpenBatch], _Found | None]) -> _Found:
    """What a check makes of a batch.

    Args:
        check: reports to the batch's issues, and gives None only where it found problems.

    Raises:
        DataError: with every problem of the batch, as its sender can correct it.
    """
    issues, found = IssueLog("rows"), None
    with tempfile.TemporaryDirectory(prefix="deepcity-") as folder:
        (Path(folder) / str(body.path)).write_bytes(content)
        try:
            frame = read_table(body, Path(folder)).frame
            if not frame.height:
                right = "send at least one row, under a header that names the columns"
                issues.problem("rows", 0, "none", right)
            found = check(OpenBatch(body, Path(folder), frame, issues))
        except ReadError as error:
            issues.unreadable(error)
    if issues.problems or found is None:
        raise DataError([sender_problem(one) for one in issues.problems])
    return found
