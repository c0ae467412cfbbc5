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
from deepcity.data.tables.batches import SourceContext
from deepcity.data.tables.events import read_events
from deepcity.data.tables.long import read_long
from deepcity.data.tables.records import Records
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
    """
    if source.time is None:
        right = f"give the source {source.name!r} a time = {{ column = ... }}"
        issues.problem("time", None, "missing", right)
        return None
    _check_sums(source.time, fields, issues)
    zone = source.time.zone or clock.time_zone
    additive = all(field.kind.resample is Resample.SUM for field in fields)
    try:
        files = part_names(source, folder)
        context = SourceContext(source, folder, source.time, zone, files, additive)
        if source.layout is Layout.EVENTS:
            return read_events(
                context, fields=fields, places=places, grid=grid, clock=clock, issues=issues
            )
        if source.layout is Layout.LONG:
            return read_long(context, fields=fields, places=places, clock=clock, issues=issues)
        return read_wide(context, fields=fields, places=places, clock=clock, issues=issues)
    except ReadError as error:
        issues.problem(error.key, error.value, error.reason, error.right)
        return None


def _check_sums(time: TimeSettings, fields: Fields, issues: IssueLog) -> None:
    """Only amounts may be added up: two speeds of one time make no speed."""
    for field in fields if time.duplicates is Duplicates.SUM else ():
        if field.kind.resample is not Resample.SUM:
            reason = "time.duplicates = 'sum' adds up values, and this kind is not additive"
            right = "choose time.duplicates = 'mask', 'first' or 'last', or another kind"
            issues.problem(f"{field.name}.kind", field.kind.value, reason, right)
