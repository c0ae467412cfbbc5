"""Which entity type and attribute a field becomes: one table, by kind, unit, domain and name.

Types and attributes are those of the Smart Data Models (smartdatamodels.org). Where no model
fits, the type is our own `CityObservation` and the attribute has the field's name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deepcity.city.field import Field, Kind
from deepcity.city.units import UnitError, gas_of, same_quantity

OWN = "https://deepcity.example/ngsi-ld/"
"""Where our own terms live; no address that is ever asked."""
SDM = "https://smartdatamodels.org/"
OWN_TYPE, DECISION, ALERT, MODEL = "CityObservation", "CityDecision", "Alert", "MLModel"

SUBJECTS: Mapping[str, str] = {
    "TrafficFlowObserved": "dataModel.Transportation",
    "CrowdFlowObserved": "dataModel.Transportation",
    "OffStreetParking": "dataModel.Parking",
    "AirQualityObserved": "dataModel.Environment",
    "WeatherObserved": "dataModel.Weather",
    "WaterConsumptionObserved": "dataModel.WaterConsumption",
    "SmartMeteringObservation": "dataModel.Device",
    ALERT: "dataModel.Alert",
    MODEL: "dataModel.MachineLearning",
}
"""Type -> subject of the Smart Data Models that it is from."""

TIME_ATTRIBUTE: Mapping[str, str] = {
    "TrafficFlowObserved": "dateObserved",
    "CrowdFlowObserved": "dateObserved",
    "AirQualityObserved": "dateObserved",
    "WeatherObserved": "dateObserved",
    "OffStreetParking": "observationDateTime",
}
"""Type -> its attribute for when it was observed; others have `observedAt` alone."""

WHOLE = frozenset(
    {
        "peopleCount",
        "availableSpotNumber",
        "occupiedSpotNumber",
        "totalSpotNumber",
        "maxFlow",
        "minFlow",
    }
)
"""Attributes that are integers by the schema of their model; the mean of several is rounded."""

FORECAST = "Forecast"
"""What the name of a forecast's attribute ends in."""


@dataclass(frozen=True)
class Model:
    """A row of the table: what it is for, and what it gives.

    Attributes:
        kinds: of the field.
        type, attribute: of NGSI-LD; an empty attribute is the gas or dust named by the field.
        unit: that values are converted into.
        domains: of the agency; empty: any.
        name: pattern that is found in the field's or the service's name; empty: any.
        unit_like: pattern of the field's own unit; empty: any that converts.
        own: the attribute is not one of the type's model.
        per_step: values are multiplied by the hours of a step: a flow as the amount of the step.
    """

    kinds: tuple[Kind, ...]
    type: str
    attribute: str
    unit: str
    domains: tuple[str, ...] = ()
    name: str = ""
    unit_like: str = ""
    own: bool = False
    per_step: bool = False


_PEOPLE = r"^(people|persons?|passengers?|pedestrians?|visitors?|riders?)"
_VEHICLES = r"^(vehicles?|cars?)"
_WATER = r"water|inflow|outflow|demand|leak|수도|상수|유량"
_DUST = re.compile(r"(?<![a-z0-9])(pm10|pm1|pm2[._]?5|pm25|co2|no|nox)(?![a-z0-9])")

TABLE: tuple[Model, ...] = (
    Model((Kind.SPEED,), "TrafficFlowObserved", "averageVehicleSpeed", "km/h", ("transport",)),
    Model(
        (Kind.FLOW,), "TrafficFlowObserved", "intensity", "vehicles/h",
        unit_like=_VEHICLES, per_step=True,
    ),
    Model((Kind.COUNT,), "TrafficFlowObserved", "intensity", "vehicles", unit_like=_VEHICLES),
    Model((Kind.COUNT,), "CrowdFlowObserved", "peopleCount", "people", unit_like=_PEOPLE),
    Model(
        (Kind.FLOW,), "CrowdFlowObserved", "peopleCount", "people/h",
        unit_like=_PEOPLE, per_step=True,
    ),
    Model(
        (Kind.LEVEL, Kind.COUNT), "OffStreetParking", "occupiedSpotNumber", "spaces",
        name=r"occupied|taken|parked", unit_like=r"^spaces?$",
    ),
    Model(
        (Kind.LEVEL, Kind.COUNT), "OffStreetParking", "availableSpotNumber", "spaces",
        unit_like=r"^spaces?$",
    ),
    Model((Kind.SHARE,), "OffStreetParking", "occupancy", "1", name=r"parking"),
    Model((Kind.CONCENTRATION,), "AirQualityObserved", "", "ug/m3"),
    Model((Kind.TEMPERATURE,), "WeatherObserved", "temperature", "degC", ("environment",)),
    Model((Kind.PRESSURE,), "WeatherObserved", "atmosphericPressure", "hPa", ("environment",)),
    Model((Kind.HUMIDITY,), "WeatherObserved", "relativeHumidity", "1", ("environment",)),
    Model((Kind.WIND,), "WeatherObserved", "windSpeed", "m/s", ("environment",)),
    Model((Kind.RAIN,), "WeatherObserved", "precipitation", "mm"),
    # a reading of a meter is no flow: `waterConsumption` and `totalConsumption` stay empty
    Model(
        (Kind.FLOW,), "WaterConsumptionObserved", "waterFlow", "L/s", ("resources",),
        name=_WATER, own=True,
    ),
    Model(
        (Kind.LOAD,), "SmartMeteringObservation", "activePower", "kW", ("resources",), own=True
    ),
    Model(
        (Kind.ENERGY,), "SmartMeteringObservation", "intervalConsumption", "kWh", ("resources",),
        own=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Mapped:
    """What a field becomes.

    Attributes:
        type, attribute: of NGSI-LD.
        unit: values are converted into it.
        per_step: then multiplied by the hours of a step.
        own: the attribute is not of the type's model.
    """

    type: str
    attribute: str
    unit: str
    per_step: bool = False
    own: bool = False


def mapped(field: Field, domain: str, services: Iterable[str] = ()) -> Mapped:
    """What a field becomes.

    Args:
        domain: of its agency.
        services: applications that forecast it.

    >>> mapped(Field("speed", Kind.SPEED, "mph"), "transport").attribute
    'averageVehicleSpeed'
    >>> mapped(Field("tank", Kind.LEVEL, "m"), "resources")
    Mapped(type='CityObservation', attribute='tank', unit='m', per_step=False, own=True)
    """
    names = " ".join((field.name, *services)).lower()
    for row in TABLE:
        attribute = row.attribute or _pollutant(field.name)
        if attribute and _fits(row, field, domain, names):
            unit = row.unit if _converts(field, row.unit) else field.unit
            return Mapped(row.type, attribute, unit, row.per_step, row.own)
    return Mapped(OWN_TYPE, attribute_name(field.name), field.unit, own=True)


def attribute_name(name: str) -> str:
    """A field's name as an NGSI-LD name: letters, digits and underscores.

    >>> attribute_name("night flow (min)"), attribute_name("유입")
    ('night_flow_min', '유입')
    """
    found = re.sub(r"\W+", "_", name).strip("_")
    return found if found[:1].isalpha() else f"field_{found}"


def _fits(row: Model, field: Field, domain: str, names: str) -> bool:
    return (
        field.kind in row.kinds
        and (not row.domains or domain in row.domains)
        and (not row.name or re.search(row.name, names) is not None)
        and (not row.unit_like or re.search(row.unit_like, field.unit) is not None)
        and (bool(row.unit_like) or not row.attribute or _converts(field, row.unit))
    )


def _converts(field: Field, unit: str) -> bool:
    """Whether its values convert without more being known."""
    try:
        return same_quantity(field.unit, unit)
    except UnitError:
        return False


def _pollutant(name: str) -> str:
    """The attribute of what is measured in the air; empty where the name says nothing."""
    gas = gas_of(name)
    if gas is not None:
        return gas
    found = _DUST.search(name.lower())
    return "" if found is None else found[1].replace(".", "").replace("_", "")
