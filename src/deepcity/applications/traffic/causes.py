"""Why a road is jammed: what every cause explains of it, ranked, with the evidence for each.

What is to be explained is how far the places of a jam are below the speed from which a jam is
over, summed over places and steps. Of it, the causes explain shares that add up to one, so that
their ranking means something:

- weather: what would be gone if speeds had not lost what they usually lose under that weather;
- recurring: of the rest, what was there at the same hours of earlier days, on average;
- incident-like, event-like: what is left, divided by its form. An incident slows a place within
  minutes and grows against the direction of travel; what draws or sends many people grows for an
  hour or more, on all roads around;
- unusual: of what is left, that which has neither form.

Shapes: T steps of a window, N places, K places of a jam, D earlier days.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Reason
from deepcity.applications.state import State
from deepcity.applications.traffic.forms import SlowingForm, form_of
from deepcity.applications.traffic.jams import JAMMED, RELIEVED, Speeds, kmh_per
from deepcity.applications.traffic.like_days import LikeDays, is_holiday, like_days
from deepcity.applications.traffic.roads import Roads
from deepcity.applications.traffic.weather import WeatherLoss
from deepcity.city.arrays import Doubles

INCIDENT, EVENT, RECURRING, WEATHER, UNUSUAL = (
    "incident-like",
    "event-like",
    "recurring",
    "weather",
    "unusual",
)
CAUSES = (RECURRING, WEATHER, INCIDENT, EVENT, UNUSUAL)
_WINDOW_S = 3600  # of a jam, its newest: what it is explained by
_LEAST_S = 1800
_AROUND_S = 900  # a jam of an earlier day may have come so much earlier or later
_DAY_JAMMED = 1 / 3  # of the same hours, for a day to count as jammed
_LEAST_SHARE = 0.05  # causes that explain less are not named


@dataclass(frozen=True, eq=False)
class _Window:
    """The steps that are explained: from now `start` to `end`, and shares of free flow then."""

    start: int
    end: int
    share_TN: Doubles


def causes(
    state: State,
    speeds: Speeds,
    roads: Roads | None,
    jam: Sequence[int],
    place: int,
    loss: WeatherLoss | None,
) -> list[Reason]:
    """What explains a jam, the greatest share first.

    Args:
        jam: its places.
        place: the one of them that it most likely began at.
        loss: what the weather costs; None where nobody measures it.
    """
    here = state.places[place].id
    window = _window(state, speeds, jam)
    earlier = like_days(state, speeds, window.start, window.end)
    if not earlier.enough:
        return [Reason("no-same-hours", {"days": float(len(earlier.days_back))}, here)]
    lost_T = _lost(loss, window, len(speeds.share_TN) - speeds.now)
    jam_K = list(jam)
    slow_TK = _below(window.share_TN[:, jam_K])
    dry_TN = window.share_TN / (1 - lost_T[:, None])
    dry_TK = np.minimum(_below(dry_TN[:, jam_K]), slow_TK)
    dry_DTN = earlier.share_DTN / (1 - _lost_then(loss, earlier, window))
    usual_TK = _usual(dry_DTN[:, :, jam_K], state.step_s)
    left_TN = np.maximum(_below(dry_TN) - _usual(dry_DTN, state.step_s), 0.0)
    total = float(slow_TK.sum())
    if total <= 0:
        return [Reason(UNUSUAL, {"share": 1.0}, here)]
    form = form_of(state, speeds, roads, jam_K, place, left_TN, window.start)
    recurs = float(np.minimum(usual_TK, dry_TK).sum()) / total
    weather = float((slow_TK - dry_TK).sum()) / total
    left = max(0.0, 1 - recurs - weather)
    shares = {RECURRING: recurs, WEATHER: weather}
    shares |= {name: left * part for name, part in form.parts().items()}
    days, formed = _days_numbers(state, speeds, earlier, place), _form_numbers(form)
    numbers = {
        RECURRING: days,
        WEATHER: _weather_numbers(state, loss, window, lost_T),
        INCIDENT: days | formed,
        EVENT: days | formed | {"holiday": float(is_holiday(state))},
        UNUSUAL: days,
    }
    ranked = sorted(shares, key=lambda name: -shares[name])
    named = [name for name in ranked if shares[name] >= _LEAST_SHARE] or ranked[:1]
    return [Reason(name, {"share": shares[name], **numbers[name]}, here) for name in named]


def _window(state: State, speeds: Speeds, jam: Sequence[int]) -> _Window:
    """The newest hour of a jam up to now, half an hour at least; of one to come, its first."""
    begins = [speeds.onset(place) for place in jam]
    first = int(np.floor(min((one for one in begins if np.isfinite(one)), default=0.0)))
    longest, least = _WINDOW_S // state.step_s, max(1, _LEAST_S // state.step_s)
    ahead = len(speeds.share_TN) - speeds.now
    start = max(first, -longest, -speeds.now)
    end = min(max(0, start + least), ahead)
    return _Window(start, end, speeds.share_TN[speeds.now + start : speeds.now + end])


def _below(share_X: Doubles) -> Doubles:
    """How far below the speed from which a jam is over; 0 where that is not known."""
    return np.nan_to_num(np.maximum(RELIEVED - share_X, 0.0))


def _usual(dry_DTN: Doubles, step_s: int) -> Doubles:
    """What was below it on earlier days, a quarter of an hour earlier or later; mean of days."""
    around, below_DTN = _AROUND_S // step_s, _below(dry_DTN)
    steps = below_DTN.shape[1]
    most_DTN = below_DTN.copy()
    for off in range(1, min(around, steps - 1) + 1):
        most_DTN[:, off:] = np.maximum(most_DTN[:, off:], below_DTN[:, :-off])
        most_DTN[:, :-off] = np.maximum(most_DTN[:, :-off], below_DTN[:, off:])
    return np.asarray(most_DTN.mean(axis=0))


def _lost(loss: WeatherLoss | None, window: _Window, ahead: int) -> Doubles:
    """What the weather takes of the speed, step by step of the window; ahead it stays as it is."""
    if loss is None:
        return np.zeros(window.end - window.start)
    share_T = loss.share_T[np.isfinite(loss.share_T)][-1:]
    held_T = np.concatenate([loss.share_T, np.repeat(share_T if len(share_T) else 0.0, ahead)])
    now = len(loss.share_T)
    return np.asarray(np.nan_to_num(held_T[now + window.start : now + window.end]))


def _lost_then(loss: WeatherLoss | None, earlier: LikeDays, window: _Window) -> Doubles:
    """Likewise at the same hours of earlier days, (D, T, 1)."""
    steps = window.end - window.start
    if loss is None:
        return np.zeros((1, steps, 1))
    now, day = len(loss.share_T), earlier.day_steps
    rows = [loss.share_T[now + window.start - back * day :][:steps] for back in earlier.days_back]
    return np.nan_to_num(np.stack(rows))[:, :, None]


def _days_numbers(state: State, speeds: Speeds, earlier: LikeDays, place: int) -> dict[str, float]:
    """On how many like days a place was jammed, and its usual speed."""
    share_DT = earlier.share_DTN[:, :, place]
    known_D = np.isfinite(share_DT).sum(axis=1)
    low_D = (share_DT < JAMMED).sum(axis=1) / np.maximum(known_D, 1)
    numbers = {
        "days": float((known_D > 0).sum()),
        "jammed-days": float((low_D >= _DAY_JAMMED).sum()),
    }
    if known_D.any():
        usual = float(np.nanmedian(share_DT)) * float(speeds.free_N[place])
        numbers["usual"] = usual / kmh_per(state.unit)
    return numbers


def _weather_numbers(
    state: State, loss: WeatherLoss | None, window: _Window, lost_T: Doubles
) -> dict[str, float]:
    """The weather of the window's worst known step, and what it usually costs."""
    if loss is None:
        return {}
    now = len(loss.share_T)
    rows = np.arange(max(0, now + min(window.start, -1)), min(now, now + window.end) or now)
    known = rows[np.isfinite(loss.share_T[rows])]
    numbers = {"loss": float(lost_T.max(initial=0.0))}
    if not len(known):
        return numbers
    step = int(known[np.argmax(loss.share_T[known])])
    for index, name in enumerate(loss.traits):
        if np.isfinite(state.weather[name][step]):
            numbers[name] = float(state.weather[name][step])
            numbers[f"{name}-hours"] = float(loss.hours_F[index])
    return numbers


def _form_numbers(form: SlowingForm) -> dict[str, float]:
    return {
        name: value
        for name, value in (
            ("abrupt", form.abrupt),
            ("around", form.around),
            ("minutes", form.minutes),
            ("metres", form.metres),
        )
        if np.isfinite(value)
    }
