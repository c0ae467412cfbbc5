"""Deep data that are stuck, scaled or turned round are noticed, and their agency is as silent."""

from dataclasses import replace

import numpy as np
import pytest
from live_server import store_of
from live_town import DAY, HOUR, NOW

from deepcity.learning.split.deep_stats import DeepStats, longest_run
from deepcity.learning.split.fused_package import _content, load_fused, save_fused
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.application import AgencyStatus, LiveApplication
from deepcity.live.wire import cell_names, to_rows
from deepcity.store.packages.sealed_file import version_of
from deepcity.web.api.answers import agency_now
from deepcity.web.report.notes import note

LIVED = 3 * DAY
FAULTS = {
    "none": lambda vectors_BCD: vectors_BCD,
    "stuck": lambda vectors_BCD: np.repeat(vectors_BCD[:1], len(vectors_BCD), axis=0),
    "flipped": lambda vectors_BCD: -vectors_BCD,
    "scaled down": lambda vectors_BCD: vectors_BCD / 4,
    "hours late": lambda vectors_BCD: np.roll(vectors_BCD, 9, axis=0),
}


@pytest.fixture
def store(town_trained, tmp_path):
    with store_of(town_trained, f"duckdb:///{tmp_path / 'deep.duckdb'}") as store:
        yield store


def speak(town, store, name, change, start=NOW, until=NOW + LIVED):
    """Put an agency's deep data of some hours into the store, changed."""
    package, times_B = town.encoders[name], np.arange(start, until + 1, HOUR)
    batch = package.encode(town.panel(name), times_B)
    batch = DeepBatch(change(batch.vectors_BCD).astype(np.float32), batch.known_BC)
    rows = to_rows(package.space, cell_names(package.cells), times_B, batch)
    store.append(rows, now=until + DAY)


def live_at(town, store, until=NOW + LIVED, package=None):
    application = LiveApplication(package or town.fused, store)
    application.load_rows(town.panel("metro", until))
    return application


def state_of(found, name="weather"):
    return next(one for one in found if one.name == name)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_left_out_and_what_is_right_is_not(town_trained, store, fault):
    speak(town_trained, store, "weather", FAULTS[fault])
    speak(town_trained, store, "gates", FAULTS["none"])
    live = live_at(town_trained, store)
    found = live.forecast(NOW + LIVED)
    weather, gates = state_of(found.agencies), state_of(found.agencies, "gates")
    assert gates.status is AgencyStatus.FRESH, gates
    if fault == "none":
        assert weather.status is AgencyStatus.FRESH, weather
        return
    assert weather.status is AgencyStatus.IN_DOUBT, weather
    answer = agency_now(weather)
    assert (answer["status"], answer["doubt"]["code"]) == ("in-doubt", weather.doubt.code)
    assert answer["note"] == note(weather.doubt).en
    assert state_of(live.states(NOW + LIVED)) == weather
    np.testing.assert_allclose(  # a band as without it
        (found.high_NH - found.value_NH), town_trained.fused.half_width(["gates"]), rtol=1e-3
    )


def test_reasons_are_told_with_numbers(town_trained, store):
    speak(town_trained, store, "weather", FAULTS["stuck"])
    doubt = state_of(live_at(town_trained, store).states(NOW + LIVED)).doubt
    assert (doubt.code, doubt.numbers) == ("deep_stuck", {"hours": 71})
    assert "not changed for 71 h" in note(doubt).en
    assert "71시간 동안 바뀌지 않았습니다" in note(doubt).ko


@pytest.mark.parametrize(
    ("fault", "code", "figure"),
    [("scaled down", "deep_scaled", "energy"), ("flipped", "deep_harmful", "excess")],
)
def test_each_reason_has_a_sentence_in_both_languages(town_trained, store, fault, code, figure):
    speak(town_trained, store, "weather", FAULTS[fault])
    doubt = state_of(live_at(town_trained, store).states(NOW + LIVED)).doubt
    assert doubt.code == code
    shown = {"energy": f"{doubt.numbers[figure]:.3f}", "excess": f"{doubt.numbers[figure]:+.0%}"}
    assert shown[figure] in note(doubt).en
    assert shown[figure] in note(doubt).ko
    assert note(doubt).en != note(doubt).ko


def test_signs_that_were_flipped_are_noticed_by_the_course_of_the_day(town_trained, store):
    """The gates' exits follow the hour; before any three days of forecasts say anything."""
    flip = NOW + LIVED - 2 * DAY
    speak(town_trained, store, "weather", FAULTS["none"])
    speak(town_trained, store, "gates", FAULTS["none"], until=flip)
    speak(town_trained, store, "gates", FAULTS["flipped"], start=flip + HOUR)
    found = state_of(live_at(town_trained, store).states(NOW + LIVED), "gates")
    assert found.status is AgencyStatus.IN_DOUBT
    assert found.doubt.code == "deep_flipped"
    correlation = f"{found.doubt.numbers['correlation']:.2f}".replace("-", "−")
    assert f"correlation {correlation}" in note(found.doubt).en
    assert "흐름과 반대로" in note(found.doubt).ko
    bare = replace(town_trained.fused, deep_days={})
    found = state_of(live_at(town_trained, store, package=bare).states(NOW + LIVED), "gates")
    assert found.doubt is None or found.doubt.code != "deep_flipped"  # of before it was kept


@pytest.mark.parametrize(("hours", "doubted"), [(12, False), (22, False), (48, True)])
def test_a_young_agency_is_not_doubted_for_a_few_forecasts(town_trained, store, hours, doubted):
    """It is as wrong from its first hour on; a day of forecasts with truths says so, no less."""
    speak(town_trained, store, "weather", FAULTS["flipped"], NOW + LIVED - hours * HOUR)
    bare = replace(town_trained.fused, deep_days={})
    found = state_of(live_at(town_trained, store, package=bare).states(NOW + LIVED))
    assert (found.doubt is not None) == doubted, found


def test_it_is_trusted_again_once_it_is_right(town_trained, store):
    start = NOW - 4 * DAY
    speak(town_trained, store, "weather", FAULTS["flipped"], start, NOW - DAY)
    speak(town_trained, store, "weather", FAULTS["none"], NOW - DAY + HOUR)
    live = live_at(town_trained, store, NOW - DAY)
    assert state_of(live.states(NOW - DAY)).status is AgencyStatus.IN_DOUBT
    before = live.version
    live.load_rows(town_trained.panel("metro", NOW + LIVED))
    assert live.version > before
    assert state_of(live.states(NOW + LIVED)).status is AgencyStatus.FRESH


def test_nothing_after_a_moment_is_looked_at(town_trained, store):
    speak(town_trained, store, "weather", FAULTS["flipped"], NOW + HOUR)
    speak(town_trained, store, "weather", FAULTS["none"], NOW - LIVED, NOW)
    live = live_at(town_trained, store)
    live.check_deep_data(NOW)
    assert state_of(live.states(NOW)).status is AgencyStatus.FRESH


def test_a_package_keeps_statistics_and_an_older_one_opens_without(town_trained, store, tmp_path):
    stats = DeepStats.of(town_trained.fused.deep_stats["weather"])
    assert 0 < stats.least_energy < stats.most_energy < 1
    assert stats.run_s < 5 * HOUR
    assert stats.worth < 0.9
    bare = replace(town_trained.fused, deep_stats={})
    bare = replace(bare, version=version_of(*_content(bare)))
    old = load_fused(save_fused(tmp_path, bare))
    assert not old.deep_stats
    speak(town_trained, store, "weather", FAULTS["flipped"])
    found = live_at(town_trained, store, package=old).states(NOW + LIVED)
    assert state_of(found).status is AgencyStatus.IN_DOUBT


def test_how_long_nothing_changed():
    vectors_BCD = np.array([0, 1, 1, 1, 2, 2], np.float32)[:, None, None]
    assert longest_run(DeepBatch(vectors_BCD, np.ones((6, 1), bool))) == 2
