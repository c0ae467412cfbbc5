"""Entities that other systems write, as rows of the sources that their values are read from.

An entity's measured attributes are fields of an agency's place: each becomes a cell of a row, in
the unit of the source's records, at the time that it was observed. Rows then go through the
source's door like those that are pushed to it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import numpy as np

from deepcity.city.units import convert, gas_of
from deepcity.data.config.settings import AgencySettings, FieldSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.time_settings import Stamp
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.tables.batches import value_column
from deepcity.data.timestamps.formats import YEARS
from deepcity.live.feeds.row_door import RowDoor
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.data_models import FORECAST, TIME_ATTRIBUTE
from deepcity.web.ngsi.entity import moment, urn
from deepcity.web.ngsi.place_entities import MeasuredField, PlaceGroup
from deepcity.web.ngsi.problems import NgsiError, bad
from deepcity.web.ngsi.temporal.temporal_query import second_of

_ROWS = "send rows to POST /api/sources/AGENCY/SOURCE/rows"
_END_S = int(datetime(YEARS[1] + 1, 1, 1, tzinfo=UTC).timestamp())
NOT_MEASURED = "urn:ngsi-ld:null"
"""A value that the standard has for "none"."""
_FIXED = frozenset(
    {"id", "type", "@context", "name", "dataProvider", "location", "totalSpotNumber", "maxFlow",
     "minFlow", "observedAt", *TIME_ATTRIBUTE.values()}
)  # fmt: skip
"""What an entity has beside its measured attributes: it stays as the city has it."""


@dataclass(frozen=True)
class WrittenCell:
    """An attribute's value as a cell of a row.

    Attributes:
        agency, field: that it is a value of.
        source, place, observed_s: of the row; the place as the source calls it.
        column: of the row.
        where: other cells that tell this row from others of its time and place.
        value: in the unit of the source's records; None: not measured.
    """

    agency: str
    field: str
    source: str
    place: str
    observed_s: int
    column: str
    where: tuple[tuple[str, str], ...]
    value: float | None


def cells_of(city: CityEntities, raw: Mapping[str, Any]) -> list[WrittenCell]:
    """The cells that an entity is, in any representation.

    Raises:
        NgsiError: if it is no entity of a place, or with the attribute that cannot be written.
    """
    kind, agency, place = _place_of(city, raw)
    settings = next(one for one in city.node.city_file.settings.agency if one.name == agency)
    group = next((one for one in city.places(agency) if one.type == kind), None)
    if group is None:
        known = [one.type for one in city.places(agency)]
        raise bad("id", raw["id"], f"{agency} has no {kind}", did_you_mean(kind, known))
    key = _place_key(settings, place)
    by_name = {one.name: one for one in group.fields}
    found = []
    for name, attribute in raw.items():
        short = short_name(name)
        if short in _FIXED or FORECAST in short:
            continue
        if short not in by_name:
            right = f"what can be written of it: {', '.join(by_name)}"
            raise bad("attribute", name, f"not one of a {kind} here", right)
        field = _settings_of(settings, group, by_name[short])
        source = city.node.city_file.sources[field.source]
        _check_source(source)
        found.append(
            WrittenCell(
                agency=agency,
                field=field.name,
                source=field.source,
                place=key,
                observed_s=_observed_s(raw, short, attribute, kind),
                column=value_column(source, field),
                where=tuple((column, texts[0]) for column, texts in sorted(field.where.items())),
                value=_cell(short, attribute, by_name[short], field, group.panel.clock.step_s),
            )
        )
    if not found:
        right = f"give at least one of {', '.join(by_name)}"
        raise bad("entity", raw["id"], "no measured attribute", right)
    return found


def rows_of(door: RowDoor, cells: Sequence[WrittenCell]) -> list[dict[str, str | float | None]]:
    """The rows that cells of one source, time and place are.

    A row that comes again stands for the one before it, so that each must be whole.

    Raises:
        NgsiError: with the fields that are missing.
    """
    one, time = cells[0], door.source.time
    assert time is not None
    wanted = {
        (reader.settings.name, field.name)
        for reader in door.readers
        if not reader.places or one.place in {place.key for place in reader.places}
        for field in reader.fields
    }
    missing = wanted - {(cell.agency, cell.field) for cell in cells}
    if missing:
        shown = ", ".join(f"{field} of {agency}" for agency, field in sorted(missing))
        title = f"{shown} of the same place and time is missing"
        right = (
            f"they are cells of one row of {one.source}, which is kept as a whole: send them "
            f"together, as {NOT_MEASURED} where nothing was measured"
        )
        raise NgsiError(title, right)
    own = {cell.where for cell in cells if cell.where} or {()}
    return [
        {
            time.names[0]: moment(one.observed_s),
            door.source.place or "": one.place,
            **dict(where),
            **{cell.column: cell.value for cell in cells if cell.where in ((), where)},
        }
        for where in sorted(own)
    ]


def _place_of(city: CityEntities, raw: Mapping[str, Any]) -> tuple[str, str, str]:
    """Type, agency and place of an entity's id."""
    name = raw.get("id")
    right = f"an id is {urn('TYPE', city.city, 'AGENCY', 'PLACE')}; see /ngsi-ld/v1/entities"
    parts = name.split(":") if isinstance(name, str) else []
    if len(parts) != 6 or parts[:2] != ["urn", "ngsi-ld"]:
        raise bad("id", name, "not that of a place of this city", right)
    kind, (of, agency, place) = parts[2], map(unquote, parts[3:])
    if of != city.city or agency not in city.node.agencies or not place:
        raise bad("id", name, "not that of a place of this city", right)
    stated = raw.get("type")
    if not isinstance(stated, str) or short_name(stated) != kind:
        raise bad("type", stated, f"not the {kind} of its id", f"give {kind}")
    return kind, agency, place


def _place_key(settings: AgencySettings, place: str) -> str:
    """What the source calls a place."""
    if not settings.places:
        return place
    keys = {one.id: one.key for one in settings.places}
    if place not in keys:
        raise bad("id", place, f"no place of {settings.name}", did_you_mean(place, list(keys)))
    return keys[place]


def _settings_of(
    settings: AgencySettings, group: PlaceGroup, measured: MeasuredField
) -> FieldSettings:
    name = group.panel.fields[measured.column].name
    return next(one for one in settings.fields if one.name == name)


def _observed_s(raw: Mapping[str, Any], name: str, attribute: object, kind: str) -> int:
    """When an attribute was observed: its own time, else its entity's."""
    found = attribute.get("observedAt") if isinstance(attribute, dict) else None
    for key in (TIME_ATTRIBUTE.get(kind, ""), "observedAt"):
        found = raw.get(key) if found is None else found
    while isinstance(found, dict):  # a property, and a typed value in it
        found = found.get("value", found.get("@value"))
    if not isinstance(found, str):
        right = "give observedAt, such as 2024-05-01T00:00:00Z"
        raise bad("attribute", name, "when it was observed is not stated", right)
    second = second_of(found, "observedAt")
    if second >= _END_S:
        right = "correct the sender's clock"
        raise bad("observedAt", found, f"after the year {YEARS[1]}", right)
    return second


def _cell(
    name: str, attribute: object, measured: MeasuredField, field: FieldSettings, step_s: int
) -> float | None:
    """A value as the source's records have it."""
    value = attribute.get("value") if isinstance(attribute, dict) else attribute
    if value == NOT_MEASURED:
        return None
    number = _number(value)
    if number is None:
        raise bad("attribute", name, f"its value {str(value)[:100]} is no number", "send a number")
    unit = attribute.get("unitCode") if isinstance(attribute, dict) else None
    if unit not in (None, measured.code):
        right = f"send it in {measured.model.unit} ({measured.code}), or without unitCode"
        raise bad("unitCode", unit, f"{name} is written in another unit", right)
    if field.cumulative:
        raise bad("attribute", name, "its source has readings of a running total", _ROWS)
    one = np.array([number])
    with np.errstate(over="ignore", invalid="ignore"):
        one = one / (step_s / 3600) if measured.model.per_step else one
        one = convert(one, measured.model.unit, measured.unit)
        one = convert(one, field.unit, field.unit_of_records, gas_of(field.name))
        found = float((one[0] - field.offset) / field.scale)
    if not math.isfinite(found):
        reason = f"its value {number:g} is too large in the unit of the source's records"
        raise bad("attribute", name, reason, "send a number that was measured")
    return float(f"{found:.12g}")


def _number(value: object) -> float | None:
    """A finite number; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # JSON writes integers of any length
        return None
    return found if math.isfinite(found) else None


def _check_source(source: SourceSettings) -> None:
    """Refuse one whose rows cannot be made here."""
    time = source.time
    if time is None or source.place is None or len(time.names) != 1 or time.format is not None:
        raise bad("source", source.name, "its times have a form of their own", _ROWS)
    if time.stamp is not Stamp.START:
        raise bad("source", source.name, "its times are the ends of steps", _ROWS)
