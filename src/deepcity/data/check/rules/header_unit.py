"""A column whose header names another unit than the city file.

The header is by those who keep the records, so it outweighs the city file: ``Windspeed (km/h)``
stated as m/s is reported at once, though 3.6 times a breeze is still a plausible wind.
"""

import re
from collections.abc import Iterable
from functools import cache

from deepcity.city.field import Kind
from deepcity.city.units import EXAMPLES, UnitError, check_convertible, same_unit
from deepcity.data.check.conversions import CONFUSABLE_UNITS
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]")
SPELLINGS = {
    Kind.SPEED: {"kmh": "km/h", "kph": "km/h", "mps": "m/s"},
    Kind.WIND: {"kmh": "km/h", "kph": "km/h", "mps": "m/s", "kt": "knot", "kts": "knot"},
    Kind.TEMPERATURE: {
        "c": "degC", "°c": "degC", "℃": "degC", "f": "degF", "°f": "degF", "℉": "degF",
    },
    Kind.CONCENTRATION: {
        "µg/m3": "ug/m3", "μg/m3": "ug/m3", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "㎍/㎥": "ug/m3",
    },
    Kind.FLOW: {"m³/h": "m3/h", "m³/s": "m3/s", "l/h": "L/h"},
}  # fmt: skip
"""Spellings in headers, besides those that city files use."""


def find_warnings(view: View) -> Iterable[Finding]:
    """Fields with columns whose header names another unit."""
    for f, headers in enumerate(() if view.drafted else view.headers_F):
        kind = view.panel.fields[f].kind
        spellings = {n: _header_spelling(text, kind) for n, text in headers.items()}
        if len(set(spellings.values())) > 1:  # a letter is a unit only if all columns have it
            spellings = {n: None if _is_letter(text) else text for n, text in spellings.items()}
        units = {n: _usual(kind)[text] for n, text in spellings.items() if text is not None}
        for unit in dict.fromkeys(units.values()):
            if not same_unit(unit, view.units_F[f]):
                places = [n for n, one in units.items() if one == unit]
                text = _text(headers[places[0]], unit, view, f)
                seen = RuleEvidence(unit=unit, stated=view.units_F[f])
                yield view.warn("header-unit", f, places, text, evidence=seen)


def unit_in(header: str, kind: Kind) -> str | None:
    """The unit in the last brackets of a header that hold a usual unit of the kind.

    >>> unit_in("Windspeed (km/h)", Kind.WIND), unit_in("Temp [F] (roof)", Kind.TEMPERATURE)
    ('km/h', 'degF')
    """
    text = _header_spelling(header, kind)
    return None if text is None else _usual(kind)[text]


def _header_spelling(header: str, kind: Kind) -> str | None:
    """How a header spells its unit, in lower case."""
    texts = (text.lower() for text in reversed(BRACKETS.findall(header)))
    return next((text for text in texts if text in _usual(kind)), None)


def _is_letter(text: str | None) -> bool:
    return text is not None and len(text) == 1 and text.isalpha()


@cache
def _usual(kind: Kind) -> dict[str, str]:
    """Spelling in lower case -> unit, without words for counted items, which may be names."""
    units = [*EXAMPLES[kind], *CONFUSABLE_UNITS.get(kind, ())]
    known = {unit.lower(): unit for unit in units if unit != "1" and not same_unit(unit, "count")}
    return known | SPELLINGS.get(kind, {})


def _text(header: str, unit: str, view: View, f: int) -> str:
    stated = view.units_F[f]
    text = f"column {header!r} is headed {unit}, but stated as {stated} in the city file"
    try:
        check_convertible(unit, view.panel.fields[f].unit)
    except UnitError:
        return f"{text}, another quantity; if the header is right, correct `unit`"
    return f'{text}; if the header is right, write unit_in = "{unit}"'
