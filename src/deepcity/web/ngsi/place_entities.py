"""An agency's places as entities: the newest measured values, and the forecast of the next step.

Shapes: T steps, N places, H horizon steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.field import Sensitivity
from deepcity.city.units import convert
from deepcity.data.panel import Panel
from deepcity.live.node.forecast_event import StoredForecast
from deepcity.web.ngsi.data_models import (
    FORECAST,
    TIME_ATTRIBUTE,
    WHOLE,
    Mapped,
    attribute_name,
    mapped,
)
from deepcity.web.ngsi.entity import Attribute, Entity, date_time, moment, urn
from deepcity.web.ngsi.unit_codes import unit_code

_DIGITS = 6
_WEEK_S = 7 * DAY_S


@dataclass(frozen=True, eq=False)
class MeasuredField:
    """A field of a panel as an attribute.

    Attributes:
        column: of the panel.
        name: of the attribute.
        model: what it becomes.
        unit: of the panel's values.
    """

    column: int
    name: str
    model: Mapped
    unit: str

    def values(self, raw: Floats, step_s: int) -> Doubles:
        """Values of any shape as the attribute has them."""
        found = convert(raw.astype(np.float64), self.unit, self.model.unit)
        return found * (step_s / 3600) if self.model.per_step else found

    @property
    def code(self) -> str:
        """The code of the attribute's unit."""
        unit = self.model.unit.removesuffix("/h") if self.model.per_step else self.model.unit
        return unit_code(unit)


@dataclass(frozen=True, eq=False)
class ForecastAttribute:
    """A party's newest forecast as an attribute of its agency's places.

    Attributes:
        name: of the attribute.
        of: the field that is forecast.
        found: the forecast.
        row: place id -> its row there.
    """

    name: str
    of: MeasuredField
    found: StoredForecast
    row: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class PlaceGroup:
    """The entities of one type that an agency's places are.

    Attributes:
        type: of all of them.
        ids: of the N entities, in the order of the places.
        panel: the records that they are made from.
        fields, forecasts: their attributes.
        newest: attribute -> newest value of each place, and the start of its step (UTC seconds).
    """

    type: str
    ids: Sequence[str]
    agency_title: str
    panel: Panel
    fields: tuple[MeasuredField, ...]
    forecasts: tuple[ForecastAttribute, ...]
    newest: Mapping[str, tuple[Doubles, Ints]]

    def entity(self, at: int) -> Entity:
        """The entity of a place."""
        place = self.panel.places[at]
        found = [
            Attribute("name", place.id),
            Attribute("dataProvider", self.agency_title),
        ]
        if place.lat is not None and place.lon is not None:
            point = {"type": "Point", "coordinates": [place.lon, place.lat]}
            found.append(Attribute("location", point, "GeoProperty"))
        if self.type == "OffStreetParking" and place.capacity is not None:
            total = measured_number("totalSpotNumber", place.capacity)
            found.append(Attribute("totalSpotNumber", total, unit="C62"))
        measured = [one for field in self.fields for one in self._measured(field, at)]
        times = [one.observed_s for one in measured if one.observed_s is not None]
        if times and self.type in TIME_ATTRIBUTE:
            found.append(Attribute(TIME_ATTRIBUTE[self.type], date_time(max(times))))
        found += measured
        found += [one for ahead in self.forecasts for one in _next(ahead, place.id)]
        return Entity(self.ids[at], self.type, tuple(found))

    def names(self) -> tuple[str, ...]:
        """Attributes that its entities may have."""
        fixed = ["name", "dataProvider"]
        if any(place.lat is not None for place in self.panel.places):
            fixed.append("location")
        if self.type == "OffStreetParking":
            fixed.append("totalSpotNumber")
        if self.type in TIME_ATTRIBUTE:
            fixed.append(TIME_ATTRIBUTE[self.type])
        return (*fixed, *self.newest, *(one.name for one in self.forecasts))

    def _measured(self, field: MeasuredField, at: int) -> list[Attribute]:
        names = [field.name, *(("maxFlow", "minFlow") if field.name == "waterFlow" else ())]
        found = []
        for name in names:
            value_N, time_N = self.newest[name]
            if np.isfinite(value_N[at]):
                code = field.code if name == field.name else unit_code("L/h")
                observed_s = int(time_N[at])
                value = measured_number(name, value_N[at])
                found.append(Attribute(name, value, "Property", observed_s, code))
        return found


def place_groups(
    city: str,
    panel: Panel,
    title: str,
    domain: str,
    agency: str,
    forecasts: Mapping[str, Sequence[tuple[str, StoredForecast | None]]],
    services: Mapping[str, Sequence[str]],
) -> list[PlaceGroup]:
    """The groups of an agency; fields that are personal are left out.

    Args:
        title: of the agency.
        domain: of the agency.
        forecasts: field -> its services and their newest forecasts.
        services: field -> applications that forecast it.
    """
    by_type: dict[str, list[tuple[str, MeasuredField]]] = {}
    for column, field in enumerate(panel.fields):
        if field.sensitivity is Sensitivity.PERSONAL:
            continue
        model = mapped(field, domain, services.get(field.name, ()))
        known = by_type.setdefault(model.type, [])
        taken = any(one.name == model.attribute for _, one in known)
        name = attribute_name(field.name) if taken else model.attribute
        known.append((field.name, MeasuredField(column, name, model, field.unit)))
    found = []
    for kind, named in by_type.items():
        fields = tuple(one for _, one in named)
        ahead = [made for name, one in named for made in _ahead(one, forecasts.get(name, ()))]
        ids = [urn(kind, city, agency, place.id) for place in panel.places]
        newest = {name: value for one in fields for name, value in _newest(panel, one).items()}
        found.append(PlaceGroup(kind, ids, title, panel, fields, tuple(ahead), newest))
    return found


def measured_number(attribute: str, value: float) -> float | int:
    """A measured value as its attribute has it.

    >>> measured_number("peopleCount", 12.4), measured_number("temperature", 12.4)
    (12, 12.4)
    """
    return round(value) if attribute in WHOLE else rounded(value)


def rounded(value: float) -> float:
    """A number without the digits that float32 does not hold."""
    return float(f"{float(value):.{_DIGITS}g}")


def _ahead(
    field: MeasuredField, made: Sequence[tuple[str, StoredForecast | None]]
) -> list[ForecastAttribute]:
    """The first service's forecast by the attribute's name, others by the service's too."""
    found: list[ForecastAttribute] = []
    for service, one in made:
        if one is not None:
            name = f"{field.name}{FORECAST}"
            name += f"_{attribute_name(service)}" if found else ""
            row = {place: at for at, place in enumerate(one.places)}
            found.append(ForecastAttribute(name, field, one, row))
    return found


def _next(ahead: ForecastAttribute, place: str) -> list[Attribute]:
    """The forecast of the first step, with its band, and when it was made."""
    made, row = ahead.found, ahead.row.get(place)
    if row is None or not np.isfinite(made.value_NH[row, 0]):
        return []
    value, low, high = (
        rounded(ahead.of.values(one[row, :1], made.step_s)[0])
        for one in (made.value_NH, made.low_NH, made.high_NH)
    )
    code = ahead.of.code
    parts = (
        Attribute("low", low, unit=code),
        Attribute("high", high, unit=code),
        Attribute("madeAt", {"@type": "DateTime", "@value": moment(made.made_s)}),
    )
    return [Attribute(ahead.name, value, "Property", made.origin_s, code, parts)]


def _newest(panel: Panel, field: MeasuredField) -> dict[str, tuple[Doubles, Ints]]:
    """Each place's newest value on the last day of the records; NaN where there is none."""
    step_s, places = panel.clock.step_s, len(panel.places)
    raw_TN = panel.values_TNF[-max(1, DAY_S // step_s) :, :, field.column]
    time_T = panel.time_T[len(panel.time_T) - len(raw_TN) :]
    if not len(raw_TN):
        nothing = np.full(places, np.nan), np.zeros(places, np.int64)
        found = {field.name: nothing}
    else:
        last_N = len(raw_TN) - 1 - np.isfinite(raw_TN)[::-1].argmax(axis=0)
        value_N = field.values(raw_TN[last_N, np.arange(places)], step_s)
        found = {field.name: (value_N, time_T[last_N])}
    if field.name == "waterFlow":
        found |= _weeks_range(panel, field)
    return found


def _weeks_range(panel: Panel, field: MeasuredField) -> dict[str, tuple[Doubles, Ints]]:
    """The largest and smallest flow of the last week in litres an hour, as the model asks."""
    step_s, places = panel.clock.step_s, len(panel.places)
    raw_TN = panel.values_TNF[-max(1, _WEEK_S // step_s) :, :, field.column]
    end_s = int(panel.time_T[-1]) if len(panel.time_T) else 0
    known_N = np.isfinite(raw_TN).any(axis=0)
    time_N = np.full(places, end_s, np.int64)
    found = {}
    for name, best in (("maxFlow", np.nanmax), ("minFlow", np.nanmin)):
        value_N = np.full(places, np.nan)
        if known_N.any():
            value_N[known_N] = convert(
                best(raw_TN[:, known_N], axis=0).astype(np.float64), field.unit, "L/s"
            )
        found[name] = (value_N * 3600, time_N)
    return found
