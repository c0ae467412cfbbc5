"""A traffic decision in words: the jam, its ranked causes, its kind, and the way around it."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from road import STEP_S, jammed, known, state

from deepcity.applications.application import applications
from deepcity.applications.decision import Reason
from deepcity.web.report.decisions import DecisionFacts, decision_words, state_words
from deepcity.web.report.text import same

DECIDE = applications()["traffic"].decide
FACTS = DecisionFacts(same("Roads"), "km/h", ZoneInfo("Asia/Seoul"), 12, same("1 h"), STEP_S)


def sentences(decision):
    """All sentences in English and in Korean."""
    found = decision_words(decision, FACTS)
    return " ".join(one.en for one in found), " ".join(one.ko for one in found)


def test_a_jam_comes_with_its_causes_and_the_way_around_it():
    en, ko = sentences(DECIDE(jammed()))
    assert en.startswith("Retime signals: g. ")
    assert "Jam from g on, 4 places, for 38 min: 30 km/h at the slowest step ahead, 103 km/h" in en
    assert re.search(r"Began most likely at g \(\d+%: slowed 15 min earlier, 3.0 km further", en)
    assert "It looks like an incident: g slowed within minutes, and was jammed" in en
    assert "on 0 of 2 like days" in en
    assert re.search(r"9\d% of the slowing: It looks like an incident", en)
    assert "Weather is not among the causes: the service names no agency that records it." in en
    assert re.search(r"Detour: from \w by [\w, ]*x, y to i, [\d.]+ min by forecast instead of", en)
    assert "g에서 시작된 정체, 4곳, 38분째" in ko
    assert "돌발 상황으로 보입니다. g" in ko
    assert re.search(r"우회로: \w에서 [\w, ]*x, y 거쳐 i까지", ko)


@pytest.mark.parametrize(
    ("code", "numbers", "wanted"),
    [
        ("recurring", {"days": 3, "jammed-days": 2}, "It recurs: g was jammed"),
        ("unusual", {"days": 3, "jammed-days": 1}, "no daily jam and no sudden one: g"),
        (
            "weather",
            {"share": 0.7, "loss": 0.2, "rain": 4.25, "visibility": 1.5},
            "70% of the slowing: The weather (rain 4.2 mm/h and visibility 1.5 km); under such "
            "weather speeds usually lose 20% here.",
        ),
        (
            "event-like",
            {"share": 0.6, "abrupt": 0.25, "around": 0.5, "holiday": 1, "days": 3},
            "60% of the slowing: It has the form of an event: it grew slowly, 25% of the fall "
            "within a quarter of an hour, and g was jammed at these hours on 0 of 3 like days. 50% "
            "of the slowing nearby lies on roads that a jam from there cannot have reached. Today "
            "is a public holiday.",
        ),
        ("weather-hardly-seen", {"hours": 2}, "such weather was recorded for 2 h before"),
        ("no-same-hours", {"days": 1}, "earlier days of g at these hours: 1"),
        ("slow-everywhere", {"places": 8, "of": 12}, "8 of 12 places are slower than usual"),
        ("begins-here", {"likelihood": 0.4}, "g (40%: the place that jammed last)"),
    ],
)
def test_every_reason_of_a_jam_has_words(code, numbers, wanted):
    decision = DECIDE(jammed())
    en, ko = sentences(replace(decision, reasons=(decision.reasons[0], Reason(code, numbers, "g"))))
    assert wanted in en
    assert "{" not in en + ko


def test_a_road_without_a_jam_is_told_as_such():
    decision = DECIDE(state(known()))
    en, ko = sentences(decision)
    assert "No road is forecast to fall below 60% of its free-flow speed; the slowest keeps" in en
    assert state_words(decision)[0].en == "Nothing to be done"
    assert "자유 통행 속도의 60% 아래로" in ko
