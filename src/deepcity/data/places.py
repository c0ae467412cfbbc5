"""An agency's places: listed in the city file or found in its records, and where they lie."""

import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from deepcity.city.place import Place
from deepcity.city.problem import Problem
from deepcity.data.connectors import ReadError, connectors, read_table
from deepcity.data.numbers import read_numbers
from deepcity.data.settings import AgencySettings, FieldSettings, PlacesFromSettings
from deepcity.data.source import Layout, SourceSettings
from deepcity.data.toml_file import did_you_mean

Position = tuple[float, float]


def find_places(
    settings: AgencySettings, sources: Mapping[str, SourceSettings], file: str, folder: Path
) -> tuple[tuple[Place, ...], list[Problem]]:
    """An agency's places in order, and what is wrong with them."""
    key = f"agency[{settings.name}]"
    try:
        listed = [(place.id, place.lat, place.lon) for place in settings.places]
        if not listed:
            listed = [(name, None, None) for name in _all_places(settings, sources, folder)]
        positions = _positions(settings.places_from, sources, folder)
    except ReadError as error:
        where = f"{key}.{error.key}"
        return (), [Problem(file, where, error.value, error.reason, error.right)]
    if not listed:
        return (), [Problem(file, f"{key}.places", "all", "the records hold none", "list places")]
    problems = [
        Problem(
            file, f"{key}.places", name, "places_from does not know it", _right(name, positions)
        )
        for name, lat, _ in listed
        if settings.places_from is not None and lat is None and name not in positions
    ]
    return tuple(_place(*entry, positions) for entry in listed), problems


def _right(name: str, positions: Mapping[str, Position]) -> str:
    return f"{did_you_mean(name, list(positions))}, or state its lat and lon"


def _place(
    name: str, lat: float | None, lon: float | None, positions: Mapping[str, Position]
) -> Place:
    if lat is None or lon is None:
        lat, lon = positions.get(name, (None, None))
    return Place(name, lat, lon)


def _all_places(
    settings: AgencySettings, sources: Mapping[str, SourceSettings], folder: Path
) -> list[str]:
    """Every place the sources of an agency's fields hold, in order of appearance."""
    names: dict[str, None] = {}
    for field in settings.fields:
        names.update(dict.fromkeys(places_in(sources[field.source], field, folder)))
    return list(names)


def places_in(source: SourceSettings, field: FieldSettings, folder: Path) -> list[str]:
    """Every place of which a source holds a field.

    Raises:
        ReadError: if the source cannot be read.
    """
    if source.layout is Layout.LONG and source.place is not None:
        frame = read_table(source, folder).frame
        column = _column(frame, source.place, "places")
        unique = column.cast(pl.String).str.strip_chars().unique(maintain_order=True)
        return [name for name in unique.to_list() if name]
    time = source.time.names if source.time is not None else ()
    columns = connectors()[source.format].columns(source, folder)
    before, _, after = (field.column or "{place}").partition("{place}")
    return [
        name[len(before) : len(name) - len(after)]
        for name in columns
        if name not in time and name.startswith(before) and name.endswith(after)
    ]


def _positions(
    wanted: PlacesFromSettings | None, sources: Mapping[str, SourceSettings], folder: Path
) -> dict[str, Position]:
    if wanted is None:
        return {}
    source = sources[wanted.source]
    frame = read_table(source, folder).frame
    names = _column(frame, wanted.id, "places_from.id").cast(pl.String).str.strip_chars()
    lat = read_numbers(_column(frame, wanted.lat, "places_from.lat"), source.missing)
    lon = read_numbers(_column(frame, wanted.lon, "places_from.lon"), source.missing)
    rows = zip(names.to_list(), lat.values_R.tolist(), lon.values_R.tolist(), strict=True)
    known = {name: (y, x) for name, y, x in rows if name is not None}
    for name, (y, x) in known.items():
        if not (math.isfinite(y) and math.isfinite(x) and abs(y) <= 90 and abs(x) <= 180):
            right = "give degrees: latitude -90..90, longitude -180..180"
            raise ReadError("places_from", name, "no position on the globe", right)
    return known


def _column(frame: pl.DataFrame, name: str, key: str) -> pl.Series:
    if name not in frame.columns:
        raise ReadError(key, name, "no such column", did_you_mean(name, frame.columns))
    return frame[name]
