"""Decisions on peaks, crowds, leaks and patrols in words, with the scores beside them."""

import html
import re
from dataclasses import asdict, replace

import numpy as np
from application_contract import NOW_S, made_state
from test_decision_section import results
from test_decision_section import section as escaped

from deepcity.applications.application import applications
from deepcity.applications.state import Past
from deepcity.applications.tasks.patrol_scores import PatrolScores
from deepcity.applications.tasks.peak_scores import PeakScores

HOUR = 3600


def section(found):
    return tuple(html.unescape(text) for text in escaped(found))


def decision_of(name, **changed):
    application = applications()[name]
    return application.decide(replace(made_state(application), **changed))


def leak(rise, nights=60, more=4):
    """Three districts that draw 10 by night; the second draws more for some nights."""
    rng = np.random.default_rng(0)
    known_TN = rng.normal(10, 0.3, (nights * 24, 3)).astype(np.float32)
    known_TN[-24 * more :, 1] += np.float32(rise)
    return decision_of("water-leaks", known_TN=known_TN, now_s=NOW_S // 86_400 * 86_400 + 11 * HOUR)


def crowd(value):
    made = made_state(applications()["crowding-warning"])
    forecast_NH = np.full_like(made.forecast_NH, 1.0)
    forecast_NH[1] = value
    return decision_of("crowding-warning", forecast_NH=forecast_NH)


def test_a_peak_says_when_how_high_how_sure_and_who_carries_it():
    decision = decision_of("electricity")
    en, ko = section(results(decision=decision, unit="MW"))
    assert "Peak ahead" in en
    assert "The peak comes at" in en
    assert "90 % of past errors give" in en
    assert "within 1 h of then with a probability of" in en
    largest, *shifting = decision.actions
    assert f"{largest.place} carries most of it" in en
    if shifting:
        assert "the first to ask to shift" in en
        assert f"{shifting[0].place} (" in en
    assert "The operator confirms it." in en
    assert "최대 수요는" in ko
    assert "확률" in ko


def test_who_could_shift_is_named_with_its_shares():
    made = made_state(applications()["electricity"])
    known_TN = made.known_TN.copy()
    known_TN[:, 2] /= 4  # at the peak it carries more than of all days
    decision = decision_of("electricity", known_TN=known_TN)
    en, ko = section(results(decision=decision, unit="MW"))
    share = next(one for one in decision.reasons if one.place == "p2").numbers["share"]
    assert f"{share:.0%} of the peak, usually" in en
    assert "p2(" in ko


def test_a_crowd_names_station_limit_and_cutoff():
    en, ko = section(results(decision=crowd(1e4), unit="passengers"))
    assert "Warning" in en
    assert "Warn of crowds at 1 of 3 places: first at p1, from now on, 10,000 passengers" in en
    assert "It warns from a probability of" in en
    assert "A place's limit is its capacity, or else what 5% of its values" in en
    assert "지점 3곳 중 1곳에 혼잡 경보를 냅니다" in ko
    quiet, stille = section(results(decision=crowd(1.0), unit="passengers"))
    assert "No place is likely enough to go above its own limit" in quiet
    assert "No warning" in quiet
    assert "경보 없음" in stille


def test_crowds_without_any_limit_say_what_to_give():
    made = made_state(applications()["crowding-warning"])
    places = tuple(replace(one, capacity=None) for one in made.places)
    past = Past(made.past.forecast_BNH, np.zeros_like(made.past.truth_BNH))
    decision = decision_of("crowding-warning", places=places, past=past)
    en, ko = section(results(decision=decision, unit="passengers"))
    assert "Give places a capacity in the city file" in en
    assert "capacity를 적어 주십시오" in ko


def test_a_leak_names_district_flows_and_nights():
    en, ko = section(results(decision=leak(5.0), unit="L/s"))
    assert "Leak suspected" in en
    assert re.search(r"p1: 1[45](\.\d)? L/s at night", en)
    assert "at night for 3 nights" in en
    assert re.search(r"[45](\.\d+)? L/s more than the usual 10", en)
    assert "누수 의심" in ko
    short, kurz = section(results(decision=leak(5.0, more=2), unit="L/s"))
    assert re.search(r"Each of the newest 2 nights is at least [45]\d\s*% above it", short)
    assert re.search(r"where 30\s*% is the limit", short)
    assert "최근 2일 밤이 모두" in kurz
    usual, _ = section(results(decision=leak(0.0), unit="L/s"))
    assert "No leak suspected" in usual
    few, wenig = section(results(decision=leak(5.0, nights=7), unit="L/s"))
    assert "Too few nights" in few
    assert "17 are needed" in few
    assert "밤 기록 부족" in wenig


def test_patrols_stand_beside_burden_and_feedback():
    decision = decision_of("crime-prevention", units=2)
    en, ko = section(results(decision=decision, unit="offences"))
    assert "2 patrols, to as many of 3 cells: p2 and p1." in en
    assert "Burden: the most patrolled tenth of cells has" in en
    assert "Feedback: if only patrolled cells reported, after" in en
    assert "The responsible authority confirms it." in en
    assert "부담:" in ko
    assert "되먹임:" in ko
    none, _ = section(results(decision=decision_of("crime-prevention", units=0), unit="offences"))
    assert "No patrol is to be sent." in none


def test_many_patrols_are_counted():
    made = made_state(applications()["crime-prevention"], places=9)
    decision = applications()["crime-prevention"].decide(replace(made, units=8))
    en, ko = section(results(decision=decision, unit="offences"))
    assert "and 3 more." in en
    assert "그 밖의 3곳" in ko


def test_scores_of_peaks_and_patrols_name_their_baselines():
    peak = {"peaks": 60.0, **asdict(PeakScores(0.06, 1.0, 0.8, 0.82, 0.9, float("nan")))}
    scores = {
        name: {**peak, "height_error": error}
        for name, error in (("automatic", 0.06), ("same_hour_yesterday", 0.09))
    }
    found = results(decision=decision_of("electricity"), decision_scores=scores, unit="MW")
    en, _ = section(found)
    assert "Evaluated on test days, with 60 peaks" in en
    assert "height, error 6.0% ( best ) 9.0%" in en
    assert "excess at those asked – –" in en
    assert "how good such decisions were" in en
    patrol = asdict(PatrolScores(0.5, 10.0, 0.9, 0.7, 30))
    scores = {"automatic": patrol, "most_counted": {**patrol, "pai": 11.0}}
    found = results(decision=decision_of("crime-prevention"), decision_scores=scores, unit="count")
    en, ko = section(found)
    assert "score automatic last 90 days' counts" in en
    assert "PAI 10.0 11.0 ( best )" in en
    assert "Evaluated on 30 test days" in en
    assert "최근 90일 건수" in ko
