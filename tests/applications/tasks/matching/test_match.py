"""A match service's decision: what to look at, the path, cameras to watch, cities to ask."""

from dataclasses import replace

import pytest

from deepcity.applications.application import Task, applications
from deepcity.applications.decision import Confirm, Decision
from deepcity.applications.tasks.matching.match import MOST_LOOKS, MOST_WATCHED
from deepcity.applications.tasks.matching.match_application import match_applications
from deepcity.applications.tasks.matching.match_state import (
    Hit,
    HitVerdict,
    MatchState,
    ScoreModel,
    Spot,
)

KM = 0.0089932
HOME = Spot(37.5, 127.0)
CAMERAS = {
    **{f"north/{km}": Spot(37.5 + km * KM, 127.0) for km in range(1, 8)},
    **{f"south/{km}": Spot(37.5 - km * KM, 127.0) for km in range(1, 8)},
}
STATE = MatchState(
    2400.0, HOME, 0.0, (), CAMERAS, ("north",), scores=ScoreModel(0.8, 0.1, 0.4, 0.1)
)
SERVICES = match_applications()


def hit(km, minute, score=0.75, verdict=HitVerdict.NONE, city="north"):
    return Hit(city, str(km), 60.0 * minute, score, verdict)


def of(decision, code):
    return [one for one in decision.actions if one.code == code]


@pytest.mark.parametrize("name", SERVICES)
def test_every_match_service_keeps_the_contract(name):
    service = SERVICES[name]
    decision = service.decide(replace(STATE, hits=(hit(1, 14), hit(2, 28))))
    assert isinstance(decision, Decision)
    assert decision.confirm is not Confirm.NOBODY  # a score is never acted on by itself
    assert (service.task, service.reads) == (Task.MATCH, ("cctv",))
    assert service.title.en
    assert service.title.ko
    assert service.terms.approvals >= 2
    assert name not in applications()


def test_stricter_terms_for_a_wanted_person():
    child, wanted = SERVICES["missing-child"].terms, SERVICES["wanted-person"].terms
    assert wanted.warrant
    assert not child.warrant
    assert wanted.most_hours < child.most_hours
    assert wanted.least_score > child.least_score


def test_the_likeliest_come_first_and_judged_ones_are_not_shown_again():
    hits = (hit(1, 14), hit(7, 15, 0.6), hit(2, 28), hit(3, 40, verdict=HitVerdict.CONFIRMED))
    decision = SERVICES["missing-child"].decide(replace(STATE, hits=hits))
    assert [one.place for one in of(decision, "look")] == ["north/2", "north/1", "north/7"]
    (path,) = of(decision, "follow")
    assert path.route == ("north/1", "north/2", "north/3")
    assert decision.certainty == pytest.approx(1.0)
    assert decision.valid_until_s == 2460


def test_cameras_near_the_last_sighting_are_watched():
    decision = SERVICES["missing-child"].decide(
        replace(STATE, hits=(hit(4, 39, verdict=HitVerdict.CONFIRMED),))
    )
    watched = of(decision, "watch")
    assert len(watched) <= MOST_WATCHED
    assert watched[0].place == "north/4"
    assert {one.place for one in watched[:3]} == {"north/3", "north/4", "north/5"}
    assert all(one.place.startswith("north/") for one in watched)


def test_a_city_that_was_not_asked_is_named_where_it_is_near():
    nearby = SERVICES["missing-child"].decide(
        replace(STATE, hits=(hit(1, 39, verdict=HitVerdict.CONFIRMED),))
    )
    assert [one.place for one in of(nearby, "ask-city")] == ["south"]
    asked = replace(STATE, asked=("north", "south"), silent=("south",))
    decision = SERVICES["missing-child"].decide(asked)
    assert not of(decision, "ask-city")
    assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["south"]


def test_no_sightings_is_an_answer():
    decision = SERVICES["missing-child"].decide(STATE)
    assert not of(decision, "look")
    assert decision.certainty == 0.0
    reasons = {one.code: one.numbers for one in decision.reasons}
    assert reasons["nobody"]["probability"] == 1.0
    assert reasons["sightings"] == {"hits": 0, "confirmed": 0, "rejected": 0, "cities": 1}


def test_sightings_of_a_camera_without_a_place_are_counted_and_said():
    decision = SERVICES["missing-child"].decide(replace(STATE, hits=(hit(99, 5), hit(1, 14))))
    reasons = {one.code: one.numbers for one in decision.reasons}
    assert reasons["camera-unknown"] == {"hits": 1}
    assert len(of(decision, "look")) == 1


def test_not_more_is_shown_than_a_person_looks_at():
    hits = tuple(hit(1 + n % 7, n) for n in range(40))
    assert len(of(SERVICES["missing-child"].decide(replace(STATE, hits=hits)), "look")) == (
        MOST_LOOKS
    )
