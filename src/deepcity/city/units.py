"""Units of measurement: spelling, conversion, and which units fit a kind of field.

The arithmetic is pint's; this file adds the spellings that city records use (m3/h, vehicles/h)
and the dimensions that a kind of field may have.
"""

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Kind

if TYPE_CHECKING:
    import pint

_COUNTED = [
    "vehicle",
    "car",
    "bike",
    "bicycle",
    "person",
    "people",
    "passenger",
    "rider",
    "visitor",
    "pedestrian",
    "offence",
    "incident",
    "call",
    "complaint",
    "space",
    "seat",
    "item",
]

EXAMPLES = {
    Kind.SPEED: ("km/h", "m/s", "mph"),
    Kind.FLOW: ("L/s", "m3/h", "vehicles/h", "kg/s"),
    Kind.COUNT: ("people", "vehicles", "count"),
    Kind.LEVEL: ("m", "spaces", "%"),
    Kind.LOAD: ("kW", "MW"),
    Kind.ENERGY: ("kWh", "MJ"),
    Kind.CONCENTRATION: ("ug/m3", "ppm"),
    Kind.TEMPERATURE: ("degC", "degF", "K"),
    Kind.PRESSURE: ("hPa", "bar"),
    Kind.HUMIDITY: ("%",),
    Kind.WIND: ("m/s", "km/h"),
    Kind.RAIN: ("mm",),
    Kind.SHARE: ("%", "1"),
}
"""Units a field of each kind may have: these, and any unit that converts into one of them."""
_MORE = {
    Kind.COUNT: tuple(one for name in _COUNTED for one in (name, f"{name}s")),
    Kind.FLOW: (*tuple(f"{name}s/h" for name in _COUNTED), "m3/s", "L/min"),
    Kind.LEVEL: ("mm", "cm", "km"),
    Kind.LOAD: ("W", "GW"),
    Kind.ENERGY: ("Wh", "MWh"),
    Kind.CONCENTRATION: ("mg/m3", "ppb"),
    Kind.RAIN: ("cm",),
}
USUAL = {kind: frozenset([*units, *_MORE.get(kind, ())]) for kind, units in EXAMPLES.items()}
"""Units of each kind that are right as they are written, so that nothing need be looked up."""

MOLAR_MASS = {"no2": 46.0055, "o3": 47.9982, "so2": 64.064, "co": 28.0101}
"""g/mol of the gases whose share of air (ppm, ppb) converts into a mass (ug/m3)."""

_GAS_NAMES = {"ozone": "o3"}
_MOLAR_VOLUME = 24.465  # L/mol of an ideal gas at 25 degC and 1 atm

_COMMON = ("km/h", "mph", "L/s", "m3/h", "kW", "MW", "kWh", "degC", "degF", "hPa", "mm", "ug/m3")


class UnitError(ValueError):
    """A unit that is unknown or not convertible; `right` is what to write instead."""

    def __init__(self, reason: str, right: str) -> None:
        super().__init__(reason)
        self.right = right


@cache
def _registry() -> "pint.UnitRegistry[float]":
    import pint  # half a second: only where a unit is not among the usual ones

    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    for name in _COUNTED:
        registry.define(f"@alias count = {name}")
    registry.define("ppb = 1e-9")
    return registry


def _spelling(unit: str) -> str:
    """``m3/h`` -> ``m**3/h``; other spellings are unchanged."""
    return re.sub(r"(?<![A-Za-z])([a-zµμ]?m)([23])\b", r"\1**\2", unit.strip())


@cache
def _parse(unit: str) -> "pint.Unit":
    try:
        return _registry().parse_units(_spelling(unit))
    except Exception as error:  # pint raises its own, tokenizer and attribute errors alike
        near = difflib.get_close_matches(unit, sorted({*_COMMON, *_COUNTED}), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? Others are" if near else "write e.g."
        msg = "not a unit of measurement"
        raise UnitError(msg, f"{hint} {', '.join(_COMMON)}") from error


def check_unit(unit: str, kind: Kind | None = None) -> None:
    """Check that a unit is known and, where a kind is given, that it fits the kind.

    >>> check_unit("vehicles/h", Kind.FLOW)

    Raises:
        UnitError: if it is not.
    """
    if kind is not None and unit in USUAL[kind]:
        return
    parsed = _parse(unit)
    if kind is None:
        return
    if not any(parsed.is_compatible_with(_parse(known)) for known in EXAMPLES[kind]):
        reason = f"not a unit of the kind {kind.value!r}"
        raise UnitError(reason, f"write e.g. {', '.join(EXAMPLES[kind])}, or choose another kind")


def gas_of(name: str) -> str | None:
    """The gas that a field is named after, whose shares convert into masses; None: none.

    >>> gas_of("no2"), gas_of("o3-max"), gas_of("co"), gas_of("pm10"), gas_of("count")
    ('no2', 'o3', 'co', None, None)
    """
    parts = re.split(r"[^a-z0-9]+", name.lower())
    found = [_GAS_NAMES.get(part, part) for part in parts]
    gases = [part for part in found if part in MOLAR_MASS]
    return gases[0] if len(gases) == 1 else None


def _is_share(unit: str) -> bool:
    """Whether a unit is a share of air; a count has no dimension either."""
    return _parse(unit).dimensionless and "count" not in str(_parse(unit))


def _by_molar_mass(unit_in: str, unit: str, gas: str | None) -> bool:
    """Whether one unit is a gas's share of air, and the other its mass in it."""
    if gas is None or _parse(unit_in).is_compatible_with(_parse(unit)):
        return False
    pair = (unit_in, unit)
    mass = _parse("ug/m3")
    return any(map(_is_share, pair)) and any(_parse(one).is_compatible_with(mass) for one in pair)


def check_convertible(unit_in: str, unit: str, gas: str | None = None) -> None:
    """Check that values in one unit can be converted into another.

    Args:
        gas: a key of `MOLAR_MASS`, of which ppm and ppb convert into ug/m3.

    Raises:
        UnitError: if either is unknown or they measure different things.
    """
    compatible = _parse(unit_in).is_compatible_with(_parse(unit))
    if not compatible and not _by_molar_mass(unit_in, unit, gas):
        reason = f"cannot be converted into {unit!r}"
        right = "state a unit of the same quantity"
        if _by_molar_mass(unit_in, unit, "no2"):
            right += f", or name the field after its gas ({', '.join(MOLAR_MASS)})"
        raise UnitError(reason, right)


def same_quantity(one: str, other: str) -> bool:
    """Whether values convert from one unit into the other and mean the same there.

    A share is no count, though neither has a dimension.

    >>> same_quantity("mph", "km/h"), same_quantity("%", "spaces"), same_quantity("m", "spaces")
    (True, False, False)

    Raises:
        UnitError: if one is unknown.
    """
    if one == other and any(one in units for units in USUAL.values()):
        return True
    parsed = _parse(one), _parse(other)
    counts = ["count" in str(unit) for unit in parsed]
    return parsed[0].is_compatible_with(parsed[1]) and (
        not parsed[0].dimensionless or counts[0] == counts[1]
    )


def same_unit(one: str, other: str) -> bool:
    """Whether a value in one unit is the same number in the other.

    >>> same_unit("km/h", "kph"), same_unit("L/s", "m3/h"), same_unit("ppm", "ug/m3")
    (True, False, False)

    Raises:
        UnitError: if one is unknown.
    """
    if not _parse(one).is_compatible_with(_parse(other)):
        return False
    converted = convert(np.array([0.0, 1.0]), one, other)
    return bool(np.allclose(converted, [0.0, 1.0], rtol=1e-9, atol=1e-12))


def convert(values: Doubles, unit_in: str, unit: str, gas: str | None = None) -> Doubles:
    """Values of any shape, from one unit into another; NaN stays NaN.

    Args:
        gas: a key of `MOLAR_MASS`: its ppm and ppb convert into ug/m3, at 25 degC and 1 atm.

    >>> convert(np.array([32.0, 212.0]), "degF", "degC").round(6).tolist()
    [0.0, 100.0]
    >>> convert(np.array([20.0]), "ppb", "ug/m3", "no2").round(2).tolist()
    [37.61]

    Raises:
        UnitError: if the units are unknown or measure different things.
    """
    if unit_in == unit and any(unit in units for units in USUAL.values()):
        return values
    check_convertible(unit_in, unit, gas)
    if gas is not None and _by_molar_mass(unit_in, unit, gas):
        per_ppb = MOLAR_MASS[gas] / _MOLAR_VOLUME  # ug/m3
        if _is_share(unit_in):
            return convert(convert(values, unit_in, "ppb") * per_ppb, "ug/m3", unit)
        return convert(convert(values, unit_in, "ug/m3") / per_ppb, "ppb", unit)
    source, target = _parse(unit_in), _parse(unit)
    if source == target:
        return values
    result: Doubles = _registry().Quantity(values, source).to(target).magnitude
    return result
