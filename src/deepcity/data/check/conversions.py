"""How values look when they were recorded in another unit than their city file states."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from deepcity.city.field import Field, Kind
from deepcity.city.units import UnitError, check_convertible, convert, gas_of

CONFUSABLE_UNITS = {
    Kind.SPEED: ("km/h", "mph", "m/s"),
    Kind.WIND: ("m/s", "km/h", "mph", "knot"),
    Kind.FLOW: ("L/s", "L/min", "m3/h", "m3/s", "m3/day", "count/h", "count/min", "count/day"),
    Kind.LOAD: ("W", "kW", "MW", "GW"),
    Kind.ENERGY: ("Wh", "kWh", "MWh", "GWh", "MJ", "GJ"),
    Kind.CONCENTRATION: ("ug/m3", "ppm", "ppb", "mg/m3"),
    Kind.TEMPERATURE: ("degC", "degF", "K"),
    Kind.PRESSURE: ("hPa", "Pa", "kPa", "bar", "mmHg", "inHg", "psi"),
    Kind.HUMIDITY: ("%", "1"),
    Kind.SHARE: ("%", "1"),
    Kind.RAIN: ("mm", "cm", "inch"),
    Kind.LEVEL: ("m", "cm", "mm", "ft"),
}


@dataclass(frozen=True)
class UnitConfusion:
    """True values v in `unit`, read in the stated unit, appear as factor * v + offset."""

    unit: str
    factor: float
    offset: float


@cache
def unit_confusions(
    kind: Kind, unit: str, stated: str, gas: str | None = None
) -> tuple[UnitConfusion, ...]:
    """Units in which records of a kind often come, other than the stated one.

    Args:
        kind: the kind of field.
        unit: the unit of the panel.
        stated: the unit of the records, as the city file states it.
        gas: which gas a concentration is of, as ppm convert into ug/m3 by its molar mass.

    >>> [(m.unit, round(m.factor, 3), m.offset) for m in unit_confusions(Kind.SPEED, "mph", "mph")]
    [('km/h', 1.609, 0.0), ('m/s', 0.447, 0.0)]
    """
    found = []
    for other in CONFUSABLE_UNITS.get(kind, ()):
        try:
            check_convertible(other, unit, gas)
        except UnitError:
            continue
        in_other = convert(np.array([0.0, 1.0]), unit, other, gas)
        zero, one = convert(in_other, stated, unit, gas)
        factor, offset = float(one - zero), float(zero)
        if abs(factor - 1.0) > 1e-6 or abs(offset) > 1e-6:
            found.append(UnitConfusion(other, factor, 0.0 if abs(offset) < 1e-9 else offset))
    return tuple(found)


def confusions_of(field: Field, stated: str) -> tuple[UnitConfusion, ...]:
    """Units in which a field's records often come, other than the stated one."""
    gas = gas_of(field.name) if field.kind is Kind.CONCENTRATION else None
    return unit_confusions(field.kind, field.unit, stated, gas)
