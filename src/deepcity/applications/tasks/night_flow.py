"""Deciding where to look for a leak: night flows that stay above a district's own past nights.

The flow at night, when people draw least, is mostly what leaks (minimum night flow: Farley & Trow
2003, "Losses in Water Distribution Networks"). A leak goes on: a rise counts when several nights
in a row show it, each against the median of the nights before and their spread. Where nights vary
so much that a large leak is within their spread, fewer nights far above the median count, too: two
rules, one for small shifts that last and one for large ones, as on control charts (Western Electric
1956, "Statistical Quality Control Handbook"; Lucas 1982, "Combined Shewhart-CUSUM quality control
schemes").

Shapes: T steps before now, D nights, N districts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.city.arrays import Doubles, Ints

_HOUR_S = 3600
_MAD = 1.4826  # median absolute deviation -> standard deviation of a normal distribution
_MEASURED = 0.5  # of a night's steps, and of the nights before: with fewer nothing is known


@dataclass(frozen=True)
class NightFlowRise:
    """An inspection of every district whose newest nights all rise above its past nights.

    A night's rise is its flow over the median of the `nights` before it, less one; over their
    spread, of which `least_spread` keeps a quiet district from raising an alarm about nothing. So
    many nights `in_a_row` must rise by `limit` spreads, or `large_nights` by the share `large`.
    The certainty is the share of the district's earlier nights that were less near to either.

    Attributes:
        hours: of the night, from and to, by the city's clock.
        nights: compared with.
        in_a_row: newest nights that must all rise.
        limit: rise, in spreads, from which on a district is inspected.
        least_spread: of nights, as a share of their median.
        large, large_nights: rise, as a share of the median, from which on fewer nights do.
    """

    code: str
    hours: tuple[int, int] = (2, 5)
    nights: int = 28
    in_a_row: int = 3
    limit: float = 0.9
    least_spread: float = 0.15
    large: float = 0.3
    large_nights: int = 2
    confirm: Confirm = Confirm.OPERATOR

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        flow_DN = night_flows(state, self.hours)
        found = self.suspicion(flow_DN)
        if not len(flow_DN) or not np.isfinite(found.of_limit_DN[-1]).any():
            known = float(np.isfinite(flow_DN).any(axis=1).sum())
            reason = Reason("too-few-nights", {"nights": known, "needed": float(self.needed)})
            return Decision((), (reason,), 0.0, state.valid_until_s, Confirm.NOBODY)
        newest_N = found.of_limit_DN[-1]
        order = sorted(np.flatnonzero(newest_N >= 1).tolist(), key=lambda n: (-newest_N[n], n))
        high = {state.places[n].id: self._numbers(flow_DN, found, n) for n in order}
        highest = int(np.nanargmax(newest_N))
        quiet = Reason(
            "night-flow-usual", self._numbers(flow_DN, found, highest), state.places[highest].id
        )
        return Decision(
            actions=tuple(
                Action(
                    self.code,
                    place,
                    state.now_s,
                    {"value": one["excess"], "probability": one["probability"]},
                )
                for place, one in high.items()
            ),
            reasons=tuple(Reason("night-flow-high", one, place) for place, one in high.items())
            or (quiet,),
            certainty=next(
                (one["probability"] for one in high.values()), 1 - quiet.numbers["probability"]
            ),
            valid_until_s=state.valid_until_s,
            confirm=self.confirm if high else Confirm.NOBODY,
        )

    @property
    def needed(self) -> int:
        """Nights that must be known before the first is compared."""
        return int(np.ceil(self.nights * _MEASURED)) + self.in_a_row

    def suspicion(self, flow_DN: Doubles) -> "Suspicion":
        """How near each night, with those before it, comes to an inspection."""
        share_DN, spread_DN = rises(flow_DN, self.nights)
        rise_DN = lasting(share_DN / np.hypot(spread_DN, self.least_spread), self.in_a_row)
        share_DN = lasting(share_DN, self.large_nights)
        of_limit_DN = np.fmax(rise_DN / self.limit, share_DN / self.large)
        return Suspicion(rise_DN, share_DN, of_limit_DN)

    def _numbers(self, flow_DN: Doubles, found: "Suspicion", place: int) -> dict[str, float]:
        flow_D, of_limit_D = flow_DN[:, place], found.of_limit_DN[:, place]
        usual = float(np.nanmedian(flow_D[-self.nights - self.in_a_row : -self.in_a_row]))
        value = float(np.nanmedian(flow_D[-self.in_a_row :]))
        earlier = of_limit_D[: -self.in_a_row]
        earlier = earlier[np.isfinite(earlier)]
        less = float((earlier < of_limit_D[-1]).sum())
        share = float(found.share_DN[-1, place])
        return {
            "value": value,
            "usual": usual,
            "excess": value - usual,
            "rise": float(found.rise_DN[-1, place]),
            "limit": self.limit,
            "nights": float(self.in_a_row),
            **({"share": share} if np.isfinite(share) else {}),  # the night before is missing
            "large": self.large,
            "large-nights": float(self.large_nights),
            "probability": less / (len(earlier) + 1),  # one more: the night itself is no proof
        }


@dataclass(frozen=True, eq=False)
class Suspicion:
    """By night; NaN where too few are known.

    Attributes:
        rise_DN, share_DN: the least rise of the newest nights, in spreads, and as a share.
        of_limit_DN: the greater of both, each over its limit: from 1 on a district is inspected.
    """

    rise_DN: Doubles
    share_DN: Doubles
    of_limit_DN: Doubles


def night_flows(state: State, hours: tuple[int, int]) -> Doubles:
    """Mean flow of each night that has ended, (D, N), oldest first, NaN where under half of it
    was measured; a row for every calendar day, (0, N) where no step fits into the night.
    """
    nothing = np.empty((0, len(state.places)))
    first, last = hours
    if state.known_TN is None or state.step_s > (last - first) * _HOUR_S:
        return nothing
    night_T = _nights(state, first, last)
    inside = np.flatnonzero(night_T >= 0)
    if not len(inside):
        return nothing
    night_T = night_T[inside] - night_T[inside].min()
    values_TN = np.asarray(state.known_TN[inside], np.float64)
    known_TN = np.isfinite(values_TN)
    shape = (int(night_T.max()) + 1, len(state.places))
    sum_DN, count_DN = np.zeros(shape), np.zeros(shape)
    np.add.at(sum_DN, night_T, np.where(known_TN, values_TN, 0.0))
    np.add.at(count_DN, night_T, known_TN)
    whole = max(1, (last - first) * _HOUR_S // state.step_s)
    mean_DN = sum_DN / np.maximum(count_DN, 1)
    return np.where(count_DN >= _MEASURED * whole, mean_DN, np.nan)


def _nights(state: State, first: int, last: int) -> Ints:
    """The day of the night that each known step lies in, (T,), as a number; -1: in none that has
    ended.
    """
    zone = ZoneInfo(state.time_zone)
    now = datetime.fromtimestamp(state.now_s, zone)
    ended = now.date() if now.hour >= last else now.date() - timedelta(days=1)
    found = np.full(len(state.known_time_T), -1, np.int64)
    for step, second in enumerate(state.known_time_T.tolist()):
        local = datetime.fromtimestamp(second, zone)
        if first <= local.hour < last and local.date() <= ended:
            found[step] = local.toordinal()
    return found


def rises(flow_DN: Doubles, nights: int) -> tuple[Doubles, Doubles]:
    """How far each night is above the median of the nights before it, and their spread, as shares
    of that median, (D, N) each; NaN where it, or half of them, was not measured.
    """
    share_DN, spread_DN = np.full(flow_DN.shape, np.nan), np.full(flow_DN.shape, np.nan)
    least = int(np.ceil(nights * _MEASURED))
    for night in range(least, len(flow_DN)):
        before_DN = flow_DN[max(0, night - nights) : night]
        enough_N = np.isfinite(before_DN).sum(axis=0) >= least
        if not enough_N.any():
            continue
        before_DN = before_DN[:, enough_N]
        usual_N = np.nanmedian(before_DN, axis=0)
        usual_N = np.where(usual_N > 0, usual_N, np.nan)
        spread_DN[night, enough_N] = (
            _MAD * np.nanmedian(np.abs(before_DN - usual_N), axis=0) / usual_N
        )
        share_DN[night, enough_N] = flow_DN[night, enough_N] / usual_N - 1
    return share_DN, spread_DN


def lasting(rise_DN: Doubles, in_a_row: int) -> Doubles:
    """The least rise of so many nights up to each one, (D, N); NaN where the night itself is not
    known, or under half of them are.
    """
    least_DN, count_DN = rise_DN.copy(), np.isfinite(rise_DN).astype(np.int64)
    for back in range(1, in_a_row):
        least_DN[back:] = np.fmin(least_DN[back:], rise_DN[:-back])
        count_DN[back:] += np.isfinite(rise_DN[:-back])
    known_DN = np.isfinite(rise_DN) & (count_DN > in_a_row / 2)
    return np.where(known_DN, least_DN, np.nan)
