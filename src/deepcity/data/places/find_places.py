"""An agency's places: listed in the city file or found in its records, with their positions.

Shapes: R rows of a table of places.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.place import Place
from deepcity.city.problem import Problem
from deepcity.data.config.settings import AgencySettings, FieldSettings, PlacesFromSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.connectors import read_batches, read_columns
from deepcity.data.errors import ReadError
from deepcity.data.places.cells import cells_in_box, h3_cells, h3_places
from deepcity.data.places.place_ids import place_id, place_ids
from deepcity.data.tables.hour_rows import hours_of
from deepcity.data.tables.numbers import read_numbers

_SHOWN, _LISTED = 3, 20  # ids of the table, and missing ones, that a message lists


def find_places(
    settings: AgencySettings, sources: Mapping[str, SourceSettings], file: str, folder: Path
) -> tuple[tuple[Place, ...], list[Problem]]:
    """An agency's places in order, and what is wrong with them."""
    key = f"agency[{settings.name}]"
    try:
        if settings.grid is not None:
            listed = cells_in_box(settings.grid) or _cells_with_events(settings, sources, folder)
        elif settings.places:
            listed = [
                Place(place.id, place.lat, place.lon, place.capacity) for place in settings.places
            ]
        else:
            listed = [Place(name) for name in _all_places(settings, sources, folder)]
        known = _places_from_table(settings.places_from, sources, folder)
    except ReadError as error:
        where = error.key if error.key.startswith("source[") else f"{key}.{error.key}"
        return (), [Problem(file, where, error.value, error.reason, error.right)]
    if not listed:
        reason, right = "no places found in the records", "list the places in the city file"
        return (), [Problem(file, f"{key}.places", "all", reason, right)]
    missing = [
        place.id
        for place in listed
        if settings.places_from is not None
        and place.lat is None
        and place_id(place.id) not in known
    ]
    problems = _missing(missing, len(listed), known, file, f"{key}.places")
    if not known:
        return tuple(_completed(place, None) for place in listed), problems
    return tuple(_completed(place, known.get(place_id(place.id))) for place in listed), problems


def _missing(
    ids: Sequence[str], places: int, known: Mapping[str, Place], file: str, key: str
) -> list[Problem]:
    """One problem for all places that the `places_from` table lacks."""
    if not ids:
        return []
    near = difflib.get_close_matches(ids[0].lower(), known, n=1, cutoff=0.6)
    hint = f"for {ids[0]!r}, did you mean {near[0]!r}? " if near else ""
    some = f"{', '.join(list(known)[:_SHOWN])}{' ...' if len(known) > _SHOWN else ''}"
    right = (
        f"{hint}add them to that table, which holds {len(known):,} ids ({some or 'none'}), or "
        f"state lat and lon of each in the city file"
    )
    reason = "not found in places_from"
    if len(ids) > 1:
        reason = f"{len(ids):,} of {places:,} places are not found in places_from"
    more = f" and {len(ids) - _LISTED:,} more" if len(ids) > _LISTED else ""
    return [Problem(file, key, ", ".join(ids[:_LISTED]) + more, reason, right)]


def _completed(place: Place, known: Place | None) -> Place:
    """Complete position and capacity from `places_from`; values in the city file come first."""
    if known is None:
        return place
    if place.lat is None or place.lon is None:
        place = replace(place, lat=known.lat, lon=known.lon)
    return place if place.capacity is not None else replace(place, capacity=known.capacity)


def _all_places(
    settings: AgencySettings, sources: Mapping[str, SourceSettings], folder: Path
) -> list[str]:
    """Every place the sources of an agency's fields hold, in order of appearance."""
    names: dict[str, None] = {}
    own = {(one.source, sources[one.source].place or one.column): one for one in settings.fields}
    for field in own.values():  # the places of other fields are in the same columns
        names.update(dict.fromkeys(places_in(sources[field.source], field, folder)))
    return list(names)


def _cells_with_events(
    settings: AgencySettings, sources: Mapping[str, SourceSettings], folder: Path
) -> list[Place]:
    """Every H3 cell that holds an event."""
    assert settings.grid is not None
    cells: set[str] = set()
    for source in {field.source: sources[field.source] for field in settings.fields}.values():
        columns = [source.lat or "", source.lon or ""]
        _check_columns(source, columns, "lat", folder)
        for table in read_batches(source, folder, columns):
            lat_R, lon_R = (
                read_numbers(table.frame[name], source.numbers).values_R for name in columns
            )
            known = (np.abs(lat_R) <= 90) & (np.abs(lon_R) <= 180)
            cells.update(h3_cells(settings.grid, lat_R[known], lon_R[known]))
    return h3_places(sorted(cells))


def places_in(source: SourceSettings, field: FieldSettings, folder: Path) -> list[str]:
    """Every place for which a source holds a field.

    Raises:
        ReadError: if the source cannot be read.
    """
    if source.place is not None:
        return _named(source, source.place, folder)
    if hours_of(source) is not None:
        reason = "columns of hours without a column of places are of one place"
        raise ReadError("places", "all", reason, "name it, e.g. places = ['here']")
    time = source.time.names if source.time is not None else ()
    before, _, after = (field.column or "{place}").partition("{place}")
    return [
        name[len(before) : len(name) - len(after)]
        for name in read_columns(source, folder)
        if name not in time and name.startswith(before) and name.endswith(after)
    ]


def _named(source: SourceSettings, column: str, folder: Path) -> list[str]:
    """The names in a column of places, each once, in order of appearance."""
    _check_columns(source, [column], f"source[{source.name}].place", folder)
    names: dict[str, None] = {}
    for table in read_batches(source, folder, [column]):
        texts = place_ids(table.frame[column].unique(maintain_order=True))
        names.update(dict.fromkeys(name for name in texts if name))
    return list(names)


def _check_columns(source: SourceSettings, columns: list[str], key: str, folder: Path) -> None:
    available = read_columns(source, folder)
    for name in columns:
        if name not in available:
            raise ReadError(key, name, "no such column", did_you_mean(name, available))


def _places_from_table(
    wanted: PlacesFromSettings | None, sources: Mapping[str, SourceSettings], folder: Path
) -> dict[str, Place]:
    """Places by their id, as the `places_from` table describes them; blank means unknown."""
    if wanted is None:
        return {}
    source = sources[wanted.source]
    frame = _place_rows(wanted, source, folder)
    names = place_ids(_column(frame, wanted.id, "places_from.id"))
    columns = {
        key: _numbers(frame, getattr(wanted, key), f"places_from.{key}", source)
        for key in ("lat", "lon", "capacity")
    }
    rows = zip(names.to_list(), *columns.values(), strict=True)
    known = {name: Place(name, lat, lon, capacity) for name, lat, lon, capacity in rows if name}
    for name, place in known.items():
        _check_position(name, place)
    return known


def _place_rows(wanted: PlacesFromSettings, source: SourceSettings, folder: Path) -> pl.DataFrame:
    """The columns that are wanted, each row once: measurements may repeat them at every time."""
    columns = {key: getattr(wanted, key) for key in ("id", "lat", "lon", "capacity")}
    named = {key: name for key, name in columns.items() if name is not None}
    for key, name in named.items():
        _check_columns(source, [name], f"places_from.{key}", folder)
    frames: list[pl.DataFrame] = []
    for table in read_batches(source, folder, list(named.values())):
        rows = pl.concat([*frames, table.frame], how="vertical_relaxed")
        frames = [rows.unique(keep="last", maintain_order=True)]
    return frames[0]


def _numbers(
    frame: pl.DataFrame, name: str | None, key: str, source: SourceSettings
) -> list[float | None]:
    if name is None:
        return [None] * frame.height
    column = _column(frame, name, key)
    found = read_numbers(column, source.numbers)
    if len(found.bad):
        shown = str(column[int(found.bad[0])])
        raise ReadError(key, shown, "not a number", "correct it, or leave it blank if unknown")
    return [None if math.isnan(value) else value for value in found.values_R.tolist()]


def _check_position(name: str, place: Place) -> None:
    right = "give degrees: latitude -90..90, longitude -180..180; or leave both blank"
    if (place.lat is None) != (place.lon is None):
        raise ReadError("places_from", name, "only one of latitude and longitude", right)
    if abs(place.lat or 0.0) > 90 or abs(place.lon or 0.0) > 180:
        raise ReadError("places_from", name, "latitude or longitude out of range", right)
    if place.capacity is not None and place.capacity < 0:
        right = "correct it, or leave it blank if unknown"
        raise ReadError("places_from", name, "negative capacity", right)


def _column(frame: pl.DataFrame, name: str, key: str) -> pl.Series:
    if name not in frame.columns:
        raise ReadError(key, name, "no such column", did_you_mean(name, frame.columns))
    return frame[name]
