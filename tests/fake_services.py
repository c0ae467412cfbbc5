"""The invented city with seven real services: what their own `decide` makes of made states.

`python tests/fake_services.py` serves it for a look at the services' pages without a node.
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

import fake_city_data as data
import numpy as np
import parking_lots
import road
from application_contract import made_state
from fake_city import FakeCity

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past, State
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.web.api.questions import plan_requests
from deepcity.web.cap import CapContext, cap_alert
from deepcity.web.report.decisions import DecisionFacts, action_words, decision_words
from deepcity.web.report.text import Text, both

DAY_S, HOUR_S = 86_400, 3600
ZONE = "Asia/Seoul"
NAMES = ("traffic", "parking-guidance", "air-warning", "electricity", "water-leaks",
         "crowding-warning", "crime-prevention")  # fmt: skip
TITLES = {
    "traffic": LocalizedText("Road speeds", "도로 속도"),
    "parking-guidance": LocalizedText("Car parks", "주차장"),
    "air-warning": LocalizedText("Air monitors", "대기 측정소"),
    "electricity": LocalizedText("Grid districts", "전력 구역"),
    "water-leaks": LocalizedText("Water districts", "급수 구역"),
    "crowding-warning": LocalizedText("Metro stations", "지하철역"),
    "crime-prevention": LocalizedText("City cells", "도시 구역"),
}


def state_of(name):
    """A state of a service in which there is something to do, at the invented city's time."""
    made = {
        "traffic": road.jammed,
        "parking-guidance": _lots,
        "water-leaks": _nights,
        "crime-prevention": _cells,
        "crowding-warning": _stations,
    }.get(name, lambda: made_state(applications()[name], places=8))()
    return replace(made, now_s=data.START_S, time_zone=ZONE)


def _lots():
    asked = [parking_lots.ask(30, 0, "market"), parking_lots.ask(25, 1, "station")]
    free = [[12.0, 8.0], [30.0, 24.0], [41.0, 33.0]]
    return parking_lots.lots(free, np.linspace(-4, 4, 9), requests=asked)


def _nights():
    """Sixty days of hourly flow; one district's newest four nights stay high."""
    rng, hours = np.random.default_rng(0), 60 * 24
    level_T = np.where((np.arange(hours) + 14) % 24 < 6, 10.0, 30.0)
    known_TN = level_T[:, None] * rng.normal(1, 0.04, (hours, 4))
    known_TN[-4 * 24 :, 2] += 5.0
    nothing = np.empty((0, 4, 1), np.float32)
    return State(
        data.START_S, HOUR_S, tuple(Place(f"DMA-{n}") for n in range(1, 5)), Kind.FLOW, "L/s",
        np.full((4, 1), 20, np.float32), Past(nothing, nothing),
        known_TN=known_TN.astype(np.float32),
    )  # fmt: skip


def _stations():
    """Some stations hold fewer people than come."""
    made = made_state(applications()["crowding-warning"], places=8)
    held = (None, 95.0, 80.0, None, 900.0, 150.0, None, None)
    places = zip(made.places, held, strict=True)
    return replace(made, places=tuple(replace(one, capacity=most) for one, most in places))


def _cells():
    rng = np.random.default_rng(0)
    rates = np.array([3.0, 2.0, 1.4, *np.full(17, 0.2), *np.full(20, 0.02)])
    ahead_NH = rates.astype(np.float32)[:, None]
    cells = tuple(
        Place(f"cell-{n}", 37.85 + n // 8 * 0.01, 127.70 + n % 8 * 0.012) for n in range(len(rates))
    )
    truth_BNH = rng.poisson(rates, (40, len(rates)))[..., None].astype(np.float32)
    past = Past(np.tile(ahead_NH, (40, 1, 1)), truth_BNH)
    known_TN = rng.poisson(rates, (91, len(rates))).astype(np.float32)
    return State(data.START_S, DAY_S, cells, Kind.COUNT, "offences", ahead_NH, past,
                 known_TN=known_TN, units=4)  # fmt: skip


@dataclass
class ServiceParty:
    """The places of a state as a party of the invented city."""

    service: str
    state: State
    late_s: int = 0
    gap: dict | None = None
    forecasts: bool = True

    def __post_init__(self):
        self.name, self.agency = f"nuri-{self.service}/{self.state.kind.value}", "nuri"
        self.title = both(TITLES[self.service])
        self.unit, self.places = self.state.unit, len(self.state.places)
        self.base_N = np.nan_to_num(self.state.forecast_NH.mean(axis=1))

    def measured(self, time_s):
        hour = time_s % DAY_S / HOUR_S
        return np.round(self.base_N * (1 + 0.2 * np.sin(hour / 3)), 2).tolist()

    def forecast(self, time_s, origin_s):
        """Forecast and band of all places: wider, the further ahead."""
        ahead = (time_s - origin_s) // data.STEP_S + 1
        value_N = np.array(self.measured(time_s))
        half = 0.04 * self.base_N * np.sqrt(ahead)
        return [np.round(one, 2).tolist() for one in (value_N, value_N - half, value_N + half)]

    def index(self, place):
        return [one.id for one in self.state.places].index(place)

    def outlines(self):
        """Squares, of cells alone."""
        if self.service != "crime-prevention":
            return None
        return [
            [one.lon + east * 0.004 if axis else one.lat + north * 0.004
             for north, east in ((-1, -1), (-1, 1), (1, 1), (1, -1)) for axis in (1, 0)]
            for one in self.state.places
        ]  # fmt: skip

    def describe(self):
        places = [
            {"id": one.id, "lat": one.lat, "lon": one.lon, "capacity": one.capacity}
            for one in self.state.places
        ]
        return {
            "service": self.service, "party": self.name, "agency": self.agency,
            "title": self.title, "field": self.state.kind.value, "kind": self.state.kind.value,
            "unit": self.unit, "step_s": data.STEP_S, "horizon": data.HORIZON, "places": places,
            "outlines": self.outlines(),
        }  # fmt: skip


def plan_of(city, service, name, requests, units):
    """A plan for who asks, as `GET /api/plan` has it."""
    party = city.party(service, name)
    steps = party.state.forecast_NH.shape[1]
    asked = {"requests": tuple(plan_requests(requests, steps)), "units": units}
    _, made = decision_of(party, None, data.START_S, **asked)
    return {**made, "status": "advice", "steps": steps}


def decision_of(party, number, at_s, **asked):
    """What the service decides, as `GET /api/decisions` has it."""
    application, state = applications()[party.service], replace(party.state, now_s=at_s, **asked)
    made = application.decide(state)
    facts = DecisionFacts(
        Text(party.title["en"], party.title["ko"]), state.unit, ZoneInfo(ZONE), party.places,
        Text("4 h", "4시간"), state.step_s,
    )  # fmt: skip
    sentences = [both(one) for one in decision_words(made, facts)]
    shown = max(len(sentences), len(made.reasons))
    blank = {"code": "", "numbers": {}, "place": "", "text": both(LocalizedText("", ""))}
    reasons = [
        {**(asdict(made.reasons[n]) if n < len(made.reasons) else blank),
         "text": sentences[n] if n < len(sentences) else blank["text"]}
        for n in range(shown)
    ]  # fmt: skip
    actions = [
        {**asdict(one), "text": both(action_words(one.code, one.place))} for one in made.actions
    ]
    waits = made.confirm is not Confirm.NOBODY
    evidence = {"agency": "nuri", "newest_s": at_s, "age_s": 60, "missing": 0.01, "leakage": None}
    return made, {
        "id": number, "service": party.service, "party": party.name, "at_s": at_s,
        "valid_until_s": made.valid_until_s, "task": application.task.value,
        "confirm": made.confirm.value, "certainty": made.certainty,
        "status": "waiting" if waits else "advice", "actions": actions, "reasons": reasons,
        "evidence": [evidence], "band": 0.9, "answers": [], "outcome": None,
    }  # fmt: skip


def city_of_services(names=NAMES, states=None, **how):
    """An invented city that runs these services; each with a present and an earlier decision.

    Args:
        states: others than `state_of` by service.
    """
    city = FakeCity(**how)
    states = {name: state_of(name) for name in names} | (states or {})
    city.services = [
        {"name": name, "application": name, "task": applications()[name].task.value,
         "title": both(applications()[name].title), "question": both(applications()[name].question),
         "decision": both(applications()[name].decision)}
        for name in names
    ]  # fmt: skip
    city.parties = [ServiceParty(name, states[name]) for name in names]
    city.alarms, city.decisions, city.plan = {}, {}, partial(plan_of, city)
    for at, party in enumerate(city.parties):
        _, before = decision_of(party, 2 * at + 1, data.START_S - HOUR_S)
        made, now = decision_of(party, 2 * at + 2, data.START_S)
        answer = {"who": "mina", "answer": "confirm", "at_s": data.START_S - 1800, "comment": ""}
        words = data.text("93 % of 40 values within the band", "값 40개 중 93 %가 범위 안")
        before |= {"status": "confirmed", "answers": [answer],
                   "outcome": {"text": words, "numbers": {"inside": 0.93}}}  # fmt: skip
        city.decisions |= {one["id"]: one for one in (before, now)}
        if party.service == "air-warning" and made.actions:
            city.caps[now["id"]] = cap_of(made, party)
    return city


def cap_of(made, party):
    state = party.state
    steps = state.forecast_NH.shape[1]
    application = applications()[party.service]
    context = CapContext(application, state.unit, ZONE, state.step_s, steps)
    return cap_alert(made, state.places, "nuri/air", context, sent_s=data.START_S)


if __name__ == "__main__":
    import uvicorn
    from fake_city import create_app

    uvicorn.run(create_app(city_of_services()), port=8124, date_header=False, log_level="warning")
