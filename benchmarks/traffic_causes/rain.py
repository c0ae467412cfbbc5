"""Real rain of another city laid on the week of Los Angeles, and what it is made to cost there.

No weather was recorded beside the loops. Hourly rain of Guangzhou of a random week (the same
weekdays and hours, from hour to hour along a line) stands in for it; speeds of all days are
lowered by a rule of this file.

Shapes: T steps of 5 minutes, K hours, N places.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.traffic_causes.forecasts import CITY, DAY, freeways
from deepcity.city.arrays import Doubles, Floats
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel

_WET_MM, _WET_HOURS = 0.5, 6  # at least, in daytime of the days that are learned from
_DAYTIME = slice(6, 22)
_DRY_MM = 0.1  # an hour: so little costs nothing
_SHARE, _POWER, _MOST = 0.12, 0.4, 0.6  # lost: share x (mm/h) ^ power; of a place, at most
_PLACES, _HOURS = 0.3, 0.25  # standard deviation of the logarithm of what places and hours lose
_HOUR_STEPS, _WEEK_HOURS = 12, 168


@dataclass(frozen=True, eq=False)
class RainyWeek:
    """A week's rain: as the weather office's panel, mm/h by step, and the share of speed lost."""

    panel: Panel
    rain_T: Doubles
    lost_TN: Floats


@cache
def _records() -> Panel:
    return load_panel(load_city(CITY.parent / "guangzhou.toml"), "weather")


@cache
def _weeks(learned_days: int) -> Doubles:
    """Hourly rain of every week that begins as that of Los Angeles does, is whole, and has some
    wet hours on the days that are learned from, (weeks, hours), mm.
    """
    records, freeway = _records(), freeways().panel
    local_K = records.clock.local_seconds(records.time_T)
    begins = int(freeway.clock.local_seconds(freeway.time_T[:1])[0])
    starts = np.flatnonzero((local_K - begins) % (7 * 86_400) == 0)
    rain_K = records.values_TNF[:, 0, records.field_index("rain")].astype(float)
    found = [rain_K[start : start + _WEEK_HOURS] for start in starts]
    whole = np.stack([one_K for one_K in found if len(one_K) == _WEEK_HOURS])
    wet = whole.reshape(len(whole), 7, 24)[:, :learned_days, _DAYTIME] > _WET_MM
    return whole[np.isfinite(whole).all(axis=1) & (wet.sum(axis=(1, 2)) >= _WET_HOURS)]


def rainy_week(rng: np.random.Generator, learned_days: int, *, hourly: bool) -> RainyWeek:
    """A week with some wet hours on the days that are learned from.

    Args:
        hourly: whether the weather office has rain by the hour alone, known when it is over.
    """
    records, freeway = _records(), freeways().panel
    rain_K = rng.choice(_weeks(learned_days))
    middle_K = _HOUR_STEPS * (np.arange(_WEEK_HOURS) + 0.5)
    step_T = np.arange(7 * DAY) + 0.5
    rain_T = np.interp(step_T, middle_K, rain_K)
    noise_T = np.interp(step_T, middle_K, np.exp(rng.normal(0, _HOURS, _WEEK_HOURS)))
    lost_T = np.where(rain_T > _DRY_MM, _SHARE * rain_T**_POWER, 0.0) * noise_T
    place_N = np.exp(rng.normal(0, _PLACES, len(freeway.places)))
    lost_TN = np.minimum(lost_T[:, None] * place_N, _MOST).astype(np.float32)
    every = _HOUR_STEPS if hourly else 1
    mm_X = (rain_T / _HOUR_STEPS).reshape(-1, every).sum(axis=1)
    rows = replace(
        records,
        clock=records.clock if hourly else freeway.clock,
        time_T=freeway.time_T[::every],
        values_TNF=mm_X[:, None, None].astype(np.float32),
        fields=(records.fields[records.field_index("rain")],),
    )
    return RainyWeek(rows, rain_T, lost_TN)
