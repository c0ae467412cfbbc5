"""Units as NGSI-LD's `unitCode` has them: common codes of UN/CEFACT Recommendation 20."""

from deepcity.city.field import Kind
from deepcity.city.units import USUAL

_CODES = {
    "km/h": "KMH",
    "m/s": "MTS",
    "mph": "HM",
    "L/s": "G51",
    "L/h": "E32",
    "L/min": "L2",
    "m3/h": "MQH",
    "m3/s": "MQS",
    "kg/s": "KGS",
    "kW": "KWT",
    "MW": "MAW",
    "W": "WTT",
    "GW": "A90",
    "kWh": "KWH",
    "Wh": "WHR",
    "MWh": "MWH",
    "MJ": "3B",
    "ug/m3": "GQ",
    "mg/m3": "GP",
    "ppm": "59",
    "ppb": "61",
    "degC": "CEL",
    "degF": "FAH",
    "K": "KEL",
    "hPa": "A97",
    "bar": "BAR",
    "%": "P1",
    "1": "C62",
    "mm": "MMT",
    "cm": "CMT",
    "m": "MTR",
    "km": "KMT",
    "s": "SEC",
}
_ONE, _PER_HOUR = "C62", "H10"


def unit_code(unit: str) -> str:
    """The code of a unit; empty where none is known here.

    >>> unit_code("km/h"), unit_code("vehicles"), unit_code("vehicles/h"), unit_code("psi")
    ('KMH', 'C62', 'H10', '')
    """
    if unit in _CODES:
        return _CODES[unit]
    counted, _, per = unit.partition("/")
    if counted not in USUAL[Kind.COUNT]:
        return ""
    return {"": _ONE, "h": _PER_HOUR}.get(per, "")
