"""Jams and their causes on a made road: where each began, of which kind, and the way around."""

from dataclasses import replace

import numpy as np
import pytest
from road import DAY, FREE, NAMES, PLACES, graph, jammed, known, slowed, state

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past
from deepcity.applications.traffic.detours import Search, detour_around
from deepcity.applications.traffic.jams import Speeds
from deepcity.applications.traffic.roads import roads_of
from deepcity.city.field import Kind

decide = applications()["traffic"].decide
WAVE = {"g": 7, "f": 6, "e": 5, "d": 4}  # slow for so many steps: grows at 12 km/h from g on


def codes(made):
    return [one.code for one in made.reasons]


def test_a_jam_is_told_from_where_it_began_with_its_evidence():
    made = decide(jammed(WAVE))
    assert made.reasons[0].code == "jam"
    assert made.reasons[0].place == "g"
    assert made.reasons[0].numbers["places"] == 4
    assert made.reasons[0].numbers["usual"] == pytest.approx(FREE, rel=0.05)
    assert made.reasons[0].numbers["begins-minutes"] == pytest.approx(-35, abs=5)
    first = made.reasons[1]
    assert (first.code, first.place) == ("spreads-from", "g")
    assert first.numbers["lead-minutes"] == pytest.approx(15, abs=0.5)
    assert first.numbers["metres"] == pytest.approx(3000, rel=0.01)
    assert first.numbers["wave-kmh"] == 12
    chances = [one.numbers["likelihood"] for one in made.reasons if "likelihood" in one.numbers]
    assert len(chances) == 3
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1 + 1e-9
    assert made.actions[0].code == "retime-signals"
    assert made.actions[0].place == "g"
    assert made.confirm is Confirm.OPERATOR


def test_a_jam_does_not_spread_with_the_traffic():
    """The same times the other way round: it began at d, and cannot have reached g from there."""
    downstream = dict(zip("defg", (7, 6, 5, 4), strict=True))
    one_way, both = jammed(downstream), jammed(downstream, adjacency_NN=graph(both=True))
    assert decide(both).reasons[1].place == "d"
    assert decide(one_way).reasons[1].place != "d"


def test_a_place_slowed_by_something_else_before_is_not_the_origin():
    found = {**WAVE, "h": 0, "c": 40}
    made = decide(jammed({place: steps for place, steps in found.items() if steps}))
    assert made.reasons[1].place == "g"


def test_a_sudden_jam_is_incident_like_and_a_daily_one_recurs():
    assert "incident-like" in codes(decide(jammed(WAVE)))
    values = known()
    for day in range(5):
        for place, steps in WAVE.items():
            end = len(values) - day * DAY
            values[end - steps : end if day == 0 else end + 6, NAMES.index(place)] = 30.0
    made = decide(state(values))
    (kind,) = [one for one in made.reasons if one.code == "recurring"]
    assert kind.place == "g"
    assert kind.numbers["jammed-days"] == kind.numbers["days"] == 2  # Thursday, Friday: no weekend


def test_a_creeping_jam_of_no_day_is_unusual():
    values = known()
    for back in range(24):
        values[-1 - back, NAMES.index("g")] = 40 + 2.5 * back
    assert "unusual" in codes(decide(state(values)))


def test_with_one_day_of_values_it_does_not_say_whether_a_jam_recurs():
    values = known(1)
    slowed(values, "g", 6)
    assert "no-same-hours" in codes(decide(state(values)))


def test_the_detour_leads_around_the_jam_and_saves_by_forecast():
    made = decide(jammed(WAVE))
    (detour,) = [one for one in made.actions if one.code == "detour"]
    assert {"x", "y"} <= set(detour.route)
    assert not set(detour.route) & set(WAVE)
    assert detour.place == detour.route[0] == detour.usual_route[0]
    assert set(WAVE) <= set(detour.usual_route)
    assert detour.numbers["usual-minutes"] - detour.numbers["minutes"] >= 2
    assert detour.numbers["probability"] > 0.9


def test_a_jam_beside_the_usual_way_needs_no_detour_of_its_own():
    values = known()
    for place, steps in WAVE.items():
        slowed(values, place, steps)
    slowed(values, "x", 6, to=55.0)
    found = state(values)
    roads = roads_of(PLACES, found.adjacency_NN)
    beside, along = (
        detour_around(found, Speeds.of(found), roads, jam, jam[0])
        for jam in ([len(NAMES)], [NAMES.index(place) for place in WAVE])
    )
    assert beside is None
    assert along is not None


def test_two_jams_on_one_way_have_one_detour():
    values = known()
    slowed(values, "d", 6, to=20.0)
    slowed(values, "g", 6, to=20.0)
    made = decide(state(values))
    assert [one.code for one in made.actions].count("retime-signals") == 2
    assert [one.code for one in made.actions].count("detour") == 1


def test_a_jam_that_is_forecast_to_be_over_needs_no_detour():
    values = known()
    for place, steps in WAVE.items():
        slowed(values, place, steps)
    made = decide(state(values, np.full((len(PLACES), 12), FREE, np.float32)))
    assert [one.code for one in made.actions] == ["retime-signals"]


def test_a_jam_that_comes_is_told_before_it_is_there():
    ahead = np.full((len(PLACES), 12), FREE, np.float32)
    for place, steps in WAVE.items():
        ahead[NAMES.index(place), 12 - steps :] = 30.0
    made = decide(state(known(), ahead))
    assert made.reasons[0].numbers["begins-minutes"] > 15
    assert made.reasons[1].place == "g"
    assert made.actions[0].at_s > state(known()).now_s
    assert made.certainty > 0.9


def test_without_a_jam_nothing_is_to_be_done():
    made = decide(state(known()))
    assert (made.actions, codes(made), made.confirm) == ((), ["no-jam"], Confirm.NOBODY)
    assert made.certainty == 1.0
    assert made.reasons[0].numbers["lowest"] > 0.8


def test_slow_nearly_everywhere_is_told():
    values = known()
    values[-6:] *= 0.8
    slowed(values, "g", 6)
    assert "slow-everywhere" in codes(decide(state(values)))
    assert "slow-everywhere" not in codes(decide(jammed(WAVE)))


def test_without_a_graph_jams_have_a_kind_but_no_origin_and_no_way():
    made = decide(jammed(WAVE, adjacency_NN=None))
    assert codes(made)[:2] == ["jam", "incident-like"]
    assert not {"spreads-from", "begins-here"} & set(codes(made))
    assert {one.code for one in made.actions} == {"retime-signals"}


def test_what_is_no_speed_is_decided_by_its_extreme():
    found = replace(jammed(WAVE), kind=Kind.COUNT, unit="vehicles")
    assert decide(found) == decide.extreme(found)
    nothing = Past(np.empty((0, 12, 12), np.float32), np.empty((0, 12, 12), np.float32))
    blank = replace(jammed(WAVE), known_TN=None, past=nothing)
    assert decide(blank) == decide.extreme(blank)


def test_units_do_not_change_what_is_decided():
    kmh = jammed(WAVE)
    factor = np.float32(1 / 1.609344)
    past = Past(kmh.past.forecast_BNH * factor, kmh.past.truth_BNH * factor)
    mph = replace(
        kmh,
        unit="mph",
        known_TN=kmh.known_TN * factor,
        forecast_NH=kmh.forecast_NH * factor,
        past=past,
    )
    one, other = decide(kmh), decide(mph)
    assert [(a.code, a.place, a.route) for a in one.actions] == [
        (a.code, a.place, a.route) for a in other.actions
    ]
    assert other.reasons[0].numbers["usual"] * 1.609344 == pytest.approx(
        one.reasons[0].numbers["usual"], rel=1e-4
    )


def test_a_jammed_place_without_a_forecast_takes_no_part():
    found = jammed(WAVE)
    found.forecast_NH[NAMES.index("g")] = np.nan
    made = decide(found)
    assert made.reasons[0].place == "f"


def test_values_after_a_stale_gap_say_nothing_of_now():
    values = known()
    slowed(values, "g", 20)
    values[-10:, NAMES.index("g")] = np.nan
    ahead = np.full((len(PLACES), 12), FREE, np.float32)
    assert codes(decide(state(values, ahead))) == ["no-jam"]


def test_an_onset_lies_between_the_steps_and_a_dip_before_it_is_another_jam():
    values = known()
    place = NAMES.index("g")
    values[:, place] = FREE
    values[-30:-20, place] = 30.0
    values[-5, place], values[-4:, place] = 67.5, 30.0
    speeds = Speeds.of(state(values))
    assert speeds.onset(place) == pytest.approx(-5, abs=0.2)
    assert np.isnan(speeds.onset(0))


def test_ways_are_sought_around_the_slowest_places_too():
    """No usual way leads over x, where the jam began; one leads over e, the slowest."""
    values = known()
    slowed(values, "e", 6, to=15.0)
    slowed(values, "x", 7, to=55.0)
    found, x, e = state(values), len(NAMES), NAMES.index("e")
    seen = found, Speeds.of(found), roads_of(PLACES, found.adjacency_NN), [x, e], x
    assert detour_around(*seen, Search(around=1)) is None
    both = detour_around(*seen, Search(around=2))
    assert both is not None
    assert e in both.usual.places
    assert e not in both.way.places
    assert detour_around(*seen, Search(worth_minutes=60.0)) is None


def test_drivers_are_not_sent_around_a_jam_that_comes_after_they_passed():
    ahead = np.full((len(PLACES), 12), FREE, np.float32)
    for place in WAVE:
        ahead[NAMES.index(place), 9:] = 10.0  # in 45 minutes
    made = decide(state(known(), ahead))
    assert [one.code for one in made.actions] == ["retime-signals"]
    ahead[[NAMES.index(place) for place in WAVE]] = 10.0
    assert "detour" in [one.code for one in decide(state(known(), ahead)).actions]
