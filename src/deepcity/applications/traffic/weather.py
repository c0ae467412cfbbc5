"""What speeds usually lose under a weather, learned from the city's own earlier days.

The same hour of two days differs by their weather and by chance. Over all pairs of a step and
the mean of the same step of other days of its kind, the change of the city's median speed (its
logarithm) is explained by the change of the weather: non-negative least squares, shrunk to no loss
as if some hours of each weather had gone by without one (ridge regression).

Shapes: T steps known, N places, D days, S steps of a day, F traits of the weather.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.known_weather import RAIN, SNOW, VISIBILITY, WIND
from deepcity.applications.traffic.jams import Speeds, kmh
from deepcity.applications.traffic.like_days import (
    LEAST_DAYS,
    MOST_DAYS,
    free_days,
    like_days,
)
from deepcity.city.arrays import Bools, Doubles
from deepcity.city.clock import DAY_S

TRAITS = (RAIN, SNOW, WIND, VISIBILITY)
LEAST_HOURS = 3.0
"""So long a weather must have been seen on earlier days for what it costs to be known."""
_PRIOR_HOURS, _TYPICAL = 2.0, 0.5  # without loss, of a weather of this severity
_MOST_PLACES = 200  # whose median is the city's
_CALM_WIND, _CLEAR_KM = 10.0, 10.0  # m/s, km: no worse weather than this costs anything
_SNOW = 3.0  # as much water costs more as snow
_EXPLAINED_S = 3600  # the newest, which are to be explained, teach nothing
_HOUR_S = 3600
_SLOWER, _EVERYWHERE = 0.9, 0.5
_MOST_LOSS, _LEAST_SHARE = 0.7, 0.02


@dataclass(frozen=True, eq=False)
class WeatherLoss:
    """What the weather of each known step costs in speed.

    Attributes:
        share_T: of the speed that is lost, 0 to 1; NaN where the weather is not known.
        severity_FT: of each trait that is measured; 0 in good weather.
        hours_F: of each trait seen on earlier days.
        traits: their names.
    """

    share_T: Doubles
    severity_FT: Doubles
    hours_F: Doubles
    traits: tuple[str, ...]

    def worst(self, step: int) -> str:
        """The severest trait of the weather of a step; empty in good weather."""
        severity_F = np.nan_to_num(self.severity_FT[:, step])
        return self.traits[int(np.argmax(severity_F))] if severity_F.max(initial=0.0) > 0 else ""


def weather_loss(state: State, speeds: Speeds) -> WeatherLoss | None:
    """Learned from all but the newest hour; None where no agency measures any weather."""
    if state.known_TN is None or not state.weather:
        return None
    traits = tuple(name for name in TRAITS if name in state.weather)
    if not traits:
        return None
    severity_FT = np.stack([severity(name, state.weather[name]) for name in traits])
    change_X, change_FX, severity_FX = _changes(state, speeds, severity_FT)
    hours_F = (severity_FX > 0).sum(axis=1) * state.step_s / _HOUR_S
    coefficient_F = _coefficients(change_X, change_FX, hours_F, state.step_s)
    known_T = np.isfinite(severity_FT).any(axis=0)
    lost_T = np.minimum(1 - np.exp(-coefficient_F @ np.nan_to_num(severity_FT)), _MOST_LOSS)
    return WeatherLoss(np.where(known_T, lost_T, np.nan), severity_FT, hours_F, traits)


def severity(name: str, value_T: Doubles) -> Doubles:
    """How bad a weather is for traffic: 0 for none, about 1 for 10 mm of rain an hour.

    >>> severity("rain", np.array([0.0, 9.0])).round(2).tolist()
    [0.0, 1.0]
    """
    if name == WIND:
        return np.maximum(value_T - _CALM_WIND, 0) / _CALM_WIND
    if name == VISIBILITY:
        return np.maximum(np.log10(_CLEAR_KM / np.maximum(value_T, 0.01)), 0.0)
    weight = _SNOW if name == SNOW else 1.0
    return np.asarray(np.log10(1 + weight * np.maximum(value_T, 0)))


def _coefficients(change_X: Doubles, change_FX: Doubles, hours_F: Doubles, step_s: int) -> Doubles:
    """Lost logarithm of speed per severity, none below 0; 0 of a weather hardly seen."""
    from scipy.optimize import nnls  # takes a while to import

    seen_F = hours_F >= LEAST_HOURS
    found_F = np.zeros(len(hours_F))
    if not seen_F.any() or not len(change_X):
        return found_F
    count = int(seen_F.sum())
    prior = _TYPICAL * np.sqrt(_PRIOR_HOURS * _HOUR_S / step_s)
    rows = np.concatenate([change_FX[seen_F].T, prior * np.eye(count)])
    found_F[seen_F] = nnls(rows, np.concatenate([change_X, np.zeros(count)]))[0]
    return found_F


def _changes(
    state: State, speeds: Speeds, severity_FT: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    """Of earlier days' steps: lost logarithm of speed and change of the weather against the same
    step of other days of the kind, (X,) and (F, X), and the weather itself.
    """
    assert state.known_TN is not None
    day, count = DAY_S // state.step_s, len(state.known_TN)
    days = min(-(-count // day), MOST_DAYS) if day else 0  # steps of more than a day
    nothing_FX = np.empty((len(severity_FT), 0))
    if days < LEAST_DAYS:
        return np.empty(0), nothing_FX, nothing_FX
    places = slice(None, None, max(1, len(state.places) // _MOST_PLACES))
    rows = slice(max(0, count - days * day), count - _EXPLAINED_S // state.step_s)
    padding = days * day - count if rows.start == 0 else 0, count - rows.stop
    share_TN = kmh(state.known_TN[rows, places], state.unit) / speeds.free_N[places]
    log_TN = np.log(np.maximum(share_TN, _LEAST_SHARE))
    log_DSN = _padded(log_TN, padding).reshape(days, day, -1)
    weather_DSF = _padded(severity_FT[:, rows].T, padding).reshape(days, day, -1)
    time_T = state.now_s + state.step_s * np.arange(-days * day, 0, dtype=np.int64)
    free_DS = free_days(state, time_T).reshape(days, day)
    lost_DS = -_median((log_DSN - _other_days(log_DSN, free_DS)).reshape(days * day, -1))
    change_DSF = weather_DSF - _other_days(weather_DSF, free_DS)
    known_DS = np.isfinite(lost_DS).reshape(days, day) & np.isfinite(change_DSF).all(axis=2)
    return lost_DS[known_DS.ravel()], change_DSF[known_DS].T, weather_DSF[known_DS].T


def _padded(values_TX: Doubles, padding: tuple[int, int]) -> Doubles:
    """With rows that are not known before and after."""
    return np.pad(values_TX, (padding, (0, 0)), constant_values=np.nan)


def _other_days(values_DSX: Doubles, free_DS: Bools) -> Doubles:
    """Mean of the same step of the other days of the kind; NaN where none of them knows it."""
    found_DSX = np.full(values_DSX.shape, np.nan)
    for kind_DS in (free_DS, ~free_DS):
        known_DSX = np.isfinite(values_DSX) & kind_DS[:, :, None]
        own_DSX = np.where(known_DSX, values_DSX, 0.0)
        others_DSX = known_DSX.sum(axis=0) - known_DSX
        mean_DSX = (own_DSX.sum(axis=0) - own_DSX) / np.maximum(others_DSX, 1)
        found_DSX = np.where(kind_DS[:, :, None] & (others_DSX > 0), mean_DSX, found_DSX)
    return found_DSX


def _median(values_XN: Doubles) -> Doubles:
    """Over the places that are known; NaN without any."""
    found_X = np.full(len(values_XN), np.nan)
    some_X = np.isfinite(values_XN).any(axis=1)
    found_X[some_X] = np.nanmedian(values_XN[some_X], axis=1)
    return found_X


def not_known(loss: WeatherLoss | None) -> Reason | None:
    """Why the weather is no cause, where that is for want of records; None where it may be one."""
    if loss is None:
        return Reason("no-weather-records")
    known = np.flatnonzero(np.isfinite(loss.share_T))
    trait = loss.worst(int(known[-1])) if len(known) else ""
    hours = float(loss.hours_F[loss.traits.index(trait)]) if trait else LEAST_HOURS
    return None if hours >= LEAST_HOURS else Reason("weather-hardly-seen", {"hours": hours})


def slow_everywhere(state: State, speeds: Speeds) -> Reason | None:
    """Whether most places are slower than usual at this hour, as in bad weather."""
    earlier = like_days(state, speeds, -1, 0)
    if not earlier.enough:
        return None
    share_DN = earlier.share_DTN[:, 0]
    known_N = np.isfinite(share_DN).any(axis=0) & np.isfinite(speeds.newest_N)
    if not known_N.any():
        return None
    usual_N = np.nanmedian(share_DN[:, known_N], axis=0)
    slower = int((speeds.newest_N[known_N] < _SLOWER * usual_N).sum())
    if slower < _EVERYWHERE * known_N.sum():
        return None
    return Reason("slow-everywhere", {"places": float(slower), "of": float(known_N.sum())})
