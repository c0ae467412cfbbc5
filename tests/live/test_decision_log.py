"""A live application decides after each forecast, by the errors of what it had to go by."""

import json
from dataclasses import replace

import numpy as np
import pytest
from live_server import access, store_of
from live_town import HOUR, NOW
from test_application import speak

from deepcity.applications.application import applications
from deepcity.applications.state import State
from deepcity.city.errors import LiveError
from deepcity.learning.split.fused_package import ALL, KNOWN, NO_AGENCY, TRUTH, TYPICAL, load_fused
from deepcity.live.application import LiveApplication
from deepcity.live.decisions import DecisionLog, decide, past_of


@pytest.fixture
def store(town_trained, tmp_path):
    with store_of(town_trained, f"duckdb:///{tmp_path / 'deep.duckdb'}", access()) as store:
        yield store


@pytest.fixture
def live(town_trained, store):
    application = LiveApplication(town_trained.fused, store)
    application.load_rows(town_trained.panel("metro", NOW))
    return application


def test_a_package_keeps_forecasts_of_its_validation_days_with_what_came(town_trained):
    package = load_fused(town_trained.fused_file)
    past = past_of(package, ALL, 2)
    assert past.forecast_BNH.shape == past.truth_BNH.shape
    assert past.forecast_BNH.shape[1:] == (3, 2)
    errors = {
        way: np.nanmean(np.abs(past_of(package, way, 2).errors_BNH))
        for way in (ALL, NO_AGENCY, TYPICAL)
    }
    assert errors[ALL] < errors[NO_AGENCY]
    assert set(package.past) == {TRUTH, KNOWN, ALL, NO_AGENCY, TYPICAL}
    unknown = np.isnan(past.truth_BNH)
    assert np.array_equal(unknown, ~package.past[KNOWN])


def test_it_decides_as_the_application_does_on_its_forecast(town_trained, store, live):
    for name in ("weather", "gates"):
        speak(town_trained, store, name, [NOW - HOUR, NOW])
    found = live.forecast(NOW)
    made = decide(live, found)
    panel, ridership = town_trained.panel("metro", NOW), applications()["ridership"]
    past = past_of(live.package, ALL, 2)
    state = State.of(panel, "boardings", NOW, found.value_NH, past)
    assert made.decision == ridership.decide(state)
    np.testing.assert_array_equal(
        State.of(live.rows, "boardings", NOW, found.value_NH, past).known_TN, state.known_TN
    )
    assert made.errors == ALL
    assert made.decision.valid_until_s == NOW + HOUR


def test_a_late_agency_and_late_own_rows_make_it_go_by_larger_errors(town_trained, store, live):
    speak(town_trained, store, "weather", [NOW - HOUR, NOW])
    assert decide(live, live.forecast(NOW)).errors == NO_AGENCY
    assert decide(live, live.forecast(NOW + HOUR)).errors == TYPICAL


def test_a_package_that_names_no_application_says_what_to_do(town_trained, store, live):
    facts = replace(town_trained.fused.facts, application="")
    live.package = replace(town_trained.fused, facts=facts)
    with pytest.raises(LiveError, match=r"names no application\. Train again"):
        decide(live, live.forecast(NOW))
    live.package = replace(town_trained.fused, past={})
    with pytest.raises(LiveError, match="no past forecasts"):
        decide(live, live.forecast(NOW))
    log = DecisionLog(None, lambda _event: pytest.fail("nothing can be decided"))
    log.after_rows(live, NOW)


def test_each_new_decision_is_kept_once_with_its_forecast(town_trained, store, live, tmp_path):
    events = []
    log = DecisionLog(tmp_path / "state" / "decisions.jsonl", events.append)
    log.after_rows(live, NOW)
    log.after_forecast(live, live.forecast(NOW))  # from the same rows and deep data
    speak(town_trained, store, "weather", [NOW])
    log.after_forecast(live, live.forecast(NOW))
    lines = [json.loads(line) for line in log.path.read_text("utf-8").splitlines()]
    assert lines == json.loads(json.dumps(events))
    assert len(lines) == 2
    first, second = lines
    assert first["forecast"]["agencies"] == {"gates": "no-data", "weather": "no-data"}
    assert second["forecast"]["agencies"]["weather"] == "fresh"
    np.testing.assert_allclose(second["forecast"]["value"], live.forecast(NOW).value_NH, atol=1e-4)
    assert second["decision"]["actions"]
    assert second["decision"]["valid_until_s"] == NOW + HOUR


def test_a_log_that_cannot_be_written_keeps_no_decision_back(live, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    events = []
    DecisionLog(tmp_path / "file" / "decisions.jsonl", events.append).after_rows(live, NOW)
    assert len(events) == 1
    assert "could not be kept" in caplog.text


def test_a_long_log_is_put_aside(live, tmp_path, monkeypatch):
    monkeypatch.setattr("deepcity.live.decisions.MAX_LOG_BYTES", 10)
    log = DecisionLog(tmp_path / "decisions.jsonl")
    for hour in range(3):
        log.after_rows(live, NOW + hour * HOUR)
    kept = (tmp_path / "decisions.jsonl", tmp_path / "decisions.jsonl.1")
    assert [len(path.read_text("utf-8").splitlines()) for path in kept] == [1, 1]
