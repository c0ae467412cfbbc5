"""Reads one source's table into records: values by time, place and field."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.data.batches import Origin
from deepcity.data.cells import GridSettings
from deepcity.data.connectors import ReadError
from deepcity.data.events import read_events
from deepcity.data.findings import Notebook
from deepcity.data.long_rows import read_long
from deepcity.data.own_step import Records
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.source import Layout, SourceSettings
from deepcity.data.wide_rows import read_wide

Fields = Sequence[FieldSettings]
Places = Sequence[PlaceSettings]


def read_records(
    source: SourceSettings,
    folder: Path,
    clock: Clock,
    *,
    fields: Fields,
    places: Places,
    book: Notebook,
    grid: GridSettings | None = None,
) -> Records | None:
    """One source's values of some fields and places, or None where problems were found.

    Args:
        source: its settings.
        folder: where relative paths start.
        clock: the step to resample to, and the zone of times that state none.
        fields: those this source holds.
        places: those of the agency.
        book: collects problems and findings.
        grid: the cells used as places, for events with positions.
    """
    if source.time is None:
        right = f"give the source {source.name!r} a time = {{ column = ... }}"
        book.problem("time", None, "missing", right)
        return None
    origin = Origin(source, folder, source.time, source.time.zone or clock.time_zone)
    try:
        if source.layout is Layout.EVENTS:
            return read_events(
                origin, fields=fields, places=places, grid=grid, clock=clock, book=book
            )
        if source.layout is Layout.LONG:
            return read_long(origin, fields=fields, places=places, clock=clock, book=book)
        return read_wide(origin, fields=fields, places=places, clock=clock, book=book)
    except ReadError as error:
        book.problem(error.key, error.value, error.reason, error.right)
        return None
