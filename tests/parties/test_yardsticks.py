"""Naive forecasts are judged on all truths, and raw rows are pooled where they can be."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from little_map import flows, service, three

from deepcity.learning.evaluation.baselines import first_finite, last_known
from deepcity.maps.city_map import load_map
from deepcity.parties.method_errors import NAIVE_DAY, NAIVE_WEEK, naive_forecasts, naive_gaps
from deepcity.parties.party import parties_of
from deepcity.parties.pooling import NotPooled, place_slices, pooled_party, why_not_pooled
from deepcity.runs.notes import naive_notes
from deepcity.runs.run import run_map
from deepcity.web.report.notes import note

NEWCOMER = 'newcomers = ["west/office"]'
THREE_DAYS = 'scarce = { "west/office" = 3 }'


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    path = three(tmp_path_factory.mktemp("newcomer")).write(
        service(settings=NEWCOMER, span=THREE_DAYS)
    )
    only = load_map(path).services[0]
    return next(party for party in parties_of(only) if party.name == "west/office")


def test_naive_forecasts_of_a_newcomer_leave_no_truth_out(newcomer):
    known = np.isfinite(newcomer.test.truth_BNH)
    week, _ = naive_gaps(newcomer)
    assert week > 0.2
    found = naive_forecasts(newcomer)
    for name in (NAIVE_DAY, NAIVE_WEEK, "persistence"):
        assert np.isfinite(found[name][known]).all()


def test_what_last_week_lacks_is_yesterdays(newcomer):
    found = naive_forecasts(newcomer)
    first = newcomer.test_origins[0]
    assert first < newcomer.split.train.start + 7 * 24  # no week of records yet
    np.testing.assert_array_equal(found[NAIVE_WEEK][0], found[NAIVE_DAY][0])
    values = newcomer.inputs.values_TN
    np.testing.assert_array_equal(found["persistence"][0][:, 0], values[first - 1])


def test_a_fallback_is_told_with_its_share(newcomer):
    (only,) = naive_notes(newcomer)
    week, day = naive_gaps(newcomer)
    assert only.numbers == {"week": week, "day": day}
    assert f"({week:.0%} of them)" in note(only).en
    assert f"({week:.0%})" in note(only).ko


def test_a_party_with_weeks_of_records_needs_none(tmp_path):
    only = load_map(three(tmp_path).write(service())).services[0]
    assert [naive_notes(party) for party in parties_of(only)] == [[], [], []]


def test_the_last_known_value_is_never_one_to_come():
    values_TN = np.arange(50, dtype=np.float32)[:, None]
    values_TN[20:30] = np.nan
    found = last_known(values_TN, np.array([0, 5, 25, 31]), 2)[:, 0]
    np.testing.assert_array_equal(found, [[np.nan] * 2, [4, 4], [19, 19], [30, 30]])


def test_the_first_known_forecast_counts():
    one, other = np.array([1.0, np.nan]), np.array([5.0, 6.0])
    assert first_finite(one, other).tolist() == [1.0, 6.0]


def holidays_of(party, *days):
    clock = replace(party.panel.clock, holidays=frozenset(days))
    return replace(party, panel=replace(party.panel, clock=clock))


def test_parties_with_other_holidays_are_pooled_each_under_its_own(tmp_path):
    only = load_map(three(tmp_path).write(service())).services[0]
    parties = parties_of(only)
    parties[1] = holidays_of(parties[1], date(2021, 2, 10))
    assert why_not_pooled(parties) is None
    pooled = pooled_party(only, parties)
    for party, places in zip(parties, place_slices(parties), strict=True):
        np.testing.assert_array_equal(pooled.test.truth_BNH[:, places], party.test.truth_BNH)
    apart = pooled_party(only, parties[1:2] * 1)
    middle = place_slices(parties)[1]
    np.testing.assert_array_equal(pooled.test.baseline_BNH[:, middle], apart.test.baseline_BNH)
    assert pooled.data.train.features_BNF.shape[1] == sum(len(p.panel.places) for p in parties)


def test_a_run_says_why_it_did_not_pool(tmp_path):
    little = three(tmp_path)
    little.party("west/office", flows(days=40, seed=2))
    path = little.write(service(levels=(), rounds=1, settings="automatic = false"))
    results = run_map(load_map(path), tmp_path / "run")
    codes = [one.code for one in results.services[0].notes]
    assert f"not_pooled_{NotPooled.TIMES}" in codes
    assert all("pooled" not in party.test for party in results.services[0].parties)
