"""A wrong unit throughout: values that are implausible in the stated unit, but not in another.

Ranges are wide on purpose: hourly weather of any inhabited city, roads from a jam to the
Autobahn. Values within them are not proven right; see `sibling_unit` and `unit_change`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.city.units import UnitError, convert
from deepcity.data.check.conversions import CONFUSABLE_UNITS, confusions_of
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

MIN_VALUES = 48  # least number of values for a check
YEAR_DAYS = 270  # a span that holds a summer, in either half of the world
SUMMER_SHARE = 0.12  # the warmest six weeks of a year
MAX_AIR_PRESSURE_SPREAD = (
    0.03  # air pressure moves less than this around its median; that of pipes more
)


@dataclass(frozen=True)
class PlausibleRange:
    """Plausible ranges of a kind's values, in `unit`: median, tails, and warmest part of a year.

    Attributes:
        middle: lowest and highest plausible median of values above 0 (of all, for `signed`).
        tail: lowest plausible 1 % and highest plausible 99 % quantile.
        warm: lowest and highest plausible median of the highest eighth of a whole year.
    """

    unit: str
    middle: tuple[float, float]
    tail: tuple[float, float] = (-np.inf, np.inf)
    warm: tuple[float, float] = (-np.inf, np.inf)
    signed: bool = False


RANGES = {
    Kind.TEMPERATURE: PlausibleRange("degC", (-40, 42), (-65, 60), (7.5, 44), signed=True),
    Kind.PRESSURE: PlausibleRange("hPa", (550, 1090), (500, 1100)),
    Kind.HUMIDITY: PlausibleRange("%", (5, 101), (-1, 106)),
    Kind.WIND: PlausibleRange(
        "m/s", (0.2, 11), (-1, 25)
    ),  # hourly means of a windy coast, and gusts
    Kind.SPEED: PlausibleRange("km/h", (3, 140), (-1, 230)),
    Kind.CONCENTRATION: PlausibleRange("ug/m3", (0.5, 20_000)),
    Kind.SHARE: PlausibleRange("%", (1.01, 120)),
}


def find_warnings(view: View) -> Iterable[Finding]:
    """Places whose values are implausible in the stated unit."""
    if view.drafted:
        return
    for f, field in enumerate(view.panel.fields):
        plausible = RANGES.get(field.kind)
        if plausible is None or not _fits(plausible.unit, field.unit):
            continue
        values_TN = view.values_TN(f)
        assessed = [
            _likely_unit(values_TN[:, n], plausible, view, f) for n in range(values_TN.shape[1])
        ]
        for likely_unit in dict.fromkeys(unit for unit in assessed if unit is not None):
            places = np.flatnonzero([unit == likely_unit for unit in assessed])
            seen_TN = values_TN[:, places]
            low, high = (float(one) for one in np.nanquantile(seen_TN, (0.01, 0.99)))
            seen = RuleEvidence(low=low, high=high, unit=likely_unit, stated=view.units_F[f])
            text = _text(seen_TN, likely_unit, view, f)
            yield view.warn("wrong-unit", f, places, text, evidence=seen)


def _fits(unit: str, other: str) -> bool:
    try:
        convert(np.zeros(1), unit, other)
    except UnitError:
        return False
    return True


def _likely_unit(values_T: Doubles, plausible: PlausibleRange, view: View, f: int) -> str | None:
    """The unit that a place's values look like; "" if none; None where they are plausible."""
    field, stated = view.panel.fields[f], view.units_F[f]
    known = values_T[np.isfinite(values_T)]
    if len(known) < MIN_VALUES or len(np.unique(known)) < 3:
        return None
    if field.kind is Kind.PRESSURE and _spread(known) > MAX_AIR_PRESSURE_SPREAD:
        return None  # not air pressure
    days = np.isfinite(values_T).sum() * view.panel.clock.step_s / DAY_S
    whole_year = bool(days >= YEAR_DAYS)
    if _in_range(convert(known, field.unit, plausible.unit), plausible, whole_year):
        return None
    for confusion in confusions_of(field, stated):
        true = convert((known - confusion.offset) / confusion.factor, field.unit, plausible.unit)
        if _in_range(true, plausible, whole_year):
            return confusion.unit
    return ""


def _spread(known: Doubles) -> float:
    low, middle, high = np.quantile(known, (0.1, 0.5, 0.9))
    return float((high - low) / abs(middle)) if middle else np.inf


def _in_range(values: Doubles, plausible: PlausibleRange, whole_year: bool) -> bool:
    assessed = values if plausible.signed else values[values > 0]
    if not len(assessed):
        return True
    low, high = np.quantile(values, (0.01, 0.99))
    warm = np.quantile(values, 1 - SUMMER_SHARE / 2)
    middle = float(np.median(assessed))
    return bool(
        plausible.middle[0] <= middle <= plausible.middle[1]
        and low >= plausible.tail[0]
        and high <= plausible.tail[1]
        and (not whole_year or plausible.warm[0] <= warm <= plausible.warm[1])
    )


def _text(values_TN: Doubles, unit: str, view: View, f: int) -> str:
    field, stated = view.panel.fields[f], view.units_F[f]
    low, middle, high = np.nanquantile(values_TN, (0.01, 0.5, 0.99))
    seen = f"mostly {low:.4g} to {high:.4g}, median {middle:.4g} {field.unit}"
    unit_note = f"from records stated as {stated}"
    if unit:
        return (
            f"{seen}, {unit_note}: implausible for a {field.kind.value}, plausible if the records "
            f'are in {unit}; if they are, write unit_in = "{unit}"'
        )
    known = ", ".join(CONFUSABLE_UNITS.get(field.kind, ()))
    return (
        f"{seen}, {unit_note}: implausible for a {field.kind.value} in any of {known}; "
        f"look for a scaled column, or choose another kind"
    )
