"""From one source's table to records: values by time, place and field.

Shapes: R rows of the table, N places, F fields of this source.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepcity.city.clock import Clock
from deepcity.data.batches import Origin, without_empty
from deepcity.data.cells import GridSettings
from deepcity.data.connectors import ReadError, read_table
from deepcity.data.events import read_events
from deepcity.data.findings import Notebook
from deepcity.data.long_rows import read_long
from deepcity.data.own_step import Records, kept_rows, on_own_step
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.sheet import Sheet
from deepcity.data.source import Layout, SourceSettings
from deepcity.data.times import utc_times
from deepcity.data.values import read_values

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
        source: what the city file says of it.
        folder: where relative paths start.
        clock: the step to bring long rows and events to, and the zone of times that state none.
        fields: those this source holds.
        places: those of the agency.
        book: takes problems and findings.
        grid: the cells that are the places, for events with positions.
    """
    if source.time is None:
        book.problem("time", None, "missing", f"say how rows of {source.name!r} tell time")
        return None
    origin = Origin(source, folder, source.time, source.time.zone or clock.time_zone)
    try:
        if source.layout is Layout.EVENTS:
            return read_events(
                origin, fields=fields, places=places, grid=grid, clock=clock, book=book
            )
        if source.layout is Layout.LONG:
            return read_long(origin, fields=fields, places=places, clock=clock, book=book)
        return _read_wide(_sheet(origin, book), fields, places)
    except ReadError as error:
        book.problem(error.key, error.value, error.reason, error.right)
        return None


def _sheet(origin: Origin, book: Notebook) -> Sheet:
    table = read_table(origin.source, origin.folder)
    if origin.time.start is None:
        frame, rows_R = without_empty(table, book)
    else:  # an empty row is a time at which nothing was measured
        frame = table.frame
        rows_R = np.arange(table.first_row, table.first_row + frame.height, dtype=np.int64)
    place_R = np.zeros(len(rows_R), dtype=np.int64)
    return Sheet(frame, rows_R, place_R, origin.source, origin.time, origin.zone, book)


def column_of(field: FieldSettings, place: PlaceSettings) -> str:
    """The column of a wide table that holds a field at a place."""
    if field.column is None:
        return place.key
    return field.column.replace("{place}", place.key)


def _read_wide(sheet: Sheet, fields: Fields, places: Places) -> Records | None:
    problems = len(sheet.book.problems)
    utc_R = utc_times(sheet)
    values_RNF = np.full((len(sheet.rows_R), len(places), len(fields)), np.nan)
    for f, field in enumerate(fields):
        for n, place in enumerate(places):
            values_RNF[:, n, f] = read_values(sheet, column_of(field, place), field)
    kept = None if utc_R is None else kept_rows(utc_R, values_RNF, sheet)
    if utc_R is None or kept is None or len(sheet.book.problems) > problems:
        return None
    return on_own_step(utc_R[kept], values_RNF[kept], sheet)
