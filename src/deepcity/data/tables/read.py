"""Reads one source's table into records: values by time, place and field."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import Layout, SourceSettings
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
    if source.layout is Layout.EVENTS and any(field.cumulative for field in fields):
        right = "remove it, or set the layout to 'wide' or 'long'"
        issues.problem("cumulative", True, "events are counted, not differenced", right)
        return None
    context = SourceContext(source, folder, source.time, source.time.zone or clock.time_zone)
    try:
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
