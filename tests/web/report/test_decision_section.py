"""Every decision is put in words: what, where, when, how sure, why, and until when."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from application_contract import NOW_S, made_state
from fake_results import fake_results
from road import jammed

from deepcity.applications.application import Task, applications
from deepcity.applications.decision import Confirm
from deepcity.applications.tasks.alert_scores import AlertScores
from deepcity.applications.tasks.plan import LeastExpectedTime
from deepcity.city.errors import CheckpointError
from deepcity.cli.summary import decisions
from deepcity.web.report import decisions as words_of
from deepcity.web.report.page import render
from deepcity.web.report.text import LANGUAGES, words

AIR, PARKING = applications()["air-warning"], applications()["parking-guidance"]
METHODS = ("automatic", "alone", "persistence", "typical_day")
ALERT = AlertScores(0.66, 0.9, 0.28, 2.3, 57, 0.176)


def results(**changed):
    """A run of one service; its only party is changed so."""
    found = fake_results(1, streets=False)
    (service,) = found.services
    party = service.parties[0].model_copy(update={"places": 3, "unit": "ug/m3", **changed})
    return found.model_copy(update={"services": [service.model_copy(update={"parties": [party]})]})


def section(found):
    """Its section on decisions, in English and in Korean."""
    page = render(found)
    start = page.index('id="service-1-decision"')
    part = page[start : page.index('id="service-1-errors"')]
    return tuple(
        " ".join(
            re.sub(r"<[^>]+>", " ", re.sub(rf'<span lang="{other}">[^<]*</span>', "", part)).split()
        )
        for other in reversed(LANGUAGES)
    )


def air(level):
    state = made_state(AIR)
    rising = np.full_like(state.forecast_NH, 3.0)
    rising[1, 5:] = level
    return replace(state, forecast_NH=rising)


def test_a_warning_names_place_time_probability_cutoff_costs_and_who_confirms():
    decision = AIR.decide(air(150.0))
    (warned,) = decision.actions
    en, ko = section(results(decision=decision))
    assert "Warn at 1 of 3 places of a level above 75 ug/m3: first at p1, from" in en
    lead = (warned.at_s - NOW_S) / 3600
    assert 0 < lead == 5
    assert f"({lead:g} h ahead)" in en
    cutoff = decision.reasons[0].numbers["cutoff"]
    assert f"It warns from a probability of {cutoff:.0%} on" in en
    assert "a missed step costs 2 and a false alarm 1" in en
    assert f"Certainty {decision.certainty:.0%}; holds until" in en
    assert "The responsible authority confirms it." in en
    assert "지점 3곳 중 1곳에" in ko
    assert "담당 관청이 승인합니다" in ko


def test_no_warning_says_how_likely_the_likeliest_crossing_is():
    decision = AIR.decide(air(3.0))
    assert not decision.actions
    en, ko = section(results(decision=decision))
    assert "No warning" in en
    assert "경보 없음" in ko
    assert "its highest probability is 0%" in en
    assert "Nobody need confirm it." in en


def test_scores_stand_beside_those_of_alone_and_the_baselines():
    scores = {name: {"cost": 0.3, **vars(ALERT)} for name in METHODS}
    scores["alone"] = {**scores["alone"], "csi": 0.7, "hit_rate": float("nan")}
    en, ko = section(results(decision=AIR.decide(air(150.0)), decision_scores=scores))
    assert "Evaluated on test days, with 57 events" in en
    assert "score automatic alone as now typical day" in en
    assert "CSI 66% 70% ( best ) 66% 66%" in en
    assert "hit rate 90% – 90% 90%" in en  # equal: none is the best
    assert "nan" not in en
    assert "적중률 90% – 90% 90%" in ko


def test_a_plan_shows_shares_walks_and_an_example():
    nobody = PARKING.decide(replace(made_state(PARKING), requests=()))
    plan = PARKING.decide(made_state(PARKING))
    methods = ("automatic", "alone", "nearest", "free_now", "free_now_counted")
    scores = {name: {"found": 0.9, "walk_m": 200.0, "cars": 6000.0} for name in methods}
    scores["automatic"]["found"] = 0.99
    found = results(decision=nobody, example=plan, decision_scores=scores, unit="spaces")
    en, ko = section(found)
    assert "99.0% of 6,000 invented cars find a space and walk 200 m" in en
    assert "of those that drive to the nearest lot, 90.0%" in en
    assert "with 6000 invented cars" in en
    assert "found a space 99.0% ( best ) 90.0%" in en
    assert "nearest lot free now free now, counted down" in en
    cars = sum(action.numbers["count"] for action in plan.actions)
    assert f": {cars:.0f} invented cars want to go to one place" in en
    assert "요청 없음" in ko


def test_a_plan_without_positions_says_what_to_do():
    nobody = PARKING.decide(replace(made_state(PARKING), requests=()))
    en, _ = section(results(decision=nobody))
    assert "give places lat and lon in the city file" in en


@pytest.mark.parametrize("name", sorted(applications()))
def test_every_application_s_decision_has_words(name):
    application = applications()[name]
    state = made_state(application)
    unit = application.targets[0].unit
    decision = application.decide(state)
    example = decision if isinstance(application.decide, LeastExpectedTime) else None
    found = results(decision=decision, unit=unit, example=example)
    en, ko = section(found)
    for action in decision.actions[: 1 if application.task is Task.ALERT else None]:
        assert f"decision.action_{action.code}".partition(".")[2] in {
            key.partition(".")[2] for key in words("en")
        }
        assert action.place in en
        assert action.place in ko
    (line,) = decisions(found)
    assert line.startswith("Water demand, District A: ")
    assert "{" not in line
    assert "holds until" in en


def test_a_forecast_without_anything_to_act_on():
    water = applications()["water"]
    state = made_state(water)
    decision = water.decide(replace(state, forecast_NH=np.full_like(state.forecast_NH, np.nan)))
    en, _ = section(results(decision=decision))
    assert "No forecast" in en


def test_results_without_decisions_have_no_section():
    page = render(results())
    assert "service-1-decision" not in page
    assert decisions(results()) == []


def test_many_parties_are_folded():
    found = fake_results(9, streets=False)
    (service,) = found.services
    decision = AIR.decide(air(150.0))
    parties = [one.model_copy(update={"decision": decision}) for one in service.parties]
    found = found.model_copy(update={"services": [service.model_copy(update={"parties": parties})]})
    en, _ = section(found)
    assert "3 more parties" in en
    assert len(decisions(found)) == 9


@pytest.mark.parametrize("name", ["electricity", "traffic"])
def test_a_damaged_decision_is_named_and_what_it_lacks(name):
    state = jammed() if name == "traffic" else made_state(applications()[name])
    decision = applications()[name].decide(state)
    with pytest.raises(CheckpointError, match=r"decision of .* lacks an action"):
        render(results(decision=replace(decision, actions=())))
    bare = replace(decision.reasons[0], numbers={})
    with pytest.raises(CheckpointError, match="lacks the number"):
        render(results(decision=replace(decision, reasons=(bare,))))


def test_no_word_of_decisions_is_left_unused():
    package = Path(words_of.__file__).parent
    source = "".join(
        file.read_text("utf-8") for file in (*package.rglob("*.py"), *package.rglob("*.html"))
    )
    decided = [one.decide(made_state(one)) for one in applications().values()]
    decided.append(applications()["traffic"].decide(jammed()))
    made = {f"action_{action.code}" for decision in decided for action in decision.actions}
    made |= {f"score_{name}" for name in words_of._SCORES}
    made |= {f"plan_{name}" for name in words_of._PLANS}
    made |= {f"weighed_{what}" for what in ("probability", "height", "hour", "shares")}
    made |= {"source_learned", "source_now"}
    made |= {f"confirm_{one.value}" for one in Confirm}
    made |= {f"example_{name}" for name in ("place", "when", "cars", "chance", "walk")}
    made |= {f"{stem}_{task}" for stem in ("intro", "key") for task in ("alert", "plan")}
    scored = ("alert", "plan", "peak", "patrol")
    made |= {f"key_{task}" for task in scored}
    made |= {"intro_scored", "action_inspect-leak", "action_warn-crowding"}
    made |= {f"scores_{task}_{end}" for task in scored for end in ("one", "many")}
    keys = {key.partition(".")[2] for key in words("en") if key.startswith("decision.")}
    used = set(re.findall(r"[\"'.]([a-z_]+)\b", source))
    assert keys - made - used == {"intro_forecast", "more_one", "more_many"}  # put together too
