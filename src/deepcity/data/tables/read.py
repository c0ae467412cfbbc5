"""Reads one source's table into records: values by time, place and field."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import Layout, SourceSettings
from deepcity.data.config.time_settings import Duplicates, TimeSettings
from deepcity.data.connectors import part_names
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog
from deepcity.data.remedies.footer import UnreadRows
from deepcity.data.remedies.repeated_times import RepeatedTimes
from deepcity.data.remedies.stamp import HoursTo24
from deepcity.data.tables.batches import SourceContext
from deepcity.data.tables.events import read_events
from deepcity.data.tables.hour_columns import check_hour_columns
from deepcity.data.tables.hour_rows import hours_of
from deepcity.data.tables.long import read_long
from deepcity.data.tables.records import Records
from deepcity.data.tables.review import (
    review_cells,
    review_dropped,
    review_footer,
    review_hours,
    review_repeated,
)
from deepcity.data.tables.wide import read_wide

Fields = Sequence[FieldSettings]
Places = Sequence[PlaceSettings]


def read_records(
    source: SourceSettings,
    folder: Path,
    clock: Clock,
    *,
    fields: Fields,
    places: Places,
    issues: IssueLog,
    grid: GridSettings | None = None,
    max_rows: int | None = None,
) -> Records | None:
    """One source's values of some fields and places, or None where problems were found.

    Args:
        source: its settings.
        folder: where relative paths start.
        clock: the step to resample to, and the zone of times that state none.
        fields: those this source holds.
        places: those of the agency.
        issues: collects problems and findings.
        grid: the cells used as places, for events with positions.
        max_rows: read at most so many rows, to try a setting; None: all.
    """
    if source.time is None:
        right = f"give the source {source.name!r} a time = {{ column = ... }}"
        issues.problem("time", None, "missing", right)
        return None
    if hours_of(source) is not None and not _hours_fit(source, fields, places, issues):
        return None
    if source.layout is Layout.EVENTS and any(field.cumulative for field in fields):
        right = "remove it, or set the layout to 'wide' or 'long'"
        issues.problem("cumulative", True, "events are counted, not differenced", right)
        return None
    time = _time_of(source, clock)
    zone = time.zone or clock.time_zone
    _check_sums(source.time, fields, issues)
    records, files = None, tuple[str, ...]()
    try:
        files = part_names(source, folder)
        context = SourceContext(source, folder, time, zone, max_rows, files)
        records = _read(context, fields, places, grid, clock, issues)
    except ReadError as error:
        issues.unreadable(error)
    if records is not None and records.step_s > clock.step_s:
        check_hour_columns(source, folder, clock, fields, places, issues)
    review_cells(source, issues, files)
    evidence = (source, folder, clock, tuple(fields), tuple(places), grid)
    if issues.repeated.times:
        review_repeated(RepeatedTimes(*evidence, issues.repeated), issues)
    if issues.dropped.times:
        review_dropped(RepeatedTimes(*evidence, issues.dropped), issues)
    if max_rows is None:  # else this is a trial itself
        if records is not None and "stamp" not in source.time.model_fields_set:
            review_hours(HoursTo24(*evidence, records.step_s), issues)
        if getattr(source, "skip_footer", None) == 0 and len(files) < 2:
            review_footer(UnreadRows(*evidence), issues)
    return None if issues.problems else records


def _time_of(source: SourceSettings, clock: Clock) -> TimeSettings:
    """How times are read; rows of feeds count for the clock's step that they fall in."""
    time = source.time_as_read
    assert time is not None
    if not source.is_feed or time.step is not None:
        return time
    return time.model_copy(update={"step": clock.step})


def _read(
    context: SourceContext,
    fields: Fields,
    places: Places,
    grid: GridSettings | None,
    clock: Clock,
    issues: IssueLog,
) -> Records | None:
    """The records of a source, by its layout."""
    if context.source.layout is Layout.EVENTS:
        return read_events(
            context, fields=fields, places=places, grid=grid, clock=clock, issues=issues
        )
    read = read_long if context.source.layout is Layout.LONG else read_wide
    return read(context, fields=fields, places=places, clock=clock, issues=issues)


def _check_sums(time: TimeSettings, fields: Fields, issues: IssueLog) -> None:
    """Only amounts may be added up: two speeds of one time make no speed."""
    for field in fields if time.duplicates is Duplicates.SUM else ():
        if field.kind.resample is not Resample.SUM:
            reason = "rows of one time are to be added up, and this kind is not additive"
            right = "choose another kind, or another way to treat several rows of one time"
            issues.problem(f"{field.name}.kind", field.kind.value, reason, right)


def _hours_fit(source: SourceSettings, fields: Fields, places: Places, issues: IssueLog) -> bool:
    """Whether columns of hours can hold the fields; reports why not."""
    before = len(issues.problems)
    for field in (field for field in fields if field.column is not None):
        reason = "the columns of hours hold the values"
        right = "remove column; rows of several fields are told apart by where"
        issues.problem(f"{field.name}.column", field.column, reason, right)
    if source.layout is Layout.WIDE and len(places) > 1:
        reason = "columns of hours without a column of places are of one place"
        right = "list one place, or set layout = 'long' and place = the column of places"
        issues.problem("places", len(places), reason, right)
    return len(issues.problems) == before
