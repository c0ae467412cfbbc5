"""Deciding about jams: where to act, why they are there, and which way leads around them.

Shapes: B earlier origins, N places, H horizon steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.applications.traffic.causes import causes
from deepcity.applications.traffic.detours import Detour, Search, detour_around
from deepcity.applications.traffic.jams import JAMMED, Speeds, groups, kmh, kmh_per
from deepcity.applications.traffic.origins import Origin, origins
from deepcity.applications.traffic.roads import Roads, roads_of
from deepcity.applications.traffic.weather import (
    WeatherLoss,
    not_known,
    slow_everywhere,
    weather_loss,
)
from deepcity.city.arrays import Bools, Doubles
from deepcity.city.field import Kind

MOST_ORIGINS = 3
"""How many places a jam may have spread from are reported."""
_SOON_S = 1800  # drivers who leave now meet the jams of this time


@dataclass(frozen=True)
class ActOnJams:
    """Jams now and ahead: act where each began, with its ranked causes, and a way around it.

    A place is jammed below `JAMMED` of its free-flow speed; jammed places next to each other are
    one jam. The certainty is the probability of the least certain jam that is acted on, by past
    errors; without any jam, that the likeliest one does not come. Fields that are no speed, and
    places of which too little is known, are decided by `extreme` alone.

    Attributes:
        extreme: the decision where there is no free-flow speed to compare with.
        most: greatest number of jams to act on, and of detours.
        search: how detours are sought.
    """

    extreme: ActAtExtreme
    most: int = 3
    confirm: Confirm = Confirm.OPERATOR
    search: Search = field(default_factory=Search)

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        if state.kind is not Kind.SPEED or not np.isfinite(state.forecast_NH).any():
            return self.extreme(state)
        speeds = Speeds.of(state)
        if not np.isfinite(speeds.free_N).any():
            return self.extreme(state)
        chance_NH = _chances(state, speeds)
        roads = roads_of(state.places, state.adjacency_NN)
        jams = _jams(speeds, roads, speeds.jammed_N)[: self.most]
        if not jams:
            return self._none(state, speeds, chance_NH)
        loss = weather_loss(state, speeds)
        by_jam = [_decide_on(state, speeds, roads, jam, chance_NH, loss) for jam in jams]
        of_all = slow_everywhere(state, speeds), not_known(loss)
        return Decision(
            actions=(
                *(one.action for one in by_jam),
                *self._detours(state, speeds, roads),
            ),
            reasons=(
                *(reason for one in by_jam for reason in one.reasons),
                *(reason for reason in of_all if reason is not None),
            ),
            certainty=min(one.probability for one in by_jam),
            valid_until_s=state.valid_until_s,
            confirm=self.confirm,
        )

    def _detours(self, state: State, speeds: Speeds, roads: Roads | None) -> Iterator[Action]:
        """Ways around the largest jams that drivers who leave now would meet, each way once."""
        if roads is None:
            return
        routes = set()
        soon_N = speeds.jammed_within(max(1, _SOON_S // state.step_s))
        for jam in _jams(speeds, roads, soon_N)[: self.most]:
            began = origins(speeds, roads, jam, _jammed_last(speeds, jam))[0].place
            detour = detour_around(state, speeds, roads, jam, began, self.search)
            if detour is not None and detour.way.places not in routes:
                routes.add(detour.way.places)
                yield _way(state, detour)

    def _none(self, state: State, speeds: Speeds, chance_NH: Doubles) -> Decision:
        ahead_NH = speeds.ahead_NH
        numbers = {"limit": JAMMED, "lowest": float(np.nanmin(ahead_NH, initial=1.0))}
        sure = 1 - float(chance_NH.max(initial=0.0))
        reasons = (Reason("no-jam", numbers),)
        return Decision((), reasons, sure, state.valid_until_s, Confirm.NOBODY)


@dataclass(frozen=True)
class _JamDecision:
    """The action and reasons of one jam."""

    action: Action
    reasons: list[Reason]
    probability: float


def _jammed_last(speeds: Speeds, jam: Sequence[int]) -> int:
    return max(jam, key=lambda place: np.nan_to_num(speeds.onset(place), nan=-np.inf))


def _chances(state: State, speeds: Speeds) -> Doubles:
    """Share of past errors with which each place and step would be jammed; 0 without any."""
    limit_N1 = JAMMED * speeds.free_N[:, None]
    errors_BNH = state.past.errors_BNH
    known_NH = np.isfinite(errors_BNH).sum(axis=0)
    jammed_NH = np.zeros(known_NH.shape)
    for errors_NH in errors_BNH:
        jammed_NH += kmh(state.forecast_NH + errors_NH, state.unit) < limit_N1
    return np.asarray(jammed_NH / np.maximum(known_NH, 1))


def _jams(speeds: Speeds, roads: Roads | None, jammed_N: Bools) -> list[list[int]]:
    """Jams by their places, the greatest loss of speed first."""
    found = [[int(n)] for n in np.flatnonzero(jammed_N)] if roads is None else []
    found = found if roads is None else groups(roads, jammed_N)
    lost = {place: 1 - speeds.lowest(place) for jam in found for place in jam}
    return sorted(found, key=lambda jam: (-sum(lost[place] for place in jam), jam))


def _slowest_step(speeds: Speeds, place: int) -> int:
    """The step ahead at which a place is slowest."""
    ahead_H = speeds.ahead_NH[place]
    return int(np.argmin(np.where(np.isfinite(ahead_H), ahead_H, np.inf)))


def _decide_on(
    state: State,
    speeds: Speeds,
    roads: Roads | None,
    jam: Sequence[int],
    chance_NH: Doubles,
    loss: WeatherLoss | None,
) -> _JamDecision:
    """A jam's action and reasons."""
    newest_last = _jammed_last(speeds, jam)
    ranked = [] if roads is None else origins(speeds, roads, jam, newest_last)
    first = ranked[0].place if ranked else newest_last
    step = _slowest_step(speeds, first)
    probability = float(chance_NH[first, step])
    onset = float(np.nan_to_num(speeds.onset(first)))
    begins = max(0, int(np.floor(onset)))
    numbers = {"value": float(state.forecast_NH[first, step]), "probability": probability}
    here = state.places[first].id
    at_s = state.time_s(min(begins, state.forecast_NH.shape[1] - 1))
    action = Action("retime-signals", here, at_s, numbers)
    jam_numbers = {
        "value": float(state.forecast_NH[first, step]),
        "usual": float(speeds.free_N[first]) / kmh_per(state.unit),
        "places": float(len(jam)),
        "begins-minutes": onset * state.step_s / 60,
    }
    reasons = [
        Reason("jam", jam_numbers, here),
        *(_spread(state, one, newest_last) for one in ranked[:MOST_ORIGINS]),
        *causes(state, speeds, roads, jam, first, loss),
    ]
    return _JamDecision(action, reasons, probability)


def _spread(state: State, origin: Origin, seen_from: int) -> Reason:
    here = state.places[origin.place].id
    if origin.place == seen_from:
        return Reason("begins-here", {"likelihood": origin.likelihood}, here)
    numbers = {
        "likelihood": origin.likelihood,
        "lead-minutes": origin.lead_minutes,
        "metres": origin.metres,
        "wave-kmh": origin.wave_kmh,
    }
    return Reason("spreads-from", numbers, here)


def _way(state: State, detour: Detour) -> Action:
    route, usual = (
        tuple(state.places[place].id for place in way.places) for way in (detour.way, detour.usual)
    )
    numbers = {
        "minutes": detour.way.minutes,
        "usual-minutes": detour.usual.minutes,
        "metres": detour.metres,
        "usual-metres": detour.usual_metres,
        "probability": detour.probability,
    }
    return Action("detour", route[0], state.now_s, numbers, route=route, usual_route=usual)
