"""What was measured of the weather up to now, on the steps of a field that it may explain.

Shapes: T steps, K rows of the weather agency, S its stations.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.field import Kind
from deepcity.city.units import UnitError, convert
from deepcity.data.panel import Panel

RAIN, SNOW, WIND, VISIBILITY = "rain", "snow", "wind", "visibility"
"""mm/h of rain and of snow (as water), m/s, and km; as `known_weather` names them."""
UNITS = {RAIN: "mm/h", SNOW: "mm/h", WIND: "m/s", VISIBILITY: "km"}
_HOUR_S = 3600
_HELD = 2  # of the agency's own steps: so long a value stands for the time after it
_FREEZES = 0.5  # degC, below which what falls is snow


def known_weather(weather: Panel, time_T: Ints, now_s: int) -> dict[str, Doubles]:
    """Rain, snow, wind and visibility by name, (T,) each, mean over the stations.

    A step of the weather is known once it is over; a value stands for the time after it until
    two of the agency's own steps have gone by. Rain where it freezes is snow; of fields of one
    kind (rain, wind), the first that is not named after snow counts; a visibility is a field of
    that name. What is measured nowhere is left out.

    Args:
        weather: rows of an agency; steps longer than those of `time_T` may have been laid on them.
        time_T: when each step begins, UTC seconds; ascending.
    """
    rows_K = np.flatnonzero(weather.time_T + weather.clock.step_s <= now_s)
    found = {name: one_K[rows_K] for name, one_K in _by_name(weather).items()}
    begin_K = weather.time_T[rows_K]
    on_steps = {name: _held(one_K, begin_K, time_T, weather) for name, one_K in found.items()}
    return {name: one_T for name, one_T in on_steps.items() if np.isfinite(one_T).any()}


def _by_name(weather: Panel) -> dict[str, Doubles]:
    """Every row's weather, (K,) each."""
    found: dict[str, Doubles] = {}
    per_hour = _HOUR_S / weather.clock.step_s
    falls = _column(weather, Kind.RAIN, snow=False, unit="mm")
    snow = _column(weather, Kind.RAIN, snow=True, unit="mm")
    degrees = _column(weather, Kind.TEMPERATURE, snow=False, unit="degC")
    if falls is not None:
        cold = np.zeros(len(falls), bool) if degrees is None else degrees < _FREEZES
        found[RAIN] = np.where(cold, 0.0, falls) * per_hour
        if snow is None and cold.any():
            snow = np.where(cold, falls, 0.0)
    if snow is not None:
        found[SNOW] = snow * per_hour
    wind = _column(weather, Kind.WIND, snow=False, unit="m/s")
    sight = _column(weather, Kind.LEVEL, snow=False, unit="km", name=VISIBILITY)
    found |= {} if wind is None else {WIND: wind}
    return found | ({} if sight is None else {VISIBILITY: sight})


def _column(
    weather: Panel, kind: Kind, *, snow: bool, unit: str, name: str | None = None
) -> Doubles | None:
    """Mean over the stations; None without such a field, or where its unit is no such quantity."""
    for index, field in enumerate(weather.fields):
        if field.kind is not kind or ("snow" in field.name.lower()) != snow:
            continue
        if name is not None and name not in field.name.lower():
            continue
        values_KS = weather.values_TNF[:, :, index].astype(np.float64)
        known_KS = np.isfinite(values_KS)
        sum_K, count_K = np.where(known_KS, values_KS, 0.0).sum(axis=1), known_KS.sum(axis=1)
        try:
            return convert(
                np.where(count_K > 0, sum_K / np.maximum(count_K, 1), np.nan), field.unit, unit
            )
        except UnitError:
            return None
    return None


def _held(values_K: Doubles, begin_K: Ints, time_T: Ints, weather: Panel) -> Doubles:
    """Each step's newest value; NaN where that is too old."""
    known_K = np.isfinite(values_K)
    values_K, begin_K = values_K[known_K], begin_K[known_K]
    if not len(values_K):
        return np.full(len(time_T), np.nan)
    at_T = np.searchsorted(begin_K, time_T, side="right") - 1
    age_T = time_T - begin_K[np.maximum(at_T, 0)]
    fresh_T = (at_T >= 0) & (age_T < _HELD * weather.clock.step_s)
    return np.where(fresh_T, values_K[np.maximum(at_T, 0)], np.nan)
