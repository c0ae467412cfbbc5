"""Measured values and forecasts of a party as a file: CSV, Parquet, GeoJSON, or by H3 cell.

Shapes: T times, N places, R rows, C cells.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import h3
import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.field import Field, Resample, Sensitivity
from deepcity.city.place import Place
from deepcity.data.table_files import Categories, Moments, table_bytes, table_of
from deepcity.data.table_formats import TableFormat
from deepcity.live.node.known import newest_forecast
from deepcity.live.node.node import Node, PartyKey
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.answers import numbers

MOST_VALUES = 2_000_000
"""Values in one file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PART = 50_000  # values in one part of a stream


class ExportFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    PARQUET = "parquet"
    GEOJSON = "geojson"  # a feature a place, with its times and values
    H3 = "h3"  # CSV: a row a cell and time


class ExportKind(StrEnum):
    """What a file holds."""

    MEASURED = "measured"
    FORECAST = "forecast"  # the newest one


MEDIA = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.GEOJSON: "application/geo+json",
    ExportFormat.H3: "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class ExportNames:
    """The texts of a file."""

    service: str
    party: str
    places: tuple[str, ...]
    unit: str

    def inert(self) -> "ExportNames":
        """Texts that a spreadsheet takes for no formula (OWASP, CSV injection)."""
        places = tuple(map(_inert, self.places))
        return ExportNames(_inert(self.service), _inert(self.party), places, _inert(self.unit))


@dataclass(frozen=True, eq=False)
class ExportValues:
    """What is written.

    Attributes:
        time_T: starts of steps, UTC seconds.
        values: column -> values (T, N) in the field's unit: `value`; of a forecast `low`, `high`.
    """

    key: PartyKey
    kind: ExportKind
    places: tuple[Place, ...]
    field: Field
    time_zone: str
    time_T: Ints
    values: dict[str, Floats]

    @property
    def names(self) -> ExportNames:
        """Its texts, as they are."""
        places = tuple(one.id for one in self.places)
        return ExportNames(*self.key, places, self.field.unit)


def export_values(
    node: Node, key: PartyKey, kind: ExportKind, since_s: int, until_s: int
) -> ExportValues:
    """The values of a party in a span.

    Raises:
        Refusal: if they are personal, none, or too many.
    """
    now = node.parties[key]
    panel = node.panel(now.party.party.agency)
    column = panel.field_index(now.party.facts.field)
    field = panel.fields[column]
    if field.sensitivity is Sensitivity.PERSONAL:
        right = "ask for a party of another field"
        raise Refusal(403, field.name, "the city file marks it personal: it is not exported", right)
    places, time_T, values = panel.places, panel.time_T, {}
    if kind is ExportKind.MEASURED:
        part = panel.between(since_s, until_s)
        time_T, values = part.time_T, {"value": part.values_TNF[:, :, column]}
    else:
        found = newest_forecast(node, key, None)
        if found is None:
            raise Refusal(409, key[1], "it has no forecast", "see GET /api/now for the reason")
        known = {place.id: place for place in panel.places}
        places = tuple(known.get(name, Place(name)) for name in found.places)
        at_H = (found.time_H >= since_s) & (found.time_H < until_s)
        time_T = found.time_H[at_H]
        parts = {"value": found.value_NH, "low": found.low_NH, "high": found.high_NH}
        values = {name: one[:, at_H].T for name, one in parts.items()}
    size = len(time_T) * len(places)
    if size > MOST_VALUES:
        reason = f"at most {MOST_VALUES:,} are sent at once"
        raise Refusal(413, f"{size:,} values", reason, "ask for a shorter span")
    if not size:
        reason = "no values in this span"
        raise Refusal(404, f"{since_s} to {until_s}", reason, "see GET /api/series for its span")
    zone = panel.clock.time_zone
    return ExportValues(key, kind, places, field, zone, time_T, values)


def export_parts(found: ExportValues, form: ExportFormat, resolution: int) -> Iterator[bytes]:
    """A file in parts.

    Args:
        resolution: of H3 cells.

    Raises:
        Refusal: if no place has a position, and cells were asked for.
    """
    if form is ExportFormat.H3:
        return _cells(found, resolution)
    if form is ExportFormat.GEOJSON:
        return _features(found)
    if form is ExportFormat.PARQUET:
        rows = _rows(found, slice(None), found.names)
        return iter([table_bytes(rows, TableFormat.PARQUET)])
    return _csv(found)


def _inert(text: str) -> str:
    """A text with a sign before it that makes it one, if it may be taken for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(found: ExportValues) -> Iterator[bytes]:
    steps = max(1, _PART // len(found.places))
    for start in range(0, len(found.time_T), steps):
        rows = _rows(found, slice(start, start + steps), found.names.inert())
        yield table_bytes(rows, TableFormat.CSV, header=start == 0)


def _rows(found: ExportValues, part: slice, names: ExportNames) -> object:
    """A table of some steps: a row a place and step with a value."""
    time_T = found.time_T[part]
    shape = (len(time_T), len(found.places))
    known_TN: Bools = np.isfinite(found.values["value"][part])
    place_R = np.broadcast_to(np.arange(shape[1]), shape)[known_TN]
    time_R = np.broadcast_to(time_T[:, None], shape)[known_TN]
    zero_R = np.zeros(len(place_R), np.int64)
    lat_N, lon_N = _positions(found.places)
    return table_of(
        {
            "service": Categories(zero_R, [names.service]),
            "party": Categories(zero_R, [names.party]),
            "place": Categories(place_R, names.places),
            "lat": lat_N[place_R],
            "lon": lon_N[place_R],
            "time": Moments(time_R, found.time_zone),
            "time_utc": Moments(time_R),
            **{name: values_TN[part][known_TN] for name, values_TN in found.values.items()},
            "unit": Categories(zero_R, [names.unit]),
        }
    )


def _positions(places: tuple[Place, ...]) -> tuple[Doubles, Doubles]:
    lat_N = np.array([np.nan if one.lat is None else one.lat for one in places])
    lon_N = np.array([np.nan if one.lon is None else one.lon for one in places])
    return lat_N, lon_N


def _features(found: ExportValues) -> Iterator[bytes]:
    """A GeoJSON collection, a feature a place (RFC 7946)."""
    times = found.time_T.tolist()
    yield b'{"type":"FeatureCollection","features":['
    for at, place in enumerate(found.places):
        where = None
        if place.lat is not None and place.lon is not None:
            where = {"type": "Point", "coordinates": [place.lon, place.lat]}
        properties = {
            "service": found.key[0],
            "party": found.key[1],
            "place": place.id,
            "unit": found.field.unit,
            "times_s": times,
            **{name: numbers(values_TN[:, at]) for name, values_TN in found.values.items()},
        }
        one = {"type": "Feature", "geometry": where, "properties": properties}
        text = json.dumps(one, ensure_ascii=False, allow_nan=False)
        yield (("," if at else "") + text).encode("utf-8", "replace")
    yield b"]}"


def _cells(found: ExportValues, resolution: int) -> Iterator[bytes]:
    """Values of each H3 cell: added up where the field adds up, else their mean."""
    cells: dict[str, list[int]] = {}
    for at, place in enumerate(found.places):
        if place.lat is not None and place.lon is not None:
            cell = str(h3.latlng_to_cell(place.lat, place.lon, resolution))
            cells.setdefault(cell, []).append(at)
    if not cells:
        reason = "no place has a position"
        right = "add lat and lon to the city file, or ask for csv"
        raise Refusal(409, found.key[1], reason, right)
    return _cell_rows(found, cells)


def _cell_rows(found: ExportValues, cells: dict[str, list[int]]) -> Iterator[bytes]:
    adds = found.field.kind.resample is Resample.SUM
    steps = max(1, _PART // len(cells))
    for start in range(0, len(found.time_T), steps):
        time_T = found.time_T[start : start + steps]
        value_TN = found.values["value"][start : start + steps].astype(np.float64)
        shape = (len(time_T), len(cells))
        value_TC, count_TC = np.zeros(shape), np.zeros(shape)
        for number, columns in enumerate(cells.values()):
            part = value_TN[:, columns]
            count_TC[:, number] = np.isfinite(part).sum(axis=1)
            value_TC[:, number] = np.nansum(part, axis=1)
        known_TC = count_TC > 0
        if not adds:
            value_TC[known_TC] /= count_TC[known_TC]
        cell_R = np.broadcast_to(np.arange(len(cells)), shape)[known_TC]
        table = table_of(
            {
                "cell": Categories(cell_R, list(cells)),
                "time_utc": Moments(np.broadcast_to(time_T[:, None], shape)[known_TC]),
                "value": value_TC[known_TC],
                "places": count_TC[known_TC],
                "unit": Categories(np.zeros(len(cell_R), np.int64), [_inert(found.field.unit)]),
            }
        )
        yield table_bytes(table, TableFormat.CSV, header=start == 0)
