"""A column whose own header names another unit than the city file.

The records' keeper wrote the header, so it is believed before the city file: ``Windspeed
(km/h)`` told as m/s is told at once, where 3.6 times a breeze is still a believable wind.
"""

import re
from collections.abc import Iterable

from deepcity.city.field import Kind
from deepcity.city.units import UnitError, check_unit, same_unit
from deepcity.data.findings import Finding
from deepcity.data.quality import View

BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]")
SPELT = {
    "kmh": "km/h", "kph": "km/h", "mps": "m/s", "℃": "degC", "℉": "degF", "µg/m³": "ug/m3",
    "μg/m³": "ug/m3", "㎍/㎥": "ug/m3",
}  # fmt: skip
"""Spellings of headers that no library of units knows."""
DEGREES = {"c": "degC", "°c": "degC", "f": "degF", "°f": "degF", "k": "K"}
"""As people write them behind a temperature, where C is no coulomb."""


def look(view: View) -> Iterable[Finding]:
    """Fields some of whose columns are headed by another unit."""
    for f, headers in enumerate(view.headers_F):
        named = {n: unit_in(text, view.panel.fields[f].kind) for n, text in headers.items()}
        for unit in dict.fromkeys(unit for unit in named.values() if unit is not None):
            if not same_unit(unit, view.units_F[f]):
                places = [n for n, one in named.items() if one == unit]
                text = _text(headers[places[0]], unit, view.units_F[f])
                yield view.warn("header-unit", f, places, text)


def unit_in(header: str, kind: Kind) -> str | None:
    """The unit in a header's last brackets that hold one a kind can have.

    >>> unit_in("Windspeed (km/h)", Kind.WIND), unit_in("Temp [F] (roof)", Kind.TEMPERATURE)
    ('km/h', 'degF')
    """
    for text in reversed(BRACKETS.findall(header)):
        unit = SPELT.get(text.lower(), text)
        if kind is Kind.TEMPERATURE:
            unit = DEGREES.get(text.lower(), unit)
        try:
            check_unit(unit, kind)
        except UnitError:
            continue
        return str(unit) if not unit.isdigit() else None  # "(2)" counts columns of one name
    return None


def _text(header: str, unit: str, stated: str) -> str:
    return (
        f"column {header!r} says {unit}, the city file {stated}; "
        f'if the column is right, write unit_in = "{unit}"'
    )
