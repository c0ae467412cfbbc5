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
from deepcity.data.conversions import OFTEN_MIXED_UP, mix_ups
from deepcity.data.findings import Finding
from deepcity.data.quality import View

FEWEST = 48  # least number of values for a check
A_YEAR_DAYS = 270  # a span that holds a summer, in either half of the world
SUMMER_SHARE = 0.12  # the warmest six weeks of a year
STEADY = 0.03  # air pressure moves less than this around its median; that of pipes more


@dataclass(frozen=True)
class Believable:
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
    Kind.TEMPERATURE: Believable("degC", (-40, 42), (-65, 60), (7.5, 44), signed=True),
    Kind.PRESSURE: Believable("hPa", (550, 1090), (500, 1100)),
    Kind.HUMIDITY: Believable("%", (5, 101), (-1, 106)),
    Kind.WIND: Believable("m/s", (0.2, 11), (-1, 25)),  # hourly means of a windy coast, and gusts
    Kind.SPEED: Believable("km/h", (3, 140), (-1, 230)),
    Kind.CONCENTRATION: Believable("ug/m3", (0.5, 20_000)),
    Kind.SHARE: Believable("%", (1.01, 120)),
}


def look(view: View) -> Iterable[Finding]:
    """Places whose values are implausible in the stated unit."""
    if view.guessed:
        return
    for f, field in enumerate(view.panel.fields):
        believable = RANGES.get(field.kind)
        if believable is None or not _fits(believable.unit, field.unit):
            continue
        values_TN = view.values_TN(f)
        judged = [_better(values_TN[:, n], believable, view, f) for n in range(values_TN.shape[1])]
        for said in dict.fromkeys(unit for unit in judged if unit is not None):
            places = np.flatnonzero([unit == said for unit in judged])
            yield view.warn("wrong-unit", f, places, _text(values_TN[:, places], said, view, f))


def _fits(unit: str, other: str) -> bool:
    try:
        convert(np.zeros(1), unit, other)
    except UnitError:
        return False
    return True


def _better(values_T: Doubles, believable: Believable, view: View, f: int) -> str | None:
    """The unit that a place's values look like; "" if none; None where they are plausible."""
    field, stated = view.panel.fields[f], view.units_F[f]
    known = values_T[np.isfinite(values_T)]
    if len(known) < FEWEST or len(np.unique(known)) < 3:
        return None
    if field.kind is Kind.PRESSURE and _spread(known) > STEADY:
        return None  # not air pressure
    days = np.isfinite(values_T).sum() * view.panel.clock.step_s / DAY_S
    whole_year = bool(days >= A_YEAR_DAYS)
    if _in_range(convert(known, field.unit, believable.unit), believable, whole_year):
        return None
    for mix_up in mix_ups(field.kind, field.unit, stated):
        true = convert((known - mix_up.offset) / mix_up.factor, field.unit, believable.unit)
        if _in_range(true, believable, whole_year):
            return mix_up.unit
    return ""


def _spread(known: Doubles) -> float:
    low, middle, high = np.quantile(known, (0.1, 0.5, 0.9))
    return float((high - low) / abs(middle)) if middle else np.inf


def _in_range(values: Doubles, believable: Believable, whole_year: bool) -> bool:
    judged = values if believable.signed else values[values > 0]
    if not len(judged):
        return True
    low, high = np.quantile(values, (0.01, 0.99))
    warm = np.quantile(values, 1 - SUMMER_SHARE / 2)
    middle = float(np.median(judged))
    return bool(
        believable.middle[0] <= middle <= believable.middle[1]
        and low >= believable.tail[0]
        and high <= believable.tail[1]
        and (not whole_year or believable.warm[0] <= warm <= believable.warm[1])
    )


def _text(values_TN: Doubles, unit: str, view: View, f: int) -> str:
    field, stated = view.panel.fields[f], view.units_F[f]
    low, middle, high = np.nanquantile(values_TN, (0.01, 0.5, 0.99))
    seen = f"mostly {low:.4g} to {high:.4g}, median {middle:.4g} {field.unit}"
    told = f"from records stated as {stated}"
    if unit:
        return (
            f"{seen}, {told}: implausible for a {field.kind.value}, but plausible if the records "
            f'are in {unit}; if they are, write unit_in = "{unit}"'
        )
    known = ", ".join(OFTEN_MIXED_UP.get(field.kind, ()))
    return (
        f"{seen}, {told}: implausible for a {field.kind.value} in any of {known}; "
        f"look for a scaled column, or choose another kind"
    )
