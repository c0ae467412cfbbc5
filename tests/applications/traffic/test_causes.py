"""Ranked causes on a made road: weather, events, incidents, what recurs, each with its evidence."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from road import DAY, FREE, NAMES, NOW_S, PLACES, STEP_S, graph, jammed, known, slowed, state

from deepcity.applications.application import applications
from deepcity.applications.traffic.causes import CAUSES
from deepcity.applications.traffic.jams import Speeds
from deepcity.applications.traffic.like_days import free_days, like_days
from deepcity.applications.traffic.weather import LEAST_HOURS, severity, weather_loss

decide = applications()["traffic"].decide
LOST = 0.4  # of speed, by the rain of these tests
DAYS = 12  # of records, eight of them weekdays


def rainy(hours_before, *, now=True, days=DAYS, lost=LOST):
    """Records that lose a share in rain of 9 mm/h: for hours on Friday, and the last 40 minutes."""
    rain_T = np.zeros(days * DAY)
    noon = len(rain_T) - 3 * DAY - 3 * 12  # Friday, 15 o'clock
    rain_T[noon : noon + int(12 * hours_before)] = 9.0
    if now:
        rain_T[-8:] = 9.0
    values_TN = known(days)
    values_TN *= np.where(rain_T > 0, 1 - lost, 1.0)[:, None]
    return values_TN, {"rain": rain_T}


def why(made):
    """Causes of the first jam with their numbers, in the order given."""
    return {one.code: one.numbers for one in made.reasons if one.code in CAUSES}


def test_what_the_rain_costs_is_learned_from_earlier_days():
    values_TN, weather = rainy(6.0)
    found = state(values_TN, weather=weather)
    loss = weather_loss(found, Speeds.of(found))
    assert loss.share_T[-1] == pytest.approx(LOST, abs=0.06)  # shrunk a little to no loss
    assert loss.share_T[-1] < LOST
    assert loss.hours_F[0] == pytest.approx(6.0, abs=0.1)
    assert loss.worst(-1) == "rain"
    assert loss.share_T[-20] == 0


def test_a_jam_that_the_rain_explains_is_of_the_weather():
    values_TN, weather = rainy(6.0)
    slowed(values_TN, "g", 8, to=0.95 * FREE * (1 - LOST))
    made = decide(state(values_TN, weather=weather))
    (first, *_), numbers = why(made), why(made)["weather"]
    assert first == "weather"
    assert numbers["share"] > 0.7
    assert numbers["rain"] == pytest.approx(9.0)
    assert numbers["loss"] == pytest.approx(LOST, abs=0.06)
    assert numbers["rain-hours"] == pytest.approx(6.0, abs=0.1)


def test_an_incident_in_the_rain_stays_one_and_shares_add_up_to_one():
    values_TN, weather = rainy(6.0, lost=0.2)
    for place, steps in {"g": 7, "f": 6, "e": 5, "d": 4}.items():
        slowed(values_TN, place, steps, to=30.0)
    made = decide(state(values_TN, weather=weather))
    shares = [numbers["share"] for numbers in why(made).values()]
    assert next(iter(why(made))) == "incident-like"
    assert 0 < why(made)["weather"]["share"] < 0.45
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=0.1)  # what explains hardly anything is left out


def test_weather_that_was_hardly_seen_is_no_cause_and_the_decision_says_so():
    values_TN, weather = rainy(LEAST_HOURS - 1)
    slowed(values_TN, "g", 8, to=50.0)
    made = decide(state(values_TN, weather=weather))
    assert "weather" not in why(made)
    (unseen,) = [one for one in made.reasons if one.code == "weather-hardly-seen"]
    assert unseen.numbers["hours"] == pytest.approx(LEAST_HOURS - 1, abs=0.1)


def test_without_records_weather_is_no_cause_and_the_decision_says_so():
    made = decide(jammed())
    assert "weather" not in why(made)
    assert [one.code for one in made.reasons].count("no-weather-records") == 1


def test_dry_weather_explains_nothing():
    values_TN, weather = rainy(6.0, now=False)
    slowed(values_TN, "g", 8, to=30.0)
    made = decide(state(values_TN, weather=weather))
    assert "weather" not in why(made)
    assert "weather-hardly-seen" not in [one.code for one in made.reasons]


def test_slowly_on_all_roads_around_is_like_an_event():
    values_TN = known()
    grown_T = np.linspace(0, 1, 24)  # two hours
    for place in ("e", "f", "g", "x", "y"):
        values_TN[-24:, [one.id for one in PLACES].index(place)] -= 65 * grown_T
    made = decide(state(values_TN))
    numbers = why(made)["event-like"]
    assert next(iter(why(made))) == "event-like"
    assert numbers["share"] > 0.7
    assert numbers["abrupt"] < 0.3
    assert numbers["around"] > 0.3
    assert numbers["holiday"] == 0.0
    fast = why(decide(jammed()))["incident-like"]
    assert fast["abrupt"] > 0.9
    assert fast["around"] < numbers["around"]


def test_holidays_count_as_sundays_and_are_told():
    found = state(known(DAYS), holidays=frozenset({date(2024, 3, 4)}))
    free = free_days(found, NOW_S - 86_400 * np.arange(8))
    assert free.tolist() == [True, True, True, False, False, False, False, False]
    speeds = Speeds.of(found)
    assert like_days(found, speeds, -6, 0).days_back == (1, 2, 8, 9)
    values_TN = known(DAYS)
    values_TN[-24:, 6] -= 65 * np.linspace(0, 1, 24)
    made = decide(state(values_TN, holidays=frozenset({date(2024, 3, 4)})))
    assert why(made)["event-like"]["holiday"] == 1.0


@given(
    st.sampled_from(["rain", "snow", "wind", "visibility"]),
    st.lists(st.floats(0, 500), min_size=2, max_size=9, unique=True),
)
def test_worse_weather_is_never_less_severe(name, values):
    values_T = np.sort(np.array(values))
    found_T = severity(name, values_T if name != "visibility" else values_T[::-1])
    assert np.isfinite(found_T).all()
    assert (found_T >= 0).all()
    assert all(one <= other for one, other in pairwise(found_T.tolist()))


def test_without_directions_an_event_is_known_by_its_slowness_alone():
    values_TN = known()
    values_TN[-24:, 4:9] -= 65 * np.linspace(0, 1, 24)[:, None]
    made = decide(state(values_TN, adjacency_NN=graph(both=True)))
    assert next(iter(why(made))) == "event-like"
    assert "around" not in why(made)["event-like"]


def test_a_jam_ahead_is_explained_by_the_days_before_it():
    values_TN = known()
    for back in range(1, 5):
        end = len(values_TN) - back * DAY
        values_TN[end + 3 : end + 12, NAMES.index("g")] = 30.0
    ahead_NH = np.full((len(PLACES), 12), FREE, np.float32)
    ahead_NH[NAMES.index("g"), 4:] = 30.0
    made = decide(state(values_TN, ahead_NH))
    assert next(iter(why(made))) == "recurring"
    assert why(made)["recurring"]["jammed-days"] == 2
    assert STEP_S == 300


@pytest.mark.parametrize("step_s", [60, 900, 3600])
def test_steps_of_a_minute_or_an_hour_are_explained_alike(step_s):
    day = 86_400 // step_s
    values_TN = known(1)[:1].repeat(5 * day, axis=0)
    for place in "defg":
        slowed(values_TN, place, max(1, 1800 // step_s), to=20.0)
    rain_T = np.zeros(len(values_TN))
    found = state(values_TN, step_s=step_s, weather={"rain": rain_T})
    made = decide(found)
    assert next(iter(why(made))) in {"incident-like", "event-like", "unusual"}
    assert sum(one["share"] for one in why(made).values()) == pytest.approx(1.0, abs=0.11)
    assert "detour" in [one.code for one in made.actions]


def test_with_days_of_nothing_but_gaps_no_cause_is_claimed():
    values_TN = known(4)
    values_TN[:-40] = np.nan
    slowed(values_TN, "g", 8, to=20.0)
    rain_T = np.full(len(values_TN), np.nan)
    made = decide(state(values_TN, weather={"rain": rain_T}))
    assert why(made) == {}
    assert "no-same-hours" in [one.code for one in made.reasons]


@pytest.mark.parametrize("step_s", [420, 3600, 6 * 3600, 86_400, 7 * 86_400])
def test_steps_of_any_length_have_a_decision(step_s):
    values_TN, weather = rainy(6.0)
    slowed(values_TN, "g", 3)
    given_ = state(values_TN, weather=weather, step_s=step_s)
    assert Speeds.of(given_).now == max(1, 4 * 3600 // step_s)  # the last hours, not all
    assert "jam" in [one.code for one in decide(given_).reasons]
